"""`crowdloom pause`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import database_option, opened, platform_option, postings_of


@click.command()
@click.argument("study")
@platform_option
@database_option
def command(study: str, platform: str | None, database: str | None) -> None:
    """Let nobody new into STUDY for the time being; who has begun may finish."""
    from crowdloom.studies.steering import pause

    with opened(database) as store:
        for posted in postings_of(store, study, platform, "open"):
            pause(store, posted)
            click.echo(f"{study} on {posted.platform}, version {posted.version}, is paused.")
