"""A submission on its way: where its participant is, and what each of their steps changes.

Every function that changes something is one transaction's work and idempotent: a form that is sent
twice (double click, reload, a retry after a lost reply) changes nothing the second time. They stand in
one long file, so that each step can be read against the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, exists, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from crowdloom.studies.allocation import (
    add_event,
    fill_open_place,
    fill_place,
    free,
    free_expired,
    lock_design,
    take_place,
)
from crowdloom.studies.database import Store, now
from crowdloom.studies.design import Condition as ConditionModel
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import StudyError, TrialError
from crowdloom.studies.jobs import cancel_all
from crowdloom.studies.stages import (
    after_answer,
    after_check,
    after_instructions,
    after_questionnaire,
    questionnaire_at,
    questionnaire_stage,
)
from crowdloom.studies.tables import Batch, BatchItem, Condition, Design, Item, Place, Posting, Response, Submission
from crowdloom.tasks import TASKS
from crowdloom.tasks.columns import pack
from crowdloom.tasks.protocol import Answer, Settings, Trial, View
from crowdloom.tasks.questionnaires import Ratings

VIEWS = "views"
"""The attribute under which the store keeps an item's further pictures."""


@dataclass(frozen=True)
class ItemView:
    """What the pages need of an item."""

    id: int
    token: str
    image: str | None
    size: tuple[int, int] | None
    attributes: Mapping[str, Any]
    views: Mapping[str, View] = field(default_factory=dict)
    reference: str | None = None


@dataclass(frozen=True)
class Assigned:
    """What never changes about a submission that has begun: its design, its batch, its order."""

    id: int
    token: str
    pseudonym: str
    design_id: int
    platform: str
    values: Mapping[str, Any]
    """What the posting remembers: `where` the platform is, its completion `codes`."""
    batch_id: int | None
    item_order: Sequence[Sequence[int]]
    class_order: Sequence[str]


@dataclass(frozen=True)
class Progress(Assigned):
    """A submission as it stands: where its participant is and what comes next."""

    state: str
    stage: str
    checks_failed: int
    answered: int
    has_place: bool
    completed_at: datetime | None


_PROGRESS = (
    select(
        Submission.id,
        Submission.token,
        Submission.pseudonym,
        Posting.design_id,
        Posting.platform,
        Posting.values,
        Submission.batch_id,
        Submission.item_order,
        Submission.class_order,
        Submission.state,
        Submission.stage,
        Submission.checks_failed,
        select(func.count())
        .where(Response.submission_id == Submission.id)
        .correlate(Submission)
        .scalar_subquery()
        .label("answered"),
        Place.id.is_not(None).label("has_place"),
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
    """The frozen parts of a store, read once per process: designs, instructions, items of batches, assignments."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.design = lru_cache(maxsize=64)(self._design)
        self.items = lru_cache(maxsize=1024)(self._items)
        self.instructions = lru_cache(maxsize=1024)(self._instructions)
        self.options = lru_cache(maxsize=1024)(self._options)
        self.assigned = lru_cache(maxsize=4096)(self._assigned)

    def _design(self, design_id: int) -> DesignModel:
        with self._store.read() as connection:
            values = connection.execute(select(Design.values).where(Design.id == design_id)).scalar_one()
        return DesignModel.model_validate(values)

    def _items(self, batch_id: int) -> dict[int, ItemView]:
        with self._store.read() as connection:
            rows = connection.execute(
                select(Item.id, Item.token, Item.shown, Item.width, Item.height, Item.attributes, Item.reference)
                .join(BatchItem, BatchItem.item_id == Item.id)
                .where(BatchItem.batch_id == batch_id)
            ).all()
        return {row.id: view_of(row) for row in rows}

    def _instructions(self, batch_id: int) -> Sequence[str]:
        """The pages that this batch's condition shows: its own, or the design's."""
        with self._store.read() as connection:
            return read_instructions(connection, batch_id)

    def _options(self, batch_id: int) -> Settings:
        """The task's options in this batch's condition."""
        with self._store.read() as connection:
            return read_options(connection, batch_id)

    def _assigned(self, token: str) -> Assigned:
        """Raises StudyError for an unknown submission, TrialError for one that has not begun (and may yet)."""
        with self._store.read() as connection:
            progress = read_progress(connection, token)
        if progress.batch_id is None:
            raise TrialError("This participation has not begun, so no answers can be taken.")
        return Assigned(**{field.name: getattr(progress, field.name) for field in fields(Assigned)})


def view_of(row: Any) -> ItemView:
    """An item as pages show it, of its row: id, token, shown, width, height, attributes and reference."""
    return ItemView(
        row.id,
        row.token,
        row.shown and f"/media/{row.shown}",
        (row.width, row.height) if row.width and row.height else None,
        {name: value for name, value in row.attributes.items() if name != VIEWS},
        views_of(row.attributes),
        row.reference,
    )


def views_of(attributes: Mapping[str, Any]) -> dict[str, View]:
    """The further pictures that an item's attributes in the store name, as pages show them."""
    return {
        name: View(f"/media/{view['media']}", (view["width"], view["height"]))
        for name, view in attributes.get(VIEWS, {}).items()
    }


def read_options(connection: Connection, batch_id: int) -> Settings:
    """The task's options in the condition of a batch."""
    row = connection.execute(
        select(Condition.values, Design.values.label("design"))
        .join(Batch, Batch.condition_id == Condition.id)
        .join(Design, Design.id == Condition.design_id)
        .where(Batch.id == batch_id)
    ).one()
    return DesignModel.model_validate(row.design).task_options(ConditionModel.model_validate(row.values))


def read_instructions(connection: Connection, batch_id: int) -> Sequence[str]:
    """The pages of instructions that a batch's condition shows: its own, or the design's."""
    row = connection.execute(
        select(Condition.values, Design.values.label("design"))
        .join(Batch, Batch.condition_id == Condition.id)
        .join(Design, Design.id == Condition.design_id)
        .where(Batch.id == batch_id)
    ).one()
    pages: Sequence[str] = row.values.get("instructions") or row.design["instructions"]
    return pages


def trial_at(designs: Designs, submission: Assigned, position: int) -> tuple[str, Trial]:
    """The trial at a position of this submission: the id that its form carries, and what it shows."""
    design = designs.design(submission.design_id)
    item_id, repeat_index = submission.item_order[position]
    item = designs.items(submission.batch_id or 0)[item_id]
    trial = Trial(
        design.classes,
        submission.class_order,
        item.image,
        item.size,
        item.attributes,
        item.views,
        designs.options(submission.batch_id or 0),
        seed=f"{submission.pseudonym} {item.token}",
        reference=item.reference,
    )
    return f"{item.token}.{repeat_index}", trial


def position_of(designs: Designs, submission: Assigned, trial_id: str) -> int:
    """Where a trial stands in this submission's order. Raises TrialError for one that is not in it."""
    items = designs.items(submission.batch_id or 0)
    for position, (item_id, repeat_index) in enumerate(submission.item_order):
        if f"{items[item_id].token}.{repeat_index}" == trial_id:
            return position
    raise TrialError("This question is not part of your study; open your link again to go on.")


def save_answer(
    connection: Connection,
    designs: Designs,
    submission: Assigned,
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
    design = designs.design(submission.design_id)
    item_id, repeat_index = submission.item_order[position]
    row = response_row(design, submission.id, item_id, repeat_index, position, answer, rt_ms=rt_ms, timing=timing)
    added = connection.execute(_add_answer(connection.dialect.name), row).rowcount == 1
    if not added:
        progress = read_progress(connection, submission.token)
        if position == progress.answered and progress.state != "started":
            raise TrialError("This participation has ended, so no more answers can be taken.")
        if position >= progress.answered and progress.state == "started" and progress.stage != "trials":
            first = "questions about the last one" if questionnaire_at(progress.stage) is not None else "instructions"
            raise TrialError(f"This question comes after the {first}; please read these first.")
        if position >= progress.answered:
            raise TrialError("This question comes later; please answer the current one first.")
        _compare(connection, row)
    elif position + 1 == len(submission.item_order):
        _complete(connection, submission, design)
    elif (stage := after_answer(design, submission.item_order, position + 1)) != "trials":
        connection.execute(update(Submission).where(Submission.id == submission.id).values(stage=stage))


def response_row(
    design: DesignModel,
    submission_id: int,
    item_id: int,
    repeat_index: int,
    position: int,
    answer: Answer,
    *,
    rt_ms: int | None,
    timing: dict[str, Any] | None,
) -> dict[str, Any]:
    """An answer as a row of `response`, with its packed record beside it."""
    task = TASKS[design.task]
    return {
        "submission_id": submission_id,
        "item_id": item_id,
        "repeat_index": repeat_index,
        "position": position,
        "answer": answer,
        "packed": pack(task.columns, task.typed(answer, design.classes), design.classes) if task.columns else None,
        "rt_ms": rt_ms,
        "timing": timing,
        "answered_at": now(),
    }


@lru_cache
def _add_answer(dialect: str) -> Any:
    """Add a row, if its submission is under way and this trial is its next: checked and done in one statement."""
    given = [bindparam(column.name, type_=column.type) for column in Response.__table__.columns if column.name != "id"]
    submission_id, position = (next(p for p in given if p.key == name) for name in ("submission_id", "position"))
    under_way = exists().where(
        Submission.id == submission_id, Submission.state == "started", Submission.stage == "trials"
    )
    answered = select(func.count()).where(Response.submission_id == submission_id).scalar_subquery()
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return (
        insert(Response)
        .from_select([parameter.key for parameter in given], select(*given).where(under_way, answered == position))
        .on_conflict_do_nothing()
        .execution_options(preserve_rowcount=True)
    )


def _compare(connection: Connection, row: dict[str, Any]) -> None:
    same = [getattr(Response, name) == row[name] for name in ("submission_id", "item_id", "repeat_index")]
    first = connection.execute(select(Response.answer).where(*same)).scalar_one()
    if first != row["answer"]:
        second = {name: row[name] for name in ("position", "answer", "rt_ms")}
        add_event(connection, row["submission_id"], "second_answer", second)


def _complete(connection: Connection, submission: Assigned, design: DesignModel) -> None:
    """Every answer is there: fill the place, or mark the submission surplus where none is left."""
    order = submission.item_order
    done = {"state": "completed", "completed_at": now(), "stage": after_answer(design, order, len(order))}
    if not _change_state(connection, submission, "started", **done):
        return  # they left at this very moment; coming back completes it
    surplus = False
    if not fill_place(connection, submission.id):
        # Their place was given away; perhaps another one of the batch is free.
        lock_design(connection, submission.design_id)
        free_expired(connection, submission.design_id)
        surplus = not fill_open_place(connection, submission.batch_id or 0, submission.id)
    if surplus:
        connection.execute(update(Submission).where(Submission.id == submission.id).values(surplus=True))
    add_event(connection, submission.id, "completed", {"surplus": surplus})


def finish_instructions(connection: Connection, progress: Progress, design: DesignModel) -> None:
    """The instructions are read: on to the comprehension check, or to what comes after it where there is none."""
    if _move(connection, progress, "instructions", stage=after_instructions(design)):
        add_event(connection, progress.id, "instructions_read", {})


def answer_check(connection: Connection, progress: Progress, design: DesignModel, answers: Sequence[str]) -> None:
    """Right answers lead on, wrong ones back to the instructions, too many of them to the end."""
    if design.comprehension is None or progress.state != "started":
        return
    passed = list(answers) == [question.correct for question in design.comprehension.questions]
    failed = progress.checks_failed + (not passed)
    over = failed >= design.comprehension.attempts
    moved = _move(
        connection,
        progress,
        "check",
        stage=after_check(design) if passed else "instructions",
        checks_failed=failed,
        state="failed_check" if over else "started",
    )
    if moved:
        add_event(connection, progress.id, "check_answered", {"answers": list(answers), "passed": passed})
        if over:
            free(connection, progress.id, "failed_check")


def save_background(connection: Connection, progress: Progress, answers: Mapping[str, str | int | float]) -> None:
    """Keep the answers to the background questions; the trials come next."""
    if progress.state == "started" and _move(connection, progress, "background", stage="trials"):
        add_event(connection, progress.id, "background", dict(answers))


def asked_after(progress: Progress, design: DesignModel) -> int | None:
    """After which trial the questionnaire of this moment is asked, as how many have an answer; None after the study.

    It tells the same questionnaire after one item from that after another.
    """
    number = questionnaire_at(progress.stage)
    return progress.answered if number is not None and design.questionnaires[number].after == "item" else None


def save_questionnaire(
    connection: Connection, progress: Progress, design: DesignModel, number: int, ratings: Ratings
) -> None:
    """Keep the answer to a questionnaire, counted from 0; the next one, or what follows them, comes next."""
    stage = after_questionnaire(design, number, len(progress.item_order), progress.answered)
    if progress.state == "left" or not _move(connection, progress, questionnaire_stage(number), stage=stage):
        return
    item = None
    if (answered := asked_after(progress, design)) is not None:
        item_id, _ = progress.item_order[answered - 1]
        item = connection.execute(select(Item.key).where(Item.id == item_id)).scalar_one()
    add_questionnaire(connection, progress.id, design, number, ratings, item)


def add_questionnaire(
    connection: Connection,
    submission_id: int,
    design: DesignModel,
    number: int,
    ratings: Ratings,
    item: str | None = None,
) -> None:
    """Write down the answer to a questionnaire, counted from 0; people and exports count from 1.

    `item` is the key of the one after which it was asked.
    """
    values = {"number": number + 1, "instrument": design.questionnaires[number].instrument, "ratings": ratings}
    add_event(connection, submission_id, "questionnaire", values | ({} if item is None else {"item": item}))


def save_debrief(connection: Connection, progress: Progress, answers: Mapping[str, str | int | float]) -> None:
    """Keep the answers to the debrief questions; the receipt comes next."""
    if _move(connection, progress, "debrief", stage="done"):
        add_event(connection, progress.id, "debrief", dict(answers))


def leave(connection: Connection, progress: Progress) -> None:
    """The participant leaves: their place is free at once and their jobs are cancelled, their answers stay."""
    if _change_state(connection, progress, "started", state="left"):
        free(connection, progress.id, "left")
        cancel_all(connection, progress.id)
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


_answers = select(func.count()).where(Response.submission_id == Submission.id).scalar_subquery()


def _move(connection: Connection, progress: Progress, at: str, **values: Any) -> bool:
    """Change a submission that still is at the stage `at`, and just as it was read."""
    moved = connection.execute(
        update(Submission)
        .where(
            Submission.id == progress.id,
            Submission.stage == at,
            Submission.state == progress.state,
            Submission.checks_failed == progress.checks_failed,
            # A questionnaire is asked at the same stage after one item and after the next.
            *([_answers == progress.answered] if questionnaire_at(at) is not None else []),
        )
        .values(**values)
    )
    return moved.rowcount == 1


def _change_state(connection: Connection, submission: Assigned, old: str, **values: Any) -> bool:
    changed = connection.execute(
        update(Submission).where(Submission.id == submission.id, Submission.state == old).values(**values)
    )
    return changed.rowcount == 1
