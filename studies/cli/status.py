"""`crowdloom status`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import database_option, opened

if TYPE_CHECKING:
    from crowdloom.studies.status import PostingStatus


@click.command()
@click.argument("study", required=False)
@click.option("--items", is_flag=True, help="Count for each batch and each item, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@database_option
def command(study: str | None, items: bool, as_json: bool, database: str | None) -> None:
    """Show how STUDY stands (all studies, without a name): places, submissions, answers, time and hourly pay.

    What platforms say is from when they were last asked; `crowdloom reconcile` and `watch` ask them.
    """
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
            for line in _of_posting(posting, status.name):
                click.echo(f"               {line}")
        if items:
            for batch in status.batches:
                click.echo(
                    f"  batch {batch.number:6} {batch.condition}: {batch.filled} filled, {batch.held} held, "
                    f"{batch.overdue} overdue, {batch.open} open"
                )
            for item in status.items:
                click.echo(f"  item         {item.key} ({item.condition}): {item.accepted} of {item.wanted}")


def _of_posting(posting: PostingStatus, study: str) -> list[str]:
    """How a posting stands on its platform, and how its people are paid."""
    lines = [f"plan: frozen, SHA-256 {posting.plan}"] if posting.plan else []
    if posting.listings:
        counts = [f"{count} {state}" for state, count in posting.listings.items()]
        lines.append("listings there: " + ", ".join(counts))
    if posting.remote:
        counts = [f"{count} {state.replace('_', ' ')}" for state, count in posting.remote.items()]
        asked = f" (asked at {posting.seen_at:%Y-%m-%d %H:%M} UTC)" if posting.seen_at else ""
        lines.append("submissions there: " + ", ".join(counts) + asked)
    if posting.payments:
        lines.append("payments: " + ", ".join(f"{count} {state}" for state, count in posting.payments.items()))
    if posting.pay is not None and posting.pay.people:
        lines.append(posting.pay.sentence().replace("STUDY", study))
    return lines
