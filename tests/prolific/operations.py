"""What each operation of the API does, by its id in the description."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.prolific import money, studies, submissions
from tests.prolific.state import Record, RefusedError, State, found, now


@dataclass
class Call:
    """A request that has been checked."""

    state: State
    url: str
    """The stand-in's own address."""
    path: str
    parts: dict[str, str]
    query: dict[str, str]
    body: Any
    settle_after: float | None
    headers: dict[str, str] = field(default_factory=dict)
    """To go out with the answer."""

    def pages(self, rows: list[Record], size: int = 20) -> Record:
        """A page of a list with the link to the next one; 404 past the end."""
        size = int(self.query.get("page_size", size))
        page = int(self.query.get("page", 1))
        if page < 1 or (page > 1 and (page - 1) * size >= len(rows)):
            raise RefusedError(404, 140404, "Invalid page.", "Not found")
        query = "".join(f"&{name}={value}" for name, value in self.query.items() if name != "page")
        has_more = page * size < len(rows)
        href = f"{self.url}{self.path}?page={page + 1}{query}" if has_more else None
        links = {"next": {"href": href, "title": "Next"}}
        return {
            "results": rows[(page - 1) * size : page * size],
            "_links": links,
            "meta": {"count": len(rows)},
        }


def _me(call: Call) -> Record:
    return {"id": "5f0000000000000000000001", "email": "researcher@university.example"}


def _workspaces(call: Call) -> Record:
    return call.pages([{"id": each["id"], "title": each["title"]} for each in call.state.all("workspace")])


def _project(call: Call) -> Record:
    project = found(call.state, "project", call.parts["project_id"])
    return {**project, "type": "PRIVATE"}


def _studies(call: Call) -> Record:
    fields = {"status": call.query["state"]} if "state" in call.query else {}
    return call.pages(studies.listed(call.state, **fields))


def _project_studies(call: Call) -> Record:
    found(call.state, "project", call.parts["project_id"])
    return call.pages(studies.listed(call.state, project=call.parts["project_id"]))


def _study(call: Call) -> Record:
    return studies.show(call.state, found(call.state, "study", call.parts["id"]))


def _delete_study(call: Call) -> Record:
    studies.delete_study(call.state, call.parts["id"])
    return {}


def _submissions(call: Call) -> Record:
    found(call.state, "study", call.query["study"])
    rows = call.state.all("submission", study_id=call.query["study"])
    if call.query.get("ordering", "-started_at") == "-started_at":
        rows = rows[::-1]
    return call.pages([submissions.show_short(each) for each in rows])


def _submission(call: Call) -> Record:
    return submissions.show_detail(call.state, found(call.state, "submission", call.parts["id"]))


def _groups(call: Call) -> Record:
    rows = call.state.all("group", workspace_id=call.query.get("workspace_id"))
    return call.pages([_show_group(each) for each in rows])


def _create_group(call: Call) -> Record:
    if "workspace_id" not in call.body:
        raise RefusedError(400, 140500, {"workspace_id": ["is required"]})
    found(call.state, "workspace", call.body["workspace_id"])
    members = call.body.get("participant_ids", [])
    group = {"workspace_id": call.body["workspace_id"], "name": call.body["name"], "members": members}
    return _show_group(call.state.put("group", group))


def _show_group(group: Record) -> Record:
    shown = {name: group[name] for name in ("id", "name", "workspace_id")}
    return {**shown, "project_id": None, "participant_count": len(group["members"]), "is_deleted": False}


def _join_group(call: Call) -> Record:
    return _set_members(call, lambda members, ids: list(dict.fromkeys([*members, *ids])))


def _leave_group(call: Call) -> Record:
    return _set_members(call, lambda members, ids: [each for each in members if each not in ids])


def _set_members(call: Call, change: Callable[[list[str], list[str]], list[str]]) -> Record:
    group = found(call.state, "group", call.parts["id"])
    ids = call.body["participant_ids"]
    for each in ids:
        found(call.state, "participant", each)
    group["members"] = change(group["members"], ids)
    call.state.put("group", group)
    return {"results": [{"participant_id": each, "datetime_created": now()} for each in group["members"]]}


def _message(call: Call) -> None:
    found(call.state, "study", call.body["study_id"])
    for each in call.body.get("ids", [call.body.get("recipient_id")]):
        found(call.state, "participant", each)
        call.state.put("message", {"to": each, "study_id": call.body["study_id"], "body": call.body["body"]})


def _secrets(call: Call) -> Record:
    return {"results": call.state.all("secret", workspace_id=call.query["workspace_id"])}


def _create_secret(call: Call) -> Record:
    workspace = found(call.state, "workspace", call.body["workspace_id"])["id"]
    for old in call.state.all("secret", workspace_id=workspace):
        call.state.delete("secret", old["id"])
    return call.state.put("secret", {"value": secrets.token_urlsafe(32), "workspace_id": workspace})


def _subscriptions(call: Call) -> Record:
    rows = call.state.all("subscription", is_enabled=call.query.get("is_enabled", "true") == "true")
    return call.pages([_show_subscription(each) for each in rows])


def _subscribe(call: Call) -> Record:
    if not call.state.all("secret", workspace_id=call.body["workspace_id"]):
        raise RefusedError(400, 140600, "create a secret for the workspace first")
    if not call.body["target_url"].startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise RefusedError(400, 140601, {"target_url": ["expected https://"]})
    confirmation = secrets.token_urlsafe(16)
    one = call.state.put("subscription", {**call.body, "is_enabled": False, "confirmation": confirmation})
    call.headers["X-Hook-Secret"] = confirmation
    return {"results": [_show_subscription(one)]}


def _confirm(call: Call) -> Record:
    one = found(call.state, "subscription", call.parts["subscription_id"])
    if call.body["secret"] != one["confirmation"]:
        raise RefusedError(400, 140602, "this is not the secret of the subscription")
    return _show_subscription(call.state.put("subscription", {**one, "is_enabled": True}))


def _show_subscription(one: Record) -> Record:
    return {name: value for name, value in one.items() if name != "confirmation"}


OPERATIONS: dict[str, tuple[int, Callable[[Call], Any]]] = {
    "get-user": (200, _me),
    "get-workspaces": (200, _workspaces),
    "get-workspace-balance": (200, lambda call: money.balance(call.state, call.parts["workspace_id"])),
    "get-project": (200, _project),
    "get-studies": (200, _studies),
    "get-project-studies": (200, _project_studies),
    "create-study": (201, lambda call: studies.create_study(call.state, call.body)),
    "get-study": (200, _study),
    "update-study": (200, lambda call: studies.update_study(call.state, call.parts["id"], call.body)),
    "delete-study": (200, _delete_study),
    "publish-study": (200, lambda call: studies.move_study(call.state, call.parts["id"], call.body)),
    "calculate-study-cost": (200, lambda call: money.calculate(call.body)),
    "get-submissions": (200, _submissions),
    "get-submission": (200, _submission),
    "transition-submission": (200, lambda call: submissions.review(call.state, call.parts["id"], call.body)),
    "request-submission-return": (
        200,
        lambda call: submissions.request_return(call.state, call.parts["id"], call.body),
    ),
    "bulk-approve-submissions": (
        200,
        lambda call: submissions.bulk_approve(call.state, call.body, call.settle_after),
    ),
    "create-bonus-payments": (201, lambda call: money.set_up_bonuses(call.state, call.body)),
    "pay-bonus-payments": (202, lambda call: money.ask_to_pay(call.state, call.parts["id"], call.settle_after)),
    "get-participant-groups": (200, _groups),
    "create-participant-group": (201, _create_group),
    "add-to-participant-group": (200, _join_group),
    "remove-from-participant-group": (200, _leave_group),
    "send-message": (204, _message),
    "bulk-message-participants": (204, _message),
    "get-secrets": (200, _secrets),
    "create-secret": (201, _create_secret),
    "get-subscriptions": (200, _subscriptions),
    "create-subscription": (201, _subscribe),
    "confirm-subscription": (200, _confirm),
}
PAGED = {
    "get-workspaces",
    "get-studies",
    "get-project-studies",
    "get-submissions",
    "get-participant-groups",
    "get-subscriptions",
}
"""Whose lists come in pages, whether or not the description says so."""
