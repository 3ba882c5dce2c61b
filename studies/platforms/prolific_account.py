"""A researcher's account on Prolific: the protocol's `Account`, each method a call or two.

The workspace is in `prolific_workspace.py`, studies are in `prolific_listings.py`, submissions and payments here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crowdloom.studies.errors import PlatformRefusedError, PlatformUnsureError
from crowdloom.studies.platforms.prolific_api import PAGE, look, part
from crowdloom.studies.platforms.prolific_listings import ProlificListings
from crowdloom.studies.platforms.prolific_terms import AT_ONCE, CATEGORIES, REASON_MIN, REMOTE_STATES
from crowdloom.studies.platforms.prolific_values import check_id, decimal, minor_units, time_of
from crowdloom.studies.platforms.protocol import Bonus, PaidBonus, Remote

APPROVALS_AT_ONCE = 1_000


class ProlificAccount(ProlificListings):
    """The account; every method may raise PlatformRefusedError, PlatformUnsureError and CredentialsError."""

    def submissions(self, listing: str) -> Iterator[Remote]:
        """All submissions, in the order in which they began, so that those who arrive meanwhile come last."""
        doing = "list the submissions"
        seen: set[str] = set()
        query: dict[str, str | int] = {
            "study": check_id(listing),
            "page": 1,
            "page_size": PAGE,
            "ordering": "started_at",
        }
        for row in self._api.pages("submissions/", doing, **query):
            remote = Remote(
                id=str(part(row, "id", doing)),
                listing=listing,
                participant=str(part(row, "participant_id", doing)),
                state=REMOTE_STATES.get(str(part(row, "status", doing)), "active"),
                vendor_state=str(row["status"]),
                started_at=time_of(row.get("started_at")),
                submitted_at=time_of(row.get("completed_at")),
                code=row.get("study_code"),
            )
            if remote.id not in seen:
                seen.add(remote.id)
                yield remote

    def submission(self, remote_id: str) -> Remote:
        """A submission as it stands, with the bonuses paid for it where Prolific names them."""
        return self._remote(self._detail(remote_id))

    def approve(self, remote_ids: Sequence[str]) -> None:
        """Approve: one at once, several by bulk approval, which Prolific works through in the background.

        After this returns the submissions are to be asked for until they show as approved.
        """
        ids = [check_id(each) for each in dict.fromkeys(remote_ids)]
        if len(ids) == 1:
            self._review(ids[0], {"action": "APPROVE"}, "approved")
            return
        for start in range(0, len(ids), APPROVALS_AT_ONCE):
            try:
                self._approve_many(ids[start : start + APPROVALS_AT_ONCE])
            except PlatformRefusedError as error:
                if start == 0:
                    raise
                raise PlatformUnsureError(
                    f"{start} submissions are being approved; then {error}", code=error.code
                ) from error

    def override_rejection(self, remote_id: str) -> None:
        """Refused: on Prolific a review is final."""
        raise PlatformRefusedError(
            f"Prolific lets no review be changed, so the submission {remote_id} stays rejected; write to its support"
        )

    def reject(self, remote_id: str, reason: str, category: str | None = None) -> None:
        """Reject with a category and a reason of 100 characters or more, both checked before anything is sent."""
        reason = reason.strip()
        if len(reason) < REASON_MIN:
            raise PlatformRefusedError(
                f"Prolific wants at least {REASON_MIN} characters of reason for a rejection, got {len(reason)}"
            )
        if category not in CATEGORIES:
            raise PlatformRefusedError(
                f"Prolific wants a rejection to name one of these categories: {', '.join(CATEGORIES)}"
            )
        body = {"action": "REJECT", "message": reason, "rejection_category": category}
        self._review(check_id(remote_id), body, "rejected")

    def request_return(self, remote_id: str, reason: str) -> None:
        """Ask for a return, unless the participant was asked before or has returned it."""
        detail = self._detail(remote_id)
        if detail.get("return_requested") or detail.get("status") == "RETURNED":
            return
        path, doing = f"submissions/{check_id(remote_id)}/request-return/", "request the return"
        try:
            self._api.call("POST", path, doing, body={"request_return_reasons": [reason]})
        except PlatformUnsureError:
            if not look(lambda: self._detail(remote_id).get("return_requested")):
                raise

    def _detail(self, remote_id: str) -> dict[str, Any]:
        detail = self._api.get(f"submissions/{check_id(remote_id)}/", "look at the submission")
        part(detail, "status", "look at the submission")
        return dict(detail)

    def _remote(self, detail: Mapping[str, Any]) -> Remote:
        doing = "look at the submission"
        paid = detail.get("bonus_payments")
        return Remote(
            id=str(part(detail, "id", doing)),
            listing=str(part(detail, "study_id", doing)),
            participant=str(part(detail, "participant", doing)),
            state=REMOTE_STATES.get(str(detail["status"]), "active"),
            vendor_state=str(detail["status"]),
            started_at=time_of(detail.get("started_at")),
            submitted_at=time_of(detail.get("completed_at")),
            code=detail.get("entered_code"),
            bonuses=None if paid is None else tuple(minor_units(amount, "a bonus") for amount in paid),
        )

    def _review(self, remote_id: str, body: Mapping[str, str], wanted: str) -> None:
        doing = f"{body['action'].lower()} the submission"
        try:
            # Prolific says of this one that doing it twice is doing it once.
            self._api.call("POST", f"submissions/{remote_id}/transition/", doing, body=dict(body), repeat=True)
        except (PlatformRefusedError, PlatformUnsureError):
            if not look(lambda: self.submission(remote_id).state == wanted):
                raise

    def _approve_many(self, ids: list[str]) -> None:
        path, doing = "submissions/bulk-approve/", "approve the submissions"
        try:
            self._api.call("POST", path, doing, body={"submission_ids": ids})
        except PlatformRefusedError:
            waiting = look(lambda: [each for each in ids if self.submission(each).state != "approved"])
            if waiting is None or len(waiting) == len(ids):
                raise
            if waiting:
                self._api.call("POST", path, doing, body={"submission_ids": waiting})

    def prepare_bonuses(self, listing: str, bonuses: Sequence[Bonus]) -> str:
        """Set up bonuses by submission; each submission at most once in a call, since Prolific does not say what two
        rows for one would come to.

        This pays nobody, so it may be sent again, and be called again after any error.
        """
        if not 1 <= len(bonuses) <= AT_ONCE:
            raise PlatformRefusedError(f"Prolific takes 1 to {AT_ONCE} bonuses in one call, got {len(bonuses)}")
        ids = [check_id(bonus.submission) for bonus in bonuses]
        if len(set(ids)) < len(ids):
            raise PlatformRefusedError("a submission stands twice among these bonuses; pay its second one by itself")
        for bonus in bonuses:
            self._check_currency(bonus.amount)
            if bonus.amount.amount == 0:
                raise PlatformRefusedError("a bonus of nothing cannot be paid")
        lines = [f"{bonus.submission},{decimal(bonus.amount.amount)}" for bonus in bonuses]
        doing = "set up the bonuses"
        body = {"study_id": check_id(listing), "csv_bonuses": "\n".join(lines)}
        answer = self._api.call("POST", "submissions/bonus-payments/", doing, body=body, repeat=True).data
        total = minor_units(part(answer, "total_amount", doing), "the total")
        asked = sum(bonus.amount.amount for bonus in bonuses)
        # With fee and tax it is half as much again; where it is another size, pounds were read as pence.
        if not asked <= total <= 2 * asked + len(bonuses):
            raise PlatformRefusedError(
                f"Prolific would take {decimal(total)} for bonuses of {decimal(asked)}, so they are not paid"
            )
        return check_id(str(part(answer, "id", doing)))

    def pay_bonuses(self, reference: str, bonuses: Sequence[Bonus]) -> None:
        """Pay what was set up: one request, whatever comes back. Prolific pays twice what is asked for twice.

        A refusal, being asked too often among them, has no effect; after PlatformUnsureError only `bonuses` can say.
        """
        path = f"bulk-bonus-payments/{check_id(reference)}/pay/"
        self._api.call("POST", path, "pay the bonuses", once=True)

    def bonuses(self, listing: str, remote_ids: Sequence[str]) -> Sequence[PaidBonus]:
        """The bonuses that each submission shows; asked for one by one, since lists do not name them."""
        found = []
        for remote_id in dict.fromkeys(remote_ids):
            remote = self.submission(remote_id)
            if remote.bonuses is None:
                raise PlatformUnsureError(f"Prolific does not say which bonuses were paid for submission {remote_id}")
            found += [PaidBonus(remote_id, amount) for amount in remote.bonuses]
        return found

    def message(self, participants: Sequence[str], subject: str, text: str, listing: str | None = None) -> None:
        """Write to people about a study. Prolific knows no subject: it stands in the first line."""
        if listing is None:
            raise PlatformRefusedError("Prolific sends messages about a study only; name the listing")
        ids = [check_id(each) for each in dict.fromkeys(participants)]
        if not ids:
            return
        body: dict[str, Any] = {"body": f"{subject}\n\n{text}" if subject else text, "study_id": check_id(listing)}
        if len(ids) == 1:
            self._api.call("POST", "messages/", "send the message", body={**body, "recipient_id": ids[0]})
        else:
            self._api.call("POST", "messages/bulk/", "send the messages", body={**body, "ids": ids})
