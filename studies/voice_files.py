"""Recordings as a folder of sound files, with tables that say what each is and where in it the interactions lie."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from sqlalchemy import Connection

from crowdloom.studies.errors import OptionError, StudyError
from crowdloom.studies.recorded import WEBM, Recorded, content_of, recordings_of_study, spans
from crowdloom.studies.webm import cut, seconds

RECORDINGS = (
    *("file", "submission", "item", "repeat_index", "recording", "began_at", "page_clock_ms", "seconds"),
    *("pieces", "missing_pieces"),
)
INTERACTIONS = ("file", "submission", "item", "interaction", "from_s", "to_s")


def write_recordings(connection: Connection, study: str, out: Path) -> int:
    """Write the recordings of a study to a new folder, whole or not at all; how many there are.

    `recordings.csv` has for each file when it began (UTC, and milliseconds by the page's clock), how many seconds it
    has (empty where the browser did not write WebM) and how many of its pieces never came. `interactions.csv` has for
    each interaction from which second of a file to which it goes on (empty: to its end). Sound in WebM is written anew
    with its length, so that players can jump in it.

    Raises StudyError for an unknown study and where nothing is recorded, OptionError for a folder with files in it.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OptionError(f"--out {out}: there is something already; name a folder that is new or empty")
    found = recordings_of_study(connection, study)
    if not found:
        raise StudyError(f"nobody of {study} was recorded, or all had it deleted; nothing was written")
    out.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".part", dir=out.parent))
    try:
        lengths = [_write_sound(connection, recorded, part) for recorded in found]
        _write_table(part / "recordings.csv", RECORDINGS, map(_recording_row, found, lengths))
        _write_table(part / "interactions.csv", INTERACTIONS, _interaction_rows(connection, found, lengths))
        part.replace(out)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return len(found)


def _write_sound(connection: Connection, recorded: Recorded, folder: Path) -> float | None:
    """Write one file, for its owner alone; how many seconds it has."""
    content = content_of(connection, recorded)
    length = None
    if recorded.mime == WEBM:
        length, content = seconds(content), cut(content) or content
    path = folder / recorded.name
    path.touch(mode=0o600)
    path.write_bytes(content)
    return length


def _recording_row(recorded: Recorded, length: float | None) -> Sequence[object]:
    return (
        *(recorded.name, recorded.submission, recorded.item, recorded.repeat_index, recorded.number),
        *(recorded.began_at.isoformat(), recorded.began_ms, "" if length is None else round(length, 2)),
        *(recorded.pieces, recorded.missing),
    )


def _interaction_rows(
    connection: Connection, found: Sequence[Recorded], lengths: Sequence[float | None]
) -> Iterable[Sequence[object]]:
    for recorded, length in zip(found, lengths, strict=True):
        for number, span in spans(connection, recorded.submission_id, recorded.trial).items():
            begin, end = span.within(recorded.began_at)
            # Where the length is not known, it has at least what comes before its last piece.
            known = (recorded.last_at - recorded.began_at).total_seconds() if length is None else length
            if begin <= known and end > 0:
                to = "" if length is None and end > known else round(min(end, known), 2)
                yield recorded.name, recorded.submission, recorded.item, number, round(begin, 2), to


def _write_table(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)
