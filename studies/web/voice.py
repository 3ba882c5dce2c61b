"""What people say aloud: the pieces that a trial's page records, and a page to take consent back at any time.

    GET  /take/<token>/audio?trial=ID      {"consent": true | false | null, "pieces", "next"}: the next recording
    POST /take/<token>/audio?trial=ID&recording=N&chunk=M&at_ms=…&sent_ms=…
                                           a piece, by its Content-Type; both times by the page's clock
    POST /take/<token>/audio/consent       the form `decision`: yes, no or delete; the state as above
    GET  /take/<token>/voice               a page without JavaScript that says what there is
    POST /take/<token>/voice               the form `decision` from there

Answers to pieces: 200 {"kept": whether it is new}; 412 where another page took the number of the recording; 409, 404
and 413 where there is no use in sending more.
"""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from crowdloom.studies.errors import CrowdloomError, RecordingError, StoreError
from crowdloom.studies.participation import Designs, read_progress
from crowdloom.studies.recordings import (
    LARGEST_PIECE,
    Piece,
    consent_of,
    has_recordings,
    save_piece,
    say_consent,
    think_aloud_trial,
    voice_state,
)
from crowdloom.studies.web.participant import let_frame
from crowdloom.studies.web.stores import current_store

blueprint = Blueprint("voice", __name__, url_prefix="/take/<token:token>")
DECISIONS = {"yes": (True, False), "no": (False, False), "delete": (False, True)}
"""Whether somebody agrees to be recorded, and whether what was recorded is to be deleted."""


def _designs() -> Designs:
    designs: Designs = current_app.extensions["crowdloom_designs"]
    return designs


@blueprint.get("/audio")
def state(token: str) -> Response:
    """What the page of a trial is to know before it records."""
    return _state(token, request.args.get("trial", ""))


def _state(token: str, trial_id: str) -> Response:
    submission = _designs().assigned(token)
    position = think_aloud_trial(_designs(), submission, trial_id)
    with current_store().read() as connection:
        return jsonify(asdict(voice_state(connection, submission, position)))


@blueprint.post("/audio")
def keep(token: str) -> Response:
    """A piece of a recording."""
    submission = _designs().assigned(token)
    position = think_aloud_trial(_designs(), submission, request.args.get("trial", ""))
    request.max_content_length = LARGEST_PIECE
    at_ms, sent_ms = _whole("at_ms"), _whole("sent_ms")
    piece = Piece(
        number=_whole("recording"),
        chunk=_whole("chunk"),
        offset_ms=at_ms,
        age_ms=sent_ms - at_ms,
        mime=request.mimetype,
        content=request.get_data(),
    )
    with current_store().write() as connection:
        return jsonify(kept=save_piece(connection, submission, position, piece))


def _whole(name: str) -> int:
    written = request.args.get(name, "")
    if not (written.isascii() and written.isdecimal() and len(written) < 16):
        raise RecordingError(f"{name} is to be a whole number.", status=422)
    return int(written)


@blueprint.post("/audio/consent")
def decide(token: str) -> Response:
    """What a participant says about being recorded."""
    trial_id = request.args.get("trial", "")
    think_aloud_trial(_designs(), _designs().assigned(token), trial_id)
    _save_decision(token)
    return _state(token, trial_id)


def _save_decision(token: str) -> None:
    decision = request.form.get("decision", "")
    if decision not in DECISIONS:
        raise RecordingError(f"A decision is one of: {', '.join(DECISIONS)}.", status=422)
    consent, forget = DECISIONS[decision]
    with current_store().write() as connection:
        progress = read_progress(connection, token)
        if consent and progress.state != "started":
            raise RecordingError("This participation is over, so nothing more is recorded.")
        say_consent(connection, progress.id, consent, forget=forget)


@blueprint.get("/voice")
def page(token: str) -> str:
    """What there is of somebody's voice, and how to have it deleted."""
    with current_store().read() as connection:
        progress = read_progress(connection, token)
        consent = consent_of(connection, progress.id)
        recorded = has_recordings(connection, progress.id)
    let_frame(progress.platform, progress.values)
    design = _designs().design(progress.design_id)
    base = url_for("participant.take", token=token)
    return render_template("voice.html", design=design, base=base, consent=consent, recorded=recorded)


@blueprint.post("/voice")
def decide_on_page(token: str) -> AnyResponse:
    """Take consent back without JavaScript."""
    if request.form.get("decision") == "yes":
        raise RecordingError("You can agree to be recorded where recording begins, on the page of the question.")
    _save_decision(token)
    return redirect(url_for(".page", token=token), 303)


@blueprint.errorhandler(CrowdloomError)
def _say_error(error: CrowdloomError) -> tuple[Response | str, int]:
    if isinstance(error, StoreError):
        return jsonify(error="The study cannot be reached for the moment; please try again."), error.status
    if request.endpoint in (f"{blueprint.name}.page", f"{blueprint.name}.decide_on_page"):
        return render_template("message.html", title="That did not work", text=str(error)), error.status
    return jsonify(error=str(error)), error.status


@blueprint.errorhandler(HTTPException)
def _say_http_error(error: HTTPException) -> tuple[Response, int]:
    text = "A piece has at most 1 MiB." if isinstance(error, RequestEntityTooLarge) else error.description
    return jsonify(error=text), error.code or 500
