"""Prolific: a study there leads people to our pages, a completion code leads them back.

The token comes from the environment (`PROLIFIC_TOKEN`) and goes into one header. Everything that speaks with the
service is in `prolific_account.py` and what it uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import quote

from crowdloom.studies.design import Design
from crowdloom.studies.errors import CredentialsError, PlaceError
from crowdloom.studies.platforms.origins import read_origin
from crowdloom.studies.platforms.prolific_terms import AT_ONCE, CATEGORIES, FEES, HOURLY_MINIMUM, REASON_MIN
from crowdloom.studies.platforms.protocol import Account, Arrival, Capabilities, Ending, Fee, HandBack

DEFAULT_URL, DEFAULT_APP_URL = "https://api.prolific.com", "https://app.prolific.com"

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Prolific:
    """The platform `prolific`."""

    name = "prolific"
    capabilities = Capabilities(
        pays=True,
        drafts=True,
        pauses=True,
        groups=True,
        messages=True,
        requests_return=True,
        lists_active=True,
        reason_min=REASON_MIN,
        rejection_categories=CATEGORIES,
        approvals_at_once=100,
        bonuses_at_once=AT_ONCE,
        bonus_settles=timedelta(minutes=60),
        currencies=tuple(HOURLY_MINIMUM),
        hourly_minimum=HOURLY_MINIMUM,
    )
    fields = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")

    def where(self, environ: Mapping[str, str]) -> dict[str, Any]:
        """The addresses of the API and of the app. Raises CredentialsError for one that cannot be trusted."""
        return {
            "api": _address(environ.get("PROLIFIC_URL") or DEFAULT_URL, "PROLIFIC_URL"),
            "app": _address(environ.get("PROLIFIC_APP_URL") or DEFAULT_APP_URL, "PROLIFIC_APP_URL"),
        }

    def frame_ancestors(self, where: Mapping[str, Any]) -> Sequence[str]:
        """Prolific opens the study in a tab of its own."""
        return ()

    def arrive(self, query: Mapping[str, str], where: Mapping[str, Any]) -> Arrival:
        """Who arrives, by the three fields that Prolific fills in. Raises PlaceError where one is missing or no id."""
        given = [query.get(name, "") for name in self.fields]
        if not all(re.fullmatch(r"[A-Za-z0-9]{6,64}", value, re.ASCII) for value in given):
            raise PlaceError("This page was not opened from Prolific; please open the study there again.")
        participant, study, session = given
        return Arrival(participant=participant, submission=session, listing=study)

    def hand_back(self, ending: Ending, where: Mapping[str, Any]) -> HandBack | None:
        """Prolific's completion page with the code of the outcome, whatever the outcome.

        >>> from types import SimpleNamespace
        >>> ending = Ending("completed", Arrival("5f0"), SimpleNamespace(), "C1")
        >>> Prolific().hand_back(ending, {"app": "https://app.prolific.com"}).url
        'https://app.prolific.com/submissions/complete?cc=C1'
        """
        url = f"{where['app']}/submissions/complete?cc={quote(ending.code, safe='')}"
        return HandBack(url, code=ending.code)

    def fee(self, rewards: Sequence[int], bonuses: int, design: Design) -> Fee:
        """Prolific's share of rewards and bonuses and the tax on it, each rounded half up to a minor unit once."""
        reward = design.people.reward.amount if design.people.reward else 0
        rate, vat = Decimal(FEES[design.prolific.account]), Decimal(str(design.prolific.vat))
        factor = rate * (1 + vat)
        sentence = (
            f"Prolific takes {_percent(rate)} % of rewards and bonuses ({design.prolific.account} accounts), "
            f"and {_percent(vat)} % value added tax on that."
        )
        return Fee(_share(reward * sum(rewards), factor), _share(bonuses, factor), sentence)

    def check_design(self, design: Design) -> str | None:
        """What keeps this design from being published on Prolific (one sentence), or None."""
        return next(_problems(design), None)

    def connect(self, where: Mapping[str, Any], environ: Mapping[str, str]) -> Account:
        """The account of `PROLIFIC_TOKEN`, in the workspace `PROLIFIC_WORKSPACE` where that is set.

        Raises CredentialsError where the token is missing or cannot be one.
        """
        token = environ.get("PROLIFIC_TOKEN", "").strip()
        if not token:
            raise CredentialsError("Prolific needs a token; create one in its settings and set PROLIFIC_TOKEN to it")
        if not re.fullmatch(r"[\x21-\x7e]{8,500}", token):
            raise CredentialsError("PROLIFIC_TOKEN is no token: it has signs in it that no token has, or is too short")
        workspace = environ.get("PROLIFIC_WORKSPACE", "").strip() or None
        if workspace is not None and not re.fullmatch(r"[A-Za-z0-9]{1,64}", workspace, re.ASCII):
            raise CredentialsError("PROLIFIC_WORKSPACE is no workspace's id")
        from crowdloom.studies.platforms.prolific_account import ProlificAccount
        from crowdloom.studies.platforms.prolific_api import Api

        app = _address(str(where["app"]), "PROLIFIC_APP_URL")
        return ProlificAccount(Api(_address(str(where["api"]), "PROLIFIC_URL"), token), app, workspace)


def _address(written: str, name: str) -> str:
    origin = read_origin(written.strip().rstrip("/"))
    if origin is None:
        # It may hold a password, so it is not repeated.
        raise CredentialsError(f"{name} is no plain address; write it as https://HOST, without user name or path")
    if origin.scheme == "http" and origin.host not in _LOOPBACK:
        raise CredentialsError(f"{name} begins with http://, which would show the token to the network; use https://")
    return str(origin)


def _problems(design: Design) -> Iterator[str]:
    people, options = design.people, design.prolific
    if people.reward is None or people.reward.amount == 0:
        yield 'Prolific asks for a reward; give one such as people.reward = "3.34 USD"'
        return
    currency = people.reward.currency
    if currency not in HOURLY_MINIMUM:
        yield f"Prolific pays in {' or '.join(HOURLY_MINIMUM)}, and people.reward is in {currency}"
        return
    least = HOURLY_MINIMUM[currency]
    if people.reward.amount * 60 < least * people.minutes:
        needed = -(-least * people.minutes // 60)
        yield (
            f"Prolific demands {_money(least)} {currency} an hour, which is {_money(needed)} for {people.minutes} "
            f"minutes, and people.reward is {people.reward}"
        )
    if len(set(options.devices)) < len(options.devices):
        yield "prolific.devices names a device twice"
    for each in options.filters:
        chosen = {"selected_values", "selected_range", "selected_filters"} & each.keys()
        if not isinstance(each.get("filter_id"), str) or not chosen:
            yield "each of prolific.filters needs filter_id and selected_values, selected_range or selected_filters"
            return


def _money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def _share(amount: int, factor: Decimal) -> int:
    return int((amount * factor).to_integral_value(ROUND_HALF_UP))


def _percent(share: Decimal) -> str:
    """
    >>> _percent(Decimal("0.333")), _percent(Decimal("0.2"))
    ('33.3', '20')
    """
    return f"{(share * 100).normalize():f}"
