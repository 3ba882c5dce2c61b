"""A researcher's account on Prolific: the protocol's `Account`, each method a call or two.

An account belongs to a workspace: the one that `PROLIFIC_WORKSPACE` names, else the first. Money is in the
workspace's currency, so whatever names an amount is compared with it first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import PlatformError, PlatformRefusedError, PlatformUnsureError
from crowdloom.studies.platforms.prolific_api import Api, NotFoundError, part, rows
from crowdloom.studies.platforms.prolific_hooks import KINDS
from crowdloom.studies.platforms.prolific_study import internal_name, read_study, study_body
from crowdloom.studies.platforms.prolific_terms import AT_ONCE, CATEGORIES, REASON_MIN, REMOTE_STATES
from crowdloom.studies.platforms.protocol import AccountInfo, Bonus, Listed, Notice, PaidBonus, Remote

APPROVALS_AT_ONCE = 1_000
_PAGE = 100
_ID = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
_MOST_MONEY = 2**31 - 1


class ProlificAccount:
    """The account; every method may raise PlatformRefusedError, PlatformUnsureError and CredentialsError."""

    def __init__(self, api: Api, app: str, workspace: str | None = None) -> None:
        self._api = api
        self._app = app
        self._given_workspace = workspace
        self._workspace: str | None = workspace
        self._currency: str | None = None

    def info(self) -> AccountInfo:
        """Whose token it is, and what is left to spend in the workspace."""
        doing = "check the token"
        name = str(part(self._api.get("users/me/", doing), "email", doing))
        balance = self._balance()
        left = _minor(part(balance, "available_balance", doing), "the balance")
        self._currency = str(part(balance, "currency_code", doing))
        money = Money(amount=min(max(left, 0), _MOST_MONEY), currency=self._currency)
        return AccountInfo(name, self._api.origin, money)

    def ask_cost(self, reward_minor: int, places: int) -> int:
        """What so many places at this reward cost in all, fees and tax included, in minor units of the account."""
        doing = "calculate the cost"
        body = {"reward": reward_minor, "total_available_places": places}
        answer = self._api.call("POST", "study-cost-calculator/", doing, body=body, repeat=True).data
        return int(_number(part(answer, "total_cost", doing), doing).to_integral_value(ROUND_HALF_UP))

    # Listings.

    def create(self, notice: Notice) -> Listed:
        """A draft, or the study that carries this notice's token already."""
        reward = notice.design.people.reward
        if reward is None:
            raise PlatformRefusedError("Prolific needs a reward; give one as people.reward")
        self._check_currency(reward)
        project = notice.design.prolific.project
        self._check_project(project)
        if (found := self._find(notice, project)) is not None:
            return found
        try:
            return self._listed(
                self._api.call("POST", "studies/", "create the study", body=study_body(notice)).data, "create the study"
            )
        except PlatformUnsureError:
            if (found := self._find(notice, project)) is not None:
                return found
            raise

    def open(self, listing: str) -> Listed:
        """Publish a draft or go on with what is paused. A closed one is opened by adding places (`set_places`)."""
        now = self.listing(listing)
        if now.state == "open":
            return now
        if now.state == "closed":
            raise PlatformRefusedError(f"study {listing} is closed on Prolific; add places, which opens it again")
        if now.vendor_state == "SCHEDULED":
            raise PlatformRefusedError(
                f"study {listing} is scheduled on Prolific to be published; cancel that there first"
            )
        return self._move(now, "PUBLISH" if now.state == "draft" else "START", "open")

    def pause(self, listing: str) -> Listed:
        """Pause what is open; a draft and what is closed let nobody in anyway."""
        now = self.listing(listing)
        return self._move(now, "PAUSE", "paused") if now.state == "open" else now

    def set_places(self, listing: str, places: int) -> Listed:
        """Raise the places. A full study, and one that was stopped, thereby goes on; a paused one stays paused.

        Fewer places than before are refused without a call, since Prolific only goes up.
        """
        now = self.listing(listing)
        if places == now.places:
            return now
        if places < now.places and now.state != "draft":
            raise PlatformRefusedError(
                f"study {listing} has {now.places} places, and Prolific lets nobody lower them to {places}; close it"
            )
        doing = "change the places"
        body = {"total_available_places": places}
        try:
            return self._listed(self._api.call("PATCH", f"studies/{_id(listing)}/", doing, body=body, repeat=True).data)
        except PlatformUnsureError:
            if (now := self.listing(listing)).places == places:
                return now
            raise

    def close(self, listing: str) -> Listed:
        """Stop for good; a draft is deleted. A full study that Prolific does not let stop lets nobody in either."""
        try:
            now = self.listing(listing)
        except NotFoundError:
            return Listed(listing, "closed", "DELETED", 0)
        if now.state == "draft":
            return self._delete(now)
        if now.state == "closed":
            return now
        try:
            return self._move(now, "STOP", "closed")
        except PlatformRefusedError:
            if now.vendor_state == "AWAITING REVIEW":
                return replace(now, state="closed")
            raise

    def listing(self, listing: str) -> Listed:
        """The study as it stands. One that is full is still open, its `vendor_state` being AWAITING REVIEW."""
        return self._listed(self._api.get(f"studies/{_id(listing)}/", "look at the study"))

    def _delete(self, draft: Listed) -> Listed:
        path, doing = f"studies/{_id(draft.remote_id)}/", "delete the draft"
        try:
            if draft.vendor_state == "SCHEDULED":
                body = {"action": "CANCEL_PUBLISH"}
                self._api.call("POST", f"{path}transition/", "cancel the scheduled publication", body=body)
            self._api.call("DELETE", path, doing)
        except PlatformError:
            try:
                self.listing(draft.remote_id)
            except NotFoundError:
                return replace(draft, state="closed", vendor_state="DELETED")
            raise
        return replace(draft, state="closed", vendor_state="DELETED")

    def _move(self, now: Listed, action: str, wanted: str) -> Listed:
        """One transition, sent once; whether it came about is read where that is not clear."""
        doing = f"{action.lower()} the study"
        path = f"studies/{_id(now.remote_id)}/transition/"
        try:
            return self._listed(self._api.call("POST", path, doing, body={"action": action}).data)
        except (PlatformRefusedError, PlatformUnsureError):
            if (after := self.listing(now.remote_id)).state == wanted:
                return after
            raise

    def _find(self, notice: Notice, project: str | None) -> Listed | None:
        path, doing = "studies/", "look for the study"
        query: dict[str, str | int] = {}
        if project is not None:
            path = f"projects/{_id(project)}/studies/"
            query = {"page": 1, "page_size": _PAGE, "ordering": "-date_created"}
        for row in self._api.pages(path, doing, **query):
            if row.get("internal_name") == internal_name(notice):
                return self.listing(str(part(row, "id", doing)))
        return None

    def _listed(self, study: Any, doing: str = "look at the study") -> Listed:
        for name in ("id", "status", "total_available_places"):
            part(study, name, doing)
        try:
            return read_study(study, self._app)
        except ValueError as error:
            raise PlatformUnsureError(f"Prolific gives the study a state that is not known: {error}") from None

    # Submissions.

    def submissions(self, listing: str) -> Iterator[Remote]:
        """All submissions, in the order in which they began, so that those who arrive meanwhile come last."""
        doing = "list the submissions"
        seen: set[str] = set()
        query: dict[str, str | int] = {"study": _id(listing), "page": 1, "page_size": _PAGE, "ordering": "started_at"}
        for row in self._api.pages("submissions/", doing, **query):
            remote = Remote(
                id=str(part(row, "id", doing)),
                listing=listing,
                participant=str(part(row, "participant_id", doing)),
                state=REMOTE_STATES.get(str(part(row, "status", doing)), "active"),
                vendor_state=str(row["status"]),
                started_at=_time(row.get("started_at")),
                submitted_at=_time(row.get("completed_at")),
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
        ids = [_id(each) for each in dict.fromkeys(remote_ids)]
        if len(ids) == 1:
            self._review(ids[0], {"action": "APPROVE"}, "approved")
            return
        for start in range(0, len(ids), APPROVALS_AT_ONCE):
            self._approve_many(ids[start : start + APPROVALS_AT_ONCE])

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
        self._review(_id(remote_id), body, "rejected")

    def request_return(self, remote_id: str, reason: str) -> None:
        """Ask for a return, unless the participant was asked before or has returned it."""
        detail = self._detail(remote_id)
        if detail.get("return_requested") or detail.get("status") == "RETURNED":
            return
        path, doing = f"submissions/{_id(remote_id)}/request-return/", "request the return"
        try:
            self._api.call("POST", path, doing, body={"request_return_reasons": [reason]})
        except PlatformUnsureError:
            if not self._detail(remote_id).get("return_requested"):
                raise

    def _detail(self, remote_id: str) -> dict[str, Any]:
        detail = self._api.get(f"submissions/{_id(remote_id)}/", "look at the submission")
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
            started_at=_time(detail.get("started_at")),
            submitted_at=_time(detail.get("completed_at")),
            code=detail.get("entered_code"),
            bonuses=None if paid is None else tuple(_minor(amount, "a bonus") for amount in paid),
        )

    def _review(self, remote_id: str, body: Mapping[str, str], wanted: str) -> None:
        doing = f"{body['action'].lower()} the submission"
        try:
            # Prolific says of this one that doing it twice is doing it once.
            self._api.call("POST", f"submissions/{remote_id}/transition/", doing, body=dict(body), repeat=True)
        except (PlatformRefusedError, PlatformUnsureError):
            if self.submission(remote_id).state != wanted:
                raise

    def _approve_many(self, ids: list[str]) -> None:
        path, doing = "submissions/bulk-approve/", "approve the submissions"
        try:
            self._api.call("POST", path, doing, body={"submission_ids": ids})
        except PlatformRefusedError:
            waiting = [each for each in ids if self.submission(each).state != "approved"]
            if len(waiting) == len(ids):
                raise
            if waiting:
                self._api.call("POST", path, doing, body={"submission_ids": waiting})

    # Bonuses.

    def prepare_bonuses(self, listing: str, bonuses: Sequence[Bonus]) -> str:
        """Set up bonuses by submission; each submission at most once in a call, since Prolific does not say what two
        rows for one would come to."""
        if not 1 <= len(bonuses) <= AT_ONCE:
            raise PlatformRefusedError(f"Prolific takes 1 to {AT_ONCE} bonuses in one call, got {len(bonuses)}")
        ids = [_id(bonus.submission) for bonus in bonuses]
        if len(set(ids)) < len(ids):
            raise PlatformRefusedError("a submission stands twice among these bonuses; pay its second one by itself")
        for bonus in bonuses:
            self._check_currency(bonus.amount)
            if bonus.amount.amount == 0:
                raise PlatformRefusedError("a bonus of nothing cannot be paid")
        lines = [f"{bonus.submission},{_decimal(bonus.amount.amount)}" for bonus in bonuses]
        doing = "set up the bonuses"
        body = {"study_id": _id(listing), "csv_bonuses": "\n".join(lines)}
        answer = self._api.call("POST", "submissions/bonus-payments/", doing, body=body).data
        total, asked = _minor(part(answer, "total_amount", doing), "the total"), sum(b.amount.amount for b in bonuses)
        # With fee and tax it is half as much again; where it is another size, pounds were read as pence.
        if not asked <= total <= 2 * asked + len(bonuses):
            raise PlatformRefusedError(
                f"Prolific would take {_decimal(total)} for bonuses of {_decimal(asked)}, so they are not paid"
            )
        return _id(str(part(answer, "id", doing)))

    def pay_bonuses(self, reference: str, bonuses: Sequence[Bonus]) -> None:
        """Pay what was set up: one request, whatever comes back. Prolific pays twice what is asked for twice.

        A refusal, being asked too often among them, has no effect; after PlatformUnsureError only `bonuses` can say.
        """
        path = f"bulk-bonus-payments/{_id(reference)}/pay/"
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

    # Groups, messages, webhooks.

    def ensure_group(self, name: str) -> str:
        """The workspace's group of this name."""
        if (found := self._group(name)) is not None:
            return found
        doing = "create the participant group"
        body = {"workspace_id": self._workspace_id(), "name": name}
        try:
            return str(part(self._api.call("POST", "participant-groups/", doing, body=body).data, "id", doing))
        except PlatformUnsureError:
            if (found := self._group(name)) is not None:
                return found
            raise

    def add_to_group(self, group: str, participants: Sequence[str]) -> None:
        """Put people into a group; who is in it stays in it."""
        self._change_group("POST", group, participants, "add to the participant group")

    def remove_from_group(self, group: str, participants: Sequence[str]) -> None:
        """Take people out of a group; who is not in it is passed over."""
        self._change_group("DELETE", group, participants, "take out of the participant group")

    def message(self, participants: Sequence[str], subject: str, text: str, listing: str | None = None) -> None:
        """Write to people about a study. Prolific knows no subject: it stands in the first line."""
        if listing is None:
            raise PlatformRefusedError("Prolific sends messages about a study only; name the listing")
        ids = [_id(each) for each in dict.fromkeys(participants)]
        if not ids:
            return
        body: dict[str, Any] = {"body": f"{subject}\n\n{text}" if subject else text, "study_id": _id(listing)}
        if len(ids) == 1:
            self._api.call("POST", "messages/", "send the message", body={**body, "recipient_id": ids[0]})
        else:
            self._api.call("POST", "messages/bulk/", "send the messages", body={**body, "ids": ids})

    def subscribe(self, url: str) -> str:
        """Have Prolific call this address when a study or a submission changes; the secret that signs the calls.

        A workspace has one secret: the one it has is kept, since a new one would make every other receiver deaf.
        What was subscribed before is not subscribed again.
        """
        doing, workspace = "subscribe to events", self._workspace_id()
        known = rows(self._api.get("hooks/secrets/", doing, workspace_id=workspace), doing)
        secret = next((str(row["value"]) for row in known if row.get("value")), None)
        if secret is None:
            answer = self._api.call("POST", "hooks/secrets/", doing, body={"workspace_id": workspace}).data
            secret = str(part(answer, "value", doing))
        has = {
            (row.get("event_type"), row.get("target_url"))
            for row in self._api.pages("hooks/subscriptions/", doing, workspace_id=workspace, is_enabled="true")
        }
        for kind in KINDS:
            if (kind, url) not in has:
                self._subscribe(kind, url, workspace)
        return secret

    def _subscribe(self, kind: str, url: str, workspace: str) -> None:
        doing = f"subscribe to {kind}"
        body = {"event_type": kind, "target_url": url, "workspace_id": workspace}
        answer = self._api.call("POST", "hooks/subscriptions/", doing, body=body)
        confirmation = answer.headers.get("X-Hook-Secret")
        # The description answers with a list, the guide beside it with the one subscription.
        listed = isinstance(answer.data, dict) and "results" in answer.data
        made = rows(answer.data, doing) if listed else [answer.data]
        one = next((row for row in made if isinstance(row, dict) and row.get("event_type", kind) == kind), {})
        subscription = _id(str(part(one, "id", doing)))
        if not confirmation:
            raise PlatformUnsureError(f"Prolific answered without X-Hook-Secret when asked to {doing}")
        path = f"hooks/subscriptions/{subscription}/"
        self._api.call("POST", path, f"confirm the subscription to {kind}", body={"secret": confirmation})

    def _group(self, name: str) -> str | None:
        doing = "list the participant groups"
        query: dict[str, str | int] = {"workspace_id": self._workspace_id(), "active": "true"}
        for row in self._api.pages("participant-groups/", doing, **query):
            if row.get("name") == name and not row.get("is_deleted"):
                return str(part(row, "id", doing))
        return None

    def _change_group(self, method: str, group: str, participants: Sequence[str], doing: str) -> None:
        ids = [_id(each) for each in dict.fromkeys(participants)]
        if ids:
            path = f"participant-groups/{_id(group)}/participants/"
            self._api.call(method, path, doing, body={"participant_ids": ids}, repeat=True)

    # The workspace and its currency.

    def _workspace_id(self) -> str:
        if self._workspace is None:
            doing = "list the workspaces"
            first = next(iter(self._api.pages("workspaces/", doing)), None)
            if first is None:
                raise PlatformRefusedError("this Prolific account belongs to no workspace; create one there")
            self._workspace = str(part(first, "id", doing))
        return self._workspace

    def _balance(self) -> Any:
        return self._api.get(f"workspaces/{_id(self._workspace_id())}/balance/", "look at the balance")

    def _check_currency(self, money: Money) -> None:
        if self._currency is None:
            self._currency = str(part(self._balance(), "currency_code", "look at the balance"))
        if money.currency != self._currency:
            raise PlatformRefusedError(
                f"{money} cannot be paid on Prolific: the workspace {self._workspace} pays in {self._currency}"
            )

    def _check_project(self, project: str | None) -> None:
        """A study is paid by its project's workspace, whose currency was checked only if it is this account's."""
        if project is None:
            if self._given_workspace is not None:
                raise PlatformRefusedError(
                    "PROLIFIC_WORKSPACE is set, but the design does not say which of its projects the study belongs "
                    "to; name it as project in [prolific]"
                )
            return
        doing = "look at the project"
        workspace = str(part(self._api.get(f"projects/{_id(project)}/", doing), "workspace", doing))
        if workspace != self._workspace_id():
            raise PlatformRefusedError(
                f"the project {project} belongs to the workspace {workspace}; set PROLIFIC_WORKSPACE to that"
            )


def _id(given: str) -> str:
    """An id, which is to become a part of an address or of a table."""
    if not _ID.fullmatch(given):
        raise PlatformRefusedError(f"{given!r} is no id of Prolific's")
    return given


def _decimal(minor: int) -> str:
    """An amount as Prolific's table takes it: 30 is 0.30.

    >>> [_decimal(amount) for amount in (30, 5, 41, 1200)]
    ['0.30', '0.05', '0.41', '12.00']
    """
    return f"{minor // 100}.{minor % 100:02d}"


def _number(value: Any, what: str) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise PlatformUnsureError(f"Prolific gives {what} as {value!r}, which is no number")
    return number


def _minor(value: Any, what: str) -> int:
    """An amount in minor units, which come as numbers that may have a point."""
    number = _number(value, what)
    if number != number.to_integral_value():
        raise PlatformUnsureError(f"Prolific gives {what} as {value!r}, which is no whole number of cents")
    return int(number)


def _time(value: Any) -> datetime | None:
    """A time in UTC; Prolific's times without a zone are in UTC."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
