"""The ledger's page: what is owed, sent and paid, and the buttons that pay, each with its amount."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from flask import flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import Connection

from crowdloom.studies import platform_jobs
from crowdloom.studies.design import Bonus
from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import OptionError
from crowdloom.studies.fair_pay import FairPay, fair_pay
from crowdloom.studies.ledger import PURPOSES, Due, payments, record_by_hand
from crowdloom.studies.masking import mask
from crowdloom.studies.owed import (
    amount_of,
    can_be_paid,
    check_agreed,
    currency_of,
    fee_on,
    ledger_of,
    not_written_down,
    paid_there,
)
from crowdloom.studies.paying import owe_rewards
from crowdloom.studies.paylist import write_list
from crowdloom.studies.platform_work import posting_of
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.posted import Posted, find_postings
from crowdloom.studies.posting import current_design
from crowdloom.studies.web.researcher_base import Page, amount, blueprint, carry_out, page_of, study_name
from crowdloom.studies.web.stores import current_store
from crowdloom.studies.words import count

STATES = ("unknown", "pending", "sent", "confirmed", "cancelled")


@dataclass(frozen=True)
class Account:
    """A posting's part of the page. Amounts are in minor units of `currency`."""

    posted: Posted
    dues: list[Due]
    currency: str
    fee: int
    """On all that is owed."""
    unwritten: int
    pay: FairPay
    addition: int
    """What the addition that the median person lacks would come to for everybody, with what is owed of it already."""

    @property
    def pays(self) -> bool:
        """Whether its platform moves money."""
        return PLATFORMS[self.posted.platform].capabilities.pays

    @property
    def pending(self) -> list[Due]:
        """What is owed."""
        return [due for due in self.dues if due.state == "pending"]

    @property
    def payable(self) -> list[Due]:
        """Of this what the platform would pay now."""
        return [due for due in self.dues if can_be_paid(self.posted.platform, due)]

    @property
    def waiting(self) -> list[Due]:
        """Of this what was not handed in on the platform, as far as is known."""
        return [due for due in self.pending if not can_be_paid(self.posted.platform, due) and not paid_there(due)]

    @property
    def paid_there(self) -> list[Due]:
        """Of this what the platform has paid by itself already."""
        return list(filter(paid_there, self.dues))

    def by_state(self) -> list[tuple[str, int, str]]:
        """Each state that occurs: its name, how many payments, and what they come to."""
        rows = []
        for state in STATES:
            ones = [due for due in self.dues if due.state == state]
            if ones:
                rows.append((state, len(ones), self.money(amount_of(ones))))
        return rows

    def by_purpose(self) -> list[tuple[str, int]]:
        """What can be paid now, by purpose, where there is more than one."""
        found: dict[str, int] = {
            purpose: amount_of(d for d in self.payable if d.purpose == purpose) for purpose in PURPOSES
        }
        rows = [(purpose, sum_) for purpose, sum_ in found.items() if sum_]
        return rows if len(rows) > 1 else []

    def money(self, minor: int) -> str:
        """An amount with its currency."""
        return str(Money(amount=minor, currency=self.currency))

    @staticmethod
    def total(dues: list[Due]) -> int:
        """The sum of payments."""
        return amount_of(dues)


@blueprint.get("/study/<token:token>/payments")
def payments_page(token: str) -> Page:
    """The ledger, and what can be paid."""
    with current_store().read() as connection:
        name = study_name(connection, token)
        design_id, _ = current_design(connection, name)
        postings = find_postings(connection, name)
        accounts = [_account(connection, posted) for posted in postings]
        preview = platform_jobs.latest(connection, token, "preview-bonus", state="done")
        given = platform_jobs.latest(connection, token, "bonus", state="done")
        busy = [job for job in platform_jobs.history(connection, token) if not job.finished]
    if given is not None and preview is not None and given.created_at > preview.created_at:
        preview = None  # it has been carried out; the next table counts what came after
    state = request.args.get("state", "")
    rows = [due for account in accounts for due in account.dues if state not in STATES or due.state == state]
    rows.sort(key=lambda due: (STATES.index(due.state), due.id))
    here, number, pages = page_of(rows)
    return render_template(
        "researcher/payments.html",
        name=name,
        token=token,
        accounts=accounts,
        rows=here,
        state=state if state in STATES else "",
        states=[key for key in STATES if any(due.state == key for account in accounts for due in account.dues)],
        number=number,
        pages=pages,
        bonus=_promised(postings, design_id),
        preview=preview,
        preview_total=_preview_total(preview),
        busy=busy,
        mask=mask,
    )


def _account(connection: Connection, posted: Posted) -> Account:
    dues = ledger_of(connection, posted)
    found = fair_pay(connection, posted)
    addition = 0
    if found.top_up is not None:
        addition = found.top_up.amount * found.to_top_up
        addition += amount_of(due for due in dues if due.purpose == "top_up" and due.state == "pending")
    return Account(
        posted=posted,
        dues=dues,
        currency=currency_of(posted),
        fee=fee_on(connection, posted, [due for due in dues if due.state == "pending"]),
        unwritten=not_written_down(connection, posted),
        pay=found,
        addition=addition,
    )


def _promised(postings: list[Posted], design_id: int) -> Bonus | None:
    return next((one.design.bonus for one in postings if one.design_id == design_id), None)


def _preview_total(preview: platform_jobs.PlatformJob | None) -> str | None:
    """What giving the bonuses of a preview comes to; None where nobody is to be given any."""
    if preview is None or preview.result is None or not preview.result.expected or preview.result.currency is None:
        return None
    return str(Money(amount=preview.result.expected, currency=preview.result.currency))


@blueprint.post("/study/<token:token>/payments/pay")
def pay(token: str) -> Page:
    """Pay what a posting owes, of one purpose or of all."""
    purpose = request.form.get("purpose", "")
    purposes = tuple(one for one in PURPOSES if one == purpose) or PURPOSES
    return carry_out(
        platform_jobs.Pay(study=token, posting=request.form.get("posting", ""), expected=amount(), purposes=purposes)
    )


@blueprint.post("/study/<token:token>/payments/bonus-rule")
def preview_bonus(token: str) -> Page:
    """Work out who gets the bonus; nothing is written to the ledger."""
    return carry_out(platform_jobs.PreviewBonus(study=token))


@blueprint.post("/study/<token:token>/payments/bonus")
def give_bonus(token: str) -> Page:
    """Give the bonuses that the last table showed."""
    return carry_out(platform_jobs.GiveBonus(study=token, expected=amount()))


@blueprint.post("/study/<token:token>/payments/top-up")
def top_up(token: str) -> Page:
    """Give everybody the addition that lifts the median person to the floor."""
    return carry_out(platform_jobs.TopUp(study=token, posting=request.form.get("posting", ""), expected=amount()))


@blueprint.post("/study/<token:token>/payments/write-down")
def write_down(token: str) -> Page:
    """Enter the rewards of submissions that were approved elsewhere, on the command line say."""
    new = 0
    with current_store().write() as connection:
        for posted in find_postings(connection, study_name(connection, token)):
            new += owe_rewards(connection, posted)
    flash(f"{count(new, 'reward')} written to the ledger.")
    return redirect(url_for(".payments_page", token=token), 303)


def _paid_by_hand(token: str) -> Posted:
    """The posting that a form means, if its people are paid by the researcher's own means."""
    with current_store().read() as connection:
        name = study_name(connection, token)
    posted = posting_of(current_store(), name, request.form.get("posting", ""))
    if PLATFORMS[posted.platform].capabilities.pays:
        raise OptionError(f"{posted.platform} pays people itself, so there is no list and nothing to record by hand.")
    return posted


@blueprint.post("/study/<token:token>/payments/list")
def pay_list(token: str) -> Page:
    """Whom to pay what, as a file: the one place where these pages give out platform ids."""
    posted = _paid_by_hand(token)
    with current_store().read() as connection:
        dues = payments(connection, posted, states=("pending",), with_people=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        write_list(path, dues)
        response = make_response(path.read_bytes())
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="pay-{posted.design.name}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/study/<token:token>/payments/by-hand")
def by_hand(token: str) -> Page:
    """Record that what was owed has been paid by other means, if it is still the same amount."""
    posted, expected = _paid_by_hand(token), amount()
    with current_store().write() as connection:
        dues = payments(connection, posted, states=("pending",))
        if not dues:
            flash("Nothing is owed any more: it is recorded already.")
        else:
            check_agreed(posted, amount_of(dues), expected)
            flash(f"{count(record_by_hand(connection, dues), 'payment')} recorded as paid.")
    return redirect(url_for(".payments_page", token=token), 303)
