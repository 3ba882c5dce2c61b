"""SHA256SUMS: the digest of every file of a release, in the form that `sha256sum -c` reads; and of its content."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from crowdloom.studies.releasing import study_file

NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_CONTENT = (".csv", ".json")
"""The suffixes of data files that make a version another one; the others say the same in other formats."""


def digest_file(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_files(folder: Path, known: Mapping[str, str] = {}) -> dict[str, str]:
    """The SHA-256 of every file below a folder, by its path there, sorted; SHA256SUMS itself is left out.

    Files whose digests are `known` are not read.
    """
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name: known.get(name) or digest_file(folder / name) for name in names if name != NAME}


def write_sums(folder: Path, known: Mapping[str, str] = {}) -> dict[str, str]:
    """Write SHA256SUMS; the digests, of which some may be `known`."""
    digests = digest_files(folder, known)
    text = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    (folder / NAME).write_text(text, encoding="utf-8")
    return digests


def parse_sums(text: str) -> dict[str, str]:
    """The digests by path. Raises ValueError for what is no such file, or names a path that leaves the folder."""
    digests = {}
    for number, line in enumerate(text.splitlines(), start=1):
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"line {number} is not a digest and a path")
        if not _is_inside(found[2]):
            raise ValueError(f"line {number} names a path outside of the release")
        digests[found[2]] = found[1]
    return digests


def _is_inside(name: str) -> bool:
    """Whether a path stays in the folder that it starts from.

    >>> _is_inside("data/items.csv"), _is_inside("../items.csv"), _is_inside("/items.csv")
    (True, False, False)
    """
    parts = name.split("/")
    return "\\" not in name and ":" not in parts[0] and all(part not in ("", ".", "..") for part in parts)


def content_of(digests: Mapping[str, str]) -> dict[str, str]:
    """The digests of the files that are a release's content: its data, and what it says of its study."""
    return {
        name: digest
        for name, digest in sorted(digests.items())
        if name.endswith(_CONTENT) and (name == study_file.NAME or "/" in name)
    }


def content_sha256(content: Mapping[str, str]) -> str:
    """The SHA-256 of a release's content, as `content_of` gives it: two builds with the same are one version."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
