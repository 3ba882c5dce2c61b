"""`crowdloom resume`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import database_option, opened, platform_option, postings_of


@click.command()
@click.argument("study")
@platform_option
@database_option
def command(study: str, platform: str | None, database: str | None) -> None:
    """Let people into a paused STUDY again."""
    from crowdloom.studies.publishing import resume

    with opened(database) as store:
        for posted in postings_of(store, study, platform, "paused"):
            resume(store, posted)
            click.echo(f"{study} on {posted.platform}, version {posted.version}, is open again.")
