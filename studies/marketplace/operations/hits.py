"""The operations on HITs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, insert, or_, select, update

from crowdloom.studies.marketplace.errors import RequestError, unknown, wrong_state
from crowdloom.studies.marketplace.hits import Counts, count_assignments, lock_hit, refresh_hold, status
from crowdloom.studies.marketplace.identifiers import new_token
from crowdloom.studies.marketplace.money import MANY_ASSIGNMENTS, to_dollars
from crowdloom.studies.marketplace.operations import hit_types
from crowdloom.studies.marketplace.operations.call import Call
from crowdloom.studies.marketplace.operations.qualification_types import find_type
from crowdloom.studies.marketplace.pages import listed, read_page
from crowdloom.studies.marketplace.questions import read_question
from crowdloom.studies.marketplace.request_tokens import use_token
from crowdloom.studies.marketplace.tables import GONE, HIT, Assignment, HITType, Requirement

_YEAR_S = 31_536_000
_MOST_ASSIGNMENTS = 1_000_000_000


def create(call: Call) -> dict[str, Any]:
    """CreateHIT: a HIT and, where its values are new, its HIT type."""
    return _create(call, "CreateHIT", hit_types.find_or_add(call))


def create_with_type(call: Call) -> dict[str, Any]:
    """CreateHITWithHITType."""
    return _create(call, "CreateHITWithHITType", hit_types.find(call, call["HITTypeId"]))


def _create(call: Call, operation: str, kind: tuple[int, str]) -> dict[str, Any]:
    for name in ("AssignmentReviewPolicy", "HITReviewPolicy"):
        if name in call.parameters:
            raise RequestError(f"{name}: this marketplace has no review policies.", "ParameterValidationError")
    if "HITLayoutId" in call.parameters:
        raise RequestError(
            f"HITLayout {call['HITLayoutId']} does not exist: this marketplace has no layouts, send a Question.",
            "HITLayoutDoesNotExist",
        )
    if "Question" not in call.parameters:
        raise RequestError("Either a Question or a HITLayoutId must be given.", "MissingParameter")
    call.within("LifetimeInSeconds", 30, _YEAR_S)
    call.within("MaxAssignments", 1, _MOST_ASSIGNMENTS)
    call.no_longer_than("RequesterAnnotation", 255)
    read_question(call["Question"])
    token = new_token("3")
    earlier = use_token(call.connection, call.requester, operation, call.get("UniqueRequestToken"), token, call.now)
    if earlier is not None:
        raise RequestError(f'The HIT with ID "{earlier}" already exists.', "HitAlreadyExists")
    made = call.connection.execute(
        insert(HIT).returning(HIT.id),
        {
            "token": token,
            "hit_type_id": kind[0],
            "requester_id": call.requester,
            "question": call["Question"],
            "annotation": call.get("RequesterAnnotation"),
            "max_assignments": call.get("MaxAssignments", 1),
            "expiration": call.now + timedelta(seconds=call["LifetimeInSeconds"]),
            "created_at": call.now,
        },
    ).scalar_one()
    refresh_hold(call.connection, made, call.now)
    return {"HIT": _describe(call, [_read(call, HIT.id == made)])[0]}


def get(call: Call) -> dict[str, Any]:
    """GetHIT."""
    return {"HIT": describe_hit(call, HIT.token == call["HITId"])}


def describe_hit(call: Call, condition: ColumnElement[bool]) -> dict[str, Any]:
    """The HIT structure of one HIT of the caller's. Raises RequestError where there is none."""
    return _describe(call, [_read(call, condition)])[0]


def _query(call: Call) -> Select[Any]:
    return (
        select(HIT.__table__, *(column.label(f"type_{column.name}") for column in HITType.__table__.columns))
        .join(HITType, HITType.id == HIT.hit_type_id)
        .where(HIT.requester_id == call.requester)
    )


def _read(call: Call, condition: ColumnElement[bool]) -> Row[Any]:
    row = call.connection.execute(_query(call).where(condition)).first()
    if row is None:
        raise unknown("HIT", call.get("HITId", ""))
    return row


def _describe(call: Call, rows: Iterable[Row[Any]]) -> list[dict[str, Any]]:
    rows = list(rows)
    counts = count_assignments(call.connection, [row.id for row in rows], call.now)
    return [_structure(call, row, counts.get(row.id, Counts())) for row in rows]


def _structure(call: Call, row: Row[Any], counts: Counts) -> dict[str, Any]:
    given: dict[str, Any] = {
        "HITId": row.token,
        "HITTypeId": row.type_token,
        "HITGroupId": row.type_group_token,
        "CreationTime": row.created_at,
        "Title": row.type_title,
        "Description": row.type_description,
        "Question": row.question,
        "Keywords": row.type_keywords,
        "HITStatus": status(row, counts, call.now),
        "MaxAssignments": row.max_assignments,
        "Reward": to_dollars(row.type_reward),
        "AutoApprovalDelayInSeconds": row.type_auto_approval_delay_s,
        "Expiration": row.expiration,
        "AssignmentDurationInSeconds": row.type_assignment_duration_s,
        "RequesterAnnotation": row.annotation,
        "QualificationRequirements": row.type_requirements,
        "HITReviewStatus": "MarkedForReview" if row.reviewing else "NotReviewed",
        "NumberOfAssignmentsPending": counts.pending,
        "NumberOfAssignmentsAvailable": row.max_assignments - counts.taken,
        "NumberOfAssignmentsCompleted": counts.completed,
    }
    return {name: value for name, value in given.items() if value is not None}


def list_all(call: Call) -> dict[str, Any]:
    """ListHITs: all that are not deleted, the newest first."""
    return _list(call, _query(call))


def list_for_qualification_type(call: Call) -> dict[str, Any]:
    """ListHITsForQualificationType: the caller's HITs that ask for a qualification."""
    kind = find_type(call, call["QualificationTypeId"])
    asks = exists().where(Requirement.hit_type_id == HIT.hit_type_id, Requirement.qualification_type_id == kind.id)
    return _list(call, _query(call).where(asks))


def list_reviewable(call: Call) -> dict[str, Any]:
    """ListReviewableHITs: those that are Reviewable, or Reviewing where that is asked for."""
    query = _query(call).where(_is_over(call), HIT.reviewing == (call.get("Status") == "Reviewing"))
    if "HITTypeId" in call.parameters:
        query = query.where(HIT.hit_type_id == hit_types.find(call, call["HITTypeId"])[0])
    return _list(call, query)


def _is_over(call: Call) -> ColumnElement[bool]:
    """`status` in SQL: nobody works on it, and nobody can begin."""
    of_this = and_(Assignment.hit_id == HIT.id, Assignment.state.not_in(GONE))
    taken = select(func.count()).where(of_this).scalar_subquery()
    pending = exists().where(of_this, Assignment.state == "accepted")
    return and_(or_(HIT.expiration <= call.now, taken >= HIT.max_assignments), ~pending)


def _list(call: Call, query: Select[Any]) -> dict[str, Any]:
    query = query.where(HIT.disposed_at.is_(None))
    rows, token = read_page(call.connection, query, HIT.id, call.parameters, newest_first=True)
    return listed("HITs", _describe(call, rows), token)


def _lock(call: Call) -> tuple[Row[Any], str]:
    """The caller's HIT, locked, and its status. Raises RequestError for one that is not theirs."""
    hit = lock_hit(call.connection, call["HITId"], call.now, call.requester)
    if hit is None:
        raise unknown("HIT", call["HITId"])
    counts = count_assignments(call.connection, [hit.id], call.now).get(hit.id, Counts())
    return hit, status(hit, counts, call.now)


def add_assignments(call: Call) -> dict[str, Any]:
    """CreateAdditionalAssignmentsForHIT."""
    call.within("NumberOfAdditionalAssignments", 1, _MOST_ASSIGNMENTS)
    hit, state = _lock(call)
    earlier = use_token(
        call.connection,
        call.requester,
        "CreateAdditionalAssignmentsForHIT",
        call.get("UniqueRequestToken"),
        hit.token,
        call.now,
    )
    if earlier is not None:
        raise RequestError(
            f"HIT {earlier} was extended with this UniqueRequestToken already; nothing was added.", "DuplicateCall"
        )
    if state == "Disposed":
        raise wrong_state("HIT", state, "Assignable, Unassignable, Reviewable, Reviewing")
    total = hit.max_assignments + call["NumberOfAdditionalAssignments"]
    if hit.max_assignments < MANY_ASSIGNMENTS <= total:
        raise RequestError(
            f"HITs created with fewer than {MANY_ASSIGNMENTS} assignments cannot be extended to have "
            f"{MANY_ASSIGNMENTS} or more assignments.",
            "InvalidMaximumAssignmentsIncrease",
        )
    if total > _MOST_ASSIGNMENTS:
        raise RequestError(f"A HIT has at most {_MOST_ASSIGNMENTS} assignments.", "ParameterValidationError")
    call.connection.execute(update(HIT).where(HIT.id == hit.id).values(max_assignments=total))
    _reopened(call, hit)
    return {}


def update_expiration(call: Call) -> dict[str, Any]:
    """UpdateExpirationForHIT: a time that is past ends the HIT now."""
    hit, state = _lock(call)
    if state == "Disposed":
        if call["ExpireAt"] <= call.now:
            return {}  # it is as asked; scripts end and delete a HIT twice
        raise wrong_state("HIT", state, "Assignable, Unassignable, Reviewable, Reviewing")
    if call["ExpireAt"] > call.now + timedelta(seconds=_YEAR_S):
        raise RequestError("ExpireAt is more than a year away.", "ParameterValidationError")
    expiration = call["ExpireAt"] if call["ExpireAt"] > call.now else min(hit.expiration, call.now)
    call.connection.execute(update(HIT).where(HIT.id == hit.id).values(expiration=expiration))
    _reopened(call, hit)
    return {}


def _reopened(call: Call, hit: Row[Any]) -> None:
    refresh_hold(call.connection, hit.id, call.now)
    now = call.connection.execute(select(HIT.__table__).where(HIT.id == hit.id)).one()
    counts = count_assignments(call.connection, [hit.id], call.now).get(hit.id, Counts())
    if now.reviewing and status(now, counts, call.now) == "Assignable":
        call.connection.execute(update(HIT).where(HIT.id == hit.id).values(reviewing=False))


def update_review_status(call: Call) -> dict[str, Any]:
    """UpdateHITReviewStatus: Reviewable to Reviewing, or back with Revert."""
    hit, state = _lock(call)
    revert = call.get("Revert", False)
    needed = "Reviewing" if revert else "Reviewable"
    if state != needed:
        raise wrong_state("HIT", state, needed)
    call.connection.execute(update(HIT).where(HIT.id == hit.id).values(reviewing=not revert))
    return {}


def delete(call: Call) -> dict[str, Any]:
    """DeleteHIT: only once nobody can work on it and all its assignments are reviewed."""
    hit, state = _lock(call)
    if state not in ("Reviewable", "Reviewing"):
        raise wrong_state("HIT", state, "Reviewing, Reviewable")
    unreviewed = exists().where(Assignment.hit_id == hit.id, Assignment.state == "submitted")
    if call.connection.scalar(select(unreviewed)):
        raise RequestError(
            f"HIT {hit.token} has assignments that are neither approved nor rejected.", "InvalidHITState"
        )
    call.connection.execute(update(HIT).where(HIT.id == hit.id).values(disposed_at=call.now))
    refresh_hold(call.connection, hit.id, call.now)
    return {}


def list_review_results(call: Call) -> dict[str, Any]:
    """ListReviewPolicyResultsForHIT: no HIT here has a review policy, so there are no results."""
    return {"HITId": _read(call, HIT.token == call["HITId"]).token}
