"""The platforms on which people are paid, each with two who have worked: a real store, a real service over HTTP."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from crowdloom.studies.database import Store, open_store
from crowdloom.studies.design import Design
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.marketplace import Market
from crowdloom.studies.participation import Designs, finish_instructions, read_progress, save_answer
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.publishing import plan_posting, put_up
from crowdloom.studies.tables import Listing
from tests.prolific import StandIn
from tests.studies.designs import load, make_design, make_images
from tests.studies.takers import ANSWER

REWARD, BONUS = 120, 41
PEOPLE = 2
ANSWERS = ("effect-then-500", "effect-then-drop", "500", "throttle")
"""Faults of the calls that pay."""
ON_SET_UP = " on set-up"
"""The same of the call by which Prolific is told of bonuses before it is asked to pay them."""
Truth = Counter[tuple[str, str, int]]
"""What the platform really paid: (person, reward or bonus, minor units) and how often."""


@dataclass
class Case:
    """A study with people who have handed in, and what each is to get."""

    store: Path
    posting: str
    environ: dict[str, str]
    people: list[str] = field(default_factory=list)
    listing: str = ""

    @property
    def owed(self) -> Truth:
        """Everybody's reward and bonus, once."""
        return Counter({(who, kind, amount): 1 for who in self.people for kind, amount in _OWED})


_OWED = (("reward", REWARD), ("bonus", BONUS))


def template(folder: Path, currency: str) -> tuple[Path, Design]:
    """A store with the study loaded, to be copied for each case."""
    design = make_design(
        batches={"size": 1, "responses_per_item": PEOPLE + 1},
        people={"minutes": 2, "hold_minutes": 30, "reward": f"1.20 {currency}"},
        bonus={"rule": "agreement", "amount": f"0.41 {currency}", "share": 1.0},
        link={"completion_code": "DONE"},
    )
    make_images(folder, 1)
    path = folder / "template.db"
    store = open_store(str(path))
    load(store, folder, design)
    store.close()
    return path, design


class World:
    """What every platform's world has: a fresh case from the template."""

    platform = "link"
    currency = "USD"

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch
        (folder / "template").mkdir()
        self.template, self.design = template(folder / "template", self.currency)
        self.number = 0

    environ: dict[str, str] = {}

    @contextmanager
    def case(self, fault: str | None) -> Iterator[tuple[Case, Store]]:
        """A published study, its store open for as long as people come."""
        self.number += 1
        path = self.folder / f"case-{self.number}.db"
        shutil.copy(self.template, path)
        for name, value in self.environ.items():
            self.patch.setenv(name, value)
        store = open_store(str(path), create=False)
        try:
            with store.write() as connection:
                published, _ = plan_posting(connection, self.design.name, self.platform, "http://127.0.0.1:8000")
            put_up(store, published.token)
            with store.read() as connection:
                listing = connection.execute(select(Listing.remote_id)).scalar() or ""
            case = Case(path, published.token, self.environ, listing=listing)
            yield case, store
        finally:
            store.close()

    def take(self, store: Store, case: Case, query: dict[str, str], *, answers: bool = True) -> None:
        """Somebody comes by this query string, and answers everything (or nothing)."""
        arrival = PLATFORMS[self.platform].arrive(query, _where(store, case))
        with store.write() as connection:
            entry = find_entry(connection, case.posting, query.get("listing"))
            token = join(connection, entry, str(arrival.participant), arrival)
            finish_instructions(connection, read_progress(connection, token), self.design)
            progress = read_progress(connection, token)
            for position in range(len(progress.item_order) if answers else 0):
                save_answer(connection, Designs(store), progress, position, ANSWER, rt_ms=9, timing=None)

    def prepare(self, fault: str | None) -> Case:
        """Two people who completed and handed in, and the fault about to happen."""
        with self.case(fault) as (case, store):
            for number in range(PEOPLE):
                case.people.append(f"person-{self.number}-{number}")
                self.take(store, case, {"participant": case.people[-1]})
        return case

    def truth(self, case: Case) -> Truth | None:
        """What was really paid; None where no platform pays."""
        return None

    def clear(self) -> None:
        """Faults that did not happen are forgotten."""

    def settle(self) -> None:
        """What the platform does later, it does now."""


def _where(store: Store, case: Case) -> dict[str, Any]:
    with store.read() as connection:
        return find_entry(connection, case.posting).where


class MTurkWorld(World):
    """The MTurk-compatible marketplace."""

    platform = "mturk"

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, market: Market, address: str) -> None:
        super().__init__(folder, patch)
        self.market, self.address = market, address
        self.environ = {
            "AWS_ENDPOINT_URL_MTURK": address,
            "AWS_ACCESS_KEY_ID": "AKIAKILLING",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        }

    def prepare(self, fault: str | None) -> Case:
        with self.case(fault) as (case, store):
            if fault == "reissue-assignment-id":
                gone, _ = self.market.add_worker()
                assignment = self.market.accept(case.listing, gone)
                self.take(store, case, self._query(case, gone, assignment), answers=False)
                self.market.add_fault("accept", fault)
                self.market.give_back(assignment, gone)
            if fault == "lost-submit":
                self.market.add_fault("externalSubmit", fault)
            for _ in range(PEOPLE):
                worker, _ = self.market.add_worker()
                assignment = self.market.accept(case.listing, worker)
                self.take(store, case, self._query(case, worker, assignment))
                self._hand_in(assignment)
                case.people.append(worker)
        if fault in ANSWERS:
            for operation in ("ApproveAssignment", "SendBonus"):
                # Throttled once, the client waits and asks again; the others are met again by its next tries.
                self.market.add_fault(operation, fault, times=1 if fault == "throttle" else PEOPLE + 1)
        return case

    def _query(self, case: Case, worker: str, assignment: str) -> dict[str, str]:
        return {
            "assignmentId": assignment,
            "hitId": case.listing,
            "workerId": worker,
            "turkSubmitTo": self.address,
        }

    def _hand_in(self, assignment: str) -> None:
        """As a browser does, again where it got no answer that says so."""
        for _ in range(3):
            try:
                answer = httpx.post(
                    f"{self.address}/mturk/externalSubmit",
                    data={"assignmentId": assignment, "code": "x"},
                    verify=False,  # plain HTTP: no certificates to read
                )
            except httpx.TransportError:
                continue
            if answer.is_success:
                return
        raise AssertionError("the work could not be handed in")

    def truth(self, case: Case) -> Truth:
        return Counter(
            (paid.worker_id, paid.kind, paid.amount) for paid in self.market.payments() if paid.hit_id == case.listing
        )

    def clear(self) -> None:
        self.market.clear_faults()


class ProlificWorld(World):
    """The Prolific stand-in, on which a second `pay` pays twice, and bonuses come later."""

    platform = "prolific"

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, prolific: StandIn) -> None:
        super().__init__(folder, patch)
        self.prolific = prolific
        self.environ = dict(prolific.environ)

    def prepare(self, fault: str | None) -> Case:
        with self.case(fault) as (case, store):
            if fault == "lost-submit":
                self.prolific.fault("complete", fault)
            codes = self.prolific.study(case.listing)["completion_codes"]
            code = next(one["code"] for one in codes if one["code_type"] == "COMPLETED")
            for _ in range(PEOPLE):
                participant = self.prolific.add_participant()
                url = httpx.URL(self.prolific.arrive(case.listing, participant))
                self.take(store, case, dict(url.params))
                self._hand_in(url.params["SESSION_ID"], participant, code)
                case.people.append(participant)
        kind = (fault or "").removesuffix(ON_SET_UP)
        if kind in ANSWERS:
            # A set-up that fails keeps the payer from the call that pays, so it is a series of its own.
            last = "create-bonus-payments" if fault != kind else "pay-bonus-payments"
            for operation in ("transition-submission", "bulk-approve-submissions", last):
                self.prolific.fault(operation, kind)
        return case

    def _hand_in(self, submission: str, participant: str, code: str) -> None:
        for _ in range(3):
            try:
                page = self.prolific.open_page(f"{self.prolific.app_url}/submissions/complete?cc={code}", participant)
            except httpx.TransportError:
                continue
            if page.is_success:
                return
        raise AssertionError("the work could not be handed in")

    def truth(self, case: Case) -> Truth:
        return Counter(
            (participant, kind, amount)
            for participant in case.people
            for kind, amount in self.prolific.paid(participant)
        )

    def clear(self) -> None:
        self.prolific.clear_faults()

    def settle(self) -> None:
        self.prolific.settle()
