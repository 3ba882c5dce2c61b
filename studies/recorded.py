"""What was recorded of people who thought aloud, as files, and where in them each interaction of a session lies.

An interaction lasts from when its arrangement was shown, that is, from the end of the training before it, to the end of
its own training: so long somebody can say something about it. The times are those of the server's jobs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from crowdloom.studies.posting import newest_design
from crowdloom.studies.recordings import KINDS
from crowdloom.studies.tables import Design, Item, Job, Posting, Recording, Study, Submission
from crowdloom.studies.webm import cut

WEBM = "audio/webm"
_PIECE = timedelta(seconds=10)
"""No piece is longer."""


@dataclass(frozen=True)
class Recorded:
    """One recording without its sound."""

    submission_id: int
    submission: str
    """Its pseudonym."""
    item_id: int
    item: str
    """The item's key."""
    trial: str
    """What the trial's page carries."""
    repeat_index: int
    number: int
    mime: str
    began_at: datetime
    began_ms: int
    """The same by the page's clock: milliseconds since it was opened."""
    last_at: datetime
    """When its last piece begins."""
    pieces: int
    missing: int
    """Pieces that never came; the sound has a gap there."""

    @property
    def name(self) -> str:
        """The name of its file."""
        again = f"-{self.repeat_index}" if self.repeat_index else ""
        item = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_.") else "_" for sign in self.item)
        return f"{self.submission}-{item}{again}-{self.number}.{KINDS[self.mime]}"


_PIECES = (
    select(
        Recording.submission_id,
        Submission.pseudonym,
        Recording.item_id,
        Item.key,
        Item.token,
        Recording.repeat_index,
        Recording.number,
        Recording.mime,
        Recording.chunk,
        Recording.at,
        Recording.offset_ms,
    )
    .join(Submission, Submission.id == Recording.submission_id)
    .join(Item, Item.id == Recording.item_id)
    .order_by(Recording.submission_id, Recording.item_id, Recording.repeat_index, Recording.number, Recording.chunk)
)


def recordings_of_study(connection: Connection, study: str) -> list[Recorded]:
    """All recordings of a study. Raises StudyError for an unknown one."""
    newest_design(connection, study)
    of_study = (
        select(Submission.id)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == study)
    )
    return _read(connection, Recording.submission_id.in_(of_study))


def recordings_of_trial(connection: Connection, submission_id: int, item_id: int, repeat_index: int) -> list[Recorded]:
    """The recordings of one submission at one trial."""
    return _read(
        connection,
        Recording.submission_id == submission_id,
        Recording.item_id == item_id,
        Recording.repeat_index == repeat_index,
    )


def _read(connection: Connection, *which: ColumnElement[bool]) -> list[Recorded]:
    rows: dict[tuple[int, ...], list[Any]] = {}
    for row in connection.execute(_PIECES.where(*which)).all():
        rows.setdefault((row.submission_id, row.item_id, row.repeat_index, row.number), []).append(row)
    return [_recorded(pieces) for pieces in rows.values()]


def _recorded(pieces: Sequence[Row[Any]]) -> Recorded:
    first, last = pieces[0], pieces[-1]
    return Recorded(
        submission_id=first.submission_id,
        submission=first.pseudonym,
        item_id=first.item_id,
        item=first.key,
        trial=f"{first.token}.{first.repeat_index}",
        repeat_index=first.repeat_index,
        number=first.number,
        mime=first.mime,
        began_at=first.at,
        began_ms=first.offset_ms,
        last_at=last.at,
        pieces=len(pieces),
        missing=last.chunk + 1 - len(pieces),
    )


def content_of(connection: Connection, recorded: Recorded) -> bytes:
    """The pieces of a recording in their order, as one file."""
    found = connection.scalars(
        select(Recording.content)
        .where(
            Recording.submission_id == recorded.submission_id,
            Recording.item_id == recorded.item_id,
            Recording.repeat_index == recorded.repeat_index,
            Recording.number == recorded.number,
        )
        .order_by(Recording.chunk)
    )
    return b"".join(found)


@dataclass(frozen=True)
class Span:
    """When an interaction began and ended; None where nothing was before it, or nothing came after it."""

    begin: datetime | None
    end: datetime | None

    def within(self, began_at: datetime) -> tuple[float, float]:
        """The seconds in a recording that began then; from 0, and to infinity where it has no end."""
        begin = (self.begin - began_at).total_seconds() if self.begin else 0.0
        end = (self.end - began_at).total_seconds() if self.end else float("inf")
        return max(begin, 0.0), end


def spans(connection: Connection, submission_id: int, trial: str) -> Mapping[int, Span]:
    """When each interaction of a session that was trained went on, by its number."""
    number = Job.input["number"].as_integer()
    ended = {
        row.number: row.finished_at
        for row in connection.execute(
            select(number.label("number"), Job.finished_at)
            .where(Job.submission_id == submission_id, Job.trial == trial, Job.step == "train", Job.state == "done")
            .order_by(Job.id)
        )
    }
    return {number: Span(ended.get(number - 1), end) for number, end in ended.items()}


@dataclass(frozen=True)
class Sound:
    """What a coder can play."""

    content: bytes
    mime: str
    begins_s: float
    """Where the interaction begins in it: 0 where it was cut."""


def goes_on_in(connection: Connection, recorded: Recorded, span: Span) -> bool:
    """Whether a recording has something of an interaction."""
    if span.end is not None and recorded.began_at >= span.end:
        return False
    if span.begin is None or recorded.last_at > span.begin:
        return True
    # It may end in its last piece; only the sound says when.
    return span.begin - recorded.last_at < _PIECE and sound_between(connection, recorded, span) is not None


def sound_between(connection: Connection, recorded: Recorded, span: Span) -> Sound | None:
    """The part of a recording that was made in an interaction, None where there is none.

    What is not WebM cannot be cut, and comes whole.
    """
    begin, end = span.within(recorded.began_at)
    if end <= 0:
        return None
    content = content_of(connection, recorded)
    if recorded.mime != WEBM:
        return Sound(content, recorded.mime, begin)
    part = cut(content, 1000 * begin, 1000 * end)
    return None if part is None else Sound(part, recorded.mime, 0.0)
