"""Money in the stand-in: the wallet, rewards and bonuses; what is asked for twice is paid twice."""

from __future__ import annotations

import time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from tests.prolific.state import Record, RefusedError, State, found, now

FEE, VAT = Decimal("0.333"), Decimal("0.2")


def cost(amount: int) -> tuple[int, int, int]:
    """Fee, tax and total of an amount in minor units."""
    fee = int((amount * FEE).to_integral_value(ROUND_HALF_UP))
    vat = int((fee * VAT).to_integral_value(ROUND_HALF_UP))
    return fee, vat, amount + fee + vat


def pay(state: State, submission: Record, kind: str, amount: int) -> None:
    """Give a participant money out of the wallet."""
    state.put(
        "payment",
        {
            "participant": submission["participant"],
            "submission": submission["id"],
            "kind": kind,
            "amount": amount,
            "at": now(),
        },
    )
    wallet = found(state, "workspace", submission["workspace"])
    state.put("workspace", {**wallet, "total": wallet["total"] - cost(amount)[2]})


def available(state: State, workspace: Record) -> int:
    """What is neither spent nor set aside for the open places of published studies."""
    left = int(workspace["total"])
    for study in state.all("study", workspace=workspace["id"]):
        if study["status"] in ("ACTIVE", "PAUSED", "AWAITING REVIEW"):
            done = ("APPROVED", "REJECTED")
            paid = [s for s in state.all("submission", study_id=study["id"]) if s["status"] in done]
            left -= cost(study["reward"])[2] * max(0, int(study["total_available_places"]) - len(paid))
    return left


def balance(state: State, workspace_id: str) -> Record:
    """The answer to `get-workspace-balance`."""
    workspace = found(state, "workspace", workspace_id)
    return {
        "currency_code": workspace["currency"],
        "total_balance": workspace["total"],
        "balance_breakdown": {},
        "available_balance": available(state, workspace),
        "available_balance_breakdown": {},
    }


def set_up_bonuses(state: State, body: Record) -> Record:
    """Read the table of bonuses; nothing is paid by this."""
    study = found(state, "study", str(body.get("study_id")))
    known = state.all("submission", study_id=study["id"])
    rows, wrong = [], []
    for line in str(body.get("csv_bonuses", "")).strip().splitlines():
        who, _, written = line.partition(",")
        try:
            minor = Decimal(written.strip()) * 100
        except InvalidOperation:
            minor = Decimal("NaN")
        if not minor.is_finite() or minor <= 0 or minor != minor.to_integral_value():
            raise RefusedError(400, 140210, {"csv_bonuses": [f"{written!r} is no amount"]})
        submission = next((each for each in known if who in (each["id"], each["participant"])), None)
        if submission is None:
            wrong.append(who)
        else:
            rows.append([submission["id"], int(minor)])
    if wrong or not rows:
        raise RefusedError(
            400, 140211, {"csv_bonuses": [f"did not take part: {', '.join(wrong) or 'nobody is named'}"]}
        )
    amount = sum(minor for _, minor in rows)
    fee, vat, total = cost(amount)
    bulk = state.put("bulk_bonus", {"study": study["id"], "rows": rows, "total": total})
    return {
        "id": bulk["id"],
        "study": study["id"],
        "amount": amount,
        "fees": fee,
        "vat": vat,
        "total_amount": total,
    }


def ask_to_pay(state: State, bulk_id: str, settle_after: float | None) -> str:
    """Take the wish to pay what was set up: each wish is one payment, however often it comes."""
    bulk = found(state, "bulk_bonus", bulk_id)
    study = found(state, "study", bulk["study"])
    if available(state, found(state, "workspace", study["workspace"])) < bulk["total"]:
        raise RefusedError(400, 140212, "the wallet does not hold enough for these bonuses")
    add_job(state, {"kind": "pay", "rows": bulk["rows"]}, settle_after)
    return "The bonuses will be paid in the following minutes."


def add_job(state: State, job: Record, settle_after: float | None) -> None:
    """Something that is done later: by `settle`, or once so many seconds have passed."""
    state.put("job", {**job, "due": None if settle_after is None else time.time() + settle_after})


def calculate(body: Record) -> dict[str, Any]:
    """The answer to `calculate-study-cost`."""
    return {"total_cost": cost(int(body["reward"] * body["total_available_places"]))[2]}
