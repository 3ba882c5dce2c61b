"""A raw CSV export, line by line, and the sessions in it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.importing.mapping import Mapping


@dataclass(frozen=True)
class Row:
    """One screen: the line of the file on which it begins, and its named columns."""

    line: int
    fields: dict[str, str]


@dataclass(frozen=True)
class RawFile:
    """A whole export."""

    name: str
    sha256: str
    rows: list[Row]


@dataclass
class Session:
    """One participant's pass, in the order shown; `copy` counts the times it stood there before."""

    participant: str
    rows: list[Row]
    copy: int = 0
    original: Session | None = None

    def digest(self, mapping: Mapping) -> str:
        """The SHA-256 of what happened, without the participant's name and the place in the file."""
        said = [[item for item in row.fields.items() if item[0] != mapping.columns.participant] for row in self.rows]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()


@dataclass
class _Person:
    originals: list[Session] = field(default_factory=list)
    last_index: int | None = None


def read_csv(path: Path, mapping: Mapping, mapping_name: str) -> RawFile:
    """Read an export; every column that the mapping names must be there.

    Unnamed columns (an index that a table program added) are left out. Raises ImportFileError with
    the line for a file that is no CSV, is torn, has a row of another length or lacks a column.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ImportFileError(f"{path}: cannot be read ({error.strerror}); give the path of a CSV file") from error
    if b"\0" in content:
        raise ImportFileError(f"{path}: is not a CSV text file (it holds null bytes); export it as CSV in UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ImportFileError(f"{path}:{line}: is not UTF-8 text; export it as CSV in UTF-8") from error

    records = _records(path, text)
    header = next(records, (0, []))[1]
    if not header:
        raise ImportFileError(f"{path}: is empty; export the file again")
    columns = [None if not name or name.startswith("Unnamed:") else name for name in header]
    if missing := [name for name in mapping.column_names() if name not in columns]:
        raise ImportFileError(
            f"{path}: lacks the column {', '.join(missing)} that {mapping_name} names or takes for granted; "
            f"its columns are {', '.join(name for name in columns if name)[:500]}; correct the mapping "
            "(under [columns], where trial_type, trial_index, elapsed, rt and response have jsPsych's names by "
            "default) or the file"
        )
    if twice := sorted({name for name in columns if name and columns.count(name) > 1}):
        raise ImportFileError(f"{path}: has the column {', '.join(twice)} twice; rename or remove one")
    rows = []
    for line, record in records:
        if len(record) != len(columns):
            raise ImportFileError(
                f"{path}:{line}: has {len(record)} fields where the header has {len(columns)}; the line is torn or "
                "broken, so nothing was imported; export the file again"
            )
        rows.append(Row(line, {name: value for name, value in zip(columns, record, strict=True) if name}))
    if not rows:
        raise ImportFileError(f"{path}: has a header but no rows; export the file again")
    if text[-1] not in "\r\n":
        # Half an item key still looks like a key, none like an empty field, and half of a doubled quote like its end.
        raise ImportFileError(
            f"{path}:{line}: the last line does not end, so it may be torn; export the file again, "
            "or add a line break at its end if it is whole"
        )
    return RawFile(path.name, hashlib.sha256(content).hexdigest(), rows)


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line on which it begins; blank lines are no records."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise ImportFileError(
                f"{path}:{line}: is torn or no CSV ({error}), so nothing was imported; export the file again"
            ) from error
        if record is None:
            return
        if record:
            yield line, record
        line = reader.line_num + 1


def find_sessions(raw: RawFile, mapping: Mapping, path: Path) -> tuple[list[Session], list[Session]]:
    """The sessions in the file's order, and the copies among them apart.

    A session begins where a participant's trial index does not rise. It is a copy when an answer
    stands in what it shares, from the beginning on, with an earlier session of this participant,
    and one of the two ends there. Rows that only the longer of the two has belong to the original.
    """
    people: dict[str, _Person] = {}
    sessions: list[Session] = []
    for row in raw.rows:
        name = row.fields[mapping.columns.participant].strip()
        if not name:
            raise ImportFileError(f"{path}:{row.line}: {mapping.columns.participant} is empty; every row needs it")
        if len(name) > 100:
            raise ImportFileError(f"{path}:{row.line}: {mapping.columns.participant} is longer than 100 characters")
        index = whole(row, mapping.columns.trial_index, path)
        person = people.setdefault(name, _Person())
        if person.last_index is None or index <= person.last_index:
            sessions.append(Session(name, []))
            person.originals.append(sessions[-1])
        person.last_index = index
        person.originals[-1].rows.append(row)

    copies: list[Session] = []
    for person in people.values():
        kept: list[Session] = []
        for session in person.originals:
            original = next((earlier for earlier in kept if _same(earlier, session, mapping)), None)
            if original is None:
                kept.append(session)
                continue
            shared = min(len(original.rows), len(session.rows))
            original.rows.extend(session.rows[len(original.rows) :])
            session.rows = session.rows[:shared]
            session.original = original
            session.copy = 1 + sum(copy.original is original for copy in copies)
            copies.append(session)
    return [session for session in sessions if session.original is None], copies


def whole(row: Row, column: str, path: Path) -> int:
    """A column that holds a whole number (possibly as pandas writes it, "3.0"). Raises ImportFileError."""
    value = row.fields[column].strip()
    try:
        number = int(value.removesuffix(".0"))
    except ValueError:
        number = -1
    if not 0 <= number < 2**31:
        raise ImportFileError(f"{path}:{row.line}: {column} must be a whole number from 0 on, got {value[:50]!r}")
    return number


def screen_kind(row: Row, mapping: Mapping) -> str | None:
    """`first` or `repeat` for a screen with an answer, None for any other."""
    for kind, sign in (("first", mapping.screens.first), ("repeat", mapping.screens.repeat)):
        if sign and row.fields[sign.column] == sign.value:
            return kind
    return None


def _same(one: Session, other: Session, mapping: Mapping) -> bool:
    shared = [row for row, also in zip(one.rows, other.rows, strict=False) if row.fields == also.fields]
    return len(shared) == min(len(one.rows), len(other.rows)) and any(screen_kind(row, mapping) for row in shared)
