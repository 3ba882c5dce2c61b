"""`crowdloom publish`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import confirmed, counting, database_option, opened, yes_option
from crowdloom.studies.platforms import PLATFORMS

if TYPE_CHECKING:
    from crowdloom.studies.cost import Cost
    from crowdloom.studies.database import Store


@click.command()
@click.argument("study")
@click.option(
    "--on", "platform", type=click.Choice(sorted(PLATFORMS)), default="link", show_default=True, help="The platform."
)
@click.option(
    "--address",
    help="Where `crowdloom serve` is reached by participants; http://127.0.0.1:8000 if not given.",
)
@click.option("--draft", is_flag=True, help="Create it on the platform, where it has drafts, but do not open it yet.")
@yes_option
@database_option
def command(study: str, platform: str, address: str | None, draft: bool, yes: bool, database: str | None) -> None:
    """Open the newest version of STUDY to participants.

    On a platform that pays people, the cost is shown first; above the design's spending cap nothing is published.
    A command that was interrupted goes on where it stopped.
    """
    from crowdloom.studies.cli.not_ready import not_ready
    from crowdloom.studies.participation import Designs
    from crowdloom.studies.posting import newest_design
    from crowdloom.studies.publishing import LOCAL, check_draft, plan_posting, put_up
    from crowdloom.studies.status import study_status

    if draft:
        check_draft(platform)
    with opened(database) as store:
        if PLATFORMS[platform].capabilities.identifies and not _may_go_on(store, study, platform, yes):
            click.echo("Nothing was published.")
            return
        with store.write() as connection:
            published, _ = plan_posting(connection, study, platform, address)
        with counting("Listings") as show:
            listed = put_up(store, published.token, draft=draft, progress=show)
        with store.read() as connection:
            postings = study_status(connection, study).postings
            newest, _ = newest_design(connection, study)
        design = Designs(store).design(newest)
    frozen = next(posting.plan for posting in postings if posting.token == published.token)
    older = [posting for posting in postings if posting.state == "open" and posting.version < published.version]
    state = "there as a draft" if draft else "open"
    where = f" on {platform}" if listed else ""
    click.echo(
        f"{study}, version {published.version}, is {'now' if published.is_new else 'already'} {state}{where}"
        f"{'' if listed else ' at'}:"
    )
    for one in listed:
        click.echo(f"{one.remote_id}  {one.state}, {one.places} places{f'  {one.url}' if one.url else ''}")
    if not listed:
        click.echo(f"{(address or LOCAL).rstrip('/')}/join/{published.token}")
    if frozen:
        click.echo(f"Its plan is frozen, SHA-256 {frozen}; `crowdloom analyse` carries out just this one.")
    for sentence in not_ready(design):
        click.echo(sentence)
    for posting in older:
        click.echo(
            f"Version {posting.version} is still open too, at /join/{posting.token}; `crowdloom close` closes all."
        )


def _may_go_on(store: Store, study: str, platform: str, yes: bool) -> bool:
    """Show what it can cost, unless it is published already; whether the researcher wants it."""
    from crowdloom.studies.posted import find_postings
    from crowdloom.studies.posting import newest_design
    from crowdloom.studies.publishing import check_balance, preview_cost

    with store.read() as connection:
        newest, _ = newest_design(connection, study)
        there = find_postings(connection, study, platform)
        if any(posted.design_id == newest and posted.state != "closed" for posted in there):
            return True
        cost = preview_cost(connection, study, platform)
    chosen = PLATFORMS[platform]
    balance = check_balance(chosen.connect(chosen.where(os.environ), os.environ), cost)
    show_cost(cost)
    if balance is not None:
        click.echo(f"{'balance':17} {balance!s:>14}  of the account that pays")
    return confirmed(f"Publish {study} on {platform} for at most {cost.money(cost.total)}?", yes)


def show_cost(cost: Cost) -> None:
    """Print a cost as a table."""
    for name, value, meaning in cost.rows():
        click.echo(f"{name:17} {value:>14}  {meaning}".rstrip())
