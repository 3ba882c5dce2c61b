"""Storing an imported study: new rows only, in bulk, on the connection of one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as Given
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from crowdloom.studies.database import new_token, now
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import StudyError
from crowdloom.studies.importing.batches import place_by_items
from crowdloom.studies.importing.mapping import Mapping
from crowdloom.studies.importing.raw import RawFile
from crowdloom.studies.importing.screens import Answered, Pass
from crowdloom.studies.importing.shared import PLATFORM, add_participants
from crowdloom.studies.importing.study import ImportedStudy
from crowdloom.studies.loading import add_batch, add_condition, add_design, design_digest, take_study
from crowdloom.studies.tables import (
    Batch,
    BatchItem,
    Condition,
    Design,
    Event,
    Item,
    Participant,
    Place,
    Posting,
    Response,
    Submission,
)

ELSEWHERE = "import it under another --study name"

_Key = tuple[str | None, str, int]
"""A session: the participant (None where the identity has been erased), its digest, the number of the copy."""
_Known = dict[_Key, int]
"""The submissions that are there."""


@dataclass(frozen=True)
class _Frame:
    """What the submissions hang on."""

    design_id: int
    items: dict[str, int]
    batches: dict[int, int]


def put(
    connection: Connection, imported: ImportedStudy, mapping: Mapping, mapping_text: str, *, keep_doubles: bool
) -> tuple[list[Pass], int]:
    """Store what is new; the passes stored, and how many participants are new.

    Raises StudyError where a study of this name is another one.
    """
    study = imported.design.name
    study_id = take_study(connection, study)
    frame = _frame(connection, study_id, imported, mapping)
    if frame is None:
        frame = _new_frame(connection, study_id, imported, mapping_text)
    known = _known(connection, frame.design_id, study)
    people = {name for name, _, _ in known}

    def key(passed: Pass) -> _Key:
        said = passed.session.digest(mapping), passed.session.copy
        return (None, *said) if (None, *said) in known else (passed.session.participant, *said)

    keys = {id(passed): key(passed) for passed in [*imported.originals, *imported.copies]}
    new = [passed for passed in imported.originals if keys[id(passed)] not in known]
    for passed in new:
        if passed.session.participant in people:
            raise StudyError(
                f"line {passed.session.rows[0].line} of {imported.raw.name}: the study {study} has this participant, "
                f"but with another session, so the file was changed since; {ELSEWHERE}"
            )
    copies = [passed for passed in imported.copies if keep_doubles and keys[id(passed)] not in known]
    if not new and not copies:
        return [], 0
    clock = _Clock(now(), imported.raw)
    people_here = (passed.session.participant for passed in [*new, *copies])
    participants, fresh = add_participants(connection, study, people_here, clock.start)
    posting_id = _posting(connection, frame.design_id, imported.raw, mapping, clock.start)
    for group in (new, copies):  # a copy refers to its original, so that comes first
        rows = _submissions(connection, group, imported, frame, posting_id, participants, known, clock, keys)
        known.update({keys[id(passed)]: row for passed, row in zip(group, rows, strict=True)})
        _places(connection, group, rows, imported, frame)
        _screens(connection, group, rows, imported, frame, clock, keys)
    return [*new, *copies], fresh


class _Clock:
    """The file has none: each row gets the time of the import plus a microsecond for each line before it."""

    def __init__(self, start: datetime, raw: RawFile) -> None:
        self.start = start
        self.first_line = raw.rows[0].line

    def at(self, line: int) -> datetime:
        return self.start + timedelta(microseconds=line - self.first_line)


def _frame(connection: Connection, study_id: int, imported: ImportedStudy, mapping: Mapping) -> _Frame | None:
    """The study as an earlier import made it; None for a new one. Raises StudyError for another one.

    `imported` then takes over the design and the batches that are there.
    """
    name = imported.design.name
    design = connection.execute(
        select(Design.id, Design.values).where(Design.study_id == study_id).order_by(Design.version.desc()).limit(1)
    ).first()
    if design is None:
        return None
    imports = select(Posting.values).where(Posting.design_id == design.id, Posting.platform == PLATFORM)
    mappings = connection.execute(imports).scalars()
    if design.values["items"]["source"] != PLATFORM:
        raise StudyError(f"a study called {name} exists and was not imported; {ELSEWHERE}")
    if design.values["task"] != imported.design.task or any(v["mapping"] != mapping.digest() for v in mappings):
        raise StudyError(f"the study {name} was imported with another mapping; {ELSEWHERE}")
    rows = connection.execute(
        select(Batch.number, Batch.id.label("batch_id"), Item.key, Item.id.label("item_id"), Item.content_sha256)
        .join(Condition, Condition.id == Batch.condition_id)
        .join(BatchItem, BatchItem.batch_id == Batch.id)
        .join(Item, Item.id == BatchItem.item_id)
        .where(Condition.design_id == design.id)
    ).all()
    there: dict[int, dict[str, str]] = {}
    for row in rows:
        there.setdefault(row.number, {})[row.key] = row.content_sha256
    if mapping.columns.batch is None:
        _find_batches(imported, there)
    for number, keys in imported.batches.items():
        if not {key: imported.items[key].digest(b"") for key in keys}.items() <= there.get(number, {}).items():
            raise StudyError(
                f"the study {name} was imported from another file, in which batch {number} is not as in "
                f"{imported.raw.name}; {ELSEWHERE}"
            )
    # What is complete is for the whole study to say, not for the few who may be in this file.
    imported.design = DesignModel.model_validate(design.values)
    imported.batches.update({number: list(keys) for number, keys in there.items()})
    return _Frame(design.id, {row.key: row.item_id for row in rows}, {row.number: row.batch_id for row in rows})


def _find_batches(imported: ImportedStudy, there: Given[int, Given[str, str]]) -> None:
    """Where no column numbers the batches, find those that are there by their items. Raises StudyError."""
    strange = place_by_items(
        [*imported.originals, *imported.copies], {number: list(keys) for number, keys in there.items()}
    )
    if strange:
        raise StudyError(
            f"the study {imported.design.name} was imported from another file, in which no batch has all the items "
            f"that the session in line {strange[0].session.rows[0].line} of {imported.raw.name} shows; {ELSEWHERE}"
        )
    shown: dict[int, set[str]] = {}
    for passed in imported.originals:
        if passed.batch is not None:
            shown.setdefault(passed.batch, set()).update(passed.items)
    imported.batches = {number: sorted(keys) for number, keys in shown.items()}


def _new_frame(connection: Connection, study_id: int, imported: ImportedStudy, mapping_text: str) -> _Frame:
    digests = {key: item.digest(b"") for key, item in imported.items.items()}
    source = f"# Imported from {imported.raw.name} (SHA-256 {imported.raw.sha256}) with this mapping:\n\n{mapping_text}"
    sha256 = design_digest(imported.design, sorted(digests.items()))
    design_id, _ = add_design(connection, study_id, imported.design, source, sha256)
    connection.execute(
        insert(Item),
        [
            {
                "study_id": study_id,
                "key": key,
                "content_sha256": digests[key],
                "token": new_token(),
                "reference": item.reference,
                "attributes": item.attributes,
            }
            for key, item in imported.items.items()
        ],
    )
    added = connection.execute(select(Item.key, Item.id).where(Item.study_id == study_id))
    items = {row.key: row.id for row in added}
    arm = imported.design.arms()[0]
    condition_id = add_condition(connection, design_id, arm.name, arm.model_dump(mode="json"))
    batches = {
        number: add_batch(connection, condition_id, number, [items[key] for key in keys])
        for number, keys in imported.batches.items()
    }
    return _Frame(design_id, items, batches)


def _known(connection: Connection, design_id: int, study: str) -> _Known:
    rows = connection.execute(
        select(Event.values, Submission.id, Participant.platform_id)
        .join(Submission, Submission.id == Event.submission_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Participant, Participant.id == Submission.participant_id)
        .where(Posting.design_id == design_id, Event.kind == "imported")
    )
    known: _Known = {}
    for row in rows:
        name = None if row.platform_id is None else row.platform_id.removeprefix(f"{study}:")
        known[name, row.values["session"], row.values["copy"]] = row.id
    return known


def _posting(connection: Connection, design_id: int, raw: RawFile, mapping: Mapping, start: datetime) -> int:
    """The posting that stands for this file: closed from the beginning."""
    imports = select(Posting.id, Posting.values).where(Posting.design_id == design_id, Posting.platform == PLATFORM)
    for row in connection.execute(imports):
        if row.values["sha256"] == raw.sha256:
            return int(row.id)
    values = {"file": raw.name, "sha256": raw.sha256, "mapping": mapping.digest()}
    added = connection.execute(
        insert(Posting)
        .values(
            design_id=design_id,
            platform=PLATFORM,
            token=new_token(),
            state="closed",
            values=values,
            created_at=start,
            closed_at=start,
        )
        .returning(Posting.id)
    )
    return int(added.scalar_one())


def _submissions(
    connection: Connection,
    passes: list[Pass],
    imported: ImportedStudy,
    frame: _Frame,
    posting_id: int,
    participants: Given[str, int],
    known: _Known,
    clock: _Clock,
    keys: Given[int, _Key],
) -> list[int]:
    """Add one submission for each pass; their ids."""
    originals = {id(passed.session): keys[id(passed)] for passed in imported.originals}
    attempts = Counter(
        connection.execute(select(Submission.participant_id).where(Submission.posting_id == posting_id)).scalars()
    )
    rows: list[dict[str, Any]] = []
    for passed in passes:
        participant_id = participants[passed.session.participant]
        attempts[participant_id] += 1
        complete = imported.is_complete(passed)
        original = passed.session.original
        rows.append(
            {
                "token": new_token(24),
                "pseudonym": new_token(),
                "posting_id": posting_id,
                "participant_id": participant_id,
                "batch_id": None if passed.batch is None else frame.batches.get(passed.batch),
                "attempt": attempts[participant_id],
                "state": "completed" if complete else "started",
                "surplus": False,
                "copy_of": known[originals[id(original)]] if original else None,
                "item_order": [[frame.items[key], repeat_index] for key, repeat_index in passed.order],
                "class_order": [],  # an export does not say it
                "stage": "done" if complete else "trials",
                "started_at": clock.at(passed.session.rows[0].line),
                "completed_at": clock.at(passed.session.rows[-1].line) if complete else None,
            }
        )
    if not rows:
        return []
    connection.execute(insert(Submission), rows)
    added = connection.execute(select(Submission.token, Submission.id).where(Submission.posting_id == posting_id))
    ids = {row.token: row.id for row in added}
    return [ids[row["token"]] for row in rows]


def _places(
    connection: Connection, passes: list[Pass], submissions: list[int], imported: ImportedStudy, frame: _Frame
) -> None:
    """A filled place for each complete submission, so that its answers count."""
    taken = Counter(
        connection.execute(select(Place.batch_id).where(Place.batch_id.in_(frame.batches.values()))).scalars()
    )
    rows = []
    for passed, submission_id in zip(passes, submissions, strict=True):
        if passed.batch is not None and imported.is_complete(passed):
            batch_id = frame.batches[passed.batch]
            rows.append(
                {"batch_id": batch_id, "number": taken[batch_id], "state": "filled", "submission_id": submission_id}
            )
            taken[batch_id] += 1
    if rows:
        connection.execute(insert(Place), rows)


def _screens(
    connection: Connection,
    passes: list[Pass],
    submissions: list[int],
    imported: ImportedStudy,
    frame: _Frame,
    clock: _Clock,
    keys: Given[int, _Key],
) -> None:
    """Responses and events, and one event `imported` that says where a submission comes from."""
    responses: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for passed, submission_id in zip(passes, submissions, strict=True):
        lines = [passed.session.rows[0].line, passed.session.rows[-1].line]
        _, digest, copy = keys[id(passed)]
        origin = {"file": imported.raw.name, "lines": lines, "session": digest, "copy": copy}
        events.append({"submission_id": submission_id, "kind": "imported", "values": origin, "at": clock.at(lines[0])})
        for screen in passed.screens:
            at = clock.at(screen.line)
            if not isinstance(screen, Answered):
                events.append({"submission_id": submission_id, "kind": screen.kind, "values": screen.values, "at": at})
                continue
            responses.append(
                {
                    "submission_id": submission_id,
                    "item_id": frame.items[screen.item],
                    "repeat_index": screen.repeat_index,
                    "position": screen.position,
                    "answer": screen.reading.answer,
                    "packed": screen.packed,
                    "rt_ms": screen.rt_ms,
                    "timing": None if screen.elapsed_ms is None else {"elapsed_ms": screen.elapsed_ms},
                    "answered_at": at,
                }
            )
    if responses:
        connection.execute(insert(Response), responses)
    if events:
        connection.execute(insert(Event), events)
