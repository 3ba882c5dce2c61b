"""`crowdloom describe`."""

from __future__ import annotations

import json

import click

from crowdloom.studies.cli.options import answers_options, database_option, opened


@click.command()
@click.argument("study")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@answers_options
@database_option
def command(study: str, as_json: bool, responses: str, version: int | None, database: str | None) -> None:
    """Describe the answers of STUDY: people, time, accuracy, entropy, consistency."""
    from crowdloom.analysis.describe import describe, describe_rows
    from crowdloom.studies.reading import Scope, find_answers, read_frame

    scope: Scope = "all" if responses == "all" else "accepted"
    with opened(database) as store, store.read() as connection:
        answers = find_answers(connection, study, scope, version)
        frame = read_frame(connection, study, scope, version)
    summary = describe(frame, answers.classes)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
        return
    for name, value, meaning in describe_rows(summary):
        click.echo(f"{name:31} {value:>9}  {meaning}")
