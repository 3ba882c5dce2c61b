"""The marketplace's web app: the requester API at POST /, and the workers' pages."""

from __future__ import annotations

import logging

from flask import Flask, Response, g, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from crowdloom.studies.errors import CrowdloomError
from crowdloom.studies.marketplace.market import Market
from crowdloom.studies.marketplace.money import to_dollars
from crowdloom.studies.marketplace.web import api, frames, worker
from crowdloom.studies.marketplace.web.dropping import Dropping
from crowdloom.studies.prose import TEMPLATES
from crowdloom.studies.web.stores import Token

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; frame-src {}"
)


def create_app(
    market: Market, *, open_accounts: bool = True, address: str | None = None, rate: float | None = None
) -> Flask:
    """The app over a marketplace.

    With `open_accounts` any access key that nobody owns becomes an account of its own, whatever its secret:
    for a marketplace that only this machine can reach. `address` is where people reach it, when that is not
    the address they ask for; `rate` is how many API requests an account may make in a second.
    """
    app = Flask(__name__, template_folder=str(TEMPLATES), static_folder=str(TEMPLATES / "static"))
    app.config.update(
        SECRET_KEY=market.cookie_key(),
        SESSION_COOKIE_NAME="crowdloom_worker",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=bool(address and address.startswith("https://")),
        MAX_CONTENT_LENGTH=4_000_000,
        MAX_FORM_MEMORY_SIZE=4_000_000,
        MAX_FORM_PARTS=5_000,
        TEMPLATES_AUTO_RELOAD=False,
        MARKET_OPEN=open_accounts,
        MARKET_ADDRESS=address,
        MARKET_RATE=rate,
    )
    app.extensions["crowdloom_market"] = market
    app.url_map.converters["token"] = Token
    app.jinja_env.filters["dollars"] = to_dollars
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for blueprint in (api.blueprint, worker.blueprint, frames.blueprint):
        app.register_blueprint(blueprint)
    app.after_request(_add_headers)
    app.register_error_handler(CrowdloomError, _say)
    app.register_error_handler(HTTPException, _say_http)
    app.register_error_handler(Exception, _say_unexpected)
    app.wsgi_app = Dropping(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to wrap an app
    return app


def _add_headers(response: Response) -> Response:
    if request.blueprint == "api":
        return response  # no browser reads it
    response.headers.setdefault("Content-Security-Policy", _POLICY.format(g.get("frame_source", "'none'")))
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _message(title: str, text: str, status: int) -> Response:
    in_frame = request.blueprint == "frames"
    page = render_template("marketplace/message.html", title=title, text=text, in_frame=in_frame)
    response = make_response(page, status)
    if in_frame:
        frames.allow_framing(response)
    return response


_TITLES = {404: "Not found", 409: "Not possible just now", 503: "Please try again in a moment"}


def _say(error: CrowdloomError) -> Response:
    if error.status >= 500:
        logging.getLogger(__name__).error("%s", error)
        text = "The marketplace cannot be reached for the moment. Please try again."
        return _message(_TITLES[503], text, error.status)
    return _message(_TITLES.get(error.status, "That did not work"), str(error), error.status)


def _say_http(error: HTTPException) -> Response | HTTPException:
    if error.code is not None and error.code < 400:
        return error  # a redirection
    texts = {404: "There is nothing at this address; check the link.", 413: "That was more than can be sent at once."}
    code = error.code or 500
    return _message(_TITLES.get(code, error.name), texts.get(code, error.description or error.name), code)


def _say_unexpected(error: Exception) -> Response:
    # By its rule: paths hold the invitations that sign people in.
    logging.getLogger(__name__).error("unexpected error at %s", request.url_rule, exc_info=error)
    return _message("Something went wrong", "This is our fault. Please go back and try again.", 500)
