"""The queue: long work as rows of the table `job`, taken by workers under a lease.

Every transition is one guarded UPDATE whose WHERE names the state, the worker and the attempt that it
starts from. Whoever comes second changes nothing: a worker that lost its lease cannot overwrite what
another one did, and a finished job never changes again. Times come from the machines' clocks, which
must agree to well within a lease.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, case, false, insert, literal, not_, or_, select, update

from crowdloom.studies.database import Store, new_token, now
from crowdloom.studies.errors import LiveStepError
from crowdloom.studies.tables import Batch, Condition, Job, Submission, UTCDateTime

LEASE_S = 20.0
"""How long a worker may be silent before its job is given to another."""

MAX_ATTEMPTS = 3
"""A job whose worker died this often has failed."""

Verdict = Literal["go on", "cancel", "lost"]

UNFINISHED = ("queued", "running")


@dataclass(frozen=True)
class Claim:
    """A job that this worker, and nobody else, has; it is what every later call proves itself with."""

    id: int
    token: str
    worker: str
    attempt: int
    task: str
    step: str
    input: dict[str, Any]
    time_limit_s: float
    submission: str | None  # its pseudonym
    condition: str | None
    trial: str | None = None  # what the form of its page carries
    asked_at: datetime | None = None  # when it was asked for


def enqueue(
    store: Store,
    *,
    task: str,
    step: str,
    values: dict[str, Any],
    time_limit_s: float,
    submission_id: int | None = None,
    trial: str | None = None,
) -> str:
    """Put a job at the end of the queue and return its token.

    A submission has at most one unfinished job of each step in each trial: asking for the same again (a reload, a
    double click) returns the one that there is. Raises LiveStepError (409) where that one has other input.
    """
    with store.write() as connection:
        if submission_id is not None:
            # On PostgreSQL the row lock makes two simultaneous requests take turns; SQLite's writers always do.
            lock = select(Submission.id).where(Submission.id == submission_id).with_for_update(key_share=True)
            connection.execute(lock)
            same = select(Job.token, Job.input, Job.cancel_asked).where(
                Job.submission_id == submission_id,
                Job.task == task,
                Job.step == step,
                Job.trial == trial,
                Job.state.in_(UNFINISHED),
            )
            if found := connection.execute(same).first():
                if found.input == values and not found.cancel_asked:
                    return str(found.token)
                raise LiveStepError(
                    f"{step} is still busy with an earlier request; cancel that one or wait for its end", status=409
                )
        token = new_token()
        connection.execute(
            insert(Job).values(
                token=token,
                submission_id=submission_id,
                task=task,
                step=step,
                state="queued",
                input=values,
                time_limit_s=time_limit_s,
                created_at=now(),
                trial=trial,
            )
        )
        return token


def claim(store: Store, worker: str, *, lease_s: float = LEASE_S) -> Claim | None:
    """Take the oldest waiting job; None where there is none.

    Jobs whose worker fell silent come back into the queue first.
    """
    with store.read() as connection:  # looking takes no write lock: idle workers disturb nobody
        if (
            connection.execute(select(Job.id).where(or_(Job.state == "queued", _abandoned(now()))).limit(1)).first()
            is None
        ):
            return None
    with store.write() as connection:
        _collect_abandoned(connection)
        oldest = select(Job.id).where(Job.state == "queued").order_by(Job.id).limit(1)
        id_ = connection.execute(oldest.with_for_update(skip_locked=True)).scalar()
        taken = connection.execute(
            update(Job)
            .where(Job.id == id_, Job.state == "queued")
            .values(
                state="running",
                worker=worker,
                lease_until=now() + timedelta(seconds=lease_s),
                attempts=Job.attempts + 1,
                started_at=now(),
                progress=0.0,
                message=None,
            )
            .returning(
                Job.id,
                Job.token,
                Job.attempts,
                Job.task,
                Job.step,
                Job.input,
                Job.time_limit_s,
                Job.submission_id,
                Job.trial,
                Job.created_at,
            )
        ).first()
        if taken is None:
            return None
        asked_by = connection.execute(
            select(Submission.pseudonym, Condition.name)
            .outerjoin(Batch, Batch.id == Submission.batch_id)
            .outerjoin(Condition, Condition.id == Batch.condition_id)
            .where(Submission.id == taken.submission_id)
        ).first()
        return Claim(
            id=taken.id,
            token=taken.token,
            worker=worker,
            attempt=taken.attempts,
            task=taken.task,
            step=taken.step,
            input=taken.input,
            time_limit_s=taken.time_limit_s,
            submission=asked_by[0] if asked_by else None,
            condition=asked_by[1] if asked_by else None,
            trial=taken.trial,
            asked_at=taken.created_at,
        )


def beat(store: Store, claim: Claim, *, progress: float, message: str, lease_s: float = LEASE_S) -> Verdict:
    """Renew the lease, store the progress, and learn whether to go on.

    "lost" means that the lease ended and the job is another's now: stop, and store nothing.
    """
    with store.write() as connection:
        asked = connection.execute(
            update(Job)
            .where(_mine(claim))
            .values(lease_until=now() + timedelta(seconds=lease_s), progress=progress, message=message or None)
            .returning(Job.cancel_asked)
        ).first()
    if asked is None:
        return "lost"
    return "cancel" if asked.cancel_asked else "go on"


def look(store: Store, claim: Claim) -> Verdict:
    """As `beat`, but only read."""
    with store.read() as connection:
        asked = connection.execute(select(Job.cancel_asked).where(_mine(claim))).first()
    if asked is None:
        return "lost"
    return "cancel" if asked.cancel_asked else "go on"


def finish(
    store: Store,
    claim: Claim,
    state: Literal["done", "failed", "cancelled"],
    *,
    output: dict[str, Any] | None = None,
    error: str | None = None,
) -> bool:
    """End a job of ours; False, and nothing changed, where it is ours no more."""
    values: dict[str, Any] = {"state": state, "error": error, "lease_until": None, "finished_at": now()}
    if state == "done":
        values |= {"output": output, "progress": 1.0}
    with store.write() as connection:
        return connection.execute(update(Job).where(_mine(claim)).values(values)).rowcount == 1


def crashed(store: Store, claim: Claim, error: str) -> bool:
    """The step's process died: back into the queue, or failed with `error` after the last attempt."""
    with store.write() as connection:
        back = _back_into_queue(error, spent=Job.attempts >= MAX_ATTEMPTS)
        return connection.execute(update(Job).where(_mine(claim)).values(back)).rowcount == 1


def give_back(store: Store, claim: Claim) -> bool:
    """Return a job of ours to the queue as if it had not been taken: the worker is to stop."""
    with store.write() as connection:
        back = _back_into_queue("", spent=false()) | {"attempts": Job.attempts - 1}
        return connection.execute(update(Job).where(_mine(claim)).values(back)).rowcount == 1


def cancel(store: Store, token: str, submission_id: int | None = None) -> None:
    """Cancel a job: at once where no worker has it, by asking its worker otherwise; a finished one stays as it is."""
    with store.write() as connection:
        _cancel(connection, and_(Job.token == token, Job.submission_id == submission_id))


def cancel_all(connection: Connection, submission_id: int) -> None:
    """Cancel the jobs of somebody who left, so that others need not wait for what nobody sees."""
    _cancel(connection, Job.submission_id == submission_id)


def _cancel(connection: Connection, which: ColumnElement[bool]) -> None:
    nobodys = or_(Job.state == "queued", _abandoned(now()))
    connection.execute(
        update(Job)
        .where(which, nobodys)
        .values(state="cancelled", cancel_asked=True, lease_until=None, finished_at=now())
    )
    connection.execute(update(Job).where(which, Job.state == "running").values(cancel_asked=True))


def _mine(claim: Claim) -> ColumnElement[bool]:
    return and_(Job.id == claim.id, Job.state == "running", Job.worker == claim.worker, Job.attempts == claim.attempt)


def _abandoned(at: datetime) -> ColumnElement[bool]:
    return and_(Job.state == "running", Job.lease_until < at)


def _back_into_queue(error: str, *, spent: ColumnElement[bool]) -> dict[str, Any]:
    """What a running job becomes that nobody runs any more: queued, or cancelled if asked, or failed if `spent`."""
    over = or_(Job.cancel_asked, spent)
    return {
        "state": case((Job.cancel_asked, "cancelled"), (spent, "failed"), else_="queued"),
        "error": case((and_(spent, not_(Job.cancel_asked)), error)),
        "finished_at": case((over, literal(now(), UTCDateTime()))),
        "worker": None,
        "lease_until": None,
    }


def _collect_abandoned(connection: Connection) -> None:
    # Locked one by one, skipping others' locks, so that two workers cannot wait for each other.
    abandoned = select(Job.id).where(_abandoned(now())).order_by(Job.id).with_for_update(skip_locked=True)
    ids = connection.execute(abandoned).scalars().all()
    error = f"its worker stopped {MAX_ATTEMPTS} times before the end"
    back = _back_into_queue(error, spent=Job.attempts >= MAX_ATTEMPTS)
    connection.execute(update(Job).where(Job.id.in_(ids), Job.state == "running").values(back))
