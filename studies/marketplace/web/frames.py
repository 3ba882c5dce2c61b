"""What stands in the frame of a HIT: an HTMLQuestion's own page, and the form post that ends every HIT.

The pages in the frame are other people's. They get no cookie of ours and no form token: a submission is
known by its assignment's id, as on MTurk.
"""

from __future__ import annotations

import re

from flask import Blueprint, Response, make_response, render_template, request, url_for

from crowdloom.studies.marketplace import browsing, work
from crowdloom.studies.marketplace.errors import NoSuchPageError, WorkError
from crowdloom.studies.marketplace.questions import read_question
from crowdloom.studies.marketplace.web.current import current_market, origin
from crowdloom.studies.marketplace.web.session import needed_worker
from crowdloom.studies.marketplace.web.worker import check_preview, with_faults
from crowdloom.studies.marketplace.workers import held_by

blueprint = Blueprint("frames", __name__)

SANDBOX = "allow-forms allow-modals allow-popups allow-scripts"

# What pages written for MTurk name: its form address, and the script that fills in the assignment's id.
_SUBMIT = re.compile(r"(?:https?:)?//(?:www|workersandbox)\.mturk\.com/mturk/externalSubmit")
_SCRIPT = re.compile(r"(?:https?:)?//s3\.amazonaws\.com/mturk-public/externalHIT_v1\.js")


@blueprint.get("/question/<token:hit>")
def question(hit: str) -> Response:
    """The page of an HTMLQuestion, in a sandbox: its scripts run, and can reach nothing of ours."""
    market, worker = current_market(), needed_worker()
    with market.store.read() as connection:
        row = browsing.find_hit(connection, hit)
        shown = None if row is None else read_question(row.question).html
        if row is None or shown is None:
            raise NoSuchPageError("There is no such HIT; it may have been deleted.")
        if work.live_assignment(connection, row.id, worker) is None:
            check_preview(connection, row, held_by(connection, worker), worker)
    script = url_for("static", filename="external-hit.js")
    shown = _SCRIPT.sub(script, _SUBMIT.sub(f"{origin()}/mturk/externalSubmit", shown))
    response = make_response(shown)
    response.headers["Content-Security-Policy"] = f"sandbox {SANDBOX}; frame-ancestors 'self'"
    return response


@blueprint.post("/mturk/externalSubmit")
def external_submit() -> Response:
    """Keep a worker's answers; sent twice, they were kept the first time."""
    fields = list(request.form.items(multi=True))
    assignment = next((value for name, value in fields if name == "assignmentId"), "")
    if not assignment:
        raise WorkError("There is no assignmentId in what was sent.")
    answers = [(name, value) for name, value in fields if name != "assignmentId"]
    market = current_market()

    def do() -> bool:
        now = market.settle()
        with market.store.write() as connection:
            return work.submit(connection, assignment, answers, now)

    with_faults("externalSubmit", do)
    response = make_response(render_template("marketplace/submitted.html", assignment=assignment))
    allow_framing(response)
    return response


def allow_framing(response: Response) -> None:
    """Let a page be shown in the frame, wherever the question's page has led; it has nothing to click away."""
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
        "frame-ancestors *"
    )
