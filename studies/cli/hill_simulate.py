"""`crowdloom hill simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.training_options import require_training
from crowdloom.studies.cli.whole_run import watching

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 3
"""Sessions, below which an interval is so wide that it only confuses."""


@click.command()
@click.option("--scenario", default="digits", show_default=True, help="What the network learns; see `hill prepare`.")
@click.option("--participants", default=14, show_default=True, help="How many simulated people come.")
@click.option("--seed", default=0, show_default=True, help="Fixes the people and their habits.")
@click.option(
    "--out",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Where the database and the analysis go; a new folder below hill-simulation if left out.",
)
def command(scenario: str, participants: int, seed: int, out: Path | None) -> None:
    """Let simulated people with the paper's five strategies go through sessions, and see what they gain.

    They use the pages of a real server, and their networks train in real workers, as for real people. Each session is
    compared with the same training without a person. Simulated people know the classes of all points and nothing else;
    what they gain says nothing of what real people would.
    """
    from crowdloom.studies.hill_run import run_study
    from crowdloom.studies.hill_simulation import simulated_design
    from crowdloom.studies.whole_run import empty_folder, new_folder

    require_training()
    design, source = simulated_design(scenario, participants)
    folder = new_folder(Path("hill-simulation")) if out is None else empty_folder(out)
    with watching(f"what was done stays in {folder}") as (say, show):
        run = run_study(folder, design, source, people=participants, seed=seed, say=say, show=show)
    people = run.rehearsal.people
    click.echo(f"{people['completed']} of {people['arrived']} simulated people completed a session on {scenario}.\n")
    click.echo("Validation accuracy gained over the same training without a person, in points, with its 95 % interval:")
    for line in gain_lines(run.strategies):
        click.echo(f"  {line}")
    for sentence in run.said:
        click.echo(f"\n{sentence}")
    click.echo(f"\nThe analysis lies in {run.analysis}, the store in {run.database}.")


def gain_lines(strategies: pd.DataFrame) -> list[str]:
    """The table of `analysis.latent_strategy_gains.strategy_gains` as text, with intervals from three sessions on."""
    from crowdloom.analysis.latent_strategies import TITLES

    titles = {str(name): title for name, title in TITLES.items()}
    lines = [f"{'strategy':24} {'n':>3}  {'gain':>6}  interval"]
    for name, row in strategies.iterrows():
        known = row["n"] >= FEWEST and row["low"] == row["low"]  # not NaN
        interval = f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}" if known else "-"
        gain = f"{100 * row['gain']:+.1f}" if row["n"] else "-"
        lines.append(f"{titles.get(str(name), str(name)):24} {row['n']:>3.0f}  {gain:>6}  {interval}")
    return lines
