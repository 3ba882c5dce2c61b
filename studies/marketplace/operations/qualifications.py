"""The operations on the qualifications that workers hold or ask for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from crowdloom.studies.marketplace.errors import RequestError, unknown, wrong_state
from crowdloom.studies.marketplace.granting import grant, send
from crowdloom.studies.marketplace.operations.call import Call
from crowdloom.studies.marketplace.operations.qualification_types import find_own
from crowdloom.studies.marketplace.operations.workers import known_worker
from crowdloom.studies.marketplace.pages import listed, read_page
from crowdloom.studies.marketplace.tables import Qualification, QualificationRequest, QualificationType, Worker


def associate(call: Call) -> dict[str, Any]:
    """AssociateQualificationWithWorker: gives it, or another value; the worker is told unless that is declined."""
    kind, worker = find_own(call, call["QualificationTypeId"]), known_worker(call, call["WorkerId"])
    grant(call.connection, kind.id, worker.id, call.get("IntegerValue", 1), call.now)
    if call.get("SendNotification", True):
        text = f"You now have the qualification “{kind.name}”: {kind.description}"
        send(call.connection, call.requester, worker.id, "A qualification for you", text, call.now)
    return {}


def disassociate(call: Call) -> dict[str, Any]:
    """DisassociateQualificationFromWorker: takes it; the worker is told why."""
    kind, worker = find_own(call, call["QualificationTypeId"]), known_worker(call, call["WorkerId"])
    if _find(call, kind, worker).status != "Granted":
        raise wrong_state("Qualification", "Revoked", "Granted")
    call.connection.execute(
        update(Qualification)
        .where(Qualification.qualification_type_id == kind.id, Qualification.worker_id == worker.id)
        .values(status="Revoked")
    )
    if call.get("Reason"):
        text = f"The qualification “{kind.name}” was taken back: {call['Reason']}"
        send(call.connection, call.requester, worker.id, "A qualification was taken back", text, call.now)
    return {}


def _find(call: Call, kind: Row[Any], worker: Row[Any]) -> Row[Any]:
    row = call.connection.execute(
        select(Qualification.__table__).where(
            Qualification.qualification_type_id == kind.id, Qualification.worker_id == worker.id
        )
    ).first()
    if row is None:
        raise RequestError(
            f"The qualification {kind.token} of worker {worker.token} does not exist.", "QualificationDoesNotExist"
        )
    return row


def get_score(call: Call) -> dict[str, Any]:
    """GetQualificationScore; for one that was taken back that is an error, as on MTurk."""
    kind, worker = find_own(call, call["QualificationTypeId"]), known_worker(call, call["WorkerId"])
    row = _find(call, kind, worker)
    if row.status != "Granted":
        raise wrong_state("Qualification", row.status, "Granted")
    return {"Qualification": _structure(kind.token, worker.token, row)}


def _structure(kind: str, worker: str, row: Row[Any]) -> dict[str, Any]:
    return {
        "QualificationTypeId": kind,
        "WorkerId": worker,
        "GrantTime": row.granted_at,
        "IntegerValue": row.value,
        "Status": row.status,
    }


def list_workers(call: Call) -> dict[str, Any]:
    """ListWorkersWithQualificationType: who has it, or who had it."""
    kind = find_own(call, call["QualificationTypeId"])
    query = (
        select(Qualification.__table__, Worker.token.label("worker_token"))
        .join(Worker, Worker.id == Qualification.worker_id)
        .where(Qualification.qualification_type_id == kind.id, Qualification.status == call.get("Status", "Granted"))
    )
    rows, token = read_page(call.connection, query, Qualification.id, call.parameters)
    return listed("Qualifications", [_structure(kind.token, row.worker_token, row) for row in rows], token)


def list_requests(call: Call) -> dict[str, Any]:
    """ListQualificationRequests: those that wait, for one type or for all of the caller's."""
    query = (
        select(
            QualificationRequest.__table__,
            QualificationType.token.label("type_token"),
            Worker.token.label("worker_token"),
        )
        .join(QualificationType, QualificationType.id == QualificationRequest.qualification_type_id)
        .join(Worker, Worker.id == QualificationRequest.worker_id)
        .where(QualificationType.requester_id == call.requester, QualificationRequest.state == "pending")
    )
    if "QualificationTypeId" in call.parameters:
        query = query.where(QualificationType.id == find_own(call, call["QualificationTypeId"]).id)
    rows, token = read_page(call.connection, query, QualificationRequest.id, call.parameters)
    waiting = [
        {
            "QualificationRequestId": row.token,
            "QualificationTypeId": row.type_token,
            "WorkerId": row.worker_token,
            "SubmitTime": row.submitted_at,
        }
        for row in rows
    ]
    return listed("QualificationRequests", waiting, token)


def accept_request(call: Call) -> dict[str, Any]:
    """AcceptQualificationRequest."""
    request, name = _decide(call, "granted")
    grant(call.connection, request.qualification_type_id, request.worker_id, call.get("IntegerValue", 1), call.now)
    text = f"You asked for the qualification “{name}”, and now you have it."
    send(call.connection, call.requester, request.worker_id, "A qualification for you", text, call.now)
    return {}


def reject_request(call: Call) -> dict[str, Any]:
    """RejectQualificationRequest; the worker is told why."""
    request, name = _decide(call, "rejected")
    reason = f": {call['Reason']}" if call.get("Reason") else "."
    text = f"You asked for the qualification “{name}” and were not given it{reason}"
    send(call.connection, call.requester, request.worker_id, "A qualification was not given", text, call.now)
    return {}


def _decide(call: Call, state: str) -> tuple[Row[Any], str]:
    token = call["QualificationRequestId"]
    row = call.connection.execute(
        select(QualificationRequest.__table__, QualificationType.name.label("type_name"))
        .join(QualificationType, QualificationType.id == QualificationRequest.qualification_type_id)
        .where(QualificationRequest.token == token, QualificationType.requester_id == call.requester)
    ).first()
    if row is None:
        raise unknown("QualificationRequest", token)
    decided = call.connection.execute(
        update(QualificationRequest)
        .where(QualificationRequest.id == row.id, QualificationRequest.state == "pending")
        .values(state=state)
    )
    if decided.rowcount != 1:
        raise wrong_state("QualificationRequest", row.state.capitalize(), "Submitted")
    return row, row.type_name
