"""Folders of what is prepared once: preparations side by side, each by a digest, of which one counts.

ROOT/NAME/current.json says which; ROOT/NAME/DIGEST/ is a preparation, which appears whole and never changes;
ROOT/NAME/.DIGEST.part/ is one that is being made, or was when its process ended.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.files import whole_file

CURRENT = "current.json"
_DIGEST = re.compile(r"[0-9a-f]{16}")


def prepared_root(variable: str, kind: str) -> Path:
    """Where all of a kind lie: where an environment variable says, or in the user's data folder."""
    from platformdirs import user_data_path

    root = os.environ.get(variable)
    return Path(root).absolute() if root else user_data_path("crowdloom") / kind


def digest_of(said: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """The digest of what a preparation depends on: what is said of it, and its data by name."""
    seen = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for name, array in arrays.items():
        seen.update(f"{name} {array.dtype.str} {array.shape}".encode())
        seen.update(np.ascontiguousarray(array).data)
    return seen.hexdigest()[:16]


def write_json(path: Path, content: Any, indent: int | None = 1) -> None:
    """Writes a file of a preparation whole."""
    with whole_file(path) as part:
        part.write_text(json.dumps(content, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")


def place_of(folder: Path, digest: str | None) -> Path | None:
    """The preparation with this digest, which need not be there, or the one that counts; None where none does."""
    if digest is None:
        try:
            digest = str(json.loads((folder / CURRENT).read_text(encoding="utf-8"))["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
    return folder / digest if _DIGEST.fullmatch(digest) else None


def let_count(folder: Path, digest: str) -> None:
    """From now on this preparation is the one that counts."""
    with whole_file(folder / CURRENT) as part:
        part.write_text(json.dumps({"digest": digest}), encoding="utf-8")


def begin_part(folder: Path, digest: str) -> Path:
    """The folder in which a preparation is made until it is whole; what is left of others is removed."""
    own = folder / f".{digest}.part"
    for other in folder.glob(".*.part"):
        if other.is_dir() and other != own:
            shutil.rmtree(other, ignore_errors=True)
    own.mkdir(exist_ok=True)
    return own
