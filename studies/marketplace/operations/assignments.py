"""The operations on assignments and bonuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, select, update

from crowdloom.studies.marketplace.errors import RequestError, unknown, wrong_state
from crowdloom.studies.marketplace.hits import insufficient_funds, lock_hit, refresh_hold, set_aside
from crowdloom.studies.marketplace.money import bonus_fee, to_cents, to_dollars
from crowdloom.studies.marketplace.operations.call import Call
from crowdloom.studies.marketplace.operations.hits import describe_hit
from crowdloom.studies.marketplace.pages import listed, read_page
from crowdloom.studies.marketplace.paying import pay_bonus, pay_reward
from crowdloom.studies.marketplace.request_tokens import use_token
from crowdloom.studies.marketplace.tables import GONE, HIT, Assignment, Payment, Worker

_OVERRIDE_WITHIN = timedelta(days=30)
_REVIEWED = ("submitted", "approved", "rejected")


def list_for_hit(call: Call) -> dict[str, Any]:
    """ListAssignmentsForHIT: those that were submitted, or of a status, in the order in which they were accepted."""
    hit = _hit_id(call, call["HITId"])
    asked = [name.lower() for name in call.get("AssignmentStatuses", [])] or _REVIEWED
    query = _query(call).where(Assignment.hit_id == hit, Assignment.state.in_(asked))
    rows, token = read_page(call.connection, query, Assignment.id, call.parameters)
    return listed("Assignments", [_structure(row) for row in rows], token)


def get(call: Call) -> dict[str, Any]:
    """GetAssignment, with its HIT."""
    row = _find(call)
    if row.state not in _REVIEWED:
        raise wrong_state("Assignment", "Accepted", "Reviewable,Approved,Rejected")
    return {"Assignment": _structure(row), "HIT": describe_hit(call, HIT.id == row.hit_id)}


def _query(call: Call) -> Select[Any]:
    return (
        select(
            Assignment.__table__,
            Worker.token.label("worker_token"),
            HIT.token.label("hit_token"),
            HIT.disposed_at.label("hit_disposed_at"),
        )
        .join(HIT, HIT.id == Assignment.hit_id)
        .join(Worker, Worker.id == Assignment.worker_id)
        .where(HIT.requester_id == call.requester, Assignment.state.not_in(GONE))
    )


def _find(call: Call) -> Row[Any]:
    row = call.connection.execute(_query(call).where(Assignment.token == call["AssignmentId"])).first()
    if row is None:
        raise unknown("Assignment", call["AssignmentId"])
    return row


def _structure(row: Row[Any]) -> dict[str, Any]:
    given: dict[str, Any] = {
        "AssignmentId": row.token,
        "WorkerId": row.worker_token,
        "HITId": row.hit_token,
        "AssignmentStatus": row.state.capitalize(),
        "AutoApprovalTime": row.auto_approval_at,
        "AcceptTime": row.accepted_at,
        "SubmitTime": row.submitted_at,
        "ApprovalTime": row.approved_at,
        "RejectionTime": row.rejected_at,
        "Deadline": row.deadline,
        "Answer": row.answer,
        "RequesterFeedback": row.feedback,
    }
    return {name: value for name, value in given.items() if value is not None}


def _hit_id(call: Call, token: str) -> int:
    hit = call.connection.scalar(select(HIT.id).where(HIT.token == token, HIT.requester_id == call.requester))
    if hit is None:
        raise unknown("HIT", token)
    return hit


def _lock(call: Call) -> Row[Any]:
    """The assignment with its HIT locked, as it stands then."""
    lock_hit(call.connection, _find(call).hit_token, call.now)
    return _find(call)


def approve(call: Call) -> dict[str, Any]:
    """ApproveAssignment: pays the reward; a rejection is overridden only where that is asked for."""
    row = _lock(call)
    override = call.get("OverrideRejection", False)
    call.no_longer_than("RequesterFeedback", 1024)
    if row.state == "rejected" and override:
        if call.now - row.submitted_at > _OVERRIDE_WITHIN or row.hit_disposed_at is not None:
            raise RequestError(
                "A rejection can be overridden within 30 days of the submission, while the HIT is not deleted.",
                "InvalidAssignmentState",
            )
        set_aside(call.connection, call.requester, row.reward + row.fee)
        pay_reward(call.connection, row, call.now, call.get("RequesterFeedback"))
        set_aside(call.connection, call.requester, -row.reward - row.fee)
    elif row.state == "submitted":
        pay_reward(call.connection, row, call.now, call.get("RequesterFeedback"))
    else:
        raise wrong_state("Assignment", row.state.capitalize(), "Submitted, Rejected" if override else "Submitted")
    refresh_hold(call.connection, row.hit_id, call.now)
    return {}


def reject(call: Call) -> dict[str, Any]:
    """RejectAssignment: what was held for it becomes available again."""
    row = _lock(call)
    call.no_longer_than("RequesterFeedback", 1024)
    if row.state != "submitted":
        raise wrong_state("Assignment", row.state.capitalize(), "Submitted")
    call.connection.execute(
        update(Assignment)
        .where(Assignment.id == row.id)
        .values(state="rejected", rejected_at=call.now, due_at=None, feedback=call["RequesterFeedback"])
    )
    refresh_hold(call.connection, row.hit_id, call.now)
    return {}


def send_bonus(call: Call) -> dict[str, Any]:
    """SendBonus: paid once for a token; without one, each time it is called."""
    row = _find(call)
    cents = to_cents(call["BonusAmount"], "BonusAmount")
    if cents < 1:
        raise RequestError("BonusAmount must be at least 0.01.", "ParameterValidationError")
    if row.worker_token != call["WorkerId"] or row.state not in _REVIEWED:
        raise RequestError(
            f"Worker {call['WorkerId']} did not submit assignment {row.token}.", "ParameterValidationError"
        )
    token = call.get("UniqueRequestToken")
    if use_token(call.connection, call.requester, "SendBonus", token, row.token, call.now) is not None:
        raise RequestError(
            f'The bonus with the UniqueRequestToken "{token}" already exists; nothing was paid.', "DuplicateCall"
        )
    if not pay_bonus(call.connection, call.requester, row, cents, call["Reason"], call.now):
        raise insufficient_funds(call.connection, call.requester, cents + bonus_fee(cents))
    return {}


def list_bonuses(call: Call) -> dict[str, Any]:
    """ListBonusPayments, for a HIT or for an assignment."""
    query = (
        select(Payment.__table__, Worker.token.label("worker_token"), Assignment.token.label("assignment_token"))
        .join(Worker, Worker.id == Payment.worker_id)
        .join(Assignment, Assignment.id == Payment.assignment_id)
        .where(Payment.kind == "bonus", Payment.requester_id == call.requester)
    )
    if "AssignmentId" in call.parameters:
        query = query.where(Payment.assignment_id == _find(call).id)
    elif "HITId" in call.parameters:
        query = query.where(Assignment.hit_id == _hit_id(call, call["HITId"]))
    else:
        raise RequestError("Either the HITId or the AssignmentId must be given.", "MissingParameter")
    rows, token = read_page(call.connection, query, Payment.id, call.parameters)
    paid = [
        {
            "WorkerId": row.worker_token,
            "BonusAmount": to_dollars(row.amount),
            "AssignmentId": row.assignment_token,
            "Reason": row.reason,
            "GrantTime": row.paid_at,
        }
        for row in rows
    ]
    return listed("BonusPayments", paid, token)


def file_upload_url(call: Call) -> dict[str, Any]:
    """GetFileUploadURL: files come with QuestionForm only, which is not shown here."""
    _find(call)
    raise RequestError("No question of this marketplace takes files; let workers upload to S3.", "FileDoesNotExist")
