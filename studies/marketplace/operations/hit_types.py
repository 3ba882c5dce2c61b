"""CreateHITType and UpdateHITTypeOfHIT."""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

from sqlalchemy import select, update

from crowdloom.studies.database import insert_new
from crowdloom.studies.marketplace.errors import RequestError, unknown, wrong_state
from crowdloom.studies.marketplace.hits import lock_hit, refresh_hold
from crowdloom.studies.marketplace.identifiers import new_token
from crowdloom.studies.marketplace.money import to_cents
from crowdloom.studies.marketplace.operations.call import Call
from crowdloom.studies.marketplace.requirements import check_requirement
from crowdloom.studies.marketplace.tables import HIT, HITType, QualificationType, Requirement

_YEAR_S = 31_536_000
_THIRTY_DAYS_S = 2_592_000
_NAMES = ("Title", "Description", "Keywords", "AutoApprovalDelayInSeconds", "AssignmentDurationInSeconds")


def create(call: Call) -> dict[str, Any]:
    """CreateHITType: the same values give the same id."""
    _, token = find_or_add(call)
    return {"HITTypeId": token}


def find_or_add(call: Call) -> tuple[int, str]:
    """The HIT type with the call's values, made where it is new: its row's id and its token.

    Raises RequestError for values out of range and for unknown qualification types.
    """
    call.within("AssignmentDurationInSeconds", 30, _YEAR_S)
    call.within("AutoApprovalDelayInSeconds", 0, _THIRTY_DAYS_S)
    for name, most in (("Title", 128), ("Description", 2000), ("Keywords", 1000)):
        call.no_longer_than(name, most)
    for name in ("Title", "Description"):
        if not call[name].strip():
            raise RequestError(f"{name} is empty.", "ParameterValidationError")
    requirements = call.get("QualificationRequirements", [])
    asked = _qualification_types(call, requirements)
    reward = to_cents(call["Reward"], "Reward")
    values = [*(call.get(name) for name in _NAMES), reward, requirements]
    values[3] = _THIRTY_DAYS_S if values[3] is None else values[3]
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    call.connection.execute(
        insert_new(call.connection, cast(Any, HITType)),
        {
            "token": new_token("3"),
            "group_token": new_token("3"),
            "requester_id": call.requester,
            "sha256": digest,
            "title": call["Title"],
            "description": call["Description"],
            "keywords": call.get("Keywords"),
            "reward": reward,
            "auto_approval_delay_s": values[3],
            "assignment_duration_s": call["AssignmentDurationInSeconds"],
            "requirements": requirements,
            "created_at": call.now,
        },
    )
    row = call.connection.execute(
        select(HITType.id, HITType.token).where(HITType.requester_id == call.requester, HITType.sha256 == digest)
    ).one()
    for kind in asked:
        call.connection.execute(
            insert_new(call.connection, cast(Any, Requirement)),
            {"hit_type_id": row.id, "qualification_type_id": kind},
        )
    return row.id, row.token


def _qualification_types(call: Call, requirements: list[dict[str, Any]]) -> set[int]:
    if len(requirements) > 10:
        raise RequestError("A HIT takes at most 10 QualificationRequirements.", "ParameterValidationError")
    found: set[int] = set()
    for requirement in requirements:
        token = requirement["QualificationTypeId"]
        kind = call.connection.execute(
            select(QualificationType.id, QualificationType.status).where(
                QualificationType.token == token, QualificationType.deleted_at.is_(None)
            )
        ).first()
        if kind is None:
            raise unknown("QualificationType", token)
        if kind.status != "Active":
            raise wrong_state("QualificationType", kind.status, "Active")
        check_requirement(requirement)
        found.add(kind.id)
    return found


def find(call: Call, token: str) -> tuple[int, str]:
    """The HIT type with this id. Raises RequestError for one that is not the caller's."""
    row = call.connection.execute(
        select(HITType.id, HITType.token).where(HITType.token == token, HITType.requester_id == call.requester)
    ).first()
    if row is None:
        raise unknown("HITType", token)
    return row.id, row.token


def update_of_hit(call: Call) -> dict[str, Any]:
    """UpdateHITTypeOfHIT: whoever accepted already is paid as promised, all others by the new type."""
    hit = lock_hit(call.connection, call["HITId"], call.now, call.requester)
    if hit is None:
        raise unknown("HIT", call["HITId"])
    if hit.disposed_at is not None:
        raise wrong_state("HIT", "Disposed", "Assignable, Unassignable, Reviewable, Reviewing")
    kind, _ = find(call, call["HITTypeId"])
    call.connection.execute(update(HIT).where(HIT.id == hit.id).values(hit_type_id=kind))
    refresh_hold(call.connection, hit.id, call.now)
    return {}
