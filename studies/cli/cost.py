"""`crowdloom cost`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Literal

import click

from crowdloom.studies.cli.options import database_option, opened
from crowdloom.studies.platforms import PLATFORMS


@click.command()
@click.argument("study")
@click.option("--on", "platform", type=click.Choice(sorted(PLATFORMS)), help="Only for this platform; else for each.")
@click.option(
    "--account", type=click.Choice(["academic", "corporate"]), help="On Prolific: for this account, not the design's."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; amounts are in minor units.")
@database_option
def command(
    study: str,
    platform: str | None,
    account: Literal["academic", "corporate"] | None,
    as_json: bool,
    database: str | None,
) -> None:
    """Show what the newest version of STUDY can cost: rewards, fees, bonuses, and what people earn by the hour.

    Nothing is asked of any platform.
    """
    from crowdloom.studies.cli.publish import show_cost
    from crowdloom.studies.cost import study_cost

    with opened(database) as store, store.read() as connection:
        costs = [
            study_cost(connection, study, name, account=account) for name in ([platform] if platform else PLATFORMS)
        ]
    if as_json:
        click.echo(json.dumps([asdict(cost) | {"total": cost.total} for cost in costs], indent=2))
        return
    for number, cost in enumerate(costs):
        click.echo(f"{'' if number == 0 else chr(10)}{study} on {cost.platform}")
        show_cost(cost)
