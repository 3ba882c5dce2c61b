"""What all pages of the researcher share: who may open them, their forms, and how an action is carried out."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from flask import Blueprint, Flask, redirect, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from markupsafe import Markup
from sqlalchemy import Connection, select
from werkzeug.wrappers import Response

from crowdloom.studies import platform_jobs
from crowdloom.studies.database import new_token
from crowdloom.studies.errors import CrowdloomError, OptionError, StoreError, StudyError
from crowdloom.studies.platform_work import asks_a_platform, do
from crowdloom.studies.tables import Design, Study
from crowdloom.studies.web.csrf import Sessions, csrf_token, sent_from_here
from crowdloom.studies.web.stores import current_store
from crowdloom.tasks.coach import CoachTask

blueprint = Blueprint("researcher", __name__, url_prefix="/researcher")
Page = str | Response | tuple[str, int]


class _Names(dict[str, str]):
    """Names of platforms; one without an entry goes by its own."""

    def __missing__(self, platform: str) -> str:
        return platform


PLATFORM_NAMES = _Names(
    {"link": "Direct link", "mturk": "MTurk marketplace", "prolific": "Prolific", "import": "Import"}
)
_ONCE = re.compile(r"[0-9A-Za-z]{8,32}")


@blueprint.record
def _prepare(state: BlueprintSetupState) -> None:
    cast(Flask, state.app).session_interface = Sessions()
    state.app.config["SESSION_COOKIE_HTTPONLY"] = True


@blueprint.before_request
def _guard() -> Page | None:
    if request.endpoint == "researcher.enter":
        return None
    if not session.get("researcher"):
        return closed()
    if request.method == "POST" and not sent_from_here():
        text = (
            "This form was not sent from these pages, or they were opened anew in the meantime. Nothing was done. "
            "Go back, load the page again, and press the button once more."
        )
        return render_template("message.html", title="Not sent from here", text=text), 403
    return None


def closed() -> tuple[str, int]:
    """What somebody reads who has not opened these pages."""
    text = (
        "These pages open by the one-time link that “crowdloom serve” prints, once and within an hour; "
        "start it again for a new one."
    )
    return render_template("message.html", title="For the researcher", text=text), 403


@blueprint.context_processor
def _for_templates() -> dict[str, Any]:
    return {
        "csrf_token": csrf_token,
        "once": new_token,
        "platform_names": PLATFORM_NAMES,
        "has_coach": _has_coach,
        "has_coding": _has_coding,
        "has_conditions": _has_conditions,
    }


def _has_coach(token: str) -> bool:
    """Whether people in the newest version of a study's design are coached."""
    return bool(_newest_values(token).get("task") == CoachTask.name)


def _has_coding(token: str) -> bool:
    """Whether the newest version of a study's design says that its items are coded."""
    return _newest_values(token).get("coding") is not None


def _has_conditions(token: str) -> bool:
    """Whether the newest version of a study's design has several conditions, between which there can be an effect."""
    return len(_newest_values(token).get("conditions", ())) > 1


def _newest_values(token: str) -> dict[str, Any]:
    newest = (
        select(Design.values)
        .join(Study, Study.id == Design.study_id)
        .where(Study.token == token)
        .order_by(Design.version.desc())
        .limit(1)
    )
    with current_store().read() as connection:
        return connection.execute(newest).scalar() or {}


@blueprint.app_template_filter("utc")
def utc(moment: datetime | None) -> str:
    """A time as the tables show it."""
    if moment is None:
        return "–"
    return Markup('<time datetime="{}">{} UTC</time>').format(
        moment.isoformat(timespec="seconds"), f"{moment:%Y-%m-%d %H:%M}"
    )


@blueprint.errorhandler(CrowdloomError)
def _say(error: CrowdloomError) -> tuple[str, int]:
    if isinstance(error, StoreError):
        logging.getLogger(__name__).error("%s", error)
        text = "The store cannot be reached for the moment; the server's log says why. Please try again."
    else:
        text = str(error)
    token = (request.view_args or {}).get("token")
    page = render_template("researcher/problem.html", text=text, token=token if error.status != 404 else None)
    return page, error.status


def study_name(connection: Connection, token: str) -> str:
    """The name of the study that an address means. Raises StudyError (404) where there is none."""
    name = connection.execute(select(Study.name).where(Study.token == token)).scalar()
    if name is None:
        raise StudyError("There is no such study here.")
    return str(name)


def carry_out(asked: platform_jobs.Ask) -> Response:
    """Do at once what only changes the store, queue what asks a platform; on to the page that says what became of it.

    The form's own random name makes a second click the same job.
    """
    once = request.form.get("once", "")
    if not _ONCE.fullmatch(once):
        raise OptionError("The form was sent without its name. Load the page again; nothing was done.")
    store = current_store()
    with store.read() as connection:
        name = study_name(connection, asked.study)
        there = platform_jobs.find_job(connection, asked.study, once) is not None
        queued = asks_a_platform(connection, name, asked)
    if there:
        token = once
    elif queued:
        token = platform_jobs.ask(store, asked, once)
    else:
        token = platform_jobs.note_done(store, asked, once, do(store, asked, lambda _fraction, _message: None))
    return redirect(url_for("researcher.job", token=asked.study, job=token), 303)


def amount(field: str = "expected") -> int:
    """The amount that stood on the button, in minor units. Raises OptionError where the form names none."""
    written = request.form.get(field, "")
    if not re.fullmatch(r"[0-9]{1,15}", written):
        raise OptionError("The form names no amount. Load the page again; nothing was done.")
    return int(written)


def page_of(rows: Sequence[Any], size: int = 100) -> tuple[Sequence[Any], int, int]:
    """The rows of the page that the address asks for, its number from 1, and how many pages there are."""
    pages = max(-(-len(rows) // size), 1)
    written = request.args.get("page", "1")
    number = min(max(int(written), 1), pages) if re.fullmatch(r"[0-9]{1,6}", written) else 1
    return rows[(number - 1) * size : number * size], number, pages
