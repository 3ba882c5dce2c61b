"""Prolific's words and limits, as its API description and terms give them (August 2026)."""

from __future__ import annotations

from crowdloom.studies.platforms.protocol import RemoteState

AT_ONCE = 200
"""So many bonuses at most are set up in one call (their advice)."""
REASON_MIN = 100
CATEGORIES = (
    "TOO_QUICKLY",
    "TOO_SLOWLY",
    "FAILED_INSTRUCTIONS",
    "INCOMP_LONGITUDINAL",
    "FAILED_CHECK",
    "LOW_EFFORT",
    "MALINGERING",
    "NO_CODE",
    "BAD_CODE",
    "NO_DATA",
    "UNSUPP_DEVICE",
    "OTHER",
)
REMOTE_STATES: dict[str, RemoteState] = {
    "RESERVED": "active",
    "ACTIVE": "active",
    "AWAITING REVIEW": "submitted",
    "APPROVED": "approved",
    "PARTIALLY APPROVED": "approved",
    "REJECTED": "rejected",
    "RETURNED": "returned",
    "TIMED-OUT": "timed_out",
    "SCREENED OUT": "screened_out",
}
"""A state that is not among them counts as active: nothing is paid for it, and no place is freed."""
FEES = {"academic": "0.333", "corporate": "0.428"}
"""Of rewards and bonuses, before tax."""
HOURLY_MINIMUM = {"GBP": 600, "USD": 800}
