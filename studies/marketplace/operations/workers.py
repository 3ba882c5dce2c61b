"""The operations on workers, and on the caller's own account."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Row, delete, exists, select, update

from crowdloom.studies.database import insert_new
from crowdloom.studies.marketplace.errors import RequestError, unknown
from crowdloom.studies.marketplace.granting import send
from crowdloom.studies.marketplace.money import to_dollars
from crowdloom.studies.marketplace.operations.call import Call
from crowdloom.studies.marketplace.operations.hit_types import find as find_hit_type
from crowdloom.studies.marketplace.pages import listed, read_page
from crowdloom.studies.marketplace.tables import HIT, Assignment, Block, Requester, Worker
from crowdloom.studies.marketplace.workers import find_worker


def known_worker(call: Call, token: str) -> Row[Any]:
    """A worker of this marketplace. Raises RequestError for anybody else."""
    row = find_worker(call.connection, token)
    if row is None:
        raise unknown("Worker", token)
    return row


def block(call: Call) -> dict[str, Any]:
    """CreateWorkerBlock; blocking once more gives the new reason."""
    worker = known_worker(call, call["WorkerId"])
    ours = (Block.requester_id == call.requester, Block.worker_id == worker.id)
    if call.connection.execute(update(Block).where(*ours).values(reason=call["Reason"])).rowcount == 0:
        call.connection.execute(
            insert_new(call.connection, cast(Any, Block)),
            {"requester_id": call.requester, "worker_id": worker.id, "reason": call["Reason"]},
        )
    return {}


def unblock(call: Call) -> dict[str, Any]:
    """DeleteWorkerBlock; for a worker who is not blocked it does nothing."""
    worker = known_worker(call, call["WorkerId"])
    call.connection.execute(delete(Block).where(Block.requester_id == call.requester, Block.worker_id == worker.id))
    return {}


def list_blocks(call: Call) -> dict[str, Any]:
    """ListWorkerBlocks."""
    query = (
        select(Block.__table__, Worker.token.label("worker_token"))
        .join(Worker, Worker.id == Block.worker_id)
        .where(Block.requester_id == call.requester)
    )
    rows, token = read_page(call.connection, query, Block.id, call.parameters)
    return listed("WorkerBlocks", [{"WorkerId": row.worker_token, "Reason": row.reason} for row in rows], token)


def notify(call: Call) -> dict[str, Any]:
    """NotifyWorkers: a message to each whose work the caller reviewed; the others are listed as failures."""
    call.no_longer_than("Subject", 200)
    call.no_longer_than("MessageText", 4096)
    if not 1 <= len(call["WorkerIds"]) <= 100:
        raise RequestError("WorkerIds must name 1 to 100 workers.", "ParameterValidationError")
    failures = []
    for token in dict.fromkeys(call["WorkerIds"]):
        worker = find_worker(call.connection, token)
        if worker is None or not _was_reviewed(call, worker):
            why = "is not known here" if worker is None else "has no work that you approved or rejected"
            failures.append(
                {
                    "NotifyWorkersFailureCode": "HardFailure",
                    "NotifyWorkersFailureMessage": f"Worker {token} {why}.",
                    "WorkerId": token,
                }
            )
        else:
            send(call.connection, call.requester, worker.id, call["Subject"], call["MessageText"], call.now)
    return {"NotifyWorkersFailureStatuses": failures}


def _was_reviewed(call: Call, worker: Row[Any]) -> bool:
    reviewed = (
        exists()
        .where(Assignment.hit_id == HIT.id, HIT.requester_id == call.requester)
        .where(Assignment.worker_id == worker.id, Assignment.state.in_(("approved", "rejected")))
    )
    return bool(call.connection.scalar(select(reviewed)))


def balance(call: Call) -> dict[str, Any]:
    """GetAccountBalance: what is left to spend, and what open and unreviewed work holds."""
    row = call.connection.execute(
        select(Requester.balance, Requester.on_hold).where(Requester.id == call.requester)
    ).one()
    return {"AvailableBalance": to_dollars(row.balance - row.on_hold), "OnHoldBalance": to_dollars(row.on_hold)}


def update_notifications(call: Call) -> dict[str, Any]:
    """UpdateNotificationSettings: nothing is sent from here, so only switching notifications off can succeed."""
    find_hit_type(call, call["HITTypeId"])
    if "Notification" not in call.parameters and "Active" not in call.parameters:
        raise RequestError("Either Notification or Active must be given.", "MissingParameter")
    if call.get("Active", True):
        raise _no_transport()
    return {}


def send_test_event(call: Call) -> dict[str, Any]:
    """SendTestEventNotification: there is nothing that could send it."""
    raise _no_transport()


def _no_transport() -> RequestError:
    return RequestError(
        "This marketplace sends no notifications by Email, SQS or SNS; poll ListReviewableHITs and "
        "ListAssignmentsForHIT instead.",
        "InvalidTransportEndpoint",
    )
