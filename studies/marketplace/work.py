"""What a worker does: accept a HIT, submit its answers, return it. Each runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, exists, insert, select, update

from crowdloom.studies.marketplace.answers import to_xml
from crowdloom.studies.marketplace.eligibility import explain, is_blocked, may, unmet
from crowdloom.studies.marketplace.errors import NoSuchPageError, WorkError
from crowdloom.studies.marketplace.faults import take_fault
from crowdloom.studies.marketplace.hits import Counts, count_assignments, lock_hit, read_type, settle, status
from crowdloom.studies.marketplace.identifiers import new_token
from crowdloom.studies.marketplace.money import reward_fee
from crowdloom.studies.marketplace.tables import GONE, HIT, Assignment
from crowdloom.studies.marketplace.workers import held_by


def accept(connection: Connection, hit_token: str, worker: Row[Any], now: datetime) -> str:
    """Accept a HIT for a worker; the assignment's id. Accepting what they work on already gives the same one.

    Raises NoSuchPageError for an unknown HIT, WorkError where it cannot be had (any more) or they do not qualify.
    """
    hit = lock_hit(connection, hit_token, now)
    if hit is None or hit.disposed_at is not None:
        raise NoSuchPageError("There is no such HIT; it may have been deleted.")
    theirs = live_assignment(connection, hit.id, worker)
    if theirs is not None:
        if theirs.state == "accepted":
            return str(theirs.token)
        raise WorkError("You have submitted this HIT already; each person can do a HIT once.")
    kind = read_type(connection, hit)
    if is_blocked(connection, hit.requester_id, worker):
        raise WorkError("This requester does not take work from you.")
    held = held_by(connection, worker)
    if not may(kind.requirements, held, "accept"):
        missing = [
            one for action in ("discover", "preview", "accept") for one in unmet(kind.requirements, held, action)
        ]
        reasons = "; ".join(dict.fromkeys(explain(connection, missing)))
        raise WorkError(f"You do not qualify for this HIT. It asks that: {reasons}.")
    counts = count_assignments(connection, [hit.id], now).get(hit.id, Counts())
    if status(hit, counts, now) != "Assignable":
        raise WorkError("Nobody can accept this HIT any more: its time is over, or all its assignments are taken.")
    token = _next_token(connection, hit.id, worker)
    deadline = now + timedelta(seconds=kind.assignment_duration_s)
    connection.execute(
        insert(Assignment),
        {
            "token": token,
            "hit_id": hit.id,
            "worker_id": worker.id,
            "state": "accepted",
            "reward": kind.reward,
            "fee": reward_fee(kind.reward, hit.max_assignments),
            "accepted_at": now,
            "deadline": deadline,
            "due_at": deadline,
        },
    )
    settle(connection, hit.id, now)
    return token


def _next_token(connection: Connection, hit: int, worker: Row[Any]) -> str:
    """A new id; or, where that fault was set, the id that another worker gave back, as MTurk does at times."""
    live = select(Assignment.token).where(Assignment.state.not_in(GONE))
    given_back = connection.scalar(
        select(Assignment.token)
        .where(
            Assignment.hit_id == hit,
            Assignment.state == "returned",
            Assignment.worker_id != worker.id,
            Assignment.token.not_in(live),
        )
        .order_by(Assignment.id.desc())
        .limit(1)
    )
    if given_back is not None and take_fault(connection, "accept", ("reissue-assignment-id",)):
        return str(given_back)
    return new_token("3")


def live_assignment(connection: Connection, hit: int, worker: Row[Any]) -> Row[Any] | None:
    """A worker's assignment of a HIT that is neither returned nor abandoned."""
    return connection.execute(
        select(Assignment.__table__).where(
            Assignment.hit_id == hit, Assignment.worker_id == worker.id, Assignment.state.not_in(GONE)
        )
    ).first()


def find_live(connection: Connection, token: str) -> Row[Any] | None:
    """The assignment that an id stands for now, with its HIT's token."""
    return connection.execute(
        select(Assignment.__table__, HIT.token.label("hit_token"))
        .join(HIT, HIT.id == Assignment.hit_id)
        .where(Assignment.token == token, Assignment.state.not_in(GONE))
    ).first()


def submit(connection: Connection, token: str, fields: Iterable[tuple[str, str]], now: datetime) -> bool:
    """Keep the answers of an assignment; False where it was submitted before, and then nothing changes.

    Raises NoSuchPageError for an id that is nobody's, WorkError where the time was over, it was returned,
    or there is no answer.
    """
    found = find_live(connection, token)
    if found is not None:
        lock_hit(connection, found.hit_token, now)
        found = find_live(connection, token)  # as it stands now that nobody else can change it
    if found is None:
        if connection.scalar(select(exists().where(Assignment.token == token))):
            raise WorkError("This assignment was returned, or its time is over; its answers cannot be taken.")
        raise NoSuchPageError("There is no such assignment. A preview cannot be submitted: accept the HIT first.")
    if found.state != "accepted":
        return False
    answers = list(fields)
    if not answers:
        raise WorkError("There is no answer in what was sent: at least one field beside assignmentId is needed.")
    delay = read_type(connection, connection.execute(select(HIT.__table__).where(HIT.id == found.hit_id)).one())
    due = now + timedelta(seconds=delay.auto_approval_delay_s)
    connection.execute(
        update(Assignment)
        .where(Assignment.id == found.id)
        .values(state="submitted", submitted_at=now, auto_approval_at=due, due_at=due, answer=to_xml(answers))
    )
    settle(connection, found.hit_id, now)
    return True


def give_back(connection: Connection, token: str, worker: Row[Any], now: datetime) -> None:
    """Return an assignment, so that somebody else can do the HIT; one that is returned stays so.

    Raises NoSuchPageError for one that is not theirs, WorkError for one that was submitted.
    """
    newest = connection.execute(
        select(Assignment.__table__, HIT.token.label("hit_token"))
        .join(HIT, HIT.id == Assignment.hit_id)
        .where(Assignment.token == token, Assignment.worker_id == worker.id)
        .order_by(Assignment.id.desc())
        .limit(1)
    ).first()
    if newest is None:
        raise NoSuchPageError("There is no such assignment of yours.")
    lock_hit(connection, newest.hit_token, now)
    returned = connection.execute(
        update(Assignment)
        .where(Assignment.id == newest.id, Assignment.state == "accepted")
        .values(state="returned", due_at=None)
    )
    if returned.rowcount == 0:
        state = connection.scalars(select(Assignment.state).where(Assignment.id == newest.id)).one()
        if state not in GONE:
            raise WorkError("This assignment was submitted and cannot be returned any more.")
    settle(connection, newest.hit_id, now)
