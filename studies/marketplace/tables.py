"""The marketplace's own schema, to be read in one go; it shares no table with the studies' store.

Conventions as in `crowdloom.studies.tables`: `id` is internal, a `token` is what the outside sees (here
in MTurk's alphabet, A-Z and 0-9), times are UTC. Money is whole US cents.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from crowdloom.studies.tables import Key, UTCDateTime

Cents = BigInteger


class MarketTable(DeclarativeBase):
    """The base of all tables; `MarketTable.metadata` is the schema of a fresh database."""

    type_annotation_map = {list[Any]: JSON, datetime: UTCDateTime}


def _id() -> Mapped[int]:
    return mapped_column(Key, primary_key=True, autoincrement=True)


def _to(column: str, **options: Any) -> Mapped[Any]:
    return mapped_column(Key, ForeignKey(column), **options)


def _token() -> Mapped[str]:
    return mapped_column(String(64), unique=True)


class Marketplace(MarketTable):
    """One row: the schema's version, how far the clock was moved on, and the key that signs workers' cookies."""

    __tablename__ = "marketplace"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[str] = mapped_column(String(10))
    clock_offset_s: Mapped[int] = mapped_column(BigInteger, server_default="0")
    cookie_key: Mapped[str] = mapped_column(String(64))


class Requester(MarketTable):
    """An account. Without a secret it was opened by a request from this machine, and any signature is good."""

    __tablename__ = "requester"
    id: Mapped[int] = _id()
    access_key: Mapped[str] = mapped_column(String(128), unique=True)
    secret: Mapped[str | None] = mapped_column(String(128))
    name: Mapped[str] = mapped_column(String(100))
    balance: Mapped[int] = mapped_column(Cents)  # what is on hold included
    on_hold: Mapped[int] = mapped_column(Cents, server_default="0")
    allowance: Mapped[float | None]  # requests left before throttling, at `allowance_at`
    allowance_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Worker(MarketTable):
    """A person who was invited; of the invitation only a digest is kept. The history is what they brought along."""

    __tablename__ = "worker"
    id: Mapped[int] = _id()
    token: Mapped[str] = _token()
    invitation_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    country: Mapped[str] = mapped_column(String(2))
    subdivision: Mapped[str | None] = mapped_column(String(2))
    approved_before: Mapped[int]
    rejected_before: Mapped[int]
    created_at: Mapped[datetime]


class HITType(MarketTable):
    """What HITs have in common; equal values of one requester are one row (`sha256` is of the values)."""

    __tablename__ = "hit_type"
    __table_args__ = (UniqueConstraint("requester_id", "sha256"),)
    id: Mapped[int] = _id()
    token: Mapped[str] = _token()
    group_token: Mapped[str] = _token()
    requester_id: Mapped[int] = _to("requester.id")
    sha256: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    keywords: Mapped[str | None] = mapped_column(Text)
    reward: Mapped[int] = mapped_column(Cents)
    auto_approval_delay_s: Mapped[int] = mapped_column(BigInteger)
    assignment_duration_s: Mapped[int] = mapped_column(BigInteger)
    requirements: Mapped[list[Any]]  # as they came
    created_at: Mapped[datetime]


class Requirement(MarketTable):
    """Which HIT types ask for which qualification type."""

    __tablename__ = "requirement"
    hit_type_id: Mapped[int] = _to("hit_type.id", primary_key=True)
    qualification_type_id: Mapped[int] = _to("qualification_type.id", primary_key=True, index=True)


class HIT(MarketTable):
    """A task. Its status is worked out from its assignments and the clock, see `hits.py`."""

    __tablename__ = "hit"
    __table_args__ = (
        Index("hit_by_requester", "requester_id", "id"),
        Index("hit_by_type", "hit_type_id", "id"),
        Index("hit_hold", "hold_until"),
    )
    id: Mapped[int] = _id()
    token: Mapped[str] = _token()
    hit_type_id: Mapped[int] = _to("hit_type.id")
    requester_id: Mapped[int] = _to("requester.id")
    question: Mapped[str] = mapped_column(Text)
    annotation: Mapped[str | None] = mapped_column(Text)
    max_assignments: Mapped[int]
    expiration: Mapped[datetime]
    reviewing: Mapped[bool] = mapped_column(server_default=text("false"))
    disposed_at: Mapped[datetime | None]
    held: Mapped[int] = mapped_column(Cents, server_default="0")  # its part of the requester's `on_hold`
    hold_until: Mapped[datetime | None]  # when time alone sets a part of that free
    created_at: Mapped[datetime]


GONE = ("returned", "abandoned")
_LIVE = text("state NOT IN ('returned', 'abandoned')")


class Assignment(MarketTable):
    """One worker's go at one HIT.

    state: accepted -> submitted -> approved | rejected -> approved; or returned, abandoned. A token may
    come again once its assignment is gone, as MTurk's do. `due_at` is when time alone changes the state.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        Index("live_token", "token", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("live_worker", "hit_id", "worker_id", unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE),
        Index("assignment_by_token", "token", "id"),
        Index("assignment_by_hit", "hit_id", "state"),
        Index("assignment_by_worker", "worker_id", "id"),
        Index("assignment_due", "due_at"),
    )
    id: Mapped[int] = _id()
    token: Mapped[str] = mapped_column(String(64))
    hit_id: Mapped[int] = _to("hit.id")
    worker_id: Mapped[int] = _to("worker.id")
    state: Mapped[str] = mapped_column(String(10))
    reward: Mapped[int] = mapped_column(Cents)  # as promised when it was accepted
    fee: Mapped[int] = mapped_column(Cents)
    accepted_at: Mapped[datetime]
    deadline: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    auto_approval_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    rejected_at: Mapped[datetime | None]
    answer: Mapped[str | None] = mapped_column(Text)
    feedback: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime | None]


_REWARD = text("kind = 'reward'")


class Payment(MarketTable):
    """Money that went to a worker: one reward at most for an assignment, and any number of bonuses."""

    __tablename__ = "payment"
    __table_args__ = (
        Index("one_reward", "assignment_id", unique=True, sqlite_where=_REWARD, postgresql_where=_REWARD),
        Index("payment_by_assignment", "assignment_id", "id"),
        Index("payment_by_worker", "worker_id", "id"),
    )
    id: Mapped[int] = _id()
    kind: Mapped[str] = mapped_column(String(10))  # reward | bonus
    requester_id: Mapped[int] = _to("requester.id")
    worker_id: Mapped[int] = _to("worker.id")
    assignment_id: Mapped[int] = _to("assignment.id")
    amount: Mapped[int] = mapped_column(Cents)
    fee: Mapped[int] = mapped_column(Cents)
    reason: Mapped[str | None] = mapped_column(Text)
    paid_at: Mapped[datetime]


class RequestToken(MarketTable):
    """A UniqueRequestToken that was used, and the id that it led to; forgotten after 24 hours."""

    __tablename__ = "request_token"
    requester_id: Mapped[int] = _to("requester.id", primary_key=True)
    operation: Mapped[str] = mapped_column(String(40), primary_key=True)
    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    result: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime]


_NAMED = text("deleted_at IS NULL AND requester_id IS NOT NULL")


class QualificationType(MarketTable):
    """A property of workers; those without a requester are the system's."""

    __tablename__ = "qualification_type"
    __table_args__ = (
        Index("qualification_name", "requester_id", "name", unique=True, sqlite_where=_NAMED, postgresql_where=_NAMED),
    )
    id: Mapped[int] = _id()
    token: Mapped[str] = _token()
    requester_id: Mapped[int | None] = _to("requester.id")
    name: Mapped[str] = mapped_column(String(200))
    keywords: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10))  # Active | Inactive
    retry_delay_s: Mapped[int | None] = mapped_column(BigInteger)
    auto_granted: Mapped[bool]
    auto_granted_value: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class Qualification(MarketTable):
    """What a worker has of a qualification type, or had."""

    __tablename__ = "qualification"
    __table_args__ = (UniqueConstraint("qualification_type_id", "worker_id"),)
    id: Mapped[int] = _id()
    qualification_type_id: Mapped[int] = _to("qualification_type.id")
    worker_id: Mapped[int] = _to("worker.id", index=True)
    value: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(10))  # Granted | Revoked
    granted_at: Mapped[datetime]


class QualificationRequest(MarketTable):
    """A worker asked for a qualification. state: pending -> granted | rejected."""

    __tablename__ = "qualification_request"
    __table_args__ = (Index("request_by_type", "qualification_type_id", "id"),)
    id: Mapped[int] = _id()
    token: Mapped[str] = _token()
    qualification_type_id: Mapped[int] = _to("qualification_type.id")
    worker_id: Mapped[int] = _to("worker.id", index=True)
    state: Mapped[str] = mapped_column(String(10))
    submitted_at: Mapped[datetime]


class Block(MarketTable):
    """A requester wants no work of a worker."""

    __tablename__ = "block"
    __table_args__ = (UniqueConstraint("requester_id", "worker_id"),)
    id: Mapped[int] = _id()
    requester_id: Mapped[int] = _to("requester.id")
    worker_id: Mapped[int] = _to("worker.id")
    reason: Mapped[str] = mapped_column(Text)


class Message(MarketTable):
    """What would have been an e-mail to a worker."""

    __tablename__ = "message"
    __table_args__ = (Index("message_by_worker", "worker_id", "id"),)
    id: Mapped[int] = _id()
    worker_id: Mapped[int] = _to("worker.id")
    requester_id: Mapped[int] = _to("requester.id")
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime]


class Fault(MarketTable):
    """Something that is to go wrong, so many times; see `faults.py`."""

    __tablename__ = "fault"
    id: Mapped[int] = _id()
    operation: Mapped[str] = mapped_column(String(50))
    kind: Mapped[str] = mapped_column(String(30))
    remaining: Mapped[int]
