"""Qualification requirements: whether one is well formed, and whether a worker meets it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from crowdloom.studies.marketplace.errors import RequestError
from crowdloom.studies.marketplace.system_qualifications import LOCALE

_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "EqualTo": operator.eq,
    "NotEqualTo": operator.ne,
}
_GUARDS = {
    "Accept": ("accept",),
    "PreviewAndAccept": ("preview", "accept"),
    "DiscoverPreviewAndAccept": ("discover", "preview", "accept"),
}


@dataclass(frozen=True)
class Held:
    """What a worker has of a qualification type: a number, a place, or just the fact that they have it."""

    value: int | None = None
    country: str | None = None
    subdivision: str | None = None


def check_requirement(requirement: dict[str, Any]) -> None:
    """Hold one requirement against the documentation. Raises RequestError for what does not go together."""
    comparator = requirement["Comparator"]
    numbers, places = requirement.get("IntegerValues", []), requirement.get("LocaleValues", [])
    is_locale = requirement["QualificationTypeId"] == LOCALE
    is_set = comparator in ("In", "NotIn")
    if "ActionsGuarded" in requirement and "RequiredToPreview" in requirement:
        raise RequestError(
            "The combination of parameters supplied to the request is invalid: ActionsGuarded, RequiredToPreview.",
            "InvalidParameterCombination",
        )
    if comparator in ("Exists", "DoesNotExist"):
        if numbers or places:
            raise _bad(f"{comparator} takes no values")
        return
    if is_locale:
        if numbers or not places or comparator not in ("EqualTo", "NotEqualTo", "In", "NotIn"):
            raise _bad("Locale takes LocaleValues, with EqualTo, NotEqualTo, In or NotIn")
    elif places or not numbers:
        raise _bad(f"{comparator} needs IntegerValues, and LocaleValues are for Locale only")
    most = (30 if is_locale else 15) if is_set else 1
    if len(numbers) + len(places) > most:
        raise _bad(f"{comparator} takes at most {most} values here")


def _bad(reason: str) -> RequestError:
    return RequestError(f"QualificationRequirement: {reason}.", "ParameterValidationError")


def actions_guarded(requirement: dict[str, Any]) -> tuple[str, ...]:
    """Which of discover, preview, accept a requirement is for."""
    wanted = "PreviewAndAccept" if requirement.get("RequiredToPreview") else "Accept"
    return _GUARDS[requirement.get("ActionsGuarded", wanted)]


def is_met(requirement: dict[str, Any], held: Held | None) -> bool:
    """Whether a worker who has `held` of the requirement's type meets it; None is for nothing at all."""
    comparator: str = requirement["Comparator"]
    if comparator in ("Exists", "DoesNotExist"):
        return (held is not None) == (comparator == "Exists")
    if held is None:
        return False
    if requirement["QualificationTypeId"] == LOCALE:
        inside = any(_is_there(held, place) for place in requirement["LocaleValues"])
        return inside == (comparator in ("EqualTo", "In"))
    if held.value is None:
        return False
    numbers: list[int] = requirement["IntegerValues"]
    if comparator in ("In", "NotIn"):
        return (held.value in numbers) == (comparator == "In")
    return _NUMBERS[comparator](held.value, numbers[0])


def _is_there(held: Held, place: dict[str, str]) -> bool:
    return held.country == place["Country"] and place.get("Subdivision") in (None, held.subdivision)


def describe(requirement: dict[str, Any], name: str) -> str:
    """A requirement in words for a worker: `your approval rate in percent is at least 98`."""
    places = [
        "-".join(filter(None, (place["Country"], place.get("Subdivision"))))
        for place in requirement.get("LocaleValues", [])
    ]
    values = _listed(places or map(str, requirement.get("IntegerValues", [])))
    return f"{name} {_WORDS[requirement['Comparator']].format(values)}"


def _listed(values: Iterable[str]) -> str:
    *rest, last = list(values) or [""]
    return f"{', '.join(rest)} or {last}" if rest else last


_WORDS = {
    "LessThan": "is below {}",
    "LessThanOrEqualTo": "is at most {}",
    "GreaterThan": "is above {}",
    "GreaterThanOrEqualTo": "is at least {}",
    "EqualTo": "is {}",
    "NotEqualTo": "is not {}",
    "In": "is {}",
    "NotIn": "is not {}",
    "Exists": "has been granted",
    "DoesNotExist": "has not been granted",
}
