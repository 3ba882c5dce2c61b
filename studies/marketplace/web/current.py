"""What all pages share: the marketplace of their app, and the fault that is next."""

from __future__ import annotations

from collections.abc import Iterable

from flask import current_app, request

from crowdloom.studies.marketplace.faults import has_faults, take_fault
from crowdloom.studies.marketplace.market import Market


def current_market() -> Market:
    """The marketplace of the app that answers this request."""
    market: Market = current_app.extensions["crowdloom_market"]
    return market


def origin() -> str:
    """Where people reach this marketplace, without a slash at the end: what pages get as turkSubmitTo."""
    given: str | None = current_app.config["MARKET_ADDRESS"]
    return (given or request.host_url).rstrip("/")


def next_fault(market: Market, operation: str, kinds: Iterable[str]) -> str | None:
    """The fault that is to happen to this request; it counts from now on as having happened."""
    with market.store.read() as connection:
        if not has_faults(connection):
            return None
    with market.store.write() as connection:
        return take_fault(connection, operation, kinds)
