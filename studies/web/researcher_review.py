"""Deciding about submissions: approvals are written at once, rejections and returns go to the platform first."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import Connection, func, select

from crowdloom.studies import platform_jobs
from crowdloom.studies.arrivals import HANDED_IN
from crowdloom.studies.errors import CrowdloomError, StudyError
from crowdloom.studies.paying import owe_rewards
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.protocol import Capabilities
from crowdloom.studies.posted import find_postings
from crowdloom.studies.records import background_of
from crowdloom.studies.review import ToReview, approve_passing, completed
from crowdloom.studies.review import check_rejection as check
from crowdloom.studies.review import review as decide
from crowdloom.studies.tables import Design, Posting, Study, Submission
from crowdloom.studies.web.researcher_base import Page, blueprint, carry_out, page_of, study_name
from crowdloom.studies.web.stores import current_store
from crowdloom.studies.words import count

SHOWN: dict[str, Callable[[ToReview], bool]] = {
    "waiting": lambda row: row.review is None,
    "failing": lambda row: row.review is None and not row.passes,
    "all": lambda row: True,
}
LONGEST_REASON = 2000


@blueprint.get("/study/<token:token>/review")
def review(token: str) -> Page:
    """The completed submissions, with what of the design's checks they do not pass."""
    with current_store().read() as connection:
        name = study_name(connection, token)
        rows = completed(connection, name)
    shown = request.args.get("show", "waiting")
    shown = shown if shown in SHOWN else "waiting"
    counts = {key: sum(map(wanted, rows)) for key, wanted in SHOWN.items()}
    here, number, pages = page_of([row for row in rows if SHOWN[shown](row)])
    return render_template(
        "researcher/review.html",
        name=name,
        token=token,
        rows=here,
        shown=shown,
        counts=counts,
        passing=counts["waiting"] - counts["failing"],
        number=number,
        pages=pages,
    )


@blueprint.post("/study/<token:token>/review")
def approve(token: str) -> Page:
    """Approve the chosen submissions, or all that pass; their rewards enter the ledger in the same moment."""
    codes = request.form.getlist("code")
    with current_store().write() as connection:
        name = study_name(connection, token)
        before = _approved(connection, name)
        if request.form.get("which") == "passing":
            approve_passing(connection, name)
        for code in codes if request.form.get("which") == "chosen" else []:
            decide(connection, name, code, "approved")
        for posted in find_postings(connection, name):
            owe_rewards(connection, posted)
        new = _approved(connection, name) - before
    if new or codes or request.form.get("which") == "passing":
        flash(f"{count(new, 'submission')} approved.")
    else:
        flash("Nothing was chosen, so nothing was approved.")
    return redirect(url_for(".review", token=token, show=request.form.get("show", "waiting")), 303)


def _approved(connection: Connection, name: str) -> int:
    """How many are approved, counted without their checks: this stands in a transaction that others wait for."""
    return connection.execute(
        select(func.count(Submission.id))
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == name, Submission.review == "approved")
    ).scalar_one()


@blueprint.get("/study/<token:token>/review/<token:code>")
def one(token: str, code: str) -> Page:
    """One submission: what is known of it, rejecting it, asking its participant to return it."""
    return _one(token, code, {})


def _one(token: str, code: str, errors: dict[str, str]) -> Page:
    with current_store().read() as connection:
        name = study_name(connection, token)
        row = _row(connection, name, code)
        background = background_of(connection, name, code)
    page = render_template(
        "researcher/submission.html",
        name=name,
        token=token,
        row=row,
        background=background,
        capabilities=_capabilities(row.platform),
        handed_in=HANDED_IN,
        errors=errors,
        form=request.form,
    )
    return (page, 422) if errors else page


def _row(connection: Connection, name: str, code: str) -> ToReview:
    found = next((row for row in completed(connection, name) if row.code == code), None)
    if found is None:
        raise StudyError("There is no such completed submission of this study.")
    return found


def _capabilities(platform: str) -> Capabilities:
    return PLATFORMS[platform].capabilities if platform in PLATFORMS else Capabilities()


@blueprint.post("/study/<token:token>/review/<token:code>/reject")
def reject(token: str, code: str) -> Page:
    """Reject a submission, on its platform and then here."""
    reason, category = request.form.get("reason", "").strip(), request.form.get("category") or None
    with current_store().read() as connection:
        row = _row(connection, study_name(connection, token), code)
    errors = _reason_errors("reason", reason, _capabilities(row.platform).reason_min)
    categories = _capabilities(row.platform).rejection_categories
    if categories and category not in categories:
        errors["category"] = "Choose what it is about; the platform wants one of these."
    if not errors and row.platform in PLATFORMS:
        try:
            check(row.platform, reason, category)
        except CrowdloomError as error:
            errors["reason"] = str(error)
    if errors:
        return _one(token, code, errors)
    return carry_out(platform_jobs.Reject(study=token, code=code, reason=reason, category=category))


@blueprint.post("/study/<token:token>/review/<token:code>/return")
def request_return(token: str, code: str) -> Page:
    """Ask the participant to return a submission."""
    reason = request.form.get("return-reason", "").strip()
    if errors := _reason_errors("return-reason", reason, 1):
        return _one(token, code, errors)
    return carry_out(platform_jobs.RequestReturn(study=token, code=code, reason=reason))


@blueprint.post("/study/<token:token>/review/<token:code>/hand-in")
def let_hand_in(token: str, code: str) -> Page:
    """Make a listing for the one person who completed this submission and could not hand it in."""
    return carry_out(platform_jobs.LetHandIn(study=token, code=code))


def _reason_errors(field: str, reason: str, fewest: int) -> dict[str, str]:
    if len(reason) < fewest:
        return {field: f"Write at least {count(fewest, 'character')}: it has {len(reason)}. The participant reads it."}
    if len(reason) > LONGEST_REASON:
        return {field: f"Write at most {count(LONGEST_REASON, 'character')}: it has {len(reason):,}."}
    return {}
