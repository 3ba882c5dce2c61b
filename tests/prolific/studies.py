"""Studies in the stand-in: drafts, the table of transitions, places that only go up, who may take part."""

from __future__ import annotations

import math
from typing import Any

from tests.prolific.money import available, cost
from tests.prolific.state import Record, RefusedError, State, found, now

TRANSITIONS = {
    ("UNPUBLISHED", "PUBLISH"): "ACTIVE",
    ("UNPUBLISHED", "SCHEDULE_PUBLISH"): "SCHEDULED",
    ("SCHEDULED", "CANCEL_PUBLISH"): "UNPUBLISHED",
    ("ACTIVE", "PAUSE"): "PAUSED",
    ("ACTIVE", "STOP"): "COMPLETED",
    ("PAUSED", "START"): "ACTIVE",
    ("PAUSED", "STOP"): "COMPLETED",
}
WHEN_PUBLISHED = {"internal_name", "total_available_places", "submissions_config", "access_details"}
HOURLY_MINIMUM = {"GBP": 600, "USD": 800}

_OWN = ("workspace", "date_created", "published_at")  # kept with a study, not among the fields that one may send


def create_study(state: State, body: Record) -> Record:
    """A draft, in the project that it names or the first one."""
    project = found(state, "project", body["project"]) if "project" in body else state.all("project")[0]
    study = {**body, "project": project["id"], "workspace": project["workspace"], "status": "UNPUBLISHED"}
    _check(state, study)
    return show(state, state.put("study", {**study, "date_created": now(), "published_at": None}))


def update_study(state: State, study_id: str, body: Record) -> Record:
    """Change a draft at will, a published study within what Prolific allows."""
    study = found(state, "study", study_id)
    if study["status"] != "UNPUBLISHED":
        if locked := set(body) - WHEN_PUBLISHED:
            raise RefusedError(400, 140101, {name: ["cannot be changed once published"] for name in sorted(locked)})
        if body.get("total_available_places", math.inf) < study["total_available_places"]:
            raise RefusedError(400, 140102, {"total_available_places": ["can only be increased"]})
    more = body.get("total_available_places", 0) > study["total_available_places"]
    study |= body
    _check(state, study)
    if more and study["status"] in ("COMPLETED", "AWAITING REVIEW"):
        set_status(state, study, "ACTIVE")
    state.put("study", study)
    refresh(state, study_id)
    return show(state, found(state, "study", study_id))


def move_study(state: State, study_id: str, body: Record) -> Record:
    """A transition by the table; publishing takes a wallet with enough in it."""
    study = found(state, "study", study_id)
    after = TRANSITIONS.get((study["status"], body["action"]))
    if after is None:
        raise RefusedError(400, 140103, f"{body['action']} is not possible from {study['status']}")
    if body["action"] == "SCHEDULE_PUBLISH" and not body.get("publish_at"):
        raise RefusedError(400, 140104, {"publish_at": ["is required"]})
    if body["action"] == "PUBLISH":
        needed = cost(study["reward"])[2] * study["total_available_places"]
        if available(state, found(state, "workspace", study["workspace"])) < needed:
            raise RefusedError(400, 140105, "the wallet does not hold enough to publish this study")
        study["published_at"] = now()
    set_status(state, study, after)
    return show(state, study)


def delete_study(state: State, study_id: str) -> None:
    """Delete a draft."""
    if found(state, "study", study_id)["status"] != "UNPUBLISHED":
        raise RefusedError(400, 140106, "published studies cannot be deleted")
    state.delete("study", study_id)


def show(state: State, study: Record) -> Record:
    """A study as the API shows it."""
    submissions = state.all("submission", study_id=study["id"])
    return {
        **{name: value for name, value in study.items() if name not in _OWN},
        "is_ready_to_publish": True,
        "number_of_submissions": len(submissions),
        "places_taken": len([each for each in submissions if takes_place(each)]),
    }


def show_short(state: State, study: Record) -> Record:
    """A study as a list shows it."""
    names = ("id", "name", "status", "total_available_places", "reward", "date_created", "published_at")
    return {name: study[name] for name in names} | {"internal_name": study.get("internal_name")}


def set_status(state: State, study: Record, status: str) -> None:
    """Write the new state down, and an event about it."""
    study["status"] = status
    state.put("study", study)
    payload = {"event_type": "study.status.change", "resource_id": study["id"], "metadata": {}, "status": status}
    state.put("event", {"payload": payload, "workspace": study["workspace"], "at": now(), "sent": False})


def takes_place(submission: Record) -> bool:
    """Whether a submission counts against the places."""
    return submission["status"] not in ("RETURNED", "TIMED-OUT", "SCREENED OUT")


def refresh(state: State, study_id: str) -> None:
    """A full study awaits review and then is completed; a place that is free again lets the next person in."""
    study = found(state, "study", study_id)
    states = [each["status"] for each in state.all("submission", study_id=study_id) if takes_place(each)]
    is_full = len(states) >= study["total_available_places"] and not {"RESERVED", "ACTIVE"} & set(states)
    if study["status"] == "ACTIVE" and is_full:
        set_status(state, study, "AWAITING REVIEW")
    elif study["status"] == "AWAITING REVIEW" and not is_full:
        set_status(state, study, "ACTIVE")
    if study["status"] == "AWAITING REVIEW" and "AWAITING REVIEW" not in states:
        set_status(state, study, "COMPLETED")


def why_not(state: State, study: Record, participant: str) -> str | None:
    """What keeps this participant out of the study: places, earlier submissions, filters."""
    if study["status"] != "ACTIVE":
        return "the study is not open"
    own = state.all("submission", study_id=study["id"])
    if len([each for each in own if takes_place(each)]) >= study["total_available_places"]:
        return "the study is full"
    most = study.get("submissions_config", {}).get("max_submissions_per_participant", 1)
    if most != -1 and len([each for each in own if each["participant"] == participant]) >= most:
        return "this participant has taken part already"
    for each in study.get("filters") or ():
        if _is_shut_out(state, each, participant):
            return f"{each['filter_id']} keeps this participant out"
    return None


def _is_shut_out(state: State, chosen: Record, participant: str) -> bool:
    values = chosen.get("selected_values", ())
    if chosen["filter_id"] == "previous_studies_blocklist":
        return any(each["study_id"] in values for each in state.all("submission", participant=participant))
    groups = [state.get("group", each) or {"members": []} for each in values]
    if chosen["filter_id"] == "participant_group_blocklist":
        return any(participant in group["members"] for group in groups)
    if chosen["filter_id"] == "participant_group_allowlist":
        return not any(participant in group["members"] for group in groups)
    return False


def _check(state: State, study: Record) -> None:
    """What the schemas leave out."""
    minutes, places = study["estimated_completion_time"], study["total_available_places"]
    problems: dict[str, list[str]] = {}
    if minutes < 1 or places < 1 or places != int(places):
        problems["total_available_places"] = ["expected whole numbers from 1"]
    elif study.get("maximum_allowed_time", math.inf) < 2 + 2 * minutes + 2 * math.sqrt(minutes):
        problems["maximum_allowed_time"] = ["is too short"]
    currency = found(state, "workspace", study["workspace"])["currency"]
    if study["reward"] != int(study["reward"]) or study["reward"] * 60 < HOURLY_MINIMUM[currency] * minutes:
        problems["reward"] = ["is below the minimum for an hour, or no whole number of cents"]
    if not study["external_study_url"].startswith(("https://", "http://127.0.0.1", "http://localhost")):
        problems["external_study_url"] = ["expected https://"]
    codes = [each["code"] for each in study.get("completion_codes", ())]
    if not codes or len(set(codes)) < len(codes):
        problems["completion_codes"] = ["expected one or more codes, each unique"]
    for each in study.get("completion_codes", ()):
        actions = [action["action"] for action in each["actions"]]
        if {"AUTOMATICALLY_APPROVE", "MANUALLY_REVIEW"} <= set(actions):
            problems["completion_codes"] = ["AUTOMATICALLY_APPROVE and MANUALLY_REVIEW exclude each other"]
        for action in each["actions"]:
            if "participant_group" in action and state.get("group", action["participant_group"]) is None:
                problems["completion_codes"] = [f"there is no participant group {action['participant_group']}"]
    kinds = {"previous_studies_blocklist": "study", "participant_group_blocklist": "group"}
    for chosen in study.get("filters") or ():
        kind = kinds.get(chosen["filter_id"])
        if kind and (unknown := [each for each in chosen["selected_values"] if state.get(kind, each) is None]):
            problems["filters"] = [f"{chosen['filter_id']}: unknown {', '.join(unknown)}"]
    if problems:
        raise RefusedError(400, 140100, problems, "Validation error")


def listed(state: State, **fields: Any) -> list[Record]:
    """Studies as lists show them, the newest first."""
    return [show_short(state, each) for each in reversed(state.all("study", **fields))]
