"""Money that goes to workers: a row for each payment, and the requester's balance with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from crowdloom.studies.marketplace.money import bonus_fee
from crowdloom.studies.marketplace.tables import HIT, Assignment, Payment, Requester


def pay_reward(connection: Connection, assignment: Row[Any], now: datetime, feedback: str | None = None) -> None:
    """Approve an assignment and pay what was promised for it; the caller has locked its HIT and seen its state."""
    changed: dict[str, Any] = {"state": "approved", "approved_at": now, "rejected_at": None, "due_at": None}
    if feedback is not None:
        changed["feedback"] = feedback
    connection.execute(update(Assignment).where(Assignment.id == assignment.id).values(changed))
    requester = connection.scalars(select(HIT.requester_id).where(HIT.id == assignment.hit_id)).one()
    _pay(connection, "reward", requester, assignment, assignment.reward, assignment.fee, None, now)
    connection.execute(
        update(Requester)
        .where(Requester.id == requester)
        .values(balance=Requester.balance - assignment.reward - assignment.fee)
    )


def pay_bonus(
    connection: Connection, requester: int, assignment: Row[Any], cents: int, reason: str, now: datetime
) -> bool:
    """Pay a bonus and its fee; False where the requester has too little, and then nothing was paid."""
    fee = bonus_fee(cents)
    taken = connection.execute(
        update(Requester)
        .where(Requester.id == requester, Requester.balance - Requester.on_hold >= cents + fee)
        .values(balance=Requester.balance - cents - fee)
    )
    if taken.rowcount == 1:
        _pay(connection, "bonus", requester, assignment, cents, fee, reason, now)
    return taken.rowcount == 1


def _pay(
    connection: Connection,
    kind: str,
    requester: int,
    assignment: Row[Any],
    amount: int,
    fee: int,
    reason: str | None,
    now: datetime,
) -> None:
    connection.execute(
        insert(Payment),
        {
            "kind": kind,
            "requester_id": requester,
            "worker_id": assignment.worker_id,
            "assignment_id": assignment.id,
            "amount": amount,
            "fee": fee,
            "reason": reason,
            "paid_at": now,
        },
    )
