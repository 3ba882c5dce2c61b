"""`crowdloom bonus`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import database_option, opened


@click.command()
@click.argument("study")
@database_option
def command(study: str, database: str | None) -> None:
    """Show who gets the bonus that the design of STUDY promises, by its rule. Nothing is paid."""
    from crowdloom.studies.bonuses import bonuses_due

    with opened(database) as store, store.read() as connection:
        rows = bonuses_due(connection, study)
    for row in rows:
        match = "-" if row.agreement is None else f"{row.agreement:.3f}"
        click.echo(f"{row.code}  agreement {match}  {row.bonus or ''}".rstrip())
    given = [row.bonus for row in rows if row.bonus is not None]
    if given:
        total = given[0].model_copy(update={"amount": sum(money.amount for money in given)})
        click.echo(f"{len(given)} of {len(rows)} submissions, {total} in all.")
    else:
        click.echo("Nobody yet: no item has answers of two people.")
