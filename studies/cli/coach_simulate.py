"""`crowdloom coach simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.training_options import require_training
from crowdloom.studies.cli.whole_run import watching

if TYPE_CHECKING:
    from crowdloom.studies.coach_run import CoachRun


@click.command()
@click.option("--participants", default=20, show_default=True, help="How many simulated writers come.")
@click.option("--coach", default="digits", show_default=True, help="Who coaches them; see `coach prepare`.")
@click.option(
    "--adopt",
    type=click.FloatRange(0, 1),
    default=0.6,
    show_default=True,
    help="The share of a proposed change that they make; of lines to add or to leave out, the chance that they do.",
)
@click.option("--within", is_flag=True, help="Coach everybody on half of the classes, instead of half of the people.")
@click.option("--seed", default=0, show_default=True, help="Fixes the people and what they write.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the database and the analysis go; a new folder below coach-simulation if left out.",
)
def command(participants: int, coach: str, adopt: float, within: bool, seed: int, out: Path | None) -> None:
    """Let simulated people write, be read, be coached or not, and write again, and see what changes.

    They use the pages of a real server, whose recogniser reads what they write. They distort real drawings, and adopt
    proposals as --adopt says; what they gain says nothing of what real people would.
    """
    from crowdloom.studies.coach_designs import simulated_design
    from crowdloom.studies.coach_run import run_study
    from crowdloom.studies.whole_run import empty_folder, new_folder

    require_training()
    design, source = simulated_design(coach, participants, within=within, behaviour={"adopt": adopt})
    folder = new_folder(Path("coach-simulation")) if out is None else empty_folder(out)
    with watching(f"what was done stays in {folder}") as (say, show):
        run = run_study(folder, design, source, people=participants, seed=seed, say=say, show=show)
    people = run.rehearsal.people
    click.echo(f"{people['completed']} of {people['arrived']} simulated people wrote all that they were asked for.")
    say_results(run)
    click.echo(f"\nThe analysis lies in {run.analysis}, the store in {run.database}.")


def say_results(run: CoachRun) -> None:
    """The recognisers, first and second attempts, and what the analysis says."""
    from crowdloom.analysis.coach_before_after import as_lines

    for name, accuracy in run.coaches.items():
        click.echo(f"The recogniser of the coach {name} reads {100 * accuracy:.1f} % of its test drawings right.")
    click.echo("\nFirst and second attempts, means over people:")
    for line in as_lines(run.table):
        click.echo(f"  {line}")
    for sentence in run.said:
        click.echo(f"\n{sentence}")
