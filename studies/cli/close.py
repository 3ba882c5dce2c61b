"""`crowdloom close`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import confirmed, database_option, opened, platform_option, postings_of, yes_option


@click.command()
@click.argument("study")
@click.option("--delete", is_flag=True, help="Also take it off the platform for good; everything is reviewed and paid.")
@platform_option
@yes_option
@database_option
def command(study: str, delete: bool, platform: str | None, yes: bool, database: str | None) -> None:
    """Close STUDY to new participants, here and on its platforms; who has begun may finish."""
    from crowdloom.studies.steering import check_deletable, close, delete_listings
    from crowdloom.studies.words import count

    states = ("draft", "open", "paused") + (("closed",) if delete else ())
    with opened(database) as store:
        chosen = postings_of(store, study, platform, *states)
        if delete:
            for posted in chosen:
                check_deletable(store, posted)
        for posted in chosen:
            if posted.state != "closed":
                close(store, posted)
                click.echo(f"{study} on {posted.platform}, version {posted.version}, is closed.")
            if delete and confirmed(f"Take {study} off {posted.platform} for good?", yes):
                deleted = delete_listings(store, posted)
                click.echo(f"{study} on {posted.platform}: {count(deleted, 'listing')} deleted there.")
