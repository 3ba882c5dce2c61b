"""`crowdloom reconcile`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import database_option, opened, platform_option, postings_of

if TYPE_CHECKING:
    from crowdloom.studies.reconciling import Reconciled


@click.command()
@click.argument("study")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@platform_option
@database_option
def command(study: str, as_json: bool, platform: str | None, database: str | None) -> None:
    """Compare STUDY in the store with its platforms, and print every difference with what would mend it.

    What may have been paid is looked up; nobody is paid.
    """
    from crowdloom.studies.platforms import PLATFORMS
    from crowdloom.studies.reconciling import reconcile

    found = {}
    with opened(database) as store:
        for posted in postings_of(store, study, platform):
            account = posted.account() if PLATFORMS[posted.platform].capabilities.identifies else None
            found[f"{posted.platform}, version {posted.version}"] = reconcile(store, posted, account)
    if as_json:
        click.echo(json.dumps({name: asdict(one) for name, one in found.items()}, indent=2))
        return
    for name, one in found.items():
        show(f"{study} on {name}", one)


def show(name: str, found: Reconciled) -> None:
    """Print what was found on one posting."""
    from crowdloom.studies.words import count

    polled = found.polled
    click.echo(f"{name}: {count(polled.seen, 'submission')} there, {polled.changed} changed since the last time.")
    if found.confirmed:
        click.echo(f"  {count(found.confirmed, 'payment')} confirmed by what the platform shows.")
    for difference in found.differences:
        click.echo(f"  {difference.kind:19} {difference.who}  {difference.what}")
        click.echo(f"  {'':19} -> {difference.mend}")
    if not found.differences:
        click.echo("  No difference.")
