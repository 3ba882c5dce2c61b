"""What a worker may do with a HIT: discover, preview, accept; and in words what stands against it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, exists, select

from crowdloom.studies.marketplace.requirements import Held, actions_guarded, describe, is_met
from crowdloom.studies.marketplace.system_qualifications import IN_WORDS
from crowdloom.studies.marketplace.tables import Block, QualificationType


def unmet(requirements: list[dict[str, Any]], held: dict[str, Held], action: str) -> list[dict[str, Any]]:
    """The requirements that keep a worker from `discover`, `preview` or `accept`."""
    return [
        requirement
        for requirement in requirements
        if action in actions_guarded(requirement)
        and not is_met(requirement, held.get(requirement["QualificationTypeId"]))
    ]


def may(requirements: list[dict[str, Any]], held: dict[str, Held], action: str) -> bool:
    """Whether a worker meets all requirements that guard an action or a lesser one (they come in this order)."""
    order = ("discover", "preview", "accept")
    return not any(unmet(requirements, held, one) for one in order[: order.index(action) + 1])


def explain(connection: Connection, requirements: list[dict[str, Any]]) -> list[str]:
    """Requirements as sentences' ends, with the names of their qualification types."""
    tokens = [requirement["QualificationTypeId"] for requirement in requirements]
    named = connection.execute(
        select(QualificationType.token, QualificationType.name).where(QualificationType.token.in_(tokens))
    )
    names: dict[str, str] = {**dict(named.all()), **IN_WORDS}
    return [describe(one, names.get(one["QualificationTypeId"], "a qualification")) for one in requirements]


def is_blocked(connection: Connection, requester: int, worker: Row[Any]) -> bool:
    """Whether a requester wants no work of a worker."""
    blocked = exists().where(Block.requester_id == requester, Block.worker_id == worker.id)
    return bool(connection.scalar(select(blocked)))
