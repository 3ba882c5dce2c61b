"""A study on the stand-in, and people who take part in it, for tests of the adapter."""

from __future__ import annotations

from typing import Any, Protocol

from crowdloom.studies.design import Design
from crowdloom.studies.design_types import Money
from crowdloom.studies.platforms.prolific_account import ProlificAccount
from crowdloom.studies.platforms.prolific_api import Api
from crowdloom.studies.platforms.protocol import Bonus, Notice, Outcome
from tests.prolific.standin import Control
from tests.studies.designs import make_design

CODES: dict[Outcome, str] = {
    "completed": "CDONE1",
    "failed_attention_check": "CFAIL2",
    "no_consent": "CNOCO3",
    "screened_out": "CSCRE4",
}
REASON = "The answers name the same class for every image, also for those that show another one beyond any doubt."


def paid_design(reward: str = "0.60 USD", **changes: Any) -> Design:
    """The small study for two minutes' pay."""
    return make_design(**{"people": {"minutes": 2, "hold_minutes": 10, "reward": reward}, **changes})


def make_notice(token: str = "token-1", places: int = 2, **changes: Any) -> Notice:
    """A notice of the small study; `changes` replace its fields."""
    values: dict[str, Any] = {
        "token": token,
        "posting": "posting-1",
        "study": "pets",
        "design": paid_design(),
        "url": "https://study.example/join/posting-1",
        "places": places,
        "codes": CODES,
    }
    return Notice(**(values | changes))


class _Reachable(Protocol):
    @property
    def url(self) -> str: ...
    @property
    def app_url(self) -> str: ...
    @property
    def token(self) -> str: ...


def connect(prolific: _Reachable, waits: list[float] | None = None, token: str | None = None) -> ProlificAccount:
    """The account, which does not really wait: the seconds that it would go into `waits`."""
    pauses: list[float] = [] if waits is None else waits
    return ProlificAccount(Api(prolific.url, token or prolific.token, pause=pauses.append), prolific.app_url)


def hand_in(prolific: Control, study: str, outcome: Outcome = "completed") -> tuple[str, str]:
    """A new participant who joins and completes by the page; their id and that of the submission."""
    participant = prolific.add_participant()
    session = prolific.arrive(study, participant).rsplit("SESSION_ID=", 1)[1]
    page = prolific.open_page(f"{prolific.app_url}/submissions/complete?cc={CODES[outcome]}", participant)
    page.raise_for_status()
    return participant, session


def bonus(submission: str, participant: str, amount: int, token: str = "bonus-1") -> Bonus:
    """A bonus in dollars."""
    return Bonus(token, submission, participant, Money(amount=amount, currency="USD"), "Your answers were the best.")
