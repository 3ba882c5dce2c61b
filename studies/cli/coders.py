"""`crowdloom coders`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import database_option, opened

if TYPE_CHECKING:
    from sqlalchemy import Connection


@click.command()
@click.argument("study")
@click.option("--add", "names", multiple=True, metavar="NAME", help="Add a coder; several times for several.")
@click.option("--address", default="http://127.0.0.1:8000", show_default=True, help="Where the pages are reached.")
@database_option
def command(study: str, names: tuple[str, ...], address: str, database: str | None) -> None:
    """Add researchers who code STUDY, each by a personal link; without --add, show how far they are.

    They code its items, or its interactions where the design says so, and are blind to each other's codes. A name that
    is there already gets the same link again. Where coders differ, decide on the researcher's pages that
    `crowdloom serve` opens.
    """
    from crowdloom.studies.coding import add_coder

    with opened(database) as store:
        if not names:
            with store.read() as connection:
                _show(connection, study)
            return
        with store.write() as connection:
            added = [add_coder(connection, study, name) for name in names]
    for coder in added:
        click.echo(f"{coder.name}: {address.rstrip('/')}/code/{coder.token}")


def _show(connection: Connection, study: str) -> None:
    """Who has coded how much, how well they agree, and what is left to decide."""
    from crowdloom.studies.coding_overview import kappa_sentence, read_overview
    from crowdloom.studies.words import count

    overview = read_overview(connection, study)
    unit = overview.scheme.unit
    if not overview.coders:
        click.echo(f"{study} has {count(len(overview.items), unit)} to code and no coder yet; add one with --add NAME.")
        return
    for coder in overview.coders:
        click.echo(f"{coder.name}: {overview.coded(coder):,} of {count(len(overview.items), unit)} coded")
    agreement = overview.agreement()
    click.echo(kappa_sentence(agreement.overall, unit))
    for pair in agreement.pairs:
        click.echo(f"  {' and '.join(pair.coders)}: {kappa_sentence(pair, unit)}")
    to_decide = sum(item.is_open for item in overview.items)
    final = sum(item.final is not None for item in overview.items)
    click.echo(f"{count(to_decide, 'disagreement')} to decide; {count(final, unit)} with a final category.")
