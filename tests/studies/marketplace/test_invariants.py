"""What holds after any sequence of calls, whoever made them: checked from the tables, by other code than ours."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from crowdloom.studies.marketplace.errors import NoSuchPageError, WorkError
from crowdloom.studies.marketplace.tables import HIT, Assignment, HITType, Payment, Requester
from tests.studies.marketplace.conftest import Running
from tests.studies.marketplace.running import hit_values

STEPS = 250


class Chance:
    """Does what requesters and workers do, in any order, sensible or not; refusals count as done."""

    def __init__(self, shop: Running, seed: int) -> None:
        self.shop, self.random = shop, random.Random(seed)
        self.people = [shop.market.add_worker()[0] for _ in range(6)]
        self.hits = [shop.hit(MaxAssignments=3)]
        self.assignments: list[tuple[str, str]] = [("3NONE", self.people[0])]
        self.done: Counter[str] = Counter()

    def step(self) -> None:
        """Do one thing."""
        name = self.random.choice([name for name in dir(self) if name.startswith("do_")])
        try:
            getattr(self, name)()
        except (WorkError, NoSuchPageError, self.shop.client.exceptions.RequestError):
            return
        self.done[name.removeprefix("do_")] += 1

    def _hit(self) -> str:
        return self.random.choice(self.hits)

    def _assignment(self) -> tuple[str, str]:
        return self.random.choice(self.assignments[-12:])

    def do_create(self) -> None:
        """A HIT that is short, long, cheap, dear, approved automatically or not."""
        chosen = self.random.choice
        values = hit_values(
            Reward=chosen(["0.01", "0.50", "3.34", "400"]),
            MaxAssignments=chosen([1, 3, 10]),
            LifetimeInSeconds=chosen([30, 3600]),
            AutoApprovalDelayInSeconds=chosen([0, 600, 7200]),
        )
        self.hits.append(self.shop.client.create_hit(**values)["HIT"]["HITId"])

    def do_accept(self) -> None:
        """Somebody accepts something."""
        worker = self.random.choice(self.people)
        self.assignments.append((self.shop.market.accept(self._hit(), worker), worker))

    do_accept_too = do_accept

    def do_submit(self) -> None:
        """An assignment is submitted, perhaps once more."""
        self.shop.market.submit(self._assignment()[0], {"digit": "7"})

    do_submit_too = do_submit

    def do_return(self) -> None:
        """An assignment is returned."""
        self.shop.market.give_back(*self._assignment())

    def do_approve(self) -> None:
        """Work is approved, rejected or not."""
        self.shop.client.approve_assignment(AssignmentId=self._assignment()[0], OverrideRejection=True)

    def do_reject(self) -> None:
        """Work is rejected."""
        self.shop.client.reject_assignment(AssignmentId=self._assignment()[0], RequesterFeedback="")

    def do_bonus(self) -> None:
        """Somebody gets a bonus."""
        assignment, worker = self._assignment()
        self.shop.client.send_bonus(WorkerId=worker, AssignmentId=assignment, BonusAmount="0.07", Reason="r")

    def do_advance(self) -> None:
        """Time goes on."""
        self.shop.market.advance(self.random.choice([1, 40, 900]))

    def do_expire(self) -> None:
        """A HIT is ended, or given more time."""
        later = self.shop.market.now() + timedelta(seconds=self.random.choice([-100, 3600]))
        self.shop.client.update_expiration_for_hit(HITId=self._hit(), ExpireAt=later)

    def do_extend(self) -> None:
        """A HIT gets another assignment."""
        self.shop.client.create_additional_assignments_for_hit(HITId=self._hit(), NumberOfAdditionalAssignments=1)

    def do_retype(self) -> None:
        """A HIT takes on the values of another one."""
        kind = self.shop.client.get_hit(HITId=self._hit())["HIT"]["HITTypeId"]
        self.shop.client.update_hit_type_of_hit(HITId=self._hit(), HITTypeId=kind)

    def do_delete(self) -> None:
        """A HIT is deleted."""
        self.shop.client.delete_hit(HITId=self._hit())


def check(shop: Running) -> None:
    """Hold the tables against what must be."""
    now = shop.market.now()
    with shop.market.store.read() as connection:

        def rows(table: Any) -> list[Any]:
            return list(connection.execute(select(table.__table__)))

        (requester,) = rows(Requester)
        hits, kinds = rows(HIT), {kind.id: kind for kind in rows(HITType)}
        assignments, payments = rows(Assignment), rows(Payment)
    assert requester.balance + sum(payment.amount + payment.fee for payment in payments) == 1_000_000
    assert 0 <= requester.on_hold <= requester.balance
    assert requester.on_hold == sum(hit.held for hit in hits)
    rewards = Counter(payment.assignment_id for payment in payments if payment.kind == "reward")
    assert rewards == {one.id: 1 for one in assignments if one.state == "approved"}
    for hit in hits:
        own = [one for one in assignments if one.hit_id == hit.id and one.state not in ("returned", "abandoned")]
        assert len(own) <= hit.max_assignments
        assert len({one.worker_id for one in own}) == len(own)
        open_places = hit.max_assignments - len(own) if hit.disposed_at is None and hit.expiration > now else 0
        reward = kinds[hit.hit_type_id].reward
        fee = max(round(reward * 0.2 + 1e-9), 1) * (2 if hit.max_assignments >= 10 else 1)
        owed = sum(one.reward + one.fee for one in own if one.state in ("accepted", "submitted"))
        assert hit.held == owed + open_places * (reward + fee)


@pytest.mark.parametrize("seed", [1, 2])
def test_any_sequence_of_calls(both: Running, seed: int) -> None:
    """Money is neither made nor lost, nothing is paid twice or not at all, no place is given twice."""
    chance = Chance(both, seed)
    for _ in range(STEPS):
        chance.step()
        both.market.settle()
        check(both)
    assert len(chance.done) >= 12, f"too little happened: {chance.done}"
