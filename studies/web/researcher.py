"""The researcher's pages: opened by the one-time link that `crowdloom serve` prints.

/researcher/                                 all studies
/researcher/study/<study>                    how it stands; pause, resume, close
/researcher/study/<study>/power              how likely it would find an effect, and at which cost
/researcher/study/<study>/publish            what it costs, and publishing it
/researcher/study/<study>/places             what it lacks, and asking for more
/researcher/study/<study>/review             approve; .../review/<code>: reject, ask to return
/researcher/study/<study>/payments           the ledger; pay, bonus, addition
/researcher/study/<study>/reconcile          the store beside the platforms
/researcher/study/<study>/coach              what the study's coach proposes at which weights
/researcher/study/<study>/coding             who has coded how much, agreement, disagreements; add a coder, decide
/researcher/study/<study>/jobs/<job>         what became of an action
"""

from __future__ import annotations

from flask import redirect, render_template, request, session, url_for
from sqlalchemy import func, select

from crowdloom.studies import platform_jobs
from crowdloom.studies.access import use_access
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.posted import Posted, find_postings
from crowdloom.studies.status import study_names, study_status
from crowdloom.studies.steering import is_paused
from crowdloom.studies.tables import Design, Posting, Study, Submission
from crowdloom.studies.training_runs import count_training_runs
from crowdloom.studies.web import (
    researcher_coach,
    researcher_coding,
    researcher_jobs,
    researcher_payments,
    researcher_power,
    researcher_publish,
    researcher_review,
)
from crowdloom.studies.web.csrf import csrf_token
from crowdloom.studies.web.researcher_base import Page, blueprint, carry_out, closed, study_name
from crowdloom.studies.web.stores import current_store

__all__ = [
    "blueprint",
    "researcher_coach",
    "researcher_coding",
    "researcher_jobs",
    "researcher_payments",
    "researcher_power",
    "researcher_publish",
    "researcher_review",
]

MOST_ROWS = 1000
"""Batches and items that the study's page lists; `crowdloom status` lists them all."""


@blueprint.get("/enter/<token:token>")
def enter(token: str) -> Page:
    """Open the pages for this browser, once."""
    if request.method == "HEAD":
        return ""  # whoever only asks what the link is must not use it up
    with current_store().write() as connection:
        opened = use_access(connection, token)
    if not opened and not session.get("researcher"):
        return closed()
    if opened:
        session.clear()  # a token that somebody planted before does not outlive the opening
    session["researcher"] = True
    csrf_token()
    return redirect(url_for(".index"), 303)


@blueprint.get("/")
def index() -> Page:
    """All studies."""
    with current_store().read() as connection:
        studies = [study_status(connection, name) for name in study_names(connection)]
    return render_template("researcher/index.html", studies=studies)


@blueprint.get("/study/<token:token>")
def study(token: str) -> Page:
    """One study: places, submissions, postings, pay, and the buttons that steer it."""
    with current_store().read() as connection:
        status = study_status(connection, study_name(connection, token))
        waiting = connection.execute(
            select(func.count(Submission.id))
            .join(Posting, Posting.id == Submission.posting_id)
            .join(Design, Design.id == Posting.design_id)
            .join(Study, Study.id == Design.study_id)
            .where(Study.token == token, Submission.state == "completed", Submission.review.is_(None))
        ).scalar_one()
        postings = find_postings(connection, status.name)
        can = _can(postings, resume=any(is_paused(connection, one) for one in postings))
        jobs = platform_jobs.history(connection, token)
        reconciled = platform_jobs.latest(connection, token, "reconcile", state="done")
        trained = count_training_runs(connection, status.name)
    return render_template(
        "researcher/study.html",
        study=status,
        most=MOST_ROWS,
        can=can,
        waiting=waiting,
        jobs=jobs,
        trained=trained,
        asked_at=reconciled.finished_at if reconciled else None,
        differences=reconciled.result.differences if reconciled and reconciled.result else None,
    )


def _can(postings: list[Posted], *, resume: bool) -> dict[str, bool]:
    """Which of the actions make sense as the study stands."""
    return {
        "pause": any(one.state == "open" and PLATFORMS[one.platform].capabilities.pauses for one in postings),
        "resume": resume,
        "close": any(one.state != "closed" for one in postings),
        "reconcile": bool(postings),
    }


_STEER: dict[str, type[platform_jobs.Ask]] = {
    name: platform_jobs.ACTIONS[name] for name in ("pause", "resume", "close", "reconcile")
}


@blueprint.post("/study/<token:token>/<any(pause, resume, close, reconcile):action>")
def steer(token: str, action: str) -> Page:
    """Pause, resume or close a study, or ask its platforms how it stands."""
    return carry_out(_STEER[action](study=token))
