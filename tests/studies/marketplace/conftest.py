"""Fixtures for the marketplace: one over each database, with a clock that tests move, behind real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crowdloom.studies.marketplace import Market, open_market
from tests.studies.marketplace.running import hit_values, requester, running


@dataclass
class Running:
    """A marketplace, its address, and a requester's client for it."""

    market: Market
    address: str
    client: Any

    def hit(self, **changed: Any) -> str:
        """Create a HIT; its id."""
        token: str = self.client.create_hit(**hit_values(**changed))["HIT"]["HITId"]
        return token

    def status(self, hit: str) -> str:
        """Its HITStatus."""
        found: str = self.client.get_hit(HITId=hit)["HIT"]["HITStatus"]
        return found

    def numbers(self, hit: str) -> tuple[int, int, int]:
        """How many of its assignments are pending, available and completed."""
        found = self.client.get_hit(HITId=hit)["HIT"]
        return tuple(found[f"NumberOfAssignments{name}"] for name in ("Pending", "Available", "Completed"))

    def submitted(self, hit: str, **worker: Any) -> tuple[str, str]:
        """Let a new worker do a HIT: the assignment's id and theirs."""
        token, _ = self.market.add_worker(**worker)
        assignment = self.market.accept(hit, token)
        assert self.market.submit(assignment, {"digit": "7"})
        return assignment, token

    def money(self) -> tuple[str, str]:
        """What the requester has available and on hold."""
        balance = self.client.get_account_balance()
        return balance["AvailableBalance"], balance["OnHoldBalance"]


@pytest.fixture
def both(database: str) -> Iterator[Running]:
    """A marketplace once on SQLite and once on PostgreSQL."""
    yield from _run(database)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Running]:
    """A marketplace on SQLite."""
    yield from _run(str(tmp_path / "market.db"))


def _run(database: str) -> Iterator[Running]:
    market = open_market(database)
    with running(market) as address:
        yield Running(market, address, requester(address))
    market.close()
