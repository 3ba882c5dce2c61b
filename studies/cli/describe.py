"""`crowdloom describe`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import answers_options, database_option, opened

if TYPE_CHECKING:
    from crowdloom.studies.reading import Scope


@click.command()
@click.argument("study")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@answers_options
@database_option
def command(study: str, as_json: bool, responses: Scope, version: int | None, database: str | None) -> None:
    """Describe the answers of STUDY: people, time, accuracy, entropy, consistency."""
    from crowdloom.analysis.describe import describe, describe_rows
    from crowdloom.studies.reading import find_answers, read_frame

    with opened(database) as store, store.read() as connection:
        answers = find_answers(connection, study, responses, version)
        frame = read_frame(connection, study, responses, version)
    summary = describe(frame, answers.classes)
    if as_json:
        click.echo(json.dumps(summary, indent=2))
        return
    for name, value, meaning in describe_rows(summary):
        click.echo(f"{name:31} {value:>9}  {meaning}")
