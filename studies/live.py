"""Live steps of a submission: from a step's name and a JSON body to an output or a job.

The task declares a step's models, limit and place (`crowdloom.tasks`), `crowdloom.models.live` names
its implementation, and here the two meet.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from sqlalchemy import insert, select

from crowdloom.models.live import IMPLEMENTATIONS
from crowdloom.studies import platform_jobs
from crowdloom.studies.database import Store, now
from crowdloom.studies.errors import LiveStepError, StudyError, TrialError
from crowdloom.studies.jobs import Claim
from crowdloom.studies.participation import Designs, position_of, read_progress, trial_at
from crowdloom.studies.scratch import scratch_folder
from crowdloom.studies.step import News, Order, as_json, run
from crowdloom.studies.tables import Batch, Condition, Design, Event, Posting, Submission
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import LiveStep, Trial

log = logging.getLogger(__name__)

INLINE_THREADS = 4

FAILED = (
    "This did not work, which is our fault. Please try again in a moment; if it happens again, write to the researcher."
)
"""What participants read of a step that failed; the log has the reason."""

_MOST_ERRORS = 20


@dataclass(frozen=True)
class Asker:
    """The submission that asks for a step."""

    id: int
    pseudonym: str
    state: str
    task: str
    condition: str | None
    trial_id: str | None = None
    """What the form of the page that asks carries, where it says so."""
    trial: Trial | None = None


def find_asker(store: Store, token: str) -> Asker:
    """The submission that a URL's token stands for. Raises StudyError (404) for an unknown one."""
    with store.read() as connection:
        found = connection.execute(
            select(Submission.id, Submission.pseudonym, Submission.state, Design.task, Condition.name)
            .join(Posting, Posting.id == Submission.posting_id)
            .join(Design, Design.id == Posting.design_id)
            .outerjoin(Batch, Batch.id == Submission.batch_id)
            .outerjoin(Condition, Condition.id == Batch.condition_id)
            .where(Submission.token == token)
        ).first()
    if found is None:
        raise StudyError("this link belongs to no submission; use the link that the study gave you")
    return Asker(*found)


def at_trial(store: Store, designs: Designs, asker: Asker, token: str, trial_id: str) -> Asker:
    """The asker with the trial that its page names. Raises LiveStepError (409) unless it is the current one."""
    with store.read() as connection:
        progress = read_progress(connection, token)
    try:
        position = position_of(designs, progress, trial_id)
    except TrialError:
        position = None
    if progress.stage != "trials" or position is None or position != progress.answered:
        raise LiveStepError("this question is not the one that you are at; reload the page to go on", status=409)
    return replace(asker, trial_id=trial_id, trial=trial_at(designs, progress, position)[1])


def declared_step(task: str, name: str) -> LiveStep:
    """The step as its task declares it. Raises LiveStepError (404) for an unknown one."""
    steps = TASKS[task].live_steps if task in TASKS else {}
    if name not in steps:
        known = ", ".join(sorted(steps)) or "none"
        raise LiveStepError(f"the task {task} has no live step {name!r} (it has: {known})", status=404)
    return steps[name]


def check_steps() -> None:
    """Raise LiveStepError for a step that nothing implements, or an implementation that no task declares."""
    declared = {(name, step) for name, task in TASKS.items() for step in task.live_steps}
    for task, step in sorted(declared - IMPLEMENTATIONS.keys()):
        raise LiveStepError(
            f"the task {task} declares the live step {step}, and nothing in models/live.py implements it"
        )
    for task, step in sorted(IMPLEMENTATIONS.keys() - declared):
        raise LiveStepError(
            f"models/live.py implements the live step {step} of the task {task}, which declares none such"
        )


def read_input(step: LiveStep, body: bytes) -> dict[str, Any]:
    """A request's body as the step's input. Raises LiveStepError (422) with one sentence per wrong field."""
    try:
        return as_json(step.input.model_validate_json(body))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[:_MOST_ERRORS]
        errors = {".".join(map(str, one["loc"])) or "input": _sentence(one["msg"]) for one in found}
    except ValueError as error:
        errors = {"input": f"It holds a number that JSON does not have ({error})."}
    raise LiveStepError("the input of this step is wrong; see errors", status=422, errors=errors)


def order_of(store: Store, claim: Claim) -> Order:
    """What a worker runs for a job. Raises LiveStepError where this version does not know the step or its trial."""
    if claim.task == platform_jobs.TASK:  # the researcher's, which no participant can call
        target, step = platform_jobs.TARGET, platform_jobs.declared_platform_step(claim.step)
    else:
        target, step = _target(claim.task, claim.step), declared_step(claim.task, claim.step)
    return Order(
        target=target,
        step=step,
        values=claim.input,
        folder=scratch_folder(store, claim.submission or claim.token),
        submission=claim.submission,
        condition=claim.condition,
        trial=_trial_of(store, claim),
        trial_id=claim.trial,
        asked_at=claim.asked_at.timestamp() if claim.asked_at else None,
    )


def _trial_of(store: Store, claim: Claim) -> Trial | None:
    if claim.trial is None:
        return None
    designs = Designs(store)
    with store.read() as connection:
        token = connection.execute(select(Submission.token).where(Submission.pseudonym == claim.submission)).scalar()
    try:
        submission = designs.assigned(token or "")
        return trial_at(designs, submission, position_of(designs, submission, claim.trial))[1]
    except (StudyError, TrialError) as error:
        raise LiveStepError(f"the trial of {claim.step} is not there any more", status=409) from error


class InlineSteps:
    """Runs the steps that take milliseconds, in threads of the web process.

    Python cannot end a thread. So when a step's time is over, the request is answered (504) and the step
    is told to end at its next `progress`; one that never calls it goes on to its end, unheard, and holds
    one of the `INLINE_THREADS` threads. Where all of them are held, further steps are refused (503)
    after their time limit, and the pages go on. Declare what can take long as `where="worker"`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        # Kept threads: libraries such as OpenMP set up a team of their own for every new one.
        self._threads = ThreadPoolExecutor(INLINE_THREADS, thread_name_prefix="inline-step")

    def call(self, asker: Asker, name: str, step: LiveStep, values: dict[str, Any]) -> dict[str, Any]:
        """The step's output; input and output become an event `live_step` of the submission.

        What the step declares as `unrecorded` is left out of the event.
        Raises LiveStepError: 422 refused by the step, 500 failed, 503 no thread free, 504 too slow.
        """
        target = _target(asker.task, name)
        folder = scratch_folder(self._store, asker.pseudonym)
        order = Order(target, step, values, folder, asker.pseudonym, asker.condition, asker.trial, asker.trial_id)
        began = time.monotonic()
        over = threading.Event()
        future = self._threads.submit(run, order, lambda _fraction, _message: None, over.is_set)
        try:
            end = future.result(step.time_limit_s)
        except FutureTimeoutError:
            over.set()
            if future.cancel():
                raise LiveStepError("the server is busy; try again in a moment", status=503) from None
            end = News("overtime", text=f"{name} took longer than its limit of {step.time_limit_s:g} s")
        kept = {field: value for field, value in values.items() if field not in step.unrecorded}
        record = {"step": name, "input": kept, "ms": round(1000 * (time.monotonic() - began), 1)}
        if asker.trial_id is not None:
            record["trial"] = asker.trial_id
        if end.kind == "done":
            self._record(asker, record if "output" in step.unrecorded else record | {"output": end.output})
            return end.output or {}
        self._record(asker, record | {"error": end.text})
        if end.kind == "refused":
            if end.detail:
                log.error("%s %s refused\n%s", asker.task, name, end.detail)
            raise LiveStepError(end.text, status=422)
        if end.kind == "overtime":
            raise LiveStepError(end.text, status=504)
        log.error("%s %s failed\n%s", asker.task, name, end.text)
        raise LiveStepError(FAILED, status=500)

    def _record(self, asker: Asker, values: dict[str, Any]) -> None:
        with self._store.write() as connection:
            connection.execute(insert(Event).values(submission_id=asker.id, kind="live_step", values=values, at=now()))


def _target(task: str, step: str) -> str:
    if (task, step) not in IMPLEMENTATIONS:
        raise LiveStepError(f"nothing here implements the live step {step!r} of the task {task}", status=500)
    return IMPLEMENTATIONS[task, step]


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".") + "."
