"""The pages that say what became of an action, and how the store and the platforms differ."""

from __future__ import annotations

from flask import redirect, render_template, url_for

from crowdloom.studies import platform_jobs
from crowdloom.studies.errors import StudyError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.posted import find_postings
from crowdloom.studies.web.researcher_base import Page, blueprint, study_name
from crowdloom.studies.web.stores import current_store

PATIENCE_S = 5.0
"""After this a job that nobody took is worth a word about workers."""

_BACK = {
    "add-places": ("places", "Places"),
    "reject": ("review", "Review"),
    "let-hand-in": ("review", "Review"),
    "request-return": ("review", "Review"),
    "pay": ("payments_page", "Payments"),
    "preview-bonus": ("payments_page", "Payments"),
    "bonus": ("payments_page", "Payments"),
    "top-up": ("payments_page", "Payments"),
    "reconcile": ("reconcile", "Platforms"),
}
"""Where somebody goes on from a job's page, where that is not the study's own."""

_MENDS = (
    ("crowdloom review", "review"),
    ("crowdloom pay", "payments_page"),
    ("crowdloom publish", "publish"),
    ("crowdloom add-places", "places"),
    ("crowdloom resume", "study"),
    ("crowdloom close", "study"),
)


@blueprint.get("/study/<token:token>/jobs/<token:job>")
def job(token: str, job: str) -> Page:
    """A job: its state and progress while it lasts, then what came of it."""
    with current_store().read() as connection:
        name = study_name(connection, token)
        found = platform_jobs.find_job(connection, token, job)
        if found is None:
            raise StudyError("There is no such job of this study.")
        busy = platform_jobs.workers_at_work(connection)
    lonely = found.state == "queued" and found.waited_s > PATIENCE_S and not busy
    endpoint, label = _BACK.get(found.action, ("study", name))
    return render_template(
        "researcher/job.html",
        name=name,
        token=token,
        job=found,
        lonely=lonely,
        busy=busy,
        back=url_for(f".{endpoint}", token=token),
        back_label=label,
    )


@blueprint.post("/study/<token:token>/jobs/<token:job>/withdraw")
def withdraw(token: str, job: str) -> Page:
    """Take back a job that no worker has begun."""
    with current_store().read() as connection:
        if platform_jobs.find_job(connection, token, job) is None:
            raise StudyError("There is no such job of this study.")
    platform_jobs.withdraw(current_store(), job)
    return redirect(url_for(".job", token=token, job=job), 303)


@blueprint.get("/study/<token:token>/reconcile")
def reconcile(token: str) -> Page:
    """What differed when the platforms were last asked, with what mends it."""
    with current_store().read() as connection:
        name = study_name(connection, token)
        postings = find_postings(connection, name)
        last = platform_jobs.latest(connection, token, "reconcile", state="done")
        newest = platform_jobs.latest(connection, token, "reconcile")
    return render_template(
        "researcher/reconcile.html",
        name=name,
        token=token,
        last=last,
        newest=newest if newest and (last is None or newest.token != last.token) else None,
        published=bool(postings),
        asks=any(PLATFORMS[one.platform].capabilities.identifies for one in postings),
        page_that_mends=_page_that_mends,
    )


def _page_that_mends(token: str, difference: platform_jobs.Found) -> str | None:
    """The address of the page that does what a command of this kind does."""
    if "add-places" in difference.mend and "--for" in difference.mend:
        return url_for(".one", token=token, code=difference.who)
    page = next((page for command, page in _MENDS if difference.mend.startswith(command)), None)
    return None if page is None else url_for(f".{page}", token=token)
