"""The way back to the platform, at every end of a participation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import g
from sqlalchemy import Connection, select

from crowdloom.studies.checks import check_submissions
from crowdloom.studies.design import Design
from crowdloom.studies.entry import Entry
from crowdloom.studies.identities import reveal
from crowdloom.studies.participation import Progress
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.protocol import Arrival, Ending, HandBack, Outcome
from crowdloom.studies.tables import Participant, RemoteSubmission, Submission


@dataclass(frozen=True)
class WayBack:
    """What the last page shows of the platform: its way back, or that the work is to be returned there."""

    outcome: Outcome
    hand_back: HandBack | None
    to_return: bool
    """There is no way back but the platform's own button to return the work."""
    code: str | None
    """The completion code that the platform or the panel wants to hear; None where it wants none."""


def way_back(connection: Connection, progress: Progress, design: Design) -> WayBack | None:
    """The way back from a submission that is over; None where a platform of ours is not involved."""
    if progress.platform not in PLATFORMS:
        return None
    outcome = _outcome(connection, progress, design)
    if outcome is None:
        return None
    arrival = _arrival(connection, progress)
    return _way(progress.platform, progress.values, outcome, arrival, design, progress.pseudonym)


def turned_away(entry: Entry, arrival: Arrival, outcome: Outcome) -> WayBack:
    """The way back for somebody who does not begin."""
    return _way(entry.platform, entry.values, outcome, arrival, entry.design, None)


def _way(
    name: str, values: Mapping[str, Any], outcome: Outcome, arrival: Arrival, design: Design, submission: str | None
) -> WayBack:
    platform = PLATFORMS[name]
    wanted = design.link.completion_code if name == "link" else values.get("codes", {}).get(outcome)
    ending = Ending(outcome, arrival, design, wanted or submission or "", submission)
    hand_back = platform.hand_back(ending, values.get("where", {}))
    if name != "link":
        wanted = hand_back.code if hand_back is not None else None
    if hand_back is not None and hand_back.fields:
        # A browser posts a form only where the page's policy lets it, redirects included.
        parts = urlsplit(hand_back.url)
        g.form_action = f"{parts.scheme}://{parts.netloc}"
    return WayBack(outcome, hand_back, hand_back is None and platform.capabilities.identifies, wanted)


def _outcome(connection: Connection, progress: Progress, design: Design) -> Outcome | None:
    if progress.state == "refused":
        return "no_consent"
    if progress.state == "failed_check":
        return "screened_out"
    if progress.state != "completed":
        return None
    verdict = check_submissions(connection, design, [progress.id])[progress.id]
    return "failed_attention_check" if verdict.attention else "completed"


def _arrival(connection: Connection, progress: Progress) -> Arrival:
    """By which id of the platform they came last."""
    person = connection.execute(
        select(Participant.platform_id, Participant.platform)
        .join(Submission, Submission.participant_id == Participant.id)
        .where(Submission.id == progress.id)
    ).one()
    remote = connection.execute(
        select(RemoteSubmission.remote_id, RemoteSubmission.return_to)
        .where(RemoteSubmission.submission_id == progress.id, RemoteSubmission.remote_id.is_not(None))
        .order_by(
            RemoteSubmission.state.not_in(("submitted", "approved")),
            RemoteSubmission.arrived_at.is_(None),
            RemoteSubmission.arrived_at.desc(),  # what the link names that was opened last
        )
        .limit(1)
    ).first()
    participant = None
    if person.platform == "link" and person.platform_id is not None:  # nobody else's way back names the person
        participant = reveal(person.platform, person.platform_id)
    if remote is None:
        return Arrival(participant)
    return Arrival(participant, remote.remote_id, return_to=remote.return_to)
