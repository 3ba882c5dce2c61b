"""`crowdloom demo`."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import progress
from crowdloom.studies.cli.training_options import training_progress
from crowdloom.studies.learning.extra import INSTALL, lacking
from crowdloom.studies.ports import free_port

if TYPE_CHECKING:
    from crowdloom.studies.demo import Demo


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("demo"), show_default=True)
@click.option("--serve/--no-serve", default=True, help="Leave the study open at a local address for you to take.")
@click.option("--port", default=8000, show_default=True, help="Where; the next free one is taken if it is in use.")
def command(folder: Path, serve: bool, port: int) -> None:
    """Run a whole soft-label study on scikit-learn's digits with simulated people.

    They answer over real HTTP; every answer goes to a SQLite database in a new folder below FOLDER, labels
    are built, a summary is printed, figures are drawn, networks learn from the labels (with the extra `train`) and the
    report is written. Then the study stays open for you.
    """
    from crowdloom.analysis.describe import describe_rows
    from crowdloom.studies.demo import PEOPLE, run_demo

    click.echo("A study on handwritten digits, with simulated people who answer over HTTP.")
    with progress("People", PEOPLE) as bar, training_progress() as show:
        made = run_demo(folder, on_end=lambda done: bar.update(done - bar.pos), on_training=show)
    people, places = made.rehearsal.people, made.rehearsal.places
    click.echo(
        f"\n{people['arrived']} people came, {people['completed']} completed, "
        f"{people['left'] + people['vanished']} dropped out; "
        f"{places['filled']} of {places['wanted']} places are filled, the rest is left for you.\n"
    )
    for name, value, meaning in describe_rows(made.summary):
        click.echo(f"  {name:31} {value:>9}  {meaning}")
    if made.rehearsal.labels is not None:
        click.echo(f"\n{made.rehearsal.labels.sentence()}")
        if made.rehearsal.labels.entropy_correlation is not None:
            click.echo(
                "Which images are hard to read, a majority's class cannot say; the labels' entropy can: its rank "
                f"correlation with the truth is {made.rehearsal.labels.entropy_correlation:.2f}."
            )
    _say_training(made)
    click.echo("\nLook at:")
    for path, what in (
        (made.report, "the report, with its tables and figures in the folder beside it"),
        (made.figure, "labels of the least certain images, and of two certain ones"),
        (made.entropies, "how certain the labels are"),
        (made.labels, "one label for each answer"),
        (made.answers, "every answer, one line each"),
        *([(made.models, "the networks, each with its record and a model card")] if made.trained else []),
        (made.database, "the store"),
    ):
        click.echo(f"  {path}  {what}")
    if serve:
        click.echo()
        sys.stdout.flush()
        # A fresh process: the server is to be forked from one without the threads of the numeric libraries.
        arguments = ["-m", "crowdloom.studies.cli", "serve", "--port", str(free_port(port))]
        os.environ["CROWDLOOM_DATABASE"] = str(made.database.absolute())
        os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606 - our own command


def _say_training(made: Demo) -> None:
    """How the networks compare that learned from hard and from soft labels; or why there are none."""
    if made.trained is None:
        click.echo(
            f"\nNo network learned from the labels, as {lacking()}: {INSTALL}, then run the demo again, or\n"
            f"  crowdloom train digits --images digits --database {shlex.quote(str(made.database))}"
        )
        return
    from crowdloom.analysis.run_tables import cell_text

    table, runs = made.trained.table, made.trained.runs
    click.echo(
        f"\n{len(runs)} small networks learned from {len(runs[0].index)} of the images each: from their true classes "
        "(hard labels), or from what people said (soft labels).\nTheir cross-entropy, lower is better, with half its "
        "95 % interval over seeds:"
    )
    asked, others = runs[0].evaluations
    seeds = f"other ones for each of {len(table.seeds)} seeds"
    for evaluation, of in (
        (asked, f"{len(asked.index)} held-out images, {seeds}, by people's labels"),
        (others, f"{len(others.index):,} digits that nobody was asked about, by their true classes"),
    ):
        click.echo(f"  {of}")
        for row in table.rows:
            key = (evaluation.name, row, "cross_entropy")
            best = "  the lowest" if key in table.best else ""
            click.echo(f"    {row:22}  {cell_text(table.averages.get(key))}{best}")
    if made.trained.swept.failed:
        click.echo(f"  {len(made.trained.swept.failed)} of {len(runs)} failed; the report says why.")
