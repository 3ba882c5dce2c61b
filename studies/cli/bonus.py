"""`crowdloom bonus`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import database_option, opened, platform_option, postings_of, yes_option

if TYPE_CHECKING:
    from crowdloom.studies.database import Store


@click.command()
@click.argument("study")
@click.option("--top-up", is_flag=True, help="Instead: an addition that lifts the median person to the hourly floor.")
@click.option("--pay", "do_pay", is_flag=True, help="Write it to the ledger, and pay it where the platform can.")
@platform_option
@yes_option
@database_option
def command(study: str, top_up: bool, do_pay: bool, platform: str | None, yes: bool, database: str | None) -> None:
    """Show who gets the bonus that the design of STUDY promises, by its rule; with --pay, pay it.

    Without --pay nothing is written and nobody is paid. Who has got it once is not paid it again.
    """
    from crowdloom.studies.bonuses import owe_bonuses
    from crowdloom.studies.cli.pay import pay_posting
    from crowdloom.studies.errors import PaymentError
    from crowdloom.studies.fair_pay import owe_top_ups
    from crowdloom.studies.paying import check_spending
    from crowdloom.studies.platforms import PLATFORMS
    from crowdloom.studies.words import count

    with opened(database) as store:
        anything = _show_top_ups(store, study, platform) if top_up else _show_rule(store, study)
        if not do_pay:
            return
        if not anything:
            raise PaymentError(f"{study} has nobody to pay this to; nothing was written")
        chosen = postings_of(store, study, platform)
        with store.write() as connection:
            new = 0 if top_up else owe_bonuses(connection, study)
            for posted in chosen:
                if top_up and posted.token in anything:
                    new += owe_top_ups(connection, posted)
                check_spending(connection, posted)
        click.echo(f"{count(new, 'payment')} written to the ledger.")
        for posted in chosen:
            if PLATFORMS[posted.platform].capabilities.pays:
                pay_posting(store, posted, ("top_up",) if top_up else ("bonus",), yes=yes)
            else:
                click.echo(f"On {posted.platform}: `crowdloom pay {study} --list FILE.csv` says whom to pay.")


def _show_rule(store: Store, study: str) -> set[str]:
    from crowdloom.studies.bonuses import bonuses_due

    with store.read() as connection:
        rows = bonuses_due(connection, study)
    for row in rows:
        match = "-" if row.agreement is None else f"{row.agreement:.3f}"
        click.echo(f"{row.code}  agreement {match}  {row.bonus or ''}".rstrip())
    given = [row.bonus for row in rows if row.bonus is not None]
    if not given:
        click.echo("Nobody yet: no item has answers of two people.")
        return set()
    total = given[0].model_copy(update={"amount": sum(money.amount for money in given)})
    click.echo(f"{len(given)} of {len(rows)} submissions, {total} in all.")
    return {"all"}


def _show_top_ups(store: Store, study: str, platform: str | None) -> set[str]:
    from crowdloom.studies.fair_pay import fair_pay

    lacking = set()
    for posted in postings_of(store, study, platform):
        with store.read() as connection:
            found = fair_pay(connection, posted)
        click.echo(f"{study} on {posted.platform}: {found.sentence().replace('STUDY', study)}")
        if found.top_up is not None:
            total = found.top_up.model_copy(update={"amount": found.top_up.amount * found.to_top_up})
            click.echo(f"{found.to_top_up} people, {total} in all.")
            lacking.add(posted.token)
    return lacking
