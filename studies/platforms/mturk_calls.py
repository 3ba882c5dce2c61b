"""What every part of the account shares: its calls, and how their outcome is made sure of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeVar

from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import CredentialsError, PlatformError, PlatformRefusedError, PlatformUnsureError
from crowdloom.studies.platforms.mturk_errors import Calls

T = TypeVar("T")


class Requester:
    """Who calls the requester API: `_call` repeats a lost call a few times, `_once` never does."""

    def __init__(self, call: Calls, once: Calls, endpoint: str, name: str) -> None:
        self._call = call
        self._once = once
        self._endpoint = endpoint
        self._name = name

    def _confirmed(self, call: Callable[[], object], is_done: Callable[[], bool]) -> None:
        """Call; where it is refused or its outcome unsure, what the marketplace shows decides whether it was done.

        A refusal may be that of a thing done before, so where nothing can be looked up, it is unsure.
        """
        try:
            call()
        except CredentialsError:
            raise
        except PlatformError as error:
            try:
                done = is_done()
            except PlatformError as unread:
                if isinstance(unread, PlatformRefusedError) and str(unread.code).startswith("AWS.MechanicalTurk."):
                    raise error from None  # there is nothing to look up: it does not exist
                raise PlatformUnsureError(f"{error}; what became of it cannot be read now", code=error.code) from error
            if not done:
                raise


def one_by_one(do: Callable[[T], None], whom: Sequence[T]) -> None:
    """Do something for each. A refusal after some were done is no promise any more that nothing changed."""
    for number, one in enumerate(whom):
        try:
            do(one)
        except (PlatformRefusedError, CredentialsError) as error:
            if number == 0:
                raise
            raise PlatformUnsureError(f"{error} ({number} of {len(whom)} were done before)", code=error.code) from error


def or_none(read: Callable[[], T]) -> T | None:
    """What is read, or None where reading fails too: the first error is the one to tell."""
    try:
        return read()
    except PlatformError:
        return None


def dollars(money: Money) -> str:
    """The amount as the protocol writes it, "3.34". Raises PlatformRefusedError for another currency."""
    if money.currency != "USD":
        raise PlatformRefusedError(f"MTurk pays in US dollars, not {money}; write the amount in USD")
    return f"{money.amount // 100}.{money.amount % 100:02}"


def cents(written: str) -> int:
    """An amount of the protocol, "3.34" or "5", in cents."""
    return int((Decimal(written) * 100).to_integral_value())
