"""The way into a study on the pages: preview, consent or refusal, and the door that stays closed."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import redirect, render_template, request, url_for

from crowdloom.studies.database import new_token
from crowdloom.studies.entry import (
    Begun,
    Entry,
    can_begin_another,
    check_invitation,
    check_room,
    find_entry,
    find_submission,
    join,
    refuse,
)
from crowdloom.studies.errors import PlaceError, StudyError
from crowdloom.studies.participation import read_instructions
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.protocol import Arrival, Platform
from crowdloom.studies.web.endings import turned_away
from crowdloom.studies.web.participant import Page, blueprint, let_frame
from crowdloom.studies.web.stores import current_store


@blueprint.get("/join/<token:posting>")
def consent(posting: str) -> Page:
    """The consent page; somebody who has begun is led to where they are."""
    entry, platform = _entry(posting, request.args)
    arrival = platform.arrive(request.args, entry.where)
    if arrival.preview:
        return _preview(entry)
    person = arrival.participant
    if person is None:
        check_invitation(entry)
        # The address itself becomes the person's identity, so that a reload is still the same person.
        return redirect(url_for(".consent", posting=posting, participant=new_token()), 302)
    with current_store().read() as connection:
        begun = find_submission(connection, entry, person)
        if begun is None or begun.state == "refused":
            try:
                check_room(connection, entry, arrival)
            except PlaceError as error:
                return _turned_away(entry, arrival, error)
            begun = None
    if begun is not None and not _another(entry, begun):
        # Which of the platform's submissions they come with may have changed since.
        return _begin(entry, arrival) if arrival.submission else redirect(url_for(".take", token=begun.token), 303)
    return _consent_page(entry, posting, request.args, {}, set())


def _entry(posting: str, said: Mapping[str, str]) -> tuple[Entry, Platform]:
    """What is behind a link, and whose pages it may be shown in."""
    with current_store().read() as connection:
        entry = find_entry(connection, posting, said.get("listing"))
    let_frame(entry.platform, entry.values)
    if entry.platform not in PLATFORMS:
        raise StudyError("This link leads to a study that was imported with its answers; it has no pages.")
    return entry, PLATFORMS[entry.platform]


def _preview(entry: Entry) -> Page:
    """What somebody sees who has not accepted the work yet: all about it, and no way to answer."""
    pages = entry.design.instructions
    with current_store().read() as connection:
        if entry.batch_id is not None:
            pages = tuple(read_instructions(connection, entry.batch_id))
    return render_template("preview.html", design=entry.design, pages=pages)


def _turned_away(entry: Entry, arrival: Arrival, error: PlaceError) -> Page:
    back = turned_away(entry, arrival, "screened_out")
    return render_template("turned_away.html", design=entry.design, text=str(error), back=back), error.status


def _another(entry: Entry, begun: Begun) -> bool:
    if begun.state != "completed" or entry.design.people.submissions_per_participant == 1:
        return False
    with current_store().write() as connection:
        return can_begin_another(connection, entry, begun)


@blueprint.post("/join/<token:posting>")
def decide(posting: str) -> Page:
    """Consent or refusal."""
    entry, platform = _entry(posting, request.form)
    arrival = platform.arrive(request.form, entry.where)
    person = arrival.participant or ""
    if request.form.get("decision") == "refuse":
        with current_store().write() as connection:
            completed = refuse(connection, entry, person, arrival)
        if completed is not None:
            return redirect(url_for(".take", token=completed), 303)
        again = url_for(".consent", posting=posting) + "?" + urlencode(_carried(entry, request.form))
        back = turned_away(entry, arrival, "no_consent")
        return render_template("refused.html", design=entry.design, again=again, back=back)
    ticked = set(request.form.getlist("statement"))
    errors = {}
    if not ticked >= {str(number) for number in range(len(entry.design.eligibility.statements))}:
        errors["statement"] = "Tick every statement that is true for you; only who can tick all of them may take part."
    elif request.form.get("decision") != "agree":
        errors["decision"] = "Choose whether you want to take part."
    if errors:
        return _consent_page(entry, posting, request.form, errors, ticked), 422
    return _begin(entry, arrival)


def _begin(entry: Entry, arrival: Arrival) -> Page:
    try:
        with current_store().write() as connection:
            token = join(connection, entry, arrival.participant or "", arrival)
    except PlaceError as error:
        return _turned_away(entry, arrival, error)
    return redirect(url_for(".take", token=token), 303)


def _carried(entry: Entry, said: Mapping[str, str]) -> dict[str, str]:
    """The fields of the link that the form carries on, so that the platform's words outlive the consent page."""
    return {name: said[name] for name in ("listing", *PLATFORMS[entry.platform].fields) if name in said}


def _consent_page(entry: Entry, posting: str, said: Mapping[str, str], errors: dict[str, str], ticked: set[str]) -> str:
    action = url_for(".decide", posting=posting)
    carried = _carried(entry, said)
    return render_template(
        "consent.html", design=entry.design, action=action, carried=carried, errors=errors, ticked=ticked
    )
