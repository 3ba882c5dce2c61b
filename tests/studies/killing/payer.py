"""The process that pays, and is killed. `python -m tests.studies.killing.payer` forks one for each order that it reads.

Forking a process that has everything loaded takes milliseconds, starting Python takes seconds. The payer does what
`crowdloom review --approve-all`, `bonus --pay`, `pay` and `reconcile` do, in that order, and dies by SIGKILL at
the n-th of its steps: before a transaction, within it, after it; before a call of the platform, after it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import boto3  # noqa: F401 - loaded once, before the forks
import httpx  # noqa: F401
from sqlalchemy import Connection, select

from crowdloom.studies.database import Store, make_engine, now
from crowdloom.studies.ledger import owe, payments, record_by_hand
from crowdloom.studies.paying import owe_rewards, pay
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.mturk_account import connect
from crowdloom.studies.platforms.prolific_api import certificates
from crowdloom.studies.polling import poll
from crowdloom.studies.posted import read_posting
from crowdloom.studies.reconciling import reconcile
from crowdloom.studies.review import approve_passing
from crowdloom.studies.tables import Submission


class Tripwire:
    """Counts steps, and kills this process at one of them."""

    def __init__(self, kill_at: int | None) -> None:
        self.kill_at = kill_at
        self.steps = 0
        self.armed = False

    def step(self) -> None:
        """One more step."""
        if not self.armed:
            return
        self.steps += 1
        if self.steps == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


class TrippedStore(Store):
    """A store whose transactions are steps: before, within (all of it written, nothing committed), after."""

    def __init__(self, url: str, wire: Tripwire) -> None:
        super().__init__(make_engine(url))
        self._wire = wire

    @contextmanager
    def write(self) -> Iterator[Connection]:
        self._wire.step()
        with super().write() as connection:
            yield connection
            self._wire.step()
        self._wire.step()


class TrippedAccount:
    """An account each of whose calls has a step before and one after it."""

    def __init__(self, account: Any, wire: Tripwire) -> None:
        self._account, self._wire = account, wire

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._account, name)

        def stepped(*arguments: Any, **options: Any) -> Any:
            self._wire.step()
            answer = call(*arguments, **options)
            answer = list(answer) if name == "submissions" else answer
            self._wire.step()
            return answer

        return stepped


def work(order: dict[str, Any], wire: Tripwire) -> dict[str, Any]:
    """One round of paying; what was found."""
    store = TrippedStore(order["store"], wire)

    def moment() -> datetime:
        return now() + timedelta(hours=order["hours"])

    with store.read() as connection:
        posted = read_posting(connection, order["posting"])
    pays = PLATFORMS[posted.platform].capabilities.pays
    account: Any = TrippedAccount(posted.account(), wire) if pays else None
    wire.armed = True
    with store.write() as connection:
        approve_passing(connection, posted.design.name)
    with store.write() as connection:
        owe_rewards(connection, posted)
        if posted.design.bonus is not None:
            completed = select(Submission.id).where(Submission.posting_id == posted.id, Submission.state == "completed")
            for submission in connection.scalars(completed).all():
                owe(connection, submission, "bonus", posted.design.bonus.amount)
    if account is None:
        with store.write() as connection:
            record_by_hand(connection, payments(connection, posted, states=("pending",)))
    else:
        wire.armed = False  # looking pays nobody
        poll(store, posted, account)
        wire.armed = True
        pay(store, posted, account, moment=moment)
    wire.armed = False
    found = reconcile(store, posted, account, moment=moment())
    with store.read() as connection:
        ledger = [(due.purpose, due.state) for due in payments(connection, posted)]
    return {
        "steps": wire.steps,
        "ledger": ledger,
        "differences": [(one.kind, one.who, one.what) for one in found.differences],
    }


def load() -> None:
    """What every payer would read anew: certificates, and how Amazon describes its services."""
    certificates()
    connect("http://127.0.0.1:9", {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"})


def main() -> None:
    """Read orders, one JSON object a line; answer each with what became of its process."""
    load()
    for line in sys.stdin:
        order = json.loads(line)
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read)
            os.environ.update(order["environ"])
            try:
                said = work(order, Tripwire(order["kill_at"]))
            except BaseException:  # noqa: BLE001 - whatever it was, the test is to see it
                said = {"error": traceback.format_exc()}
            os.write(write, json.dumps(said).encode())
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as pipe:
            said_text = pipe.read()
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print(json.dumps({"killed": killed, **(json.loads(said_text) if said_text else {})}), flush=True)


if __name__ == "__main__":
    main()
