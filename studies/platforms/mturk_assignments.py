"""Submissions on a marketplace that speaks the MTurk protocol: assignments, their review and their bonuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from crowdloom.studies.errors import PlatformRefusedError
from crowdloom.studies.platforms.mturk_calls import Requester, cents, dollars, one_by_one
from crowdloom.studies.platforms.mturk_questions import read_answer
from crowdloom.studies.platforms.protocol import Bonus, PaidBonus, Remote, RemoteState

_STATES: dict[str, RemoteState] = {"Submitted": "submitted", "Approved": "approved", "Rejected": "rejected"}


class Assignments(Requester):
    """Assignments, read and reviewed, and bonuses for them."""

    def submissions(self, listing: str) -> Iterator[Remote]:
        """All assignments of a HIT that were submitted."""
        for assignment in self._call.pages("list_assignments_for_hit", "Assignments", HITId=listing):
            yield _remote(assignment)

    def submission(self, remote_id: str) -> Remote:
        """One assignment. Refused for one that nobody has submitted."""
        return _remote(self._call.part(self._call("get_assignment", AssignmentId=remote_id), "Assignment"))

    def approve(self, remote_ids: Sequence[str]) -> None:
        """Approve assignments, one by one. A rejected one stays so; see `override_rejection`."""

        def approve_one(remote_id: str) -> None:
            self._confirmed(
                lambda: self._call("approve_assignment", AssignmentId=remote_id),
                lambda: self.submission(remote_id).state == "approved",
            )

        one_by_one(approve_one, remote_ids)

    def override_rejection(self, remote_id: str) -> None:
        """Approve an assignment that was rejected, within 30 days of its submission."""
        self._confirmed(
            lambda: self._call("approve_assignment", AssignmentId=remote_id, OverrideRejection=True),
            lambda: self.submission(remote_id).state == "approved",
        )

    def reject(self, remote_id: str, reason: str, category: str | None = None) -> None:
        """Reject an assignment; its worker reads the reason. MTurk knows no categories."""
        self._confirmed(
            lambda: self._call("reject_assignment", AssignmentId=remote_id, RequesterFeedback=reason),
            lambda: self.submission(remote_id).state == "rejected",
        )

    def request_return(self, remote_id: str, reason: str) -> None:
        """Refused: on MTurk what was submitted cannot be returned."""
        raise PlatformRefusedError(
            f"MTurk cannot ask for the return of the assignment {remote_id}; approve or reject it"
        )

    def prepare_bonuses(self, listing: str, bonuses: Sequence[Bonus]) -> str:
        """Nothing is set up beforehand; the first bonus's token stands for them."""
        return bonuses[0].token

    def pay_bonuses(self, reference: str, bonuses: Sequence[Bonus]) -> None:
        """Send each bonus under its own token, which its reason repeats so that `bonuses` can tell it.

        One that the marketplace shows already is not sent: it forgets tokens after 24 hours.
        """

        def send(bonus: Bonus) -> None:
            def is_paid() -> bool:
                return any(paid.token == bonus.token for paid in self._paid(AssignmentId=bonus.submission))

            if not is_paid():
                self._confirmed(
                    lambda: self._call(
                        "send_bonus",
                        WorkerId=bonus.participant,
                        AssignmentId=bonus.submission,
                        BonusAmount=dollars(bonus.amount),
                        Reason=f"{bonus.reason} (ref {bonus.token})",
                        UniqueRequestToken=bonus.token,
                    ),
                    is_paid,
                )

        one_by_one(send, bonuses)

    def bonuses(self, listing: str, remote_ids: Sequence[str]) -> Sequence[PaidBonus]:
        """The bonuses paid for these assignments of a HIT."""
        wanted = set(remote_ids)
        return [paid for paid in self._paid(HITId=listing) if paid.submission in wanted]

    def _paid(self, **of: str) -> Iterator[PaidBonus]:
        for row in self._call.pages("list_bonus_payments", "BonusPayments", **of):
            token = re.search(r"\(ref ([^\s()]+)\)\s*$", row.get("Reason", ""))
            yield PaidBonus(row["AssignmentId"], cents(row["BonusAmount"]), token and token[1])


def _remote(assignment: dict[str, Any]) -> Remote:
    answer = assignment.get("Answer")
    return Remote(
        id=assignment["AssignmentId"],
        listing=assignment["HITId"],
        participant=assignment["WorkerId"],
        state=_STATES[assignment["AssignmentStatus"]],
        vendor_state=assignment["AssignmentStatus"],
        started_at=_utc(assignment.get("AcceptTime")),
        submitted_at=_utc(assignment.get("SubmitTime")),
        code=_code(answer),
        answer=answer,
    )


def _code(answer: str | None) -> str | None:
    """The field `code` of the form by which our pages hand in."""
    if answer is None:
        return None
    try:
        given = read_answer(answer).get("code")
    except PlatformRefusedError:
        return None  # the answer itself is passed on, and what is wrong with it told where it is read
    return given[0] if given and given[0] else None


def _utc(time: datetime | None) -> datetime | None:
    return None if time is None else time.astimezone(UTC)
