"""`crowdloom close`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import database_option, opened, platform_option, postings_of


@click.command()
@click.argument("study")
@platform_option
@database_option
def command(study: str, platform: str | None, database: str | None) -> None:
    """Close STUDY to new participants, here and on its platforms; who has begun may finish."""
    from crowdloom.studies.publishing import close

    with opened(database) as store:
        for posted in postings_of(store, study, platform, "draft", "open", "paused"):
            close(store, posted)
            click.echo(f"{study} on {posted.platform}, version {posted.version}, is closed.")
