"""The qualification types that the system holds itself, under MTurk's ids."""

from __future__ import annotations

from dataclasses import dataclass

LOCALE = "00000000000000000071"
PERCENT_APPROVED = "000000000000000000L0"
NUMBER_APPROVED = "00000000000000000040"
ADULT = "00000000000000000060"
MASTERS = "2F1QJWKUDD8XADTFD2Q0G6UTO95ALH"
MASTERS_IN_SANDBOX = "2ARFPLSP75KLA8M8DH1HTEQVJT3SY6"


@dataclass(frozen=True)
class SystemType:
    """A qualification type that no requester can give or take."""

    token: str
    name: str
    words: str
    """What a worker reads instead of the name."""
    description: str


SYSTEM_TYPES = (
    SystemType(
        LOCALE,
        "Locale",
        "the country where you live",
        "Where the worker lives: a country, and a subdivision where it is known.",
    ),
    SystemType(
        PERCENT_APPROVED,
        "PercentAssignmentsApproved",
        "your approval rate in percent",
        "Approved assignments in percent of those reviewed.",
    ),
    SystemType(
        NUMBER_APPROVED,
        "NumberHITsApproved",
        "the number of your approved assignments",
        "How many of the worker's assignments were approved.",
    ),
    SystemType(
        ADULT,
        "Adult",
        "your consent to see content for adults",
        "Whether the worker agreed to see content for adults: 1 for yes.",
    ),
    SystemType(
        MASTERS,
        "Masters",
        "the qualification as a master",
        "Whether the marketplace's keeper named the worker a master: 1 for yes.",
    ),
    SystemType(
        MASTERS_IN_SANDBOX,
        "Masters in the sandbox",
        "the qualification as a master",
        "Masters, under the id that scripts for MTurk's sandbox use.",
    ),
)

IN_WORDS = {kind.token: kind.words for kind in SYSTEM_TYPES}
