"""The workspace of a Prolific account: its money, its participant groups, its webhooks.

An account belongs to the workspace that `PROLIFIC_WORKSPACE` names, else to the first. Money is in the workspace's
currency, so whatever names an amount is compared with it first.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP
from typing import Any

from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import PlatformRefusedError, PlatformUnsureError
from crowdloom.studies.platforms.prolific_api import Api, look, part, rows
from crowdloom.studies.platforms.prolific_hooks import KINDS
from crowdloom.studies.platforms.prolific_values import check_id, minor_units, number
from crowdloom.studies.platforms.protocol import AccountInfo

_MOST_MONEY = 2**31 - 1


class ProlificWorkspace:
    """What an account can do before there is any study."""

    def __init__(self, api: Api, app: str, workspace: str | None = None) -> None:
        self._api = api
        self._app = app
        self._given_workspace = workspace
        self._workspace = workspace
        self._currency: str | None = None

    def info(self) -> AccountInfo:
        """Whose token it is, and what is left to spend in the workspace."""
        doing = "check the token"
        name = str(part(self._api.get("users/me/", doing), "email", doing))
        balance = self._balance()
        left = minor_units(part(balance, "available_balance", doing), "the balance")
        self._currency = str(part(balance, "currency_code", doing))
        money = Money(amount=min(max(left, 0), _MOST_MONEY), currency=self._currency)
        return AccountInfo(name, self._api.origin, money)

    def ask_cost(self, reward_minor: int, places: int) -> int:
        """What so many places at this reward cost in all, fees and tax included, in minor units of the account."""
        doing = "calculate the cost"
        body = {"reward": reward_minor, "total_available_places": places}
        answer = self._api.call("POST", "study-cost-calculator/", doing, body=body, repeat=True).data
        return int(number(part(answer, "total_cost", doing), doing).to_integral_value(ROUND_HALF_UP))

    def ensure_group(self, name: str) -> str:
        """The workspace's group of this name."""
        if (found := self._group(name)) is not None:
            return found
        doing = "create the participant group"
        body = {"workspace_id": self._workspace_id(), "name": name}
        try:
            return str(part(self._api.call("POST", "participant-groups/", doing, body=body).data, "id", doing))
        except PlatformUnsureError:
            if (found := look(lambda: self._group(name))) is not None:
                return found
            raise

    def add_to_group(self, group: str, participants: Sequence[str]) -> None:
        """Put people into a group; who is in it stays in it."""
        self._change_group("POST", group, participants, "add to the participant group")

    def remove_from_group(self, group: str, participants: Sequence[str]) -> None:
        """Take people out of a group; who is not in it is passed over."""
        self._change_group("DELETE", group, participants, "take out of the participant group")

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
        subscription = check_id(str(part(one, "id", doing)))
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
        ids = [check_id(each) for each in dict.fromkeys(participants)]
        if ids:
            path = f"participant-groups/{check_id(group)}/participants/"
            self._api.call(method, path, doing, body={"participant_ids": ids}, repeat=True)

    def _workspace_id(self) -> str:
        if self._workspace is None:
            doing = "list the workspaces"
            first = next(iter(self._api.pages("workspaces/", doing)), None)
            if first is None:
                raise PlatformRefusedError("this Prolific account belongs to no workspace; create one there")
            self._workspace = str(part(first, "id", doing))
        return self._workspace

    def _balance(self) -> Any:
        return self._api.get(f"workspaces/{check_id(self._workspace_id())}/balance/", "look at the balance")

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
        workspace = str(part(self._api.get(f"projects/{check_id(project)}/", doing), "workspace", doing))
        if workspace != self._workspace_id():
            raise PlatformRefusedError(
                f"the project {project} belongs to the workspace {workspace}; set PROLIFIC_WORKSPACE to that"
            )
