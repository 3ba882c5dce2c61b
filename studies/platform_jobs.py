"""Jobs that speak with platforms for the researcher's pages: what can be asked for, the rows, and what became of them.

The row of a job holds what the researcher decided and nothing else: no credential, which only the worker's
environment has, and no platform id of a person or of what they handed in. `platform_work` carries it out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Row, and_, or_, select

from crowdloom.studies.database import Store, insert_new, now
from crowdloom.studies.errors import LiveStepError
from crowdloom.studies.jobs import UNFINISHED
from crowdloom.studies.ledger import PURPOSES, Purpose
from crowdloom.studies.tables import Job, Study
from crowdloom.tasks.protocol import LiveStep

TASK = "platform"
"""What the job table calls these; no design's task has this name."""

STORE_VARIABLE = "CROWDLOOM_STEP_STORE"
"""Where a worker tells its step process which store to open: the address may hold a password, so no row has it."""

TIME_LIMIT_S = 3600.0
"""A platform that throttles makes a study of thousands slow; what is cut off here goes on by the same button."""

TARGET = "crowdloom.studies.platform_work:work"


class Ask(BaseModel):
    """What a job is to do, for the study of this token."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    study: str
    asked_at: AwareDatetime = Field(default_factory=now)

    @property
    def subject(self) -> str:
        """Whom it is about, of those about whom the same may be asked side by side."""
        return ""


class Publish(Ask):
    """Publish the newest version; refused where it could cost another amount than `expected`."""

    platform: str
    address: str
    expected: int
    draft: bool = False


class Pause(Ask):
    """Let nobody new in for the time being."""


class Resume(Ask):
    """Let people in again."""


class Close(Ask):
    """Let nobody new in any more."""


class Reconcile(Ask):
    """Ask the platforms, and list every difference."""


class AddPlaces(Ask):
    """Give a posting the places that it lacks, for `expected` at most; with `responses`, for so many of each item."""

    posting: str
    expected: int
    responses: int | None = None


class LetHandIn(Ask):
    """Make a listing for the one person who completed a submission and could not hand it in."""

    code: str

    @property
    def subject(self) -> str:
        return self.code


class Pay(Ask):
    """Pay what a posting owes; refused where that is another amount than `expected`."""

    posting: str
    expected: int
    purposes: tuple[Purpose, ...] = PURPOSES


class PreviewBonus(Ask):
    """Say who gets the bonus by the design's rule; nothing is written down."""


class GiveBonus(Ask):
    """Write the bonuses of the rule down and pay them; refused where they come to another amount than `expected`."""

    expected: int


class TopUp(Ask):
    """Write a posting's additions down and pay them; refused where they come to another amount than `expected`."""

    posting: str
    expected: int


class Reject(Ask):
    """Reject a submission on its platform, and here."""

    code: str
    reason: str
    category: str | None = None

    @property
    def subject(self) -> str:
        return self.code


class RequestReturn(Ask):
    """Ask a participant to return a submission."""

    code: str
    reason: str

    @property
    def subject(self) -> str:
        return self.code


ACTIONS: dict[str, type[Ask]] = {
    "publish": Publish,
    "pause": Pause,
    "resume": Resume,
    "close": Close,
    "reconcile": Reconcile,
    "add-places": AddPlaces,
    "let-hand-in": LetHandIn,
    "pay": Pay,
    "preview-bonus": PreviewBonus,
    "bonus": GiveBonus,
    "top-up": TopUp,
    "reject": Reject,
    "request-return": RequestReturn,
}
LABELS = {
    "publish": "Publish",
    "pause": "Pause",
    "resume": "Resume",
    "close": "Close",
    "reconcile": "Ask the platforms",
    "add-places": "Add places",
    "let-hand-in": "Let somebody hand in",
    "pay": "Pay",
    "preview-bonus": "Work out the bonuses",
    "bonus": "Give the bonuses",
    "top-up": "Add to the rewards",
    "reject": "Reject a submission",
    "request-return": "Request a return",
}
_NAMES = {asked: name for name, asked in ACTIONS.items()}


class Found(BaseModel):
    """A difference between store and platform."""

    kind: str
    who: str
    what: str
    mend: str


class BonusRow(BaseModel):
    """A submission, how well it matches the others (None: cannot be said), and its bonus if any."""

    code: str
    agreement: float | None
    bonus: str | None


class Result(BaseModel):
    """What came of it: sentences as the command line prints them, and tables for the pages."""

    lines: list[str] = []
    differences: list[Found] | None = None
    """None where nobody looked for any."""
    bonuses: list[BonusRow] | None = None
    expected: int | None = None
    """Of a preview: the amount that the button below it names, in minor units."""
    currency: str | None = None


@dataclass(frozen=True)
class PlatformJob:
    """A job as the pages show it."""

    token: str
    action: str
    state: str
    """queued, running, done, failed or cancelled; `running` only while its worker is alive."""
    asked: Ask
    progress: float
    message: str | None
    result: Result | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def label(self) -> str:
        """What it does, in words."""
        return LABELS[self.action]

    @property
    def finished(self) -> bool:
        """Whether this state is the last one."""
        return self.state not in UNFINISHED

    @property
    def waited_s(self) -> float:
        """For how long it has been waiting, or has been there."""
        return (now() - self.created_at).total_seconds()


def name_of(asked: Ask) -> str:
    """The action's name, which is the job's step."""
    return _NAMES[type(asked)]


def declared_platform_step(action: str) -> LiveStep:
    """The action as a step that a worker runs. Raises LiveStepError for one that this version does not know."""
    if action not in ACTIONS:
        raise LiveStepError(f"nothing here implements the action {action!r}; it was asked for by another version")
    return LiveStep(ACTIONS[action], Result, TIME_LIMIT_S, "worker")


def ask(store: Store, asked: Ask, once: str) -> str:
    """Put a job into the queue and return its token; the same button pressed again gives the job that there is.

    `once` comes with the form and becomes the token, so that a form that is sent twice makes one job even after
    the first has ended. A study has at most one unfinished job of an action (and subject): the same from another
    tab gives that one. Raises LiveStepError (409) where the unfinished one was asked for otherwise.
    """
    with store.write() as connection:
        # On PostgreSQL the row lock makes two simultaneous requests take turns; SQLite's writers always do.
        connection.execute(select(Study.id).where(Study.token == asked.study).with_for_update(key_share=True))
        if connection.execute(select(Job.id).where(Job.token == once)).first() is not None:
            return once
        for row in connection.execute(_of(asked.study, name_of(asked)).where(Job.state.in_(UNFINISHED))):
            other = _read(row)
            if other.asked.subject != asked.subject:
                continue
            if other.asked.model_copy(update={"asked_at": asked.asked_at}) == asked:
                return other.token
            raise LiveStepError(
                f"“{other.label}” is still busy with an earlier request; wait for its end, then look at the amount "
                "again. Nothing was done",
                status=409,
            )
        connection.execute(insert_new(connection, Job), _row(asked, once, state="queued"))
    return once


def note_done(store: Store, asked: Ask, once: str, result: Result) -> str:
    """Write down what was done at once, without a worker, because no platform had to be asked; the job's token."""
    moment = now()
    row = _row(asked, once, state="done") | {
        "output": result.model_dump(mode="json"),
        "progress": 1.0,
        "started_at": asked.asked_at,
        "finished_at": moment,
    }
    with store.write() as connection:
        connection.execute(insert_new(connection, Job), row)
    return once


def _row(asked: Ask, token: str, *, state: str) -> dict[str, Any]:
    return {
        "token": token,
        "task": TASK,
        "step": name_of(asked),
        "state": state,
        "input": json.loads(asked.model_dump_json()),
        "time_limit_s": TIME_LIMIT_S,
        "created_at": asked.asked_at,
    }


def withdraw(store: Store, token: str) -> None:
    """Take back a job that no worker has begun; any other stays as it is, because a call may be under way."""
    with store.write() as connection:
        connection.execute(
            Job.__table__.update()  # type: ignore[attr-defined]
            .where(Job.token == token, Job.task == TASK, Job.state == "queued")
            .values(state="cancelled", cancel_asked=True, finished_at=now())
        )


def find_job(connection: Connection, study: str, token: str) -> PlatformJob | None:
    """A job of a study, by its token."""
    row = connection.execute(_of(study).where(Job.token == token)).first()
    return None if row is None else _read(row)


def latest(connection: Connection, study: str, *actions: str, state: str | None = None) -> PlatformJob | None:
    """The last job of one of these actions (in this state) of a study."""
    query = _of(study, *actions)
    if state is not None:
        query = query.where(Job.state == state)
    row = connection.execute(query.order_by(Job.id.desc()).limit(1)).first()
    return None if row is None else _read(row)


def history(connection: Connection, study: str, number: int = 8) -> list[PlatformJob]:
    """The last jobs of a study, newest first."""
    return [_read(row) for row in connection.execute(_of(study).order_by(Job.id.desc()).limit(number))]


def workers_at_work(connection: Connection) -> int:
    """How many workers are known to be alive: those that have a job."""
    alive = and_(Job.state == "running", Job.lease_until >= now())
    return len(connection.scalars(select(Job.id).where(alive)).all())


def _of(study: str, *actions: str) -> Any:
    query = select(*Job.__table__.c).where(Job.task == TASK, Job.input["study"].as_string() == study)
    return query.where(or_(*(Job.step == action for action in actions))) if actions else query


def _read(row: Row[Any]) -> PlatformJob:
    state = row.state
    if state == "running" and row.lease_until < now():
        state = "queued"  # its worker is gone; the next one that is free takes it
    return PlatformJob(
        token=row.token,
        action=row.step,
        state=state,
        asked=ACTIONS[row.step].model_validate(row.input),
        progress=row.progress,
        message=row.message,
        result=Result.model_validate(row.output) if row.output is not None else None,
        error=row.error,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
