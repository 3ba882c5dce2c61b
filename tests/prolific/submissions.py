"""Submissions in the stand-in: a participant arrives, completes with a code, returns; a researcher reviews."""

from __future__ import annotations

from tests.prolific.money import add_job, pay
from tests.prolific.state import Record, RefusedError, State, found, now
from tests.prolific.studies import refresh, why_not

REJECTION_LENGTH = 100
FROM_REVIEW = {"APPROVE": "APPROVED", "REJECT": "REJECTED"}


def arrive(state: State, study_id: str, participant: str, status: str = "ACTIVE") -> Record:
    """A participant takes a place; who is in the study already comes back to the same submission."""
    study = found(state, "study", study_id)
    found(state, "participant", participant)
    for own in state.all("submission", study_id=study_id, participant=participant):
        if own["status"] in ("RESERVED", "ACTIVE"):
            if own["status"] != status == "ACTIVE":
                change(state, own, status)
            return own
    if (reason := why_not(state, study, participant)) is not None:
        raise RefusedError(403, 140300, reason, "Not eligible")
    submission = {
        "study_id": study_id,
        "workspace": study["workspace"],
        "participant": participant,
        "started_at": now(),
        "completed_at": None,
        "entered_code": None,
        "return_requested": None,
    }
    submission = state.put("submission", submission)
    change(state, submission, status)
    return submission


def join_url(state: State, submission: Record) -> str:
    """The study's address with the placeholders filled in."""
    url = str(found(state, "study", submission["study_id"])["external_study_url"])
    values = {"PROLIFIC_PID": "participant", "STUDY_ID": "study_id", "SESSION_ID": "id"}
    for name, field in values.items():
        url = url.replace("{{%" + name + "%}}", submission[field])
    return url


def complete(state: State, submission_id: str, code: str) -> Record:
    """A participant hands in with a code, whose actions are carried out; once only."""
    submission = found(state, "submission", submission_id)
    if submission["status"] not in ("RESERVED", "ACTIVE"):
        return submission
    study = found(state, "study", submission["study_id"])
    submission |= {"completed_at": now(), "entered_code": code}
    nothing: Record = {"actions": []}
    known = next((each for each in study["completion_codes"] if each["code"] == code), nothing)
    after = "AWAITING REVIEW"
    for action in known["actions"]:
        if action["action"] == "AUTOMATICALLY_APPROVE":
            after = "APPROVED"
        elif action["action"] == "REQUEST_RETURN":
            submission["return_requested"] = now()
        elif action["action"] == "ADD_TO_PARTICIPANT_GROUP":
            group = found(state, "group", action["participant_group"])
            members = list(dict.fromkeys([*group["members"], submission["participant"]]))
            state.put("group", {**group, "members": members})
    change(state, submission, after)
    return submission


def leave(state: State, submission_id: str, status: str) -> Record:
    """A participant returns the submission, or lets its time run out."""
    submission = found(state, "submission", submission_id)
    allowed = ("RESERVED", "ACTIVE", "AWAITING REVIEW") if status == "RETURNED" else ("RESERVED", "ACTIVE")
    if submission["status"] not in allowed:
        raise RefusedError(400, 140301, f"{submission['status']} cannot become {status}")
    change(state, submission, status)
    return submission


def review(state: State, submission_id: str, body: Record) -> Record:
    """A researcher's transition; the same one again is passed over, another one is refused."""
    submission = found(state, "submission", submission_id)
    after = FROM_REVIEW.get(body["action"])
    if after is None:
        raise RefusedError(400, 140302, f"{body['action']} is not for this workspace")
    if body["action"] == "REJECT":
        if len(body.get("message", "")) < REJECTION_LENGTH:
            raise RefusedError(400, 140303, {"message": [f"must be at least {REJECTION_LENGTH} characters long"]})
        if "rejection_category" not in body:
            raise RefusedError(400, 140304, {"rejection_category": ["is required"]})
    if submission["status"] != after:
        if submission["status"] != "AWAITING REVIEW":
            raise RefusedError(400, 140305, [f"{body['action']} is not possible from {submission['status']}"])
        change(state, submission, after)
    return show_reviewed(submission)


def bulk_approve(state: State, body: Record, settle_after: float | None) -> str:
    """Take a list of submissions to approve later."""
    ids = body.get("submission_ids")
    if ids is None:
        known = state.all("submission", study_id=body["study_id"])
        ids = [each["id"] for each in known if each["participant"] in body["participant_ids"]]
    for each in ids:
        found(state, "submission", each)
    add_job(state, {"kind": "approve", "ids": ids}, settle_after)
    return "The request to bulk approve has been made successfully."


def request_return(state: State, submission_id: str, body: Record) -> Record:
    """Ask a participant to return what they handed in or are at; each call sends them a message."""
    submission = found(state, "submission", submission_id)
    if submission["status"] not in ("ACTIVE", "RESERVED", "AWAITING REVIEW"):
        raise RefusedError(400, 140306, f"{submission['status']} cannot be returned")
    submission["return_requested"] = now()
    state.put("submission", submission)
    text = "; ".join(body["request_return_reasons"])
    state.put("message", {"to": submission["participant"], "study_id": submission["study_id"], "body": text})
    return {
        "id": submission_id,
        "status": submission["status"],
        "participant": submission["participant"],
        "return_requested": submission["return_requested"],
    }


def change(state: State, submission: Record, status: str) -> None:
    """A new state, an event about it, the reward where it is approved, and what it means for the study."""
    submission["status"] = status
    state.put("submission", submission)
    payload = {
        "event_type": "submission.status.change",
        "resource_id": submission["id"],
        "participant_id": submission["participant"],
        "status": status,
    }
    state.put("event", {"payload": payload, "workspace": submission["workspace"], "at": now(), "sent": False})
    if status == "APPROVED":
        pay(state, submission, "reward", int(found(state, "study", submission["study_id"])["reward"]))
    refresh(state, submission["study_id"])


def run_jobs(state: State, time: float | None) -> int:
    """Do what was put off: what is due by this time, or all of it for None. How many jobs there were."""
    jobs = [job for job in state.all("job") if time is None or (job["due"] is not None and job["due"] <= time)]
    for job in jobs:
        state.delete("job", job["id"])
        if job["kind"] == "approve":
            for each in job["ids"]:
                submission = found(state, "submission", each)
                if submission["status"] == "AWAITING REVIEW":
                    change(state, submission, "APPROVED")
        else:
            for submission_id, amount in job["rows"]:
                pay(state, found(state, "submission", submission_id), "bonus", amount)
    return len(jobs)


def show_reviewed(submission: Record) -> Record:
    """The answer to a transition."""
    names = ("id", "completed_at", "entered_code", "participant", "started_at", "status", "study_id")
    return {name: submission[name] for name in names}


def show_detail(state: State, submission: Record) -> Record:
    """A submission as it is shown by itself."""
    paid = state.all("payment", submission=submission["id"], kind="bonus")
    return {
        **show_reviewed(submission),
        "bonus_payments": [each["amount"] for each in paid],
        "return_requested": submission["return_requested"],
    }


def show_short(submission: Record) -> Record:
    """A submission as a list shows it."""
    return {
        "id": submission["id"],
        "participant_id": submission["participant"],
        "status": submission["status"],
        "started_at": submission["started_at"],
        "completed_at": submission["completed_at"],
        "has_siblings": False,
        "study_code": submission["entered_code"],
        "return_requested": submission["return_requested"],
    }
