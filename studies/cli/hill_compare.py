"""`crowdloom hill compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.training_options import require_training
from crowdloom.studies.cli.whole_run import watching
from crowdloom.tasks.latent_people import STRATEGIES
from crowdloom.tasks.latent_records import MOST_POINTS

if TYPE_CHECKING:
    from crowdloom.models.latent import Scale


@click.command()
@click.option("--scenario", default="digits", show_default=True, help="What the network learns; see `hill prepare`.")
@click.option(
    "--strategy",
    "strategies",
    type=click.Choice(STRATEGIES),
    multiple=True,
    default=("compactness", "distance"),
    show_default=True,
    metavar="NAME",
    help=f"{', '.join(STRATEGIES)}. Repeat it for several.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=5, show_default=True, help="How many, from 0 on.")
@click.option("--points", type=click.IntRange(2, MOST_POINTS), default=100, show_default=True, help="That are shown.")
@click.option(
    "--alpha", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="The share of the person in the loss."
)
@click.option(
    "--scale",
    type=click.Choice(["learned", "as-published"]),
    default="learned",
    show_default=True,
    help="Whether the scale of the projected points is learned, or changes nothing as in the authors' code.",
)
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Trainings at once.")
@click.option(
    "--out",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the trainings, the table and the figure go; hill-comparison/SCENARIO if left out.",
)
def command(
    scenario: str,
    strategies: Sequence[str],
    seeds: int,
    points: int,
    alpha: float,
    scale: Scale,
    workers: int,
    out: Path | None,
) -> None:
    """Compare strategies of simulated people with the training without a person, over seeds.

    Each simulated person goes through the four interactions of a session, with five epochs after each, and for each
    seed the same network learns as long without one. There is no server and no store. Stopped, the same command goes on
    where it was; with more seeds or other strategies it trains what is missing. Simulated people know the classes of
    all points and nothing else; what they gain says nothing of what real people would.
    """
    require_training()
    from crowdloom.analysis.latent_comparison import FILES, write_comparison
    from crowdloom.models.errors import ModelError
    from crowdloom.models.latent_cache import prepared
    from crowdloom.models.latent_comparing import Terms, compare
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.words import count

    folder = Path("hill-comparison", scenario.replace(":", "-")) if out is None else out
    try:
        with watching(f"what is done stays in {folder}, and the same command goes on from there") as (_, show):
            scene = prepared(scenario, progress=lambda _, message: show(f"{scenario}: {message}"))
            folder.mkdir(parents=True, exist_ok=True)
            records = compare(
                folder,
                Terms(scenario, scene.digest, alpha=alpha, scale=scale, points=points),
                list(dict.fromkeys(strategies)),
                seeds,
                processes=workers,
                on_progress=lambda done, of, share: show(
                    f"{done} of {count(of, 'training')} done, {100 * share:.0f} % of all epochs"
                ),
            )
            lines = write_comparison(records, folder)
    except ModelError as error:
        raise OptionError(str(error)) from error
    click.echo("\n".join(lines))
    click.echo(f"\nWrote {', '.join(FILES)} to {folder}.")
