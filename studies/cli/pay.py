"""`crowdloom pay`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import (
    check_folder,
    confirmed,
    database_option,
    opened,
    platform_option,
    postings_of,
    yes_option,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crowdloom.studies.database import Store
    from crowdloom.studies.ledger import Due, Purpose
    from crowdloom.studies.paying import Paid
    from crowdloom.studies.posted import Posted


@click.command()
@click.argument("study")
@click.option("--list", "out", type=click.Path(path_type=Path), metavar="FILE.csv", help="Write what is owed to whom.")
@click.option("--by-hand", is_flag=True, help="On the direct link: you have paid all that is owed by your own means.")
@platform_option
@yes_option
@database_option
def command(study: str, out: Path | None, by_hand: bool, platform: str | None, yes: bool, database: str | None) -> None:
    """Pay what is owed for STUDY: rewards of approved submissions, and bonuses and additions that were written down.

    Each payment is written to the ledger before the platform is asked, so that the command can be interrupted
    and repeated. What may or may not have been paid is looked up on the platform, never paid again blindly.
    """
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.ledger import PURPOSES, payments, record_by_hand
    from crowdloom.studies.paying import owe_rewards
    from crowdloom.studies.paylist import write_list
    from crowdloom.studies.platforms import PLATFORMS
    from crowdloom.studies.words import count

    if out is not None:
        check_folder(out, "--list")
        if out.suffix != ".csv":
            raise OptionError(f"--list {out}: it is written as CSV; give a name that ends with .csv")
    with opened(database) as store:
        owed: list[Due] = []
        chosen = postings_of(store, study, platform)
        if by_hand and (paying := [one.platform for one in chosen if PLATFORMS[one.platform].capabilities.pays]):
            raise OptionError(f"--by-hand: {paying[0]} pays people itself; choose --on link")
        for posted in chosen:
            with store.write() as connection:
                owe_rewards(connection, posted)
                dues = payments(connection, posted, states=("pending",), with_people=out is not None)
            owed += dues
            if PLATFORMS[posted.platform].capabilities.pays:
                if out is None:
                    pay_posting(store, posted, PURPOSES, yes=yes)
            elif by_hand and dues and confirmed(f"Have you paid {count(len(dues), 'payment')}, {total(dues)}?", yes):
                with store.write() as connection:
                    done = record_by_hand(connection, dues)
                click.echo(f"{study} on {posted.platform}: {count(done, 'payment')} recorded as paid.")
            elif out is None and not by_hand:
                click.echo(f"{study} on {posted.platform}: {count(len(dues), 'payment')} owed, {total(dues)}.")
                if dues:
                    click.echo("It moves no money: --list FILE.csv says whom to pay, --by-hand records that you did.")
    if out is not None:
        write_list(out, owed)
        click.echo(f"Wrote {count(len(owed), 'payment')} to {out}, {total(owed)} in all.")


def pay_posting(store: Store, posted: Posted, purposes: Sequence[Purpose], *, yes: bool) -> None:
    """Show what a posting owes, ask, pay, and say what came of it."""
    from crowdloom.studies.ledger import payments
    from crowdloom.studies.paying import pay
    from crowdloom.studies.polling import poll
    from crowdloom.studies.words import count

    account = posted.account()
    poll(store, posted, account)
    with store.read() as connection:
        dues = payments(connection, posted, states=("pending",), purposes=purposes)
    name = f"{posted.design.name} on {posted.platform}"
    payable = [due for due in dues if due.remote_state in ("submitted", "approved")]
    if payable:
        for due in payable:
            click.echo(f"{due.code}  {due.purpose.replace('_', '-')}  {due.amount}")
        if not confirmed(f"{name}: pay {count(len(payable), 'payment')}, {total(payable)}?", yes):
            click.echo("Nothing was paid.")
            return
    _say(name, pay(store, posted, account, purposes))


def total(dues: Sequence[Due]) -> str:
    """What these come to, in one currency (a design has but one)."""
    if not dues:
        return "nothing"
    money = dues[0].amount
    return str(money.model_copy(update={"amount": sum(due.amount.amount for due in dues)}))


def _say(name: str, paid: Paid) -> None:
    from crowdloom.studies.words import count

    click.echo(f"{name}: {count(paid.confirmed, 'payment')} confirmed, {paid.under_way} under way.")
    for code, sentence in paid.unknown:
        click.echo(f"  unknown   {code}: {sentence}")
    for code, sentence in paid.refused:
        click.echo(f"  refused   {code}: {sentence}")
    for code in dict.fromkeys(paid.not_handed_in):
        click.echo(
            f"  waiting   {code}: nothing was handed in on the platform, so it cannot pay; see `crowdloom reconcile`"
        )
