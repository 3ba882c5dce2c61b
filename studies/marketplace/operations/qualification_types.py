"""The operations on qualification types."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from crowdloom.studies.marketplace.errors import RequestError, unknown
from crowdloom.studies.marketplace.identifiers import new_token
from crowdloom.studies.marketplace.operations.call import Call
from crowdloom.studies.marketplace.pages import listed, read_page
from crowdloom.studies.marketplace.tables import QualificationRequest, QualificationType


def create(call: Call) -> dict[str, Any]:
    """CreateQualificationType."""
    _refuse_tests(call)
    for name, most in (("Name", 200), ("Description", 2000), ("Keywords", 1000)):
        call.no_longer_than(name, most)
    for name in ("Name", "Description"):
        if not call[name].strip():
            raise RequestError(f"{name} is empty.", "ParameterValidationError")
    call.within("RetryDelayInSeconds", 0, 2**53)
    same = exists().where(
        QualificationType.requester_id == call.requester,
        QualificationType.name == call["Name"],
        QualificationType.deleted_at.is_(None),
    )
    if call.connection.scalar(select(same)):
        raise _taken(call)
    token = new_token("3")
    try:
        with call.connection.begin_nested():
            call.connection.execute(
                insert(QualificationType),
                {
                    "token": token,
                    "requester_id": call.requester,
                    "name": call["Name"],
                    "keywords": call.get("Keywords"),
                    "description": call["Description"],
                    "status": call["QualificationTypeStatus"],
                    "retry_delay_s": call.get("RetryDelayInSeconds"),
                    "auto_granted": call.get("AutoGranted", False),
                    "auto_granted_value": call.get("AutoGrantedValue", 1),
                    "created_at": call.now,
                },
            )
    except IntegrityError as error:  # somebody else was faster
        raise _taken(call) from error
    return {"QualificationType": _structure(find_type(call, token))}


def _taken(call: Call) -> RequestError:
    return RequestError(
        f"You have already created a QualificationType with this name. Name: {call['Name']}",
        "QualificationTypeAlreadyExists",
    )


def _refuse_tests(call: Call) -> None:
    for name in ("Test", "AnswerKey", "TestDurationInSeconds"):
        if name in call.parameters:
            raise RequestError(
                f"{name}: this marketplace has no qualification tests, which are QuestionForms; give a task as a HIT "
                "and grant the qualification with AssociateQualificationWithWorker.",
                "ParameterValidationError",
            )


def get(call: Call) -> dict[str, Any]:
    """GetQualificationType: anybody's, and the system's."""
    return {"QualificationType": _structure(find_type(call, call["QualificationTypeId"], owned=False))}


def find_type(call: Call, token: str, *, owned: bool = True) -> Row[Any]:
    """A qualification type that is not deleted. Raises RequestError where there is none, or it is not the caller's."""
    row = call.connection.execute(
        select(QualificationType.__table__).where(
            QualificationType.token == token, QualificationType.deleted_at.is_(None)
        )
    ).first()
    if row is None or (owned and row.requester_id not in (call.requester, None)):
        raise unknown("QualificationType", token)
    return row


def find_own(call: Call, token: str) -> Row[Any]:
    """A qualification type that the caller made. Raises RequestError for any other."""
    row = find_type(call, token)
    if row.requester_id is None:
        raise RequestError(
            f"QualificationType {row.name} is the system's; requesters cannot give or change it.", "PermissionDenied"
        )
    return row


def _structure(row: Row[Any]) -> dict[str, Any]:
    is_system = row.requester_id is None
    given: dict[str, Any] = {
        "QualificationTypeId": row.token,
        "CreationTime": row.created_at,
        "Name": row.name,
        "Description": row.description,
        "Keywords": row.keywords,
        "QualificationTypeStatus": row.status,
        "RetryDelayInSeconds": row.retry_delay_s,
        "IsRequestable": not is_system,
        "AutoGranted": row.auto_granted,
        "AutoGrantedValue": row.auto_granted_value if row.auto_granted else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def list_all(call: Call) -> dict[str, Any]:
    """ListQualificationTypes: by words of their name, description and keywords."""
    query = select(QualificationType.__table__).where(QualificationType.deleted_at.is_(None))
    if call["MustBeRequestable"]:
        query = query.where(QualificationType.requester_id.is_not(None), QualificationType.status == "Active")
    if call.get("MustBeOwnedByCaller", False):
        query = query.where(QualificationType.requester_id == call.requester)
    for word in call.get("Query", "").lower().split():
        columns = (QualificationType.name, QualificationType.description, QualificationType.keywords)
        query = query.where(or_(*(func.lower(column).contains(word, autoescape=True) for column in columns)))
    rows, token = read_page(call.connection, query, QualificationType.id, call.parameters)
    return listed("QualificationTypes", [_structure(row) for row in rows], token)


def change(call: Call) -> dict[str, Any]:
    """UpdateQualificationType."""
    row = find_own(call, call["QualificationTypeId"])
    _refuse_tests(call)
    call.no_longer_than("Description", 2000)
    columns = {
        "Description": "description",
        "QualificationTypeStatus": "status",
        "RetryDelayInSeconds": "retry_delay_s",
        "AutoGranted": "auto_granted",
        "AutoGrantedValue": "auto_granted_value",
    }
    values = {column: call[name] for name, column in columns.items() if name in call.parameters}
    if values:
        call.connection.execute(update(QualificationType).where(QualificationType.id == row.id).values(values))
    return {"QualificationType": _structure(find_own(call, row.token))}


def delete(call: Call) -> dict[str, Any]:
    """DeleteQualificationType: no new HIT type can ask for it; its pending requests are rejected."""
    row = find_own(call, call["QualificationTypeId"])
    call.connection.execute(
        update(QualificationType).where(QualificationType.id == row.id).values(deleted_at=call.now, status="Inactive")
    )
    call.connection.execute(
        update(QualificationRequest)
        .where(QualificationRequest.qualification_type_id == row.id, QualificationRequest.state == "pending")
        .values(state="rejected")
    )
    return {}
