"""The participant's pages: consent, then one address that always shows what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, current_app, g, jsonify, redirect, render_template, request, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as AnyResponse

from crowdloom.studies.background import read_answers
from crowdloom.studies.database import now
from crowdloom.studies.design import Design
from crowdloom.studies.errors import TrialError
from crowdloom.studies.own_records import as_recorded
from crowdloom.studies.participation import (
    Designs,
    Progress,
    answer_check,
    asked_after,
    come_back,
    finish_instructions,
    go_on,
    leave,
    position_of,
    read_progress,
    save_answer,
    save_background,
    save_debrief,
    save_questionnaire,
    trial_at,
)
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.recordings import has_recordings
from crowdloom.studies.stages import after_questionnaire, questionnaire_at
from crowdloom.studies.timing import check_time, read_timing
from crowdloom.studies.web.endings import WayBack, way_back
from crowdloom.studies.web.stores import current_store
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import AnswerError

blueprint = Blueprint("participant", __name__)
Page = str | AnyResponse | tuple[str | Response, int]

LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes of a posted answer: a task's may hold all that happened in a session."""


def _designs() -> Designs:
    designs: Designs = current_app.extensions["crowdloom_designs"]
    return designs


def let_frame(platform: str, values: Mapping[str, Any]) -> None:
    """Let the platform show our pages in its frame, if it is one that does."""
    if platform in PLATFORMS:
        g.frame_ancestors = PLATFORMS[platform].frame_ancestors(values.get("where", {}))


@blueprint.get("/take/<token:token>")
def take(token: str) -> Page:
    """Whatever comes next in this submission."""
    with current_store().read() as connection:
        progress = read_progress(connection, token)
    design = _designs().design(progress.design_id)
    let_frame(progress.platform, progress.values)
    if progress.state == "started" and (not progress.has_place or progress.answered == len(progress.item_order)):
        with current_store().write() as connection:
            go_on(connection, progress, design)
            progress = read_progress(connection, token)
    return _PAGES[_where(progress)](progress, design, {}, {})


def _where(progress: Progress) -> str:
    if progress.state in ("left", "failed_check"):
        return progress.state
    return "questionnaire" if questionnaire_at(progress.stage) is not None else progress.stage


def _instructions(progress: Progress, design: Design, values: dict[str, Any], errors: dict[str, str]) -> str:
    pages = _designs().instructions(progress.batch_id or 0)
    asked = request.args.get("page", "1")
    page = min(max(int(asked), 1), len(pages)) if asked.isdecimal() and len(asked) < 6 else 1
    attempts = design.comprehension.attempts if design.comprehension else 0
    return render_template(
        "instructions.html",
        design=design,
        base=_base(progress),
        text=pages[page - 1],
        page=page,
        pages=len(pages),
        back=url_for(".take", token=progress.token, page=page - 1) if page > 1 else None,
        next=url_for(".take", token=progress.token, page=page + 1) if page < len(pages) else None,
        failed=progress.checks_failed > 0,
        attempts_left=attempts - progress.checks_failed,
    )


def _check(progress: Progress, design: Design, values: dict[str, Any], errors: dict[str, str]) -> str:
    questions = design.comprehension.questions if design.comprehension else ()
    return _asked("check.html", questions, progress, design, values, errors)


def _background(progress: Progress, design: Design, values: dict[str, Any], errors: dict[str, str]) -> str:
    return _asked("background.html", design.background, progress, design, values, errors)


def _asked(
    template: str,
    questions: Sequence[Any],
    progress: Progress,
    design: Design,
    values: dict[str, Any],
    errors: dict[str, str],
) -> str:
    said = {"questions": questions, "values": values, "errors": errors}
    return render_template(template, design=design, base=_base(progress), **said)


def _trial(progress: Progress, design: Design, values: dict[str, Any], errors: dict[str, str]) -> str:
    trial_id, trial = trial_at(_designs(), progress, progress.answered)
    more = progress.answered + 1 < len(progress.item_order)
    following = trial_at(_designs(), progress, progress.answered + 1)[1] if more else None
    return render_template(
        TASKS[design.task].template,
        design=design,
        base=_base(progress),
        trial=trial,
        trial_id=trial_id,
        number=progress.answered + 1,
        total=len(progress.item_order),
        values=values,
        errors=errors,
        # Of an item with several pictures the address of the first could tell a reader which of them it is.
        next_image=following.image if following and not following.views else None,
        shown_at=request.form.get("shown_at") or now().isoformat(),
    )


def _questionnaire(progress: Progress, design: Design, values: dict[str, Any], errors: dict[str, str]) -> str:
    number = questionnaire_at(progress.stage) or 0
    after = design.questionnaires[number].after
    pages = [place for place, one in enumerate(design.questionnaires) if one.after == after]
    return render_template(
        "questionnaire.html",
        design=design,
        base=_base(progress),
        asked=design.questionnaires[number].asked,
        number=number,
        after=asked_after(progress, design),
        page=pages.index(number) + 1,
        pages=len(pages) + (1 if design.debrief and after == "study" else 0),
        items=len([1 for _, repeat_index in progress.item_order if repeat_index == 0]),
        is_last=after_questionnaire(design, number, len(progress.item_order), progress.answered) == "done",
        may_leave=progress.answered < len(progress.item_order),
        values=values,
        errors=errors,
    )


def _debrief(progress: Progress, design: Design, values: dict[str, Any], errors: dict[str, str]) -> str:
    return _asked("debrief.html", design.debrief, progress, design, values, errors)


def _done(progress: Progress, design: Design, values: dict[str, Any], errors: dict[str, str]) -> str:
    back = _way_back(progress, design)
    with current_store().read() as connection:
        voice = has_recordings(connection, progress.id)
    receipt = {
        "code": (back and back.code) or progress.pseudonym,
        "submission": progress.pseudonym,
        "completed_at": progress.completed_at,
        "answers": progress.answered,
        "reward": str(design.people.reward) if design.people.reward else None,
    }
    return render_template("done.html", design=design, base=_base(progress), receipt=receipt, back=back, voice=voice)


def _left(progress: Progress, design: Design, values: dict[str, Any], errors: dict[str, str]) -> str:
    return render_template("left.html", design=design, base=_base(progress))


def _failed_check(progress: Progress, design: Design, values: dict[str, Any], errors: dict[str, str]) -> str:
    return render_template("failed_check.html", design=design, back=_way_back(progress, design))


def _way_back(progress: Progress, design: Design) -> WayBack | None:
    with current_store().read() as connection:
        return way_back(connection, progress, design)


_PAGES = {
    "instructions": _instructions,
    "check": _check,
    "background": _background,
    "trials": _trial,
    "questionnaire": _questionnaire,
    "debrief": _debrief,
    "done": _done,
    "left": _left,
    "failed_check": _failed_check,
}


@blueprint.post("/take/<token:token>/instructions")
def post_instructions(token: str) -> Page:
    """The last page of the instructions was read."""
    with current_store().write() as connection:
        progress, design = _read(connection, token)
        finish_instructions(connection, progress, design)
    return _onward(token)


@blueprint.post("/take/<token:token>/check")
def post_check(token: str) -> Page:
    """The comprehension check."""
    with current_store().read() as connection:
        progress, design = _read(connection, token)
    questions = design.comprehension.questions if design.comprehension else ()
    answers = [request.form.get(f"question-{number}", "") for number in range(len(questions))]
    errors = {
        f"question-{number}": "Choose one of the answers."
        for number, answer in enumerate(answers)
        if answer not in questions[number].options
    }
    if not errors:
        with current_store().write() as connection:
            answer_check(connection, progress, design, answers)
    elif progress.stage == "check" and progress.state == "started":
        return _check(progress, design, request.form.to_dict(flat=False), errors), 422
    return _onward(token)


@blueprint.post("/take/<token:token>/background")
def post_background(token: str) -> Page:
    """The questions before the first trial."""
    with current_store().read() as connection:
        progress, design = _read(connection, token)
    form = request.form.to_dict(flat=False)
    try:
        answers = read_answers(design.background, form)
    except AnswerError as error:
        if progress.stage != "background" or progress.state != "started":
            return _onward(token)
        return _background(progress, design, form, error.errors), 422
    with current_store().write() as connection:
        save_background(connection, progress, answers)
    return _onward(token)


@blueprint.post("/take/<token:token>/answer")
def post_answer(token: str) -> Page:
    """An answer to the current trial, from a plain form or from the page's script.

    This is where many people knock at once: the transaction begins only after the answer was understood.
    """
    request.max_content_length = request.max_form_memory_size = LARGEST_ANSWER
    designs = _designs()
    position = None
    try:
        submission = designs.assigned(token)
        let_frame(submission.platform, submission.values)
        position = position_of(designs, submission, request.form.get("trial", ""))
        trial_id, trial = trial_at(designs, submission, position)
        design = designs.design(submission.design_id)
        answer = TASKS[design.task].parse(request.form.to_dict(flat=False), trial)
        rt_ms, timing = read_timing(request.form)
        check_time(current_store(), design, submission, position, rt_ms)
        answer = as_recorded(current_store(), design.task, submission.id, trial_id, answer)
        with current_store().write() as connection:
            save_answer(connection, designs, submission, position, answer, rt_ms=rt_ms, timing=timing)
    except AnswerError as error:
        with current_store().read() as connection:
            progress, design = _read(connection, token)
        if position != progress.answered or progress.state != "started":
            return _onward(token)  # a broken answer to a trial that is over: nothing to correct
        if _wants_json():
            return jsonify(errors=error.errors), 422
        return _trial(progress, design, request.form.to_dict(flat=False), error.errors), 422
    except TrialError:
        if not _wants_json():
            return _onward(token)
        with current_store().read() as connection:
            progress, _ = _read(connection, token)
        # The next answer can be stored later, where somebody left in another tab and comes back.
        return jsonify(next=_base(progress), keep=position == progress.answered), 409
    return _onward(token)


@blueprint.post("/take/<token:token>/questionnaire")
def post_questionnaire(token: str) -> Page:
    """The answer to the questionnaire that is asked now; one to another, or about another item, changes nothing."""
    with current_store().read() as connection:
        progress, design = _read(connection, token)
    number = questionnaire_at(progress.stage)
    if number is None or progress.state == "left" or request.form.get("number") != str(number):
        return _onward(token)
    after = asked_after(progress, design)
    if request.form.get("after", "") != ("" if after is None else str(after)):
        return _onward(token)
    form = request.form.to_dict(flat=False)
    try:
        ratings = design.questionnaires[number].asked.parse(form)
    except AnswerError as error:
        return _questionnaire(progress, design, form, error.errors), 422
    with current_store().write() as connection:
        save_questionnaire(connection, progress, design, number, ratings)
    return _onward(token)


@blueprint.post("/take/<token:token>/debrief")
def post_debrief(token: str) -> Page:
    """The debrief questions."""
    with current_store().read() as connection:
        progress, design = _read(connection, token)
    form = request.form.to_dict(flat=False)
    try:
        answers = read_answers(design.debrief, form)
    except AnswerError as error:
        if progress.stage != "debrief":
            return _onward(token)
        return _debrief(progress, design, form, error.errors), 422
    with current_store().write() as connection:
        save_debrief(connection, progress, answers)
    return _onward(token)


@blueprint.get(
    "/take/<token:token>/<any(instructions, check, background, answer, questionnaire, debrief, return):form>"
)
def reopen(token: str, form: str) -> Page:
    """A page with errors stands at its form's address; who opens that again goes on from where they are."""
    return redirect(url_for(".take", token=token), 303)


@blueprint.get("/take/<token:token>/leave")
def ask_leave(token: str) -> Page:
    """Does the participant really want to leave?"""
    with current_store().read() as connection:
        progress, design = _read(connection, token)
    if progress.state != "started":
        return _onward(token)
    return render_template("leave.html", design=design, base=_base(progress))


@blueprint.post("/take/<token:token>/leave")
def post_leave(token: str) -> Page:
    """The participant leaves."""
    with current_store().write() as connection:
        progress, _ = _read(connection, token)
        leave(connection, progress)
    return _onward(token)


@blueprint.post("/take/<token:token>/return")
def post_return(token: str) -> Page:
    """The participant goes on after leaving."""
    with current_store().write() as connection:
        progress, design = _read(connection, token)
        come_back(connection, progress, design)
    return _onward(token)


def _read(connection: Connection, token: str) -> tuple[Progress, Design]:
    progress = read_progress(connection, token)
    let_frame(progress.platform, progress.values)
    return progress, _designs().design(progress.design_id)


def _base(progress: Progress) -> str:
    return url_for(".take", token=progress.token)


def _wants_json() -> bool:
    return request.headers.get("Accept") == "application/json"


def _onward(token: str) -> Response | AnyResponse:
    address = url_for(".take", token=token)
    return jsonify(next=address) if _wants_json() else redirect(address, 303)
