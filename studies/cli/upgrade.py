"""`crowdloom upgrade`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import database_option


@click.command()
@database_option
def command(database: str | None) -> None:
    """Bring a database to this version's schema, wholly or not at all; an empty one gets it from scratch."""
    from crowdloom.studies.upgrading import upgrade

    done = upgrade(database)
    if done.before is None:
        click.echo(f"{done.address} was empty and has the schema {done.after} now.")
    elif done.changed:
        click.echo(f"{done.address} had the schema {done.before} and has the schema {done.after} now.")
    else:
        click.echo(f"{done.address} has the schema {done.after} already; nothing to do.")
