"""Listings on a marketplace that speaks the MTurk protocol: HITs."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from crowdloom.studies.design_platforms import MTurkOptions
from crowdloom.studies.errors import PlatformError, PlatformRefusedError, PlatformUnsureError
from crowdloom.studies.platforms.mturk_calls import Requester, dollars, or_none
from crowdloom.studies.platforms.mturk_errors import Calls
from crowdloom.studies.platforms.mturk_questions import external_question, html_question
from crowdloom.studies.platforms.mturk_requirements import MOST_REQUIREMENTS, only_for_group, requirements
from crowdloom.studies.platforms.protocol import LISTING_CANNOT_GROW, Listed, ListingState, Notice

GROWS_TOO_FAR = LISTING_CANNOT_GROW
"""The code of the refusal to let a HIT of fewer than 10 places grow to 10 or more: a new listing is needed."""

_ALREADY_EXISTS = "AWS.MechanicalTurk.HitAlreadyExists"
_MANY_PLACES = 10
_LIFETIME_DAYS: int = MTurkOptions.model_fields["lifetime_days"].default
_INDEX_S = 3600  # how long the list of HITs is believed; the tokens guard for 24 hours what it does not show yet
_LONGEST_TOKEN = 64
_WORKER_SITES = {
    "https://mturk-requester.us-east-1.amazonaws.com": "https://worker.mturk.com",
    "https://mturk-requester-sandbox.us-east-1.amazonaws.com": "https://workersandbox.mturk.com",
}
"""Of the public service; elsewhere workers and requesters have one address."""


class Hits(Requester):
    """HITs: made, looked at, given more places and time, ended and deleted."""

    def __init__(self, call: Calls, once: Calls, endpoint: str, name: str) -> None:
        super().__init__(call, once, endpoint, name)
        self._hits: dict[str, str] = {}  # HIT ids by RequesterAnnotation
        self._hits_until = 0.0

    def create(self, notice: Notice) -> Listed:
        """A HIT, public at once; the one that has the notice's token, if there is one.

        The list of the account's HITs is read first, since the marketplace forgets tokens after 24 hours.
        """
        if (known := self._find(notice.token)) is not None:
            return self._listed(known)
        question = _question(notice)
        kind = self._call.part(self._call("create_hit_type", **_type_of(notice)), "HITTypeId")
        try:
            answer = self._call(
                "create_hit_with_hit_type",
                HITTypeId=kind,
                MaxAssignments=notice.places,
                LifetimeInSeconds=notice.design.mturk.lifetime_days * 24 * 3600,
                Question=question,
                RequesterAnnotation=notice.token,
                UniqueRequestToken=notice.token,
            )
            return self._listed(self._call.part(answer, "HIT"))
        except PlatformError as error:
            exists = error.code == _ALREADY_EXISTS
            if not exists and not isinstance(error, PlatformUnsureError):
                raise
            self._hits_until = 0.0
            if (made := or_none(lambda: self._find(notice.token))) is not None:
                return self._listed(made)
            if not exists:
                raise
            raise PlatformUnsureError(
                f"{self._endpoint} has made a HIT for the listing {notice.token} and does not list it yet; ask again",
                code=error.code,
            ) from error

    def find(self, notice: Notice) -> Listed | None:
        """The HIT that carries the notice's token, if there is one."""
        known = self._find(notice.token)
        return None if known is None else self._listed(known)

    def open(self, listing: str, *, lifetime_days: int = _LIFETIME_DAYS) -> Listed:
        """Let people in again: an expired HIT can be found for so many days more."""
        hit = self._hit(listing)
        if hit["HITStatus"] == "Assignable":
            return self._listed(hit)
        # Full or expired: the marketplace's clock, which may be ahead of ours, knows which; never make it shorter.
        return self._expire(listing, max(hit["Expiration"], datetime.now(UTC) + timedelta(days=lifetime_days)))

    def extend(self, listing: str, lifetime_days: int) -> Listed:
        """Let a HIT be found for so many days from now."""
        return self._expire(listing, datetime.now(UTC) + timedelta(days=lifetime_days))

    def pause(self, listing: str) -> Listed:
        """Refused: MTurk has no pause."""
        raise PlatformRefusedError(
            f"MTurk cannot pause the HIT {listing}; close it, and open it again when people may come"
        )

    def close(self, listing: str) -> Listed:
        """End the HIT's life now; who has accepted it may finish."""
        hit = self._hit(listing)
        if self._listed(hit).state == "closed":
            return self._listed(hit)
        return replace(self._expire(listing, datetime.now(UTC) - timedelta(days=1)), state="closed")

    def delete(self, listing: str) -> Listed:
        """Take a HIT off the marketplace for good. Refused while people work on it or assignments are unreviewed."""
        before = self._hit(listing)
        if before.get("HITStatus") != "Disposed":
            self._confirmed(
                lambda: self._call("delete_hit", HITId=listing),
                lambda: self._hit(listing).get("HITStatus") == "Disposed",
            )
        return replace(self._listed(before), state="closed", vendor_state="Disposed", gone=True)

    def set_places(self, listing: str, places: int) -> Listed:
        """Raise a HIT's assignments to `places`. Two callers who want different numbers at once are to take turns.

        Raises PlatformRefusedError with the code `GROWS_TOO_FAR` where a new listing is needed instead.
        """
        hit = self._hit(listing)
        now: int = hit["MaxAssignments"]
        if places == now:
            return self._listed(hit)
        if places < now:
            raise PlatformRefusedError(f"the HIT {listing} has {now} places, and MTurk takes none away; close it")
        if now < _MANY_PLACES <= places:
            raise PlatformRefusedError(
                f"the HIT {listing} was made with {now} places, and MTurk lets none below {_MANY_PLACES} grow to "
                f"{_MANY_PLACES} or more; publish a new listing for the other {places - now}",
                code=GROWS_TOO_FAR,
            )
        suffix = f"-{places}"
        token = (hit.get("RequesterAnnotation") or listing)[: _LONGEST_TOKEN - len(suffix)] + suffix
        self._confirmed(
            lambda: self._call(
                "create_additional_assignments_for_hit",
                HITId=listing,
                NumberOfAdditionalAssignments=places - now,
                UniqueRequestToken=token,
            ),
            lambda: bool(self._hit(listing)["MaxAssignments"] >= places),
        )
        return self.listing(listing)

    def listing(self, listing: str) -> Listed:
        """A HIT as it stands."""
        return self._listed(self._hit(listing))

    def _hit(self, listing: str) -> dict[str, Any]:
        hit: dict[str, Any] = self._call.part(self._call("get_hit", HITId=listing), "HIT")
        return hit

    def _find(self, token: str) -> dict[str, Any] | None:
        """The HIT that carries a listing's token."""
        if time.monotonic() >= self._hits_until:
            hits = self._call.pages("list_hits", "HITs")
            self._hits = {hit["RequesterAnnotation"]: hit["HITId"] for hit in hits if hit.get("RequesterAnnotation")}
            self._hits_until = time.monotonic() + _INDEX_S
        known = self._hits.get(token)
        return None if known is None else self._hit(known)

    def _expire(self, listing: str, at: datetime) -> Listed:
        self._call("update_expiration_for_hit", HITId=listing, ExpireAt=at)
        return self.listing(listing)

    def _listed(self, hit: dict[str, Any]) -> Listed:
        state, expires = str(hit["HITStatus"]), hit["Expiration"]
        expired = expires <= datetime.now(UTC) or expires <= hit["CreationTime"]
        # A HIT whose places are all taken is open still: a place comes back when somebody returns it.
        ours: ListingState = "open" if state == "Assignable" or (state != "Disposed" and not expired) else "closed"
        return Listed(hit["HITId"], ours, state, hit["MaxAssignments"], self._page(hit))

    def _page(self, hit: dict[str, Any]) -> str | None:
        """Where a worker finds it, by the address that scripts for MTurk put together."""
        site = _WORKER_SITES.get(self._endpoint, self._endpoint)
        return f"{site}/mturk/preview?groupId={hit['HITGroupId']}" if hit.get("HITGroupId") else None


def _question(notice: Notice) -> str:
    height = notice.design.mturk.frame_height
    return external_question(notice.url, height) if notice.html is None else html_question(notice.html, height)


def _type_of(notice: Notice) -> dict[str, Any]:
    """The values of the HIT type; the same for all HITs of a posting, so that they are of one type."""
    design, options = notice.design, notice.design.mturk
    if design.people.reward is None:
        raise PlatformRefusedError('a HIT needs a reward; write people.reward = "0.60 USD" into the design')
    if notice.only_for:
        asked = only_for_group(str(notice.group))
    else:
        asked = requirements(design, notice.excluded_groups, notice.group)
    if len(asked) > MOST_REQUIREMENTS:
        raise PlatformRefusedError(
            f"the HIT would have {len(asked)} qualification requirements, and MTurk takes {MOST_REQUIREMENTS}; "
            "exclude fewer studies, the server keeps people of the others out"
        )
    values = {
        "Title": " ".join(design.title.split()),
        "Description": options.description or design.title,
        "Reward": dollars(design.people.reward),
        "AssignmentDurationInSeconds": design.people.hold_minutes * 60,
        "AutoApprovalDelayInSeconds": options.auto_approval_days * 24 * 3600,
        "QualificationRequirements": asked,
    }
    return values | ({"Keywords": ", ".join(options.keywords)} if options.keywords else {})
