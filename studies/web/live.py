"""The JSON endpoint of live steps: call a step, follow its job, cancel it, find it again.

    POST /take/<token>/live/<step>               200 {"output"} (inline), or 202 and the job's state (worker)
    GET  /take/<token>/live/<step>               the state of the last job of that step, or 204
    GET  /take/<token>/live/jobs/<job>           its state
    GET  /take/<token>/live/jobs/<job>/events    its states as server-sent events, until it has ended
    POST /take/<token>/live/jobs/<job>/cancel    its state after asking it to end

Each of the first two takes `?trial=ID`, what the form of a trial's page carries: then the step is handed that trial,
which must be the current one (else 409), and the last job is the last one of that trial.

Every error is {"error": sentence}, and {"errors": {field: sentence}} beside it where fields are wrong.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from crowdloom.studies.database import Store
from crowdloom.studies.errors import CrowdloomError, LiveStepError, StoreError
from crowdloom.studies.jobs import cancel, enqueue
from crowdloom.studies.live import Asker, InlineSteps, at_trial, declared_step, find_asker, read_input
from crowdloom.studies.waiting import JobState, job_state, latest_job
from crowdloom.studies.web.stores import current_store

LARGEST_BODY = 4 * 1024 * 1024
POLL_S = 0.4
HEARTBEAT_S = 5.0
STREAM_S = 240.0
"""A stream closes after this time; the browser opens the next one by itself."""


class Streams:
    """The event streams of one process, each of which holds a thread for as long as it is open.

    `serve` sets the limit to half of its threads. Where all places are taken, a stream sends the
    present state and closes, and the browser opens it again after `RETRY_MS`: it polls until a place
    is free. Setting `closing` ends all streams, for a server that is to stop.
    """

    RETRY_MS = 2000

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.closing = threading.Event()
        self._open = 0
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take a place, if there is one."""
        with self._lock:
            if self._open >= self.limit:
                return False
            self._open += 1
            return True

    def give(self) -> None:
        """Give a place back."""
        with self._lock:
            self._open -= 1


blueprint = Blueprint("live", __name__, url_prefix="/take/<token:token>/live")


@blueprint.record
def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["crowdloom_streams"] = Streams(limit=4)
    state.app.extensions["crowdloom_inline"] = InlineSteps(state.app.extensions["crowdloom_store"])


@blueprint.post("/<step>")
def call_step(token: str, step: str) -> tuple[Response, int]:
    """Run an inline step, or queue a worker's."""
    asker = find_asker(current_store(), token)
    declared = declared_step(asker.task, step)
    if asker.state != "started":
        raise LiveStepError(f"this submission is {asker.state}; its live steps are over", status=409)
    if trial_id := request.args.get("trial"):
        asker = at_trial(current_store(), current_app.extensions["crowdloom_designs"], asker, token, trial_id)
    request.max_content_length = LARGEST_BODY
    values = read_input(declared, request.get_data())
    if declared.where == "inline":
        inline: InlineSteps = current_app.extensions["crowdloom_inline"]
        return jsonify(output=inline.call(asker, step, declared, values)), 200
    job = enqueue(
        current_store(),
        task=asker.task,
        step=step,
        values=values,
        time_limit_s=declared.time_limit_s,
        submission_id=asker.id,
        trial=asker.trial_id,
    )
    return jsonify(_known(asker, job).as_dict()), 202


@blueprint.get("/<step>")
def last_job(token: str, step: str) -> Response:
    """The last job of a step, for a page that was loaded again."""
    asker = find_asker(current_store(), token)
    declared_step(asker.task, step)
    found = latest_job(current_store(), asker.task, step, asker.id, request.args.get("trial"))
    return Response(status=204) if found is None else jsonify(found.as_dict())


@blueprint.get("/jobs/<token:job>")
def show_job(token: str, job: str) -> Response:
    """The state of a job."""
    return jsonify(_known(find_asker(current_store(), token), job).as_dict())


@blueprint.post("/jobs/<token:job>/cancel")
def cancel_job(token: str, job: str) -> Response:
    """Ask a job to end; one that has ended stays as it is."""
    asker = find_asker(current_store(), token)
    _known(asker, job)
    cancel(current_store(), job, asker.id)
    return jsonify(_known(asker, job).as_dict())


@blueprint.get("/jobs/<token:job>/events")
def follow_job(token: str, job: str) -> Response:
    """The states of a job as server-sent events: `progress` while it goes on, `end` for the last one.

    An event's id is a digest of its state. A browser that comes back with it is spared what it knows,
    and told to stop (204) where it knows the end.
    """
    store, asker = current_store(), find_asker(current_store(), token)
    state, known = _known(asker, job), request.headers.get("Last-Event-ID", "")
    if state.finished and known == _digest(state):
        return Response(status=204)
    streams: Streams = current_app.extensions["crowdloom_streams"]
    stays = streams.take()
    lines = _events(store, asker.id, state, known=known, streams=streams, stay_s=STREAM_S if stays else 0.0)
    response = Response(lines, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
    if stays:
        response.call_on_close(streams.give)  # also runs where the stream was never begun
    return response


def _events(
    store: Store, submission_id: int, state: JobState | None, *, known: str, streams: Streams, stay_s: float
) -> Iterator[str]:
    """The text of a stream. No connection and no transaction is held between two looks at the database."""
    yield f"retry: {streams.RETRY_MS}\n\n"
    end = time.monotonic() + stay_s
    said = time.monotonic()
    while state is not None:
        if (digest := _digest(state)) != known:
            yield f"id: {digest}\nevent: {'end' if state.finished else 'progress'}\ndata: {_data(state)}\n\n"
            known, said = digest, time.monotonic()
        elif time.monotonic() - said > HEARTBEAT_S:
            yield ": still there\n\n"  # a browser that went away is noticed by writing to it
            said = time.monotonic()
        if state.finished or time.monotonic() > end or streams.closing.wait(POLL_S):
            return
        try:
            state = job_state(store, state.job, submission_id)
        except StoreError:
            return  # the browser comes back


def _data(state: JobState) -> str:
    return json.dumps(state.as_dict(), separators=(",", ":"))


def _digest(state: JobState) -> str:
    return hashlib.sha256(_data(state).encode()).hexdigest()[:16]


def _known(asker: Asker, job: str) -> JobState:
    state = job_state(current_store(), job, asker.id)
    if state is None:
        raise LiveStepError("this submission has no such job", status=404)
    return state


@blueprint.errorhandler(CrowdloomError)
def _say_error(error: CrowdloomError) -> tuple[Response, int]:
    if isinstance(error, StoreError):  # what the database says is for the researcher's log
        logging.getLogger(__name__).error("%s", error)
        return jsonify(error="the study cannot be reached for the moment; please try again"), error.status
    said: dict[str, Any] = {"error": str(error)}
    if isinstance(error, LiveStepError) and error.errors:
        said["errors"] = error.errors
    return jsonify(said), error.status


@blueprint.errorhandler(HTTPException)
def _say_http_error(error: HTTPException) -> tuple[Response, int]:
    if isinstance(error, RequestEntityTooLarge):
        most = LARGEST_BODY // 2**20
        return jsonify(error=f"this is more than the server takes at once, {most} MiB; reload the page"), 413
    return jsonify(error=error.description), error.code or 500


@blueprint.errorhandler(Exception)
def _say_unexpected(error: Exception) -> tuple[Response, int]:
    logging.getLogger(__name__).error("unexpected error at %s", request.path, exc_info=error)
    return jsonify(error="something went wrong, which is our fault; please try again"), 500


@blueprint.after_request
def _not_stored(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
