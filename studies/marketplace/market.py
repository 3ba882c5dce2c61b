"""The marketplace as an object: its database, its clock, and what its keeper and tests do with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, literal, select, union_all

from crowdloom.studies import database
from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError
from crowdloom.studies.marketplace import faults, requesters, work, workers
from crowdloom.studies.marketplace.clock import move_on, read_offset
from crowdloom.studies.marketplace.hits import lock_hit
from crowdloom.studies.marketplace.money import to_cents
from crowdloom.studies.marketplace.opening import open_database
from crowdloom.studies.marketplace.tables import HIT, Assignment, Marketplace, Payment, Requester, Worker


@dataclass(frozen=True)
class Paid:
    """One payment to a worker."""

    kind: str
    """`reward` or `bonus`."""
    worker_id: str
    assignment_id: str
    hit_id: str
    access_key: str
    """Of the requester who paid."""
    amount: int
    """What the worker got, in cents."""
    fee: int
    """What the marketplace took beside it, in cents."""
    reason: str | None
    paid_at: datetime


class Market:
    """A marketplace over an open database; get one from `open_market`."""

    def __init__(self, store: Store, clock: Callable[[], datetime] = database.now) -> None:
        """`clock` tells the time (UTC); `advance` moves on from what it tells."""
        self.store = store
        self.clock = clock

    @property
    def url(self) -> str:
        """The database's address, password included, for another process."""
        return self.store.url

    def close(self) -> None:
        """Close every connection."""
        self.store.close()

    # Time

    def now(self) -> datetime:
        """The marketplace's time."""
        with self.store.read() as connection:
            return self.clock() + read_offset(connection)

    def advance(self, seconds: int) -> None:
        """Move the marketplace's clock on, for every process, and let happen what that makes due.

        Raises OptionError for going back.
        """
        with self.store.write() as connection:
            move_on(connection, seconds)
        self.settle()

    def settle(self) -> datetime:
        """Let time-outs, automatic approvals and expiries happen that are due; the time that they were held against.

        One HIT at a time, each in a transaction of its own: two processes that do the same cannot block each other.
        """
        with self.store.read() as connection:
            now = self.clock() + read_offset(connection)
            by_work = select(Assignment.hit_id).where(Assignment.due_at <= now)
            by_hit = select(HIT.id).where(HIT.hold_until <= now)
            due = connection.scalars(union_all(by_work, by_hit)).all()
            tokens = (
                connection.scalars(select(HIT.token).where(HIT.id.in_(set(due))).order_by(HIT.id)).all() if due else []
            )
        for token in tokens:
            with self.store.write() as connection:
                lock_hit(connection, token, now)
        return now

    # The keeper

    def add_worker(
        self,
        *,
        country: str = "US",
        subdivision: str | None = None,
        adult: bool = True,
        masters: bool = False,
        approved: int = 0,
        percent: int = 100,
    ) -> tuple[str, str]:
        """Invite a person: their worker id, and the invitation that signs them in at `/enter/INVITATION`.

        They bring along a history of `approved` assignments, which are `percent` of those reviewed.
        Raises OptionError for a place or a history that cannot be.
        """
        with self.store.write() as connection:
            return workers.add_worker(
                connection,
                self._now(connection),
                country=country,
                subdivision=subdivision,
                adult=adult,
                masters=masters,
                approved=approved,
                percent=percent,
            )

    def add_requester(self, name: str) -> tuple[str, str]:
        """Open a requester's account: its access key id and its secret. Raises OptionError."""
        with self.store.write() as connection:
            return requesters.add_requester(connection, name, self._now(connection))

    def deposit(self, access_key: str, amount: str) -> None:
        """Add dollars to an account. Raises OptionError for an unknown one and for what is no amount."""
        if not amount.replace(".", "", 1).isdigit() or len(amount.partition(".")[2]) > 2 or amount.startswith("."):
            raise OptionError(f"{amount!r} is no amount in dollars; write 25 or 25.50")
        with self.store.write() as connection:
            requesters.deposit(connection, access_key, to_cents(amount, "the amount"))

    def add_fault(self, operation: str, kind: str, times: int = 1) -> None:
        """Let the next `times` calls of an operation (or `externalSubmit`, `accept`) go wrong; see `faults.py`.

        Raises OptionError for an unknown operation or kind.
        """
        with self.store.write() as connection:
            faults.add_fault(connection, operation, kind, times)

    def clear_faults(self) -> int:
        """Let nothing go wrong any more; how many faults were still to come."""
        with self.store.write() as connection:
            return faults.clear_faults(connection)

    def cookie_key(self) -> str:
        """What signs the cookies of signed-in workers."""
        with self.store.read() as connection:
            return str(connection.scalar(select(Marketplace.cookie_key)))

    # A worker, as a test plays one

    def accept(self, hit_id: str, worker_id: str) -> str:
        """Accept a HIT as a worker does on the site; the assignment's id. Raises WorkError, NoSuchPageError."""
        with self._as_worker(worker_id) as (connection, worker, now):
            return work.accept(connection, hit_id, worker, now)

    def submit(self, assignment_id: str, answers: dict[str, str]) -> bool:
        """Submit answers as the form post to externalSubmit does; False if they were submitted before.

        Raises WorkError, NoSuchPageError.
        """
        now = self.settle()
        with self.store.write() as connection:
            return work.submit(connection, assignment_id, answers.items(), now)

    def give_back(self, assignment_id: str, worker_id: str) -> None:
        """Return an assignment as a worker does on the site. Raises WorkError, NoSuchPageError."""
        with self._as_worker(worker_id) as (connection, worker, now):
            work.give_back(connection, assignment_id, worker, now)

    # What a test asks

    def paid(self, worker_id: str) -> int:
        """What a worker got in all, rewards and bonuses, in cents."""
        return sum(payment.amount for payment in self.payments() if payment.worker_id == worker_id)

    def payments(self) -> list[Paid]:
        """Every payment to a worker, the oldest first."""
        self.settle()
        query = (
            select(
                Payment.kind,
                Worker.token.label("worker_id"),
                Assignment.token.label("assignment_id"),
                HIT.token.label("hit_id"),
                Requester.access_key,
                Payment.amount,
                Payment.fee,
                Payment.reason,
                Payment.paid_at,
            )
            .join(Worker, Worker.id == Payment.worker_id)
            .join(Assignment, Assignment.id == Payment.assignment_id)
            .join(HIT, HIT.id == Assignment.hit_id)
            .join(Requester, Requester.id == Payment.requester_id)
            .order_by(Payment.id)
        )
        with self.store.read() as connection:
            return [Paid(*row) for row in connection.execute(query)]

    def count(self, what: str) -> int:
        """How many `workers`, `hits` or `assignments` there are, whatever their state."""
        tables = {"workers": Worker, "hits": HIT, "assignments": Assignment}
        with self.store.read() as connection:
            return connection.scalar(select(func.count(literal(1))).select_from(tables[what])) or 0

    def _now(self, connection: Connection) -> datetime:
        return self.clock() + read_offset(connection)

    @contextmanager
    def _as_worker(self, worker_id: str) -> Iterator[tuple[Connection, Row[Any], datetime]]:
        now = self.settle()
        with self.store.write() as connection:
            worker = workers.find_worker(connection, worker_id)
            if worker is None:
                raise OptionError(f"no worker has the id {worker_id!r}")
            yield connection, worker, now


def open_market(url: str | None = None, *, create: bool = True, clock: Callable[[], datetime] = database.now) -> Market:
    """Open a marketplace's database: a SQLAlchemy URL or the path of a SQLite file, else `$CROWDLOOM_MARKETPLACE`.

    An empty one gets the tables, unless `create` is false. Raises StoreError for one that cannot be used.
    """
    return Market(open_database(url, create=create), clock)
