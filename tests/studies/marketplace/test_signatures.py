"""Who is let in: any key on this machine, added requesters everywhere, and each held to their secret."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from crowdloom.studies import database
from crowdloom.studies.marketplace import open_market
from tests.studies.marketplace.running import hit_values, requester, running


def refused(client: Any) -> str:
    """The error code of a client that is not let in."""
    with pytest.raises(ClientError) as caught:
        client.get_account_balance()
    code: str = caught.value.response["Error"]["Code"]
    return code


def test_secrets_are_verified(tmp_path: Path) -> None:
    """An added requester's requests count with their secret only, whatever is in them; it is in no message."""
    market = open_market(str(tmp_path / "market.db"))
    key, secret = market.add_requester("Lab")
    with running(market) as address:
        client = requester(address, key, secret)
        assert client.get_account_balance()["AvailableBalance"] == "10000.00"
        client.create_hit(**hit_values(Title="Größe & <Länge>  mit   Leerzeichen"))
        with pytest.raises(ClientError) as caught:
            requester(address, key, secret + "x").get_account_balance()
        assert caught.value.response["Error"]["Code"] == "InvalidSignatureException"
        assert secret not in str(caught.value)
        assert requester(address, "anybody", "anything").get_account_balance()["AvailableBalance"] == "10000.00"
    with running(market, open_accounts=False) as address:
        assert requester(address, key, secret).list_hits()["NumResults"] == 1
        assert refused(requester(address, "stranger", "anything")) == "UnrecognizedClientException"
        assert refused(requester(address, "anybody", "anything")) == "UnrecognizedClientException"
    market.close()


def test_clocks_may_differ_by_15_minutes(tmp_path: Path) -> None:
    """A signature is good for a quarter of an hour; moving the marketplace's clock on changes nothing for callers."""
    market = open_market(str(tmp_path / "market.db"))
    key, secret = market.add_requester("Lab")
    market.advance(86_400)
    with running(market, open_accounts=False) as address:
        client = requester(address, key, secret)
        assert client.get_account_balance()["OnHoldBalance"] == "0.00"
        for minutes in (16, -16):
            market.clock = lambda minutes=minutes: database.now() + timedelta(minutes=minutes)
            assert refused(client) == "InvalidSignatureException"
    market.close()


def test_requests_are_throttled(tmp_path: Path) -> None:
    """More than `rate` requests a second are refused with what SDKs wait for; others are not held up."""
    market = open_market(str(tmp_path / "market.db"))
    moment = database.now()
    market.clock = lambda: moment
    with running(market, rate=2.0) as address:
        client = requester(address, retries=1)
        for _ in range(4):
            client.get_account_balance()
        assert refused(client) == "ThrottlingException"
        requester(address, "other", retries=1).get_account_balance()
        market.advance(1)
        for _ in range(2):
            client.get_account_balance()
        assert refused(client) == "ThrottlingException"
        market.clock = database.now
        requester(address, retries=5).list_hits()
    market.close()
