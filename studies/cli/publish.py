"""`crowdloom publish`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import database_option, opened
from crowdloom.studies.platforms import PLATFORMS


@click.command()
@click.argument("study")
@click.option(
    "--on", "platform", type=click.Choice(sorted(PLATFORMS)), default="link", show_default=True, help="The platform."
)
@click.option(
    "--address", default="http://127.0.0.1:8000", show_default=True, help="Where `crowdloom serve` is reached."
)
@database_option
def command(study: str, platform: str, address: str, database: str | None) -> None:
    """Open the newest version of STUDY to participants and print its link."""
    from crowdloom.studies.posting import publish
    from crowdloom.studies.status import study_status

    with opened(database) as store, store.write() as connection:
        published = publish(connection, study, platform)
        postings = study_status(connection, study).postings
    older = [posting for posting in postings if posting.state == "open" and posting.version < published.version]
    click.echo(f"{study}, version {published.version}, is {'now' if published.is_new else 'already'} open at:")
    click.echo(f"{address.rstrip('/')}/join/{published.token}")
    for posting in older:
        click.echo(
            f"Version {posting.version} is still open too, at /join/{posting.token}; `crowdloom close` closes all."
        )
