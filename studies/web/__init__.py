"""The web app: participants' pages, media, live steps, the coders' and the researcher's pages over one store."""

from __future__ import annotations

import logging
import secrets

from flask import Flask, Response, g, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from crowdloom.studies.database import Store
from crowdloom.studies.errors import CrowdloomError
from crowdloom.studies.participation import Designs
from crowdloom.studies.prose import TEMPLATES, prose
from crowdloom.studies.web import coder, hooks, joining, live, media, participant, researcher, voice  # noqa: F401 - joining adds to participant
from crowdloom.studies.web.stores import Token

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self' {form_action}; base-uri 'none'; frame-ancestors {frame_ancestors}"
)


def create_app(store: Store, secret_key: str | None = None) -> Flask:
    """The app over a store.

    `secret_key` signs the researcher's cookie; processes that serve the same address share one.
    Participants are known by the token in their address and never get a cookie.
    """
    app = Flask(__name__, template_folder=str(TEMPLATES), static_folder=str(TEMPLATES / "static"))
    app.config.update(
        SECRET_KEY=secret_key or secrets.token_hex(32),
        MAX_CONTENT_LENGTH=1_000_000,
        SESSION_COOKIE_SAMESITE="Lax",
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.extensions["crowdloom_store"] = store
    app.extensions["crowdloom_designs"] = Designs(store)
    app.url_map.converters["token"] = Token
    app.jinja_env.filters["prose"] = prose
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for pages in (participant, media, live, voice, hooks, coder, researcher):
        app.register_blueprint(pages.blueprint)
    app.after_request(_add_headers)
    app.register_error_handler(CrowdloomError, _say)
    app.register_error_handler(HTTPException, _say_http)
    app.register_error_handler(Exception, _say_unexpected)
    return app


def _add_headers(response: Response) -> Response:
    ancestors = " ".join(g.get("frame_ancestors", ())) or "'none'"
    policy = _POLICY.format(form_action=g.get("form_action", ""), frame_ancestors=ancestors).replace(" ;", ";")
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    microphone = "self" if request.blueprint == "participant" else ""  # for those who think aloud
    response.headers.setdefault("Permissions-Policy", f"camera=(), geolocation=(), microphone=({microphone})")
    if request.endpoint != "static" and "Cache-Control" not in response.headers:
        # Every page shows what comes next; the back button must ask for it anew.
        response.headers["Cache-Control"] = "no-store"
    return response


def _message(title: str, text: str, status: int) -> tuple[Response | str, int]:
    if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
        return jsonify(error=text), status
    return render_template("message.html", title=title, text=text), status


_TITLES = {404: "Not found", 409: "Not possible just now", 503: "Please try again in a moment"}


def _say(error: CrowdloomError) -> tuple[Response | str, int]:
    if error.status >= 500:
        # What the database says is for the researcher's log, not for a participant.
        logging.getLogger(__name__).error("%s", error)
        text = "The study cannot be reached for the moment. Nothing that you saved is lost; please try again."
        return _message(_TITLES[503], text, error.status)
    return _message(_TITLES.get(error.status, "That did not work"), str(error), error.status)


def _say_http(error: HTTPException) -> tuple[Response | str, int]:
    texts = {404: "There is nothing at this address; check the link.", 413: "That was more than can be sent at once."}
    code = error.code or 500
    return _message(_TITLES.get(code, error.name), texts.get(code, error.description or error.name), code)


def _say_unexpected(error: Exception) -> tuple[Response | str, int]:
    # By its rule: the path holds the token that opens a participation.
    logging.getLogger(__name__).error("unexpected error at %s", request.url_rule, exc_info=error)
    return _message("Something went wrong", "This is our fault. Nothing that you saved is lost; please try again.", 500)
