"""Places: who may fill one, who holds one, and when it is free again.

A batch has as many places as responses are wanted per item, and batches partition the items; so an
item ends with exactly that many accepted first responses when every place is filled. Each change
of a place is one guarded UPDATE (the expected state stands in its WHERE), so that of two that race
one does nothing. Functions take the connection of a `Store.write()` transaction.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, Subquery, and_, bindparam, case, func, insert, select, update
from sqlalchemy.orm import aliased

from crowdloom.studies.database import now
from crowdloom.studies.tables import Batch, BatchItem, Condition, Design, Event, Item, Place, Submission


def lock_design(connection: Connection, design_id: int) -> None:
    """Let arrivals at one design take turns (on SQLite every write transaction does so anyway)."""
    connection.execute(select(Design.id).where(Design.id == design_id).with_for_update())


def free_expired(connection: Connection, design_id: int) -> int:
    """Open the places whose time is over; how many there were."""
    expired = connection.execute(
        select(Place.id, Place.submission_id)
        .join(Batch, Batch.id == Place.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id == design_id, Place.state == "held", Place.held_until < now())
        .with_for_update(of=Place, skip_locked=True)
    ).all()
    return sum(_open(connection, place.submission_id, "time_over") for place in expired)


def free(connection: Connection, submission_id: int, reason: str) -> bool:
    """Open the place that a submission holds or fills; False where it has none (any more)."""
    return _open(connection, submission_id, reason)


def _open(connection: Connection, submission_id: int, reason: str) -> bool:
    opened = connection.execute(
        update(Place)
        .where(Place.submission_id == submission_id)
        .values(state="open", submission_id=None, held_until=None)
        .returning(Place.id)
    ).first()
    if opened is None:
        return False
    add_event(connection, submission_id, "place_freed", {"reason": reason})
    return True


def choose_batch(
    connection: Connection,
    design_id: int,
    participant_id: int,
    only: int | None = None,
    *,
    one_condition: bool = False,
) -> int | None:
    """The batch with the largest share of open places among those without an item that this person has had.

    By share and not by number, so that conditions that want different numbers fill evenly. Ties are
    broken at random. `only` is the one batch that may be given, where a platform hands them out; with
    `one_condition` it is one of the condition in which this person has been before, or for a new person one of the
    condition with the fewest people for its places: each of them fills only so many, however soon. None where there is
    no such batch.
    """
    stay = None
    if one_condition:
        stay = connection.scalar(_BEEN_IN, {"design": design_id, "person": participant_id})
    values = {"design": design_id, "person": participant_id, "only": only, "stay": stay}
    chosen = _choice(only is not None, stay is not None, one_condition and stay is None)
    found = connection.execute(chosen, values).first()
    return None if found is None else found.id


@lru_cache
def _choice(only: bool, stay: bool, joins: bool) -> Select[Any]:
    """The query of `choose_batch`, built once: that takes longer than to run it."""
    offered, offered_in, had, had_in = aliased(Item), aliased(BatchItem), aliased(Item), aliased(BatchItem)
    # By key and not by row: an item whose picture was replaced in a later version is still the same question.
    seen = (
        select(offered_in.batch_id)
        .join(offered, offered.id == offered_in.item_id)
        .join(had, and_(had.study_id == offered.study_id, had.key == offered.key))
        .join(had_in, had_in.item_id == had.id)
        .join(Submission, Submission.batch_id == had_in.batch_id)
        .where(Submission.participant_id == bindparam("person"))
    )
    limits = [Batch.id == bindparam("only")] if only else []
    limits += [Condition.name == bindparam("stay")] if stay else []
    open_places = func.sum(case((Place.state == "open", 1), else_=0))
    chosen = (
        select(Batch.id)
        .join(Place, Place.batch_id == Batch.id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id == bindparam("design"), Batch.id.not_in(seen), *limits)
        .group_by(Batch.id)
        .having(open_places > 0)
    )
    if joins:
        crowded = _people_by_condition()
        chosen = chosen.join(crowded, crowded.c.condition_id == Batch.condition_id).order_by(func.min(crowded.c.people))
    return chosen.order_by((open_places * 1.0 / func.count()).desc(), func.random()).limit(1)


def _people_by_condition() -> Subquery:
    """For each condition of a design how many people hold or fill a place there, for each place that it has.

    Counted once for a condition, however many batches that has.
    """
    return (
        select(
            Batch.condition_id,
            (func.count(Submission.participant_id.distinct()) * 1.0 / func.count()).label("people"),
        )
        .join(Place, Place.batch_id == Batch.id)
        .join(Condition, Condition.id == Batch.condition_id)
        .outerjoin(Submission, Submission.id == Place.submission_id)
        .where(Condition.design_id == bindparam("design"))
        .group_by(Batch.condition_id)
        .subquery()
    )


_BEEN_IN = (
    # By name: a condition of an earlier version is the same one.
    select(Condition.name)
    .join(Batch, Batch.condition_id == Condition.id)
    .join(Submission, Submission.batch_id == Batch.id)
    .join(Design, Design.id == Condition.design_id)
    .where(
        Submission.participant_id == bindparam("person"),
        Design.study_id == select(Design.study_id).where(Design.id == bindparam("design")).scalar_subquery(),
    )
    .order_by(Submission.id)
    .limit(1)
)


def take_place(connection: Connection, batch_id: int, submission_id: int, minutes: int) -> bool:
    """Hold an open place of a batch for so many minutes; False where there is none.

    Whoever takes a place calls `lock_design` first, so that nobody else takes the one that was counted on.
    """
    return _take(connection, batch_id, submission_id, "held", now() + timedelta(minutes=minutes))


def fill_place(connection: Connection, submission_id: int) -> bool:
    """Fill the place that a completed submission holds; False where it holds none (any more)."""
    filled = connection.execute(
        update(Place)
        .where(Place.submission_id == submission_id, Place.state == "held")
        .values(state="filled", held_until=None)
        .returning(Place.id)
    ).first()
    return filled is not None


def fill_open_place(connection: Connection, batch_id: int, submission_id: int) -> bool:
    """Fill an open place of a batch for a completed submission that lost its own; False where there is none."""
    return _take(connection, batch_id, submission_id, "filled", None)


def _take(connection: Connection, batch_id: int, submission_id: int, state: str, until: datetime | None) -> bool:
    one_open = (
        select(Place.id)
        .where(Place.batch_id == batch_id, Place.state == "open")
        .order_by(Place.number)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    place = connection.execute(one_open).scalar()
    if place is None:
        return False
    taken = connection.execute(
        update(Place)
        .where(Place.id == place, Place.state == "open")
        .values(state=state, submission_id=submission_id, held_until=until)
        .returning(Place.id)
    ).first()
    return taken is not None


def places_left(connection: Connection, design_id: int) -> dict[str, int]:
    """How many places of a design are open, held and filled."""
    rows = connection.execute(
        select(Place.state, func.count())
        .join(Batch, Batch.id == Place.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id == design_id)
        .group_by(Place.state)
    ).all()
    return {"open": 0, "held": 0, "filled": 0} | dict(rows)


def add_event(connection: Connection, submission_id: int | None, kind: str, values: dict[str, object]) -> None:
    """Add a row to the append-only record of what happened."""
    connection.execute(insert(Event), {"submission_id": submission_id, "kind": kind, "values": values, "at": now()})
