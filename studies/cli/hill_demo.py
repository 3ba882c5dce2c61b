"""`crowdloom hill demo`."""

from __future__ import annotations

from pathlib import Path

import click

from crowdloom.studies.cli.training_options import require_training
from crowdloom.studies.cli.whole_run import watching


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("hill-demo"), show_default=True)
@click.option("--people", default=4, show_default=True, help="Simulated people who take part before you.")
@click.option("--serve/--no-serve", default=True, help="Leave the study open at a local address for you to take.")
@click.option("--port", default=8000, show_default=True, help="Where; the next free one is taken if it is in use.")
def command(folder: Path, people: int, serve: bool, port: int) -> None:
    """Run a whole study of HILL on digits and generated signals, which need no download.

    Networks are prepared, simulated people rearrange their latent spaces over real HTTP while workers train, and the
    analysis is written, all into a new folder below FOLDER. Then the study stays open for you, with a worker.
    """
    from crowdloom.studies.analysing.folder import SUMMARY
    from crowdloom.studies.catalogue import find_design
    from crowdloom.studies.cli.hill_simulate import gain_lines
    from crowdloom.studies.design_file import read_design
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.hill_run import run_study
    from crowdloom.studies.serving_with_worker import serve_with_worker
    from crowdloom.studies.whole_run import WORKER_LOG, new_folder

    require_training()
    design, source = read_design(find_design("hill-demo"))
    if not 1 <= people < design.batches.responses_per_item:
        most = design.batches.responses_per_item - 1
        raise OptionError(f"--people {people}: give a number from 1 to {most}, so that a place is left for you")
    made = new_folder(folder)
    with watching(f"what was done stays in {made}") as (say, show):
        run = run_study(made, design, source, people=people, seed=design.seed, say=say, show=show)
    click.echo(
        "\nValidation accuracy gained over the same training without a person, in points, with its 95 % interval:"
    )
    for line in gain_lines(run.strategies):
        click.echo(f"  {line}")
    for sentence in run.said:
        click.echo(f"\n{sentence}")
    click.echo(
        "\nSimulated people know the classes of all points and nothing else; real people will gain other things."
    )
    click.echo("\nLook at:")
    click.echo(f"  {run.analysis / SUMMARY}  the analysis, with its tables and figures beside it")
    click.echo(f"  {run.database}  the store")
    if serve:
        click.echo()
        serve_with_worker(run.database, made / WORKER_LOG, port)
