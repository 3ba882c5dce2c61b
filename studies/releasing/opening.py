"""Opening somebody's release, a folder or a zip: every file is there, and just as SHA256SUMS says."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.releasing import study_file, sums
from crowdloom.studies.releasing.expecting import lacking
from crowdloom.studies.releasing.study_file import ReleaseFile
from crowdloom.studies.releasing.tables import FOLDER, TYPES

_ROWS = 20_000
_STRETCH = 1 << 20


@dataclass(frozen=True)
class OpenRelease:
    """A release whose files are as they were written."""

    name: str
    """What messages call it."""
    folder: Path
    said: ReleaseFile
    sha256: str
    """Of its content, as in the store of whoever made it."""

    def has(self, stem: str) -> bool:
        """Whether it has a table."""
        return stem in self.said.tables

    def rows(self, stem: str) -> Iterator[dict[str, list[Any]]]:
        """A table's rows, some at a time, as lists by column. Raises ImportFileError where it is not as it says."""
        kinds = self.said.tables[stem]
        path = self.folder / FOLDER / f"{stem}.parquet"
        try:
            with pq.ParquetFile(path) as file:
                schema = file.schema_arrow
                for name, kind in kinds.items():
                    if name not in schema.names or not _same_type(schema.field(name).type, TYPES[kind]):
                        raise ImportFileError(f"{self.name}: the column {name} of {stem} is missing or no {kind}")
                for batch in file.iter_batches(_ROWS, columns=list(kinds)):
                    yield _decoded(batch.to_pydict(), kinds)
        except (OSError, pa.ArrowException, json.JSONDecodeError, KeyError) as error:
            raise ImportFileError(f"{self.name}: the table {stem} cannot be read ({error})") from error

    def table(self, stem: str) -> dict[str, list[Any]]:
        """A whole table, as lists by column; empty lists where it has no rows."""
        whole: dict[str, list[Any]] = {name: [] for name in self.said.tables[stem]}
        for part in self.rows(stem):
            for name, values in part.items():
                whole[name] += values
        return whole


@contextmanager
def opened_release(path: Path) -> Iterator[OpenRelease]:
    """Open a release and check all its files. Raises ImportFileError for what is none, or is damaged."""
    with ExitStack() as stack:
        if path.is_dir():
            folder = path
            digests = _sums(path, (path / sums.NAME).read_bytes() if (path / sums.NAME).is_file() else None)
            for name, digest in digests.items():
                if not (folder / name).is_file():
                    raise ImportFileError(f"{path} is not whole: the file {name} is missing; get it again")
                if sums.digest_file(folder / name) != digest:
                    raise ImportFileError(f"{path} is damaged: the file {name} is not as SHA256SUMS says; get it again")
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crowdloom-release-")))
            digests = _unpack(path, folder)
        said = _said(path, folder, digests)
        yield OpenRelease(path.name, folder, said, sums.content_sha256(sums.content_of(digests)))


def _sums(path: Path, text: bytes | None) -> dict[str, str]:
    try:
        if text is None:
            raise ValueError(f"it has no {sums.NAME}")
        digests = sums.parse_sums(text.decode())
        if study_file.NAME not in digests:
            raise ValueError(f"{sums.NAME} does not name {study_file.NAME}")
    except ValueError as error:
        raise ImportFileError(
            f"{path} is not a release of crowdloom ({error}); name the folder or the zip of one"
        ) from error
    return digests


def _unpack(path: Path, folder: Path) -> dict[str, str]:
    """Unpack what SHA256SUMS of a zip names, checking it on the way."""
    try:
        with zipfile.ZipFile(path) as archive:
            roots = [name.removesuffix(sums.NAME) for name in archive.namelist() if Path(name).name == sums.NAME]
            root = min(roots, key=len, default="")
            digests = _sums(path, archive.read(root + sums.NAME) if roots else None)
            for name, wanted in digests.items():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                digest = hashlib.sha256()
                with archive.open(root + name) as source, target.open("xb") as file:
                    while part := source.read(_STRETCH):
                        digest.update(part)
                        file.write(part)
                if digest.hexdigest() != wanted:
                    raise ImportFileError(f"{path} is damaged: the file {name} is not as SHA256SUMS says; get it again")
    except KeyError as error:
        raise ImportFileError(f"{path} is not whole: {error.args[0]}; get it again") from error
    except FileNotFoundError as error:
        raise ImportFileError(f"{path} does not exist; name the folder or the zip of a release") from error
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
        raise ImportFileError(f"{path} is no folder and no zip that can be read; name those of a release") from error
    return digests


def _said(path: Path, folder: Path, digests: dict[str, str]) -> ReleaseFile:
    try:
        said = ReleaseFile.model_validate_json((folder / study_file.NAME).read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"]))
        raise ImportFileError(
            f"{path}: {study_file.NAME} is not one that this crowdloom reads ({where}: {problem['msg']})"
        ) from error
    lacks = lacking(said)
    if absent := [stem for stem in said.tables if f"{FOLDER}/{stem}.parquet" not in digests]:
        lacks = f"the table {absent[0]} is missing"
    if lacks is not None:
        raise ImportFileError(f"{path} cannot be read back: {lacks}")
    return said


def _same_type(there: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether two types are one, however a list calls its elements."""
    if pa.types.is_list(wanted):
        return bool(pa.types.is_list(there) and there.value_type == wanted.value_type)
    return bool(there == wanted)


def _decoded(values: dict[str, list[Any]], kinds: dict[str, str]) -> dict[str, list[Any]]:
    for name, kind in kinds.items():
        if kind == "json":
            values[name] = [None if value is None else json.loads(value) for value in values[name]]
    return values
