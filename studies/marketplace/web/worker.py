"""The workers' pages: sign in, find a HIT, preview, accept, work, return, and see what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from sqlalchemy import Connection, Row
from werkzeug.exceptions import InternalServerError
from werkzeug.wrappers import Response

from crowdloom.studies.marketplace import asking, browsing, work
from crowdloom.studies.marketplace.eligibility import explain, is_blocked, may, unmet
from crowdloom.studies.marketplace.errors import NoSuchPageError, WorkError
from crowdloom.studies.marketplace.faults import AFTER, SITE_KINDS
from crowdloom.studies.marketplace.hits import Counts, count_assignments, status
from crowdloom.studies.marketplace.questions import Question, read_question
from crowdloom.studies.marketplace.web.current import current_market, next_fault, origin
from crowdloom.studies.marketplace.web.dropping import drop
from crowdloom.studies.marketplace.web.session import SignInError, check_form, needed_worker, sign_in, signed_in
from crowdloom.studies.marketplace.workers import find_invited, held_by

blueprint = Blueprint("worker", __name__)
Page = str | Response | tuple[str, int]
NO_ASSIGNMENT = "ASSIGNMENT_ID_NOT_AVAILABLE"


@blueprint.app_context_processor
def _for_every_page() -> dict[str, object]:
    return {"worker": signed_in(), "form_token": session.get("form", "")}


@blueprint.app_errorhandler(SignInError)
def _ask_to_sign_in(error: SignInError) -> tuple[str, int]:
    return render_template("marketplace/sign_in.html", error=None, wanted=str(error)), error.status


@blueprint.get("/")
def home() -> Page:
    """The HITs for this worker, or the page to sign in."""
    worker = signed_in()
    if worker is None:
        return render_template("marketplace/sign_in.html", error=None, wanted=None)
    market = current_market()
    now = market.settle()
    with market.store.read() as connection:
        groups = browsing.list_groups(connection, worker, held_by(connection, worker), now)
        going_on = browsing.list_going_on(connection, worker)
    return render_template("marketplace/hits.html", groups=groups, going_on=going_on, now=now)


@blueprint.get("/enter/<token:invitation>")
def enter(invitation: str) -> Page:
    """Sign in by the link of an invitation."""
    return _enter(invitation)


@blueprint.post("/enter")
def enter_by_code() -> Page:
    """Sign in by the invitation itself, typed in, or by its link."""
    return _enter(request.form.get("invitation", "").strip().rsplit("/", 1)[-1])


def _enter(invitation: str) -> Page:
    with current_market().store.read() as connection:
        worker = find_invited(connection, invitation)
    if worker is None:
        error = "This invitation is not known here. Check that you copied all of it."
        return render_template("marketplace/sign_in.html", error=error, wanted=None), 404
    sign_in(worker)
    return redirect(url_for(".home"), 303)


@blueprint.post("/leave")
def leave() -> Page:
    """Sign out."""
    check_form()
    session.clear()
    return redirect(url_for(".home"), 303)


@blueprint.get("/groups/<token:group>")
@blueprint.get("/projects/<token:group>/tasks")  # as on MTurk's worker site
def next_of_group(group: str) -> Page:
    """The next HIT of a group."""
    market, worker = current_market(), needed_worker()
    now = market.settle()
    with market.store.read() as connection:
        token = browsing.next_in_group(connection, group, worker, now)
    if token is None:
        flash("There is no more HIT for you in this group.")
        return redirect(url_for(".home"), 303)
    return redirect(url_for(".preview", hit=token), 303)


@blueprint.get("/mturk/preview")
def preview_as_on_mturk() -> Page:
    """The older preview address that scripts put together for MTurk's worker site."""
    return redirect(url_for(".next_of_group", group=request.args.get("groupId", "-")), 303)


@blueprint.get("/hits/<token:hit>")
def preview(hit: str) -> Page:
    """Look at a HIT before accepting it."""
    market, worker = current_market(), needed_worker()
    now = market.settle()
    with market.store.read() as connection:
        row = browsing.find_hit(connection, hit)
        if row is None:
            raise NoSuchPageError("There is no such HIT; it may have been deleted.")
        theirs = work.live_assignment(connection, row.id, worker)
        if theirs is not None:
            return redirect(url_for(".working", assignment=theirs.token), 303)
        held = held_by(connection, worker)
        check_preview(connection, row, held, worker)
        missing = explain(connection, unmet(row.requirements, held, "accept"))
        state = status(row, count_assignments(connection, [row.id], now).get(row.id, Counts()), now)
    return render_template(
        "marketplace/preview.html",
        hit=row,
        missing=missing,
        is_open=state == "Assignable",
        **_frame(read_question(row.question), hit, NO_ASSIGNMENT, worker.token),
    )


def check_preview(connection: Connection, hit: Row[Any], held: dict[str, Any], worker: Row[Any]) -> None:
    """Raises WorkError where a worker may not see what a HIT shows."""
    if is_blocked(connection, hit.requester_id, worker):
        raise WorkError("This requester does not take work from you.")
    if not may(hit.requirements, held, "preview"):
        reasons = explain(connection, unmet(hit.requirements, held, "preview"))
        raise WorkError(f"You do not qualify to see this HIT. It asks that: {'; '.join(reasons)}.")


@blueprint.post("/hits/<token:hit>/accept")
def accept(hit: str) -> Page:
    """Accept a HIT."""
    check_form()
    market, worker = current_market(), needed_worker()

    def do() -> str:
        now = market.settle()
        with market.store.write() as connection:
            return work.accept(connection, hit, worker, now)

    return redirect(url_for(".working", assignment=with_faults("accept", do)), 303)


def with_faults(operation: str, do: Callable[[], Any]) -> Any:
    """Do something that a fault may have been set for."""
    fault = next_fault(current_market(), operation, set(SITE_KINDS[operation]) - {"reissue-assignment-id"})
    if fault == "drop":
        drop()
    if fault in ("500", "lost-submit"):
        raise InternalServerError("This failure was asked for; nothing was kept.")
    done = do()
    if fault == "effect-then-drop":
        drop()
    if fault in AFTER:
        raise InternalServerError("This failure was asked for; what you sent was kept.")
    return done


@blueprint.get("/assignments/<token:assignment>")
def working(assignment: str) -> Page:
    """Work on an assignment; once it is over, what came of it."""
    market, worker = current_market(), needed_worker()
    now = market.settle()
    with market.store.read() as connection:
        row = browsing.find_work(connection, assignment, worker)
        if row is None:
            raise NoSuchPageError("There is no such assignment of yours.")
        following = browsing.next_in_group(connection, row.group_token, worker, now)
    if row.state != "accepted":
        return render_template("marketplace/over.html", work=row, following=following)
    return render_template(
        "marketplace/work.html",
        work=row,
        seconds_left=int((row.deadline - now).total_seconds()),
        **_frame(read_question(row.question), row.hit_token, assignment, worker.token),
    )


def _frame(question: Question, hit: str, assignment: str, worker: str) -> dict[str, object]:
    """What the templates need for the frame, and the policy that lets it be shown."""
    parameters = {"assignmentId": assignment, "hitId": hit, "workerId": worker, "turkSubmitTo": origin()}
    if assignment == NO_ASSIGNMENT:
        del parameters["workerId"]  # whoever only looks stays unknown, as on MTurk
    if question.url is None:
        g.frame_source = "'self'"
        return {
            "source": f"{url_for('frames.question', hit=hit)}?{urlencode(parameters)}",
            "height": question.height,
            "is_html": True,
        }
    # Not the page's own origin only: it may lead on to others.
    g.frame_source = "http: https:"
    parts = urlsplit(question.url)
    query = "&".join(filter(None, (parts.query, urlencode(parameters))))
    return {"source": parts._replace(query=query).geturl(), "height": question.height, "is_html": False}


@blueprint.post("/assignments/<token:assignment>/return")
def give_back(assignment: str) -> Page:
    """Return an assignment, so that somebody else can do it."""
    check_form()
    market, worker = current_market(), needed_worker()
    now = market.settle()
    with market.store.write() as connection:
        work.give_back(connection, assignment, worker, now)
    flash("You have returned the HIT. Returning does not count against you.")
    return redirect(url_for(".home"), 303)


@blueprint.get("/earnings")
def earnings() -> Page:
    """What this worker did and what they got for it."""
    market, worker = current_market(), needed_worker()
    market.settle()
    with market.store.read() as connection:
        done, sums = browsing.list_work(connection, worker), browsing.sum_earnings(connection, worker)
    return render_template("marketplace/earnings.html", done=done, sums=sums, listed=browsing.LISTED)


@blueprint.get("/messages")
def messages() -> Page:
    """What requesters wrote."""
    worker = needed_worker()
    with current_market().store.read() as connection:
        found = browsing.list_messages(connection, worker)
    return render_template("marketplace/messages.html", messages=found, listed=browsing.LISTED)


@blueprint.get("/qualifications")
def qualifications() -> Page:
    """What this worker holds, and what they can ask for."""
    market, worker = current_market(), needed_worker()
    market.settle()
    with market.store.read() as connection:
        found, held = browsing.list_qualifications(connection, worker), held_by(connection, worker)
    return render_template("marketplace/qualifications.html", qualifications=found, held=held)


@blueprint.post("/qualifications/<token:kind>/request")
def request_qualification(kind: str) -> Page:
    """Ask for a qualification."""
    check_form()
    market, worker = current_market(), needed_worker()
    now = market.settle()
    with market.store.write() as connection:
        granted = asking.request_qualification(connection, kind, worker, now)
    flash("You now have the qualification." if granted else "You have asked for the qualification.")
    return redirect(url_for(".qualifications"), 303)
