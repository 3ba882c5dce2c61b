"""A submission on its way: where its participant is, and what each of their steps changes.

Every function that changes something is one transaction's work and idempotent: a form that is sent
twice (double click, reload, a retry after a lost reply) changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from crowdloom.studies.allocation import (
    add_event,
    fill_open_place,
    fill_place,
    free,
    free_expired,
    lock_design,
    take_place,
)
from crowdloom.studies.database import Store, insert_new, now
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import StudyError, TrialError
from crowdloom.studies.tables import Batch, BatchItem, Condition, Design, Item, Place, Posting, Response, Submission
from crowdloom.tasks import TASKS
from crowdloom.tasks.columns import pack
from crowdloom.tasks.protocol import Answer, Trial


@dataclass(frozen=True)
class ItemView:
    """What the pages need of an item."""

    id: int
    token: str
    image: str | None
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Progress:
    """A submission as it stands: where its participant is and what comes next."""

    id: int
    token: str
    pseudonym: str
    design_id: int
    platform: str
    batch_id: int | None
    state: str
    stage: str
    checks_failed: int
    item_order: Sequence[Sequence[int]]
    class_order: Sequence[str]
    answered: int
    has_place: bool
    started_at: datetime
    completed_at: datetime | None


_PROGRESS = (
    select(
        Submission.id,
        Submission.token,
        Submission.pseudonym,
        Posting.design_id,
        Posting.platform,
        Submission.batch_id,
        Submission.state,
        Submission.stage,
        Submission.checks_failed,
        Submission.item_order,
        Submission.class_order,
        select(func.count())
        .where(Response.submission_id == Submission.id)
        .correlate(Submission)
        .scalar_subquery()
        .label("answered"),
        Place.id.is_not(None).label("has_place"),
        Submission.started_at,
        Submission.completed_at,
    )
    .join(Posting, Posting.id == Submission.posting_id)
    .outerjoin(Place, Place.submission_id == Submission.id)
    .where(Submission.token == bindparam("token"))
)


def read_progress(connection: Connection, token: str) -> Progress:
    """The submission with this token. Raises StudyError for an unknown one."""
    row = connection.execute(_PROGRESS, {"token": token}).first()
    if row is None:
        raise StudyError("This link leads to no participation; use the link just as it was given to you.")
    return Progress(*row)


class Designs:
    """The frozen parts of a store, read once per process: designs, instructions and the items of batches."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.design = lru_cache(maxsize=64)(self._design)
        self.items = lru_cache(maxsize=1024)(self._items)
        self.instructions = lru_cache(maxsize=1024)(self._instructions)

    def _design(self, design_id: int) -> DesignModel:
        with self._store.read() as connection:
            values = connection.execute(select(Design.values).where(Design.id == design_id)).scalar_one()
        return DesignModel.model_validate(values)

    def _items(self, batch_id: int) -> dict[int, ItemView]:
        with self._store.read() as connection:
            rows = connection.execute(
                select(Item.id, Item.token, Item.shown, Item.attributes)
                .join(BatchItem, BatchItem.item_id == Item.id)
                .where(BatchItem.batch_id == batch_id)
            ).all()
        return {
            row.id: ItemView(row.id, row.token, row.shown and f"/media/{row.shown}", row.attributes) for row in rows
        }

    def _instructions(self, batch_id: int) -> Sequence[str]:
        """The pages that this batch's condition shows: its own, or the design's."""
        with self._store.read() as connection:
            row = connection.execute(
                select(Condition.values, Condition.design_id)
                .join(Batch, Batch.condition_id == Condition.id)
                .where(Batch.id == batch_id)
            ).one()
        return row.values.get("instructions") or self.design(row.design_id).instructions


def trial_at(designs: Designs, progress: Progress, position: int) -> tuple[str, Trial]:
    """The trial at a position of this submission: the id that its form carries, and what it shows."""
    design = designs.design(progress.design_id)
    item_id, repeat_index = progress.item_order[position]
    item = designs.items(progress.batch_id or 0)[item_id]
    trial = Trial(design.classes, progress.class_order, item.image, item.attributes, repeat_index > 0)
    return f"{item.token}.{repeat_index}", trial


def position_of(designs: Designs, progress: Progress, trial_id: str) -> int:
    """Where a trial stands in this submission's order. Raises TrialError for one that is not in it."""
    current = progress.answered if progress.answered < len(progress.item_order) else 0
    for position in (current, *range(len(progress.item_order))):
        if trial_at(designs, progress, position)[0] == trial_id:
            return position
    raise TrialError("This question is not part of your study; open your link again to go on.")


def save_answer(
    connection: Connection,
    designs: Designs,
    progress: Progress,
    position: int,
    answer: Answer,
    *,
    rt_ms: int | None,
    timing: dict[str, Any] | None,
) -> None:
    """Add the answer to the trial at `position`; with the last one the submission is complete.

    An answer to a trial that has one changes nothing; if it differs it is kept as an event. Raises
    TrialError for a trial that lies ahead, or in a submission that is not under way.
    """
    if position > progress.answered:
        raise TrialError("This question comes later; please answer the current one first.")
    design = designs.design(progress.design_id)
    item_id, repeat_index = progress.item_order[position]
    if position == progress.answered and progress.state != "started":
        raise TrialError("This participation has ended, so no more answers can be taken.")
    task = TASKS[design.task]
    row = {
        "submission_id": progress.id,
        "item_id": item_id,
        "repeat_index": repeat_index,
        "position": position,
        "answer": answer,
        "packed": pack(task.columns, task.typed(answer, design.classes), design.classes) if task.columns else None,
        "rt_ms": rt_ms,
        "timing": timing,
        "answered_at": now(),
    }
    added = None
    if position == progress.answered:
        added = connection.execute(insert_new(connection, Response).returning(Response.id), row).first()
    if added is None:
        _compare(connection, row)
    elif position + 1 == len(progress.item_order):
        _complete(connection, progress, design)


def _compare(connection: Connection, row: dict[str, Any]) -> None:
    same = [getattr(Response, name) == row[name] for name in ("submission_id", "item_id", "repeat_index")]
    first = connection.execute(select(Response.answer).where(*same)).scalar_one()
    if first != row["answer"]:
        second = {name: row[name] for name in ("item_id", "repeat_index", "answer", "rt_ms")}
        add_event(connection, row["submission_id"], "second_answer", second)


def _complete(connection: Connection, progress: Progress, design: DesignModel) -> None:
    """Every answer is there: fill the place, or mark the submission surplus where none is left."""
    done = {"state": "completed", "completed_at": now(), "stage": "debrief" if design.debrief else "done"}
    if not _change_state(connection, progress, "started", **done):
        return  # they left at this very moment; coming back completes it
    surplus = False
    if not fill_place(connection, progress.id):
        # Their place was given away; perhaps another one of the batch is free.
        lock_design(connection, progress.design_id)
        free_expired(connection, progress.design_id)
        surplus = not fill_open_place(connection, progress.batch_id or 0, progress.id)
    if surplus:
        connection.execute(update(Submission).where(Submission.id == progress.id).values(surplus=True))
    add_event(connection, progress.id, "completed", {"surplus": surplus})


def finish_instructions(connection: Connection, progress: Progress, design: DesignModel) -> None:
    """The instructions are read: on to the comprehension check, or to the trials where there is none."""
    if _move(connection, progress, "instructions", stage="check" if design.comprehension else "trials"):
        add_event(connection, progress.id, "instructions_read", {})


def answer_check(connection: Connection, progress: Progress, design: DesignModel, answers: Sequence[str]) -> None:
    """Right answers lead to the trials, wrong ones back to the instructions, too many of them to the end."""
    if design.comprehension is None or progress.state != "started":
        return
    passed = list(answers) == [question.correct for question in design.comprehension.questions]
    failed = progress.checks_failed + (not passed)
    over = failed >= design.comprehension.attempts
    moved = _move(
        connection,
        progress,
        "check",
        stage="trials" if passed else "instructions",
        checks_failed=failed,
        state="failed_check" if over else "started",
    )
    if moved:
        add_event(connection, progress.id, "check_answered", {"answers": list(answers), "passed": passed})
        if over:
            free(connection, progress.id, "failed_check")


def save_debrief(connection: Connection, progress: Progress, answers: Mapping[str, str]) -> None:
    """Keep the answers to the debrief questions; the receipt comes next."""
    if _move(connection, progress, "debrief", stage="done"):
        add_event(connection, progress.id, "debrief", dict(answers))


def leave(connection: Connection, progress: Progress) -> None:
    """The participant leaves: their place is free at once, their answers stay."""
    if _change_state(connection, progress, "started", state="left"):
        free(connection, progress.id, "left")
        add_event(connection, progress.id, "left", {"answered": progress.answered})


def come_back(connection: Connection, progress: Progress, design: DesignModel) -> None:
    """Somebody who left goes on where they stopped, with a place if one is free."""
    if _change_state(connection, progress, "left", state="started"):
        add_event(connection, progress.id, "came_back", {})
        go_on(connection, progress, design)


def go_on(connection: Connection, progress: Progress, design: DesignModel) -> None:
    """Put right what was lost while somebody under way was absent.

    A place that was given away: another one of the batch is held for them, if one is free. The end:
    where the last answer came in at the moment in which they left, the submission is completed.
    """
    # A reload, a second tab or the last answer at the same moment waits here, or is waited for.
    state = connection.execute(
        select(Submission.state).where(Submission.id == progress.id).with_for_update(key_share=True)
    ).scalar_one()
    if state != "started":
        return
    answers = connection.execute(select(func.count()).where(Response.submission_id == progress.id)).scalar_one()
    if answers == len(progress.item_order):
        _complete(connection, progress, design)
    elif connection.execute(select(Place.id).where(Place.submission_id == progress.id)).first() is None:
        lock_design(connection, progress.design_id)
        free_expired(connection, progress.design_id)
        if take_place(connection, progress.batch_id or 0, progress.id, design.people.hold_minutes):
            add_event(connection, progress.id, "place_held_again", {})


def _move(connection: Connection, progress: Progress, at: str, **values: Any) -> bool:
    """Change a submission that still is at the stage `at`, and just as it was read."""
    moved = connection.execute(
        update(Submission)
        .where(
            Submission.id == progress.id,
            Submission.stage == at,
            Submission.state == progress.state,
            Submission.checks_failed == progress.checks_failed,
        )
        .values(**values)
    )
    return moved.rowcount == 1


def _change_state(connection: Connection, progress: Progress, old: str, **values: Any) -> bool:
    changed = connection.execute(
        update(Submission).where(Submission.id == progress.id, Submission.state == old).values(**values)
    )
    return changed.rowcount == 1
