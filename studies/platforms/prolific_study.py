"""A study as Prolific's API takes it and shows it: made from a notice, read as a listing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from crowdloom.studies.design import Design
from crowdloom.studies.platforms.protocol import Listed, ListingState, Notice, Outcome

PLACEHOLDERS = "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}"
"""The query string that Prolific fills in for each participant; braces and signs stay as they are."""

CODE_TYPES: dict[Outcome, str] = {
    "completed": "COMPLETED",
    "failed_attention_check": "FAILED_ATTENTION_CHECK",
    "no_consent": "NO_CONSENT",
    "screened_out": "SCREENED_OUT",
}
STATES: dict[str, ListingState] = {
    "UNPUBLISHED": "draft",
    "SCHEDULED": "draft",
    "PUBLISHING": "open",
    "ACTIVE": "open",
    "AWAITING REVIEW": "open",  # full for now: it goes on by itself once a place is free or added
    "PAUSED": "paused",
    "COMPLETED": "closed",
}

_RETURNS: dict[Outcome, str] = {
    "no_consent": "You did not consent to take part.",
    "screened_out": "You did not meet what this study asks of those who take part.",
}
_LONGEST_HOLD = 24 * 60  # minutes; beyond, Prolific's own limit is as good


def study_body(notice: Notice) -> dict[str, Any]:
    """The body that creates a draft. The design has been checked: it has a reward."""
    design, reward = notice.design, notice.design.people.reward
    body: dict[str, Any] = {
        "name": design.title,
        "internal_name": internal_name(notice),
        "description": design.prolific.description or design.consent,
        "external_study_url": f"{notice.url}{'&' if '?' in notice.url else '?'}{PLACEHOLDERS}",
        "prolific_id_option": "url_parameters",
        "completion_codes": completion_codes(notice.codes, notice.group),
        "total_available_places": notice.places,
        "estimated_completion_time": design.people.minutes,
        "reward": reward.amount if reward else 0,
        "device_compatibility": list(design.prolific.devices),
        "filters": _filters(notice),
        "submissions_config": {"max_submissions_per_participant": design.people.submissions_per_participant},
    }
    if (longest := maximum_minutes(design)) is not None:
        body["maximum_allowed_time"] = longest
    if design.prolific.project is not None:
        body["project"] = design.prolific.project
    return body


def internal_name(notice: Notice) -> str:
    """The name that only the researcher sees; by the token in it a study is found again."""
    return f"{notice.study} [{notice.token}]"


def maximum_minutes(design: Design) -> int | None:
    """How long a participant may take there: as long as we keep the place, and never less than Prolific's least.

    None leaves it at Prolific's most, for places that are kept longer than a day.

    >>> from types import SimpleNamespace
    >>> [maximum_minutes(SimpleNamespace(people=SimpleNamespace(minutes=25, hold_minutes=h))) for h in (30, 90, 9999)]
    [62, 90, None]
    """
    minutes, hold = design.people.minutes, design.people.hold_minutes
    return None if hold > _LONGEST_HOLD else max(hold, math.ceil(2 + 2 * minutes + 2 * math.sqrt(minutes)))


def completion_codes(codes: Mapping[Outcome, str], group: str | None) -> list[dict[str, Any]]:
    """The codes with what Prolific does at each: whoever took part waits for review and comes into the group."""
    joins = [{"action": "ADD_TO_PARTICIPANT_GROUP", "participant_group": group}] if group else []
    found = []
    for outcome, code in codes.items():
        if outcome in _RETURNS:
            actions = [{"action": "REQUEST_RETURN", "return_reason": _RETURNS[outcome]}]
        else:
            actions = [{"action": "MANUALLY_REVIEW"}, *joins]
        found.append({"code": code, "code_type": CODE_TYPES[outcome], "actions": actions, "actor": "participant"})
    return found


def _filters(notice: Notice) -> list[dict[str, Any]]:
    if notice.only_for:
        return [{"filter_id": "custom_allowlist", "selected_values": list(notice.only_for)}]
    found = [dict(each) for each in notice.design.prolific.filters]
    for name, excluded in (
        ("previous_studies_blocklist", notice.excluded_listings),
        ("participant_group_blocklist", notice.excluded_groups),
    ):
        # Named twice, a filter might hold once only.
        given = [each for each in found if each.get("filter_id") == name]
        ids = [*(value for each in given for value in each.get("selected_values", ())), *excluded]
        if ids:
            found = [each for each in found if each not in given]
            found.append({"filter_id": name, "selected_values": list(dict.fromkeys(ids))})
    return found


def read_study(study: Mapping[str, Any], app: str) -> Listed:
    """A study, or a row of a list of studies, as a listing. Raises KeyError or ValueError for what is none."""
    remote_id, status = str(study["id"]), str(study["status"])
    if status not in STATES:
        raise ValueError(status)
    return Listed(
        remote_id,
        STATES[status],
        status,
        int(study["total_available_places"]),
        f"{app}/researcher/workspaces/studies/{remote_id}",
    )
