"""The folder of a release and its zip: they appear when they are complete, and take the place of ours alone."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from crowdloom.studies.errors import OptionError
from crowdloom.studies.releasing import study_file, sums

_FILE_MODE = 0o100644 << 16  # a plain file that all may read, as zip keeps it for Unix
_COMPRESSED = (".csv", ".json", ".md", ".cff", "")
"""The suffixes of files that are deflated; the others are compressed already."""

_LEFT = r"\.[0-9a-f]{8}\.(part|old|zip)"
"""How names end that are given below, and in `releasing`, to what is not in its place yet."""


def zip_path(out: Path) -> Path:
    """The zip that stands beside a release's folder."""
    return out.with_name(f"{out.name}.zip")


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Let one process at a time write releases beside `out`; others wait. What a killed one left there goes.

    The lock is on the folder that `out` is in, and goes with the process that has it.
    """
    folder = os.open(out.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        _clear(out)
        yield
    finally:
        os.close(folder)


def _clear(out: Path) -> None:
    left = [path for path in out.parent.iterdir() if re.fullmatch(rf"\.{re.escape(out.name)}{_LEFT}", path.name)]
    for path in left:
        if path.suffix == ".old" and not out.exists():
            path.rename(out)  # killed between its going and the coming of the new one
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def being_built(out: Path) -> Iterator[Path]:
    """An empty folder beside `out` to build in; what is still there at the end of the block goes."""
    folder = out.with_name(f".{out.name}.{secrets.token_hex(4)}.part")
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_out(out: Path, study: str) -> str | None:
    """What stands at `out`, in words, where it is a release of this study; None where nothing does.

    Raises OptionError for anything else, which is left alone, and for a release in which a file was changed or added.
    """
    said = None
    if out.name in ("", ".."):
        raise OptionError(f"--out {out}: the release needs a folder of its own; name one that is not there yet")
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise OptionError(f"--out {out}: there is something that is not a folder; name another one")
    if out.exists() and any(out.iterdir()):
        said = _released(out, study)
        _check_whole(out)
    archive = zip_path(out)
    if archive.exists() and not _is_our_zip(archive, study):
        raise OptionError(
            f"--out {out}: {archive} exists and is not the zip of a release of {study}; name another folder"
        )
    return said


def _released(out: Path, study: str) -> str:
    try:
        text = (out / study_file.NAME).read_text(encoding="utf-8")
        name, version = _parse(text)
    except (OSError, ValueError) as error:
        raise OptionError(f"--out {out} exists and is not a release of crowdloom; name another folder") from error
    if name != study:
        raise OptionError(f"--out {out} has a release of the study {name}, not of {study}; name another folder")
    return f"version {version}"


def _check_whole(out: Path) -> None:
    try:
        wanted = sums.parse_sums((out / sums.NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"--out {out}: its {sums.NAME} is missing or damaged; name another folder") from error
    there = sums.digest_files(out)
    if other := [name for name, digest in there.items() if wanted.get(name) != digest]:
        what = "was changed since" if other[0] in wanted else "is not of the release"
        raise OptionError(f"--out {out}: the file {other[0]} in it {what}; move it away, or name another folder")


def _is_our_zip(archive: Path, study: str) -> bool:
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if name.partition("/")[2] == study_file.NAME]
            return len(names) == 1 and _parse(opened.read(names[0]).decode())[0] == study
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


def _parse(text: str) -> tuple[str, int]:
    """The study and version of a release.json. Raises ValueError for another file."""
    said = json.loads(text)
    if not isinstance(said, dict) or said.get("format") != study_file.FORMAT:
        raise ValueError("not of a release")
    return str(said["study"]), int(said["version"])


def write_zip(folder: Path, name: str, day: date, archive: Path) -> None:
    """Put a folder into a zip, below `name`: files in order, all with the date of the release, none executable."""
    with zipfile.ZipFile(archive, "w") as opened:
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        for inside, path in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{name}/{inside}", (day.year, day.month, day.day, 0, 0, 0))
            entry.external_attr = _FILE_MODE
            entry.create_system = 3  # Unix, wherever it is made
            entry.compress_type = zipfile.ZIP_DEFLATED if path.suffix in _COMPRESSED else zipfile.ZIP_STORED
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, opened.open(entry, "w") as target:
                shutil.copyfileobj(source, target, 1 << 20)


def flush(files: Iterable[Path]) -> None:
    """Have the disk hold files before they take their names, so that no power cut leaves empty ones."""
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())


def put_in_place(folder: Path, archive: Path, out: Path) -> None:
    """Let a complete folder and its zip take their names; an earlier release there goes when the new one stands."""
    flush([archive, *(path for path in folder.rglob("*") if path.is_file())])
    before = out.with_name(f".{out.name}.{secrets.token_hex(4)}.old")
    if out.exists():
        out.rename(before)
    try:
        folder.rename(out)
    except BaseException:
        if before.exists():
            before.rename(out)
        raise
    archive.replace(zip_path(out))
    shutil.rmtree(before, ignore_errors=True)
