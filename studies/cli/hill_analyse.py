"""`crowdloom hill analyse`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import (
    analysis_options,
    answers_options,
    check_folder,
    counting,
    database_option,
    opened,
)

if TYPE_CHECKING:
    from crowdloom.studies.reading import Scope


@click.command()
@analysis_options
@answers_options
@database_option
def command(study: str, out: Path, responses: Scope, version: int | None, database: str | None) -> None:
    """Say what the people of STUDY did with the latent space, and what training made of it.

    Sessions are compared with the same trainings without a person. Those that are missing are trained first; stopped,
    it goes on after the last of them that was done.
    """
    from crowdloom.studies.analysing.folder import SUMMARY
    from crowdloom.studies.hill_analysing import write_hill_analysis

    check_folder(out)
    with opened(database) as store, counting("Training without a person") as show:
        analysis = write_hill_analysis(store, study, out, scope=responses, version=version, show=show)
    for sentence in analysis.sentences():
        click.echo(sentence)
    made = "tables and figures" if analysis.material.sessions else "tables"
    click.echo(f"Wrote {out / SUMMARY} and beside it {len(analysis.files) - 1} {made}.")
