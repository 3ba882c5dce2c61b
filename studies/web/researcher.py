"""The researcher's pages: opened by the one-time link that `crowdloom serve` prints."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, session, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from crowdloom.studies.access import use_access
from crowdloom.studies.status import study_names, study_status
from crowdloom.studies.tables import Study
from crowdloom.studies.web.stores import current_store

blueprint = Blueprint("researcher", __name__, url_prefix="/researcher")
Page = str | Response | tuple[str, int]


@blueprint.get("/enter/<token:token>")
def enter(token: str) -> Page:
    """Open the pages for this browser, once."""
    if request.method == "HEAD":
        return ""  # whoever only asks what the link is must not use it up
    with current_store().write() as connection:
        opened = use_access(connection, token)
    if not opened and not session.get("researcher"):
        return _closed()
    session["researcher"] = True
    return redirect(url_for(".index"), 303)


@blueprint.get("/")
def index() -> Page:
    """All studies."""
    if not session.get("researcher"):
        return _closed()
    with current_store().read() as connection:
        studies = [study_status(connection, name) for name in study_names(connection)]
    return render_template("researcher/index.html", studies=studies)


@blueprint.get("/study/<token:token>")
def study(token: str) -> Page:
    """One study: places, submissions, links."""
    if not session.get("researcher"):
        return _closed()
    with current_store().read() as connection:
        name = connection.execute(select(Study.name).where(Study.token == token)).scalar()
        if name is None:
            return render_template("message.html", title="Not found", text="There is no such study here."), 404
        status = study_status(connection, name)
    return render_template("researcher/study.html", study=status)


def _closed() -> tuple[str, int]:
    text = (
        "These pages open by the one-time link that “crowdloom serve” prints, once and within an hour; "
        "start it again for a new one."
    )
    return render_template("message.html", title="For the researcher", text=text), 403
