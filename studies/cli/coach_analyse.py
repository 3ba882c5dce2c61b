"""`crowdloom coach analyse`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import analysis_options, answers_options, check_folder, database_option, opened

if TYPE_CHECKING:
    from crowdloom.studies.reading import Scope


@click.command()
@analysis_options
@answers_options
@database_option
def command(study: str, out: Path, responses: Scope, version: int | None, database: str | None) -> None:
    """Say whether the people of STUDY were recognised better after coaching, what they learned, what carried over.

    Coached trials are compared with others between people and within them, with people as the units.
    """
    from crowdloom.studies.analysing.folder import SUMMARY
    from crowdloom.studies.coach_analysing import write_coach_analysis

    check_folder(out)
    with opened(database) as store:
        analysis = write_coach_analysis(store, study, out, scope=responses, version=version)
    for sentence in analysis.sentences():
        click.echo(sentence)
    made = "tables and figures" if len(analysis.material.frame) else "tables"
    click.echo(f"Wrote {out / SUMMARY} and beside it {len(analysis.files) - 1} {made}.")
