"""`crowdloom coach prepare`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from crowdloom.studies.cli.preparing import preparing
from crowdloom.studies.cli.training_options import require_training


@click.command()
@click.argument("name")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Where MNIST is, if not in the usual folder, or an .npz with pictures of your own.",
)
@click.option("--download", is_flag=True, help="Fetch MNIST where it is not there.")
def command(name: str, data: Path | None, download: bool) -> None:
    """Train a recogniser and its coach, once.

    NAME is digits or mnist-5000, which come with their pictures; mnist (--data: the folder that has MNIST/raw in it, or
    --download); or a name of your own with --data: an .npz with images, uint8 [N, 28, 28], and label. It is kept below
    $CROWDLOOM_COACHES, or in your data folder, for all studies. Stopped or killed, the same command goes on where it
    was; once all is done it only says so. Do it before a study opens: servers and workers on other machines need the
    folder, too.
    """
    require_training()
    from crowdloom.models.coach_folder import coaches_folder, preparation
    from crowdloom.models.coach_pareto import USUAL
    from crowdloom.models.coach_preparing import prepare

    began = time.monotonic()
    with preparing(name, coaches_folder()) as hear:
        made = prepare(name, data, download=download, progress=hear)
    (at,) = (one for one in made.tradeoffs if one.weights == USUAL)
    click.echo(
        f"{name}: the recogniser reads {100 * made.accuracy:.1f} % of the test pictures rightly, and of what the coach "
        f"proposes for such {100 * at.accuracy:.1f} %.\nProposals have {100 * at.ink:.0f} % of a picture's ink and "
        f"change {100 * at.change:.0f} % of it (with a design's usual weights: classification "
        f"{USUAL.classification:g}, efficiency {USUAL.efficiency:g}, discriminator {USUAL.discriminator:g}).\n"
        f"{time.monotonic() - began:.1f} s. It is in {preparation(name)}"
    )
