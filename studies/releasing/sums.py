"""SHA256SUMS: the digest of every file of a release, in the form that `sha256sum -c` reads."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

NAME = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_STRETCH = 1 << 20


def digest_file(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_files(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder, by its path there, sorted; SHA256SUMS itself is left out."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name: digest_file(folder / name) for name in names if name != NAME}


def write_sums(folder: Path) -> dict[str, str]:
    """Write SHA256SUMS; the digests."""
    digests = digest_files(folder)
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
        if not is_inside(found[2]):
            raise ValueError(f"line {number} names a path outside of the release")
        digests[found[2]] = found[1]
    return digests


def is_inside(name: str) -> bool:
    """Whether a path stays in the folder that it starts from.

    >>> is_inside("data/items.csv"), is_inside("../items.csv"), is_inside("/items.csv")
    (True, False, False)
    """
    parts = name.split("/")
    return "\\" not in name and ":" not in parts[0] and all(part not in ("", ".", "..") for part in parts)
