"""`crowdloom close`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import database_option, opened


@click.command()
@click.argument("study")
@database_option
def command(study: str, database: str | None) -> None:
    """Close STUDY to new participants; who has begun may finish."""
    from crowdloom.studies.posting import close
    from crowdloom.studies.words import count

    with opened(database) as store, store.write() as connection:
        closed = close(connection, study)
    click.echo(f"{study}: {count(closed, 'posting')} closed.")
