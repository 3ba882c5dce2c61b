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
    from crowdloom.studies.steering import is_paused, resume

    with opened(database) as store:
        chosen = postings_of(store, study, platform, "paused", "open")
        with store.read() as connection:
            paused = [posted for posted in chosen if is_paused(connection, posted)]
        # Where none is, the refusal says how they stand.
        for posted in paused or postings_of(store, study, platform, "paused"):
            resume(store, posted)
            click.echo(f"{study} on {posted.platform}, version {posted.version}, is open again.")
