"""`crowdloom status`."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from crowdloom.studies.cli.options import database_option, opened


@click.command()
@click.argument("study", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@database_option
def command(study: str | None, as_json: bool, database: str | None) -> None:
    """Show how STUDY stands (all studies, without a name)."""
    from crowdloom.studies.status import study_names, study_status

    with opened(database) as store, store.read() as connection:
        names = [study] if study else study_names(connection)
        found = [study_status(connection, name) for name in names]
    if as_json:
        click.echo(json.dumps([asdict(status) for status in found], default=str, indent=2))
        return
    if not found:
        click.echo("The store has no study yet; write a design with `crowdloom new` and load it.")
    for status in found:
        places = {state: status.places(state) for state in ("filled", "held", "overdue", "open")}
        click.echo(f"{status.name} (version {status.version}, {status.task}): {status.title}")
        click.echo("  places       " + ", ".join(f"{count} {state}" for state, count in places.items()))
        click.echo("  submissions  " + ", ".join(f"{count} {state}" for state, count in status.submissions.items()))
        click.echo(
            f"  answers      {status.responses}; accepted first responses per item: "
            f"{status.accepted_min} to {status.accepted_max}"
        )
        for posting in status.postings:
            click.echo(
                f"  posting      {posting.platform}, version {posting.version}, {posting.state}: /join/{posting.token}"
            )
