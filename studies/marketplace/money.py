"""Money in whole cents, and the fees that MTurk took."""

from __future__ import annotations

from crowdloom.studies.marketplace.errors import RequestError

STARTING_BALANCE = 1_000_000
"""What a new requester has: 10,000.00 USD, as MTurk's sandbox gave."""

MANY_ASSIGNMENTS = 10
"""From so many assignments on, a HIT costs a second fee on its reward."""

_LARGEST = 100_000_000  # a million dollars; the columns hold more


def to_cents(amount: str, field: str) -> int:
    """Cents of a dollar string such as `1`, `0.5` or `0.05`. Raises RequestError above a million dollars."""
    dollars, _, rest = amount.partition(".")
    if len(dollars) > 12 or (cents := int(dollars) * 100 + int(rest.ljust(2, "0"))) > _LARGEST:
        raise RequestError(f"{field} {amount} is above {to_dollars(_LARGEST)}.", "ParameterValidationError")
    return cents


def to_dollars(cents: int) -> str:
    """A dollar string with two decimals, as the API answers."""
    return f"{cents // 100}.{cents % 100:02}"


def reward_fee(reward: int, max_assignments: int) -> int:
    """The fee for an approved assignment: 20 % of the reward, and 20 % more at 10 assignments; each 1 cent at least."""
    return _share(reward) * (2 if max_assignments >= MANY_ASSIGNMENTS else 1)


def bonus_fee(amount: int) -> int:
    """The fee for a bonus: 20 %, and 1 cent at least."""
    return _share(amount)


def _share(amount: int) -> int:
    return max((amount + 2) // 5, 1)  # a fifth, rounded to the nearest cent
