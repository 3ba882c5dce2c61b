"""Faults on purpose: what is to go wrong, how often; kept in the database, so that every process sees them.

A test or a rehearsal sets them; nothing goes wrong by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select, update

from crowdloom.studies.errors import OptionError
from crowdloom.studies.marketplace.model import service
from crowdloom.studies.marketplace.tables import Fault

BEFORE = {"500": "fail before any effect", "drop": "close the connection before any effect"}
AFTER = {
    "effect-then-500": "do it, then answer with a failure",
    "effect-then-drop": "do it, then close the connection without an answer",
}
API_KINDS = {**BEFORE, **AFTER, "throttle": "refuse as too many requests"}
SITE_KINDS = {
    "externalSubmit": {**BEFORE, **AFTER, "lost-submit": "show an error page and keep nothing"},
    "accept": {**BEFORE, **AFTER, "reissue-assignment-id": "give the id that another worker returned"},
}


def add_fault(connection: Connection, operation: str, kind: str, times: int = 1) -> None:
    """Set a fault for the next `times` calls. Raises OptionError for an unknown operation or kind."""
    kinds = SITE_KINDS.get(operation)
    if kinds is None:
        if operation not in service().operation_names:
            raise OptionError(f"there is no operation {operation!r}; name one of MTurk's, externalSubmit or accept")
        kinds = API_KINDS
    if kind not in kinds:
        raise OptionError(f"{operation} has no fault {kind!r}; there are: {', '.join(kinds)}")
    if times < 1:
        raise OptionError(f"a fault {times} times is none; give 1 or more")
    connection.execute(insert(Fault), {"operation": operation, "kind": kind, "remaining": times})


def clear_faults(connection: Connection) -> int:
    """Forget all faults; how many were still to come."""
    coming = connection.scalars(select(Fault.remaining)).all()
    connection.execute(delete(Fault))
    return sum(coming)


def take_fault(connection: Connection, operation: str, kinds: Iterable[str]) -> str | None:
    """The oldest fault of these kinds that is set for an operation; it is then once less to come."""
    while True:
        found = connection.execute(
            select(Fault.id, Fault.kind)
            .where(Fault.operation == operation, Fault.kind.in_(list(kinds)), Fault.remaining > 0)
            .order_by(Fault.id)
            .limit(1)
        ).first()
        if found is None:
            return None
        taken = connection.execute(
            update(Fault).where(Fault.id == found.id, Fault.remaining > 0).values(remaining=Fault.remaining - 1)
        )
        if taken.rowcount == 1:
            return str(found.kind)


def has_faults(connection: Connection) -> bool:
    """Whether any is set, which a request can ask without writing."""
    return connection.scalar(select(Fault.id).where(Fault.remaining > 0).limit(1)) is not None
