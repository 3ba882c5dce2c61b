"""The qualification types that the system holds itself, under MTurk's ids."""

from __future__ import annotations

from dataclasses import dataclass

LOCALE = "00000000000000000071"
PERCENT_APPROVED = "000000000000000000L0"
NUMBER_APPROVED = "00000000000000000040"
ADULT = "00000000000000000060"
MASTERS = "2F1QJWKUDD8XADTFD2Q0G6UTO95ALH"


@dataclass(frozen=True)
class SystemType:
    """A qualification type that no requester can give or take."""

    token: str
    name: str
    description: str


SYSTEM_TYPES = (
    SystemType(LOCALE, "Locale", "Where the worker lives: a country, and a subdivision where it is known."),
    SystemType(PERCENT_APPROVED, "PercentAssignmentsApproved", "Approved assignments in percent of those reviewed."),
    SystemType(NUMBER_APPROVED, "NumberHITsApproved", "How many of the worker's assignments were approved."),
    SystemType(ADULT, "Adult", "1 for a worker who agreed to see content for adults."),
    SystemType(MASTERS, "Masters", "1 for a worker whom the marketplace's keeper named a master."),
)
