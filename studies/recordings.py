"""What participants say aloud: whether they may be recorded, the pieces as they come, and deleting them again.

A page sends a piece every few seconds. The pieces of one recording, in the order of their numbers, are one file. Its
next recording begins where a page was opened again or where a participant had stopped.

Consent is an event `audio_consent` of the submission, and the newest counts. Whoever takes it back has what was
recorded deleted where they ask for it: an event `audio_deleted` says so, and only then does the database let go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, delete, exists, func, select

from crowdloom.studies.allocation import add_event
from crowdloom.studies.database import insert_new, now
from crowdloom.studies.errors import RecordingError
from crowdloom.studies.participation import Assigned, Designs, Progress, position_of, read_progress, trial_at
from crowdloom.studies.tables import Event, Recording, Submission

KINDS = {"audio/webm": "webm", "audio/ogg": "ogg", "audio/mp4": "m4a"}
"""What browsers record, and how such a file's name ends."""
BEGINNINGS = {"audio/webm": (0, b"\x1a\x45\xdf\xa3"), "audio/ogg": (0, b"OggS"), "audio/mp4": (4, b"ftyp")}
"""What such a file has at its beginning, and after how many bytes: EBML's magic number, Ogg's, and an `ftyp` box."""
LARGEST_PIECE = 1024 * 1024
LARGEST_TRIAL = 64 * 1024 * 1024
"""Of all that is recorded at one trial; an hour of speech is about 14 MiB."""
MOST_PIECES = 20_000
MOST_RECORDINGS = 500
LAST_PIECE = timedelta(minutes=1)
"""So long after the last answer the pieces may come that were on their way."""


@dataclass(frozen=True)
class Piece:
    """A piece of a recording as its page sends it."""

    number: int
    """Of the recording at this trial, from 1."""
    chunk: int
    """Of the piece in its recording, from 0."""
    offset_ms: int
    """When it begins: milliseconds since the page was opened, by the page's clock."""
    age_ms: int
    """How long before the page sent it, by the same clock; so a piece that comes late is not taken for a late one."""
    mime: str
    content: bytes


@dataclass(frozen=True)
class VoiceState:
    """What a trial's page is to know: None for somebody who was not asked yet; the next recording's number."""

    consent: bool | None
    pieces: int
    next: int


def think_aloud_trial(designs: Designs, submission: Assigned, trial_id: str) -> int:
    """The position of a trial at which people may be recorded.

    Raises TrialError for a trial that is not this submission's, RecordingError (404) where the design does not ask
    people to think aloud.
    """
    position = position_of(designs, submission, trial_id)
    _, trial = trial_at(designs, submission, position)
    if not getattr(trial.options, "think_aloud", False):
        raise RecordingError("Nothing is recorded in this study.", status=404)
    return position


def consent_of(connection: Connection, submission_id: int) -> bool | None:
    """Whether a participant agreed to be recorded, as they last said; None where they were not asked yet."""
    said = connection.execute(
        select(Event.values)
        .where(Event.submission_id == submission_id, Event.kind == "audio_consent")
        .order_by(Event.id.desc())
        .limit(1)
    ).scalar()
    return None if said is None else bool(said["consent"])


def say_consent(connection: Connection, submission_id: int, consent: bool, *, forget: bool = False) -> None:
    """Write down what a participant says about being recorded; `forget` deletes what was recorded.

    The same again changes nothing. Raises RecordingError for consent that came with the wish to delete.
    """
    if consent and forget:
        raise RecordingError("Say either that you may be recorded or that what was recorded is to be deleted.")
    _lock(connection, submission_id)
    if consent_of(connection, submission_id) is not consent:
        add_event(connection, submission_id, "audio_consent", {"consent": consent})
    if forget:
        delete_recordings(connection, [submission_id], "consent was withdrawn")


def has_recordings(connection: Connection, submission_id: int) -> bool:
    """Whether anything of a participant's voice is stored."""
    return bool(connection.execute(select(exists().where(Recording.submission_id == submission_id))).scalar_one())


def voice_state(connection: Connection, submission: Assigned, position: int) -> VoiceState:
    """What the page of the trial at this position is to know."""
    newest = func.max(Recording.number)
    pieces, last = connection.execute(
        select(func.count(Recording.id), newest).where(*_at_trial(submission, position))
    ).one()
    return VoiceState(consent_of(connection, submission.id), pieces, (last or 0) + 1)


def save_piece(connection: Connection, submission: Assigned, position: int, piece: Piece) -> bool:
    """Keep a piece; False where just this is there already. Pieces may come in any order.

    Raises RecordingError: 409 without consent, after the end, at a trial that lies ahead, and where another page
    has recorded under the same number; 413 where there is too much; 422 for a piece that is none.
    """
    _check(piece)
    progress = read_progress(connection, submission.token)
    _lock(connection, submission.id)  # consent cannot be withdrawn while a piece comes
    if not consent_of(connection, submission.id):
        raise RecordingError("You have not agreed to be recorded, so nothing was kept.")
    if not _under_way(progress) or position > progress.answered:
        raise RecordingError("This participation is not at this point, so nothing was kept.")
    same = (*_at_trial(submission, position), Recording.number == piece.number, Recording.chunk == piece.chunk)
    before = connection.execute(select(Recording.content).where(*same)).scalar()
    if before is not None:
        if before != piece.content:
            raise RecordingError("Another page has recorded under this number; begin the next recording.", status=412)
        return False
    size = func.coalesce(func.sum(func.length(Recording.content)), 0)
    kept = connection.execute(select(size).where(*_at_trial(submission, position))).scalar_one()
    if kept + len(piece.content) > LARGEST_TRIAL:
        raise RecordingError(
            f"More than {LARGEST_TRIAL // 2**20} MiB are recorded here; the rest was not kept.", status=413
        )
    item_id, repeat_index = submission.item_order[position]
    row = {
        "submission_id": submission.id,
        "item_id": item_id,
        "repeat_index": repeat_index,
        "number": piece.number,
        "chunk": piece.chunk,
        "at": now() - timedelta(milliseconds=piece.age_ms),
        "offset_ms": piece.offset_ms,
        "mime": piece.mime,
        "content": piece.content,
    }
    connection.execute(insert_new(connection, Recording), row)
    return True


def delete_recordings(connection: Connection, submissions: Sequence[int], why: str) -> int:
    """Delete all that these submissions recorded; how many of them had recorded something."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")  # overwritten, not just given up
    found = connection.execute(
        select(Recording.submission_id, func.count())
        .where(Recording.submission_id.in_(submissions))
        .group_by(Recording.submission_id)
    ).all()
    for submission_id, pieces in found:
        add_event(connection, submission_id, "audio_deleted", {"pieces": pieces, "why": why})
        connection.execute(delete(Recording).where(Recording.submission_id == submission_id))
    return len(found)


def _check(piece: Piece) -> None:
    if piece.mime not in KINDS:
        raise RecordingError(f"A piece is {' or '.join(KINDS)}, not {piece.mime or 'of no type'}.", status=422)
    if not 1 <= piece.number <= MOST_RECORDINGS or not 0 <= piece.chunk < MOST_PIECES:
        raise RecordingError("There are not so many recordings, or pieces in one.", status=422)
    day = 24 * 60 * 60 * 1000
    if not 0 <= piece.offset_ms <= 30 * day or not 0 <= piece.age_ms <= day:
        raise RecordingError("A piece begins after its page was opened, and comes within a day.", status=422)
    if not piece.content:
        raise RecordingError("The piece is empty.", status=422)
    if len(piece.content) > LARGEST_PIECE:
        raise RecordingError("A piece has at most 1 MiB.", status=413)
    if piece.chunk == 0 and not _begins(piece):
        raise RecordingError(f"This recording does not begin as {piece.mime} does, so nothing was kept.", status=422)


def _begins(piece: Piece) -> bool:
    """Whether a first piece may be one; of fewer bytes than tell, as browsers may send, those that are there count."""
    start, magic = BEGINNINGS[piece.mime]
    found = piece.content[start : start + len(magic)]
    return found == magic[: max(len(piece.content) - start, 0)]


def _under_way(progress: Progress) -> bool:
    if progress.state == "started":
        return True
    return progress.completed_at is not None and now() - progress.completed_at < LAST_PIECE


def _at_trial(submission: Assigned, position: int) -> tuple[ColumnElement[bool], ...]:
    item_id, repeat_index = submission.item_order[position]
    return (
        Recording.submission_id == submission.id,
        Recording.item_id == item_id,
        Recording.repeat_index == repeat_index,
    )


def _lock(connection: Connection, submission_id: int) -> None:
    connection.execute(select(Submission.id).where(Submission.id == submission_id).with_for_update(key_share=True))
