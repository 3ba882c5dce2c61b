"""`crowdloom exclude`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import database_option, opened


@click.command()
@click.argument("study")
@click.argument("code")
@click.option("--reason", required=True, help="Why; it is kept beside the data.")
@database_option
def command(study: str, code: str, reason: str, database: str | None) -> None:
    """Leave the submission CODE of STUDY out of the analysis; its data and its place stay."""
    from crowdloom.studies.review import exclude

    with opened(database) as store, store.write() as connection:
        is_new = exclude(connection, study, code, reason)
    click.echo(f"{code} is {'now' if is_new else 'already'} left out of the analysis of {study}.")
