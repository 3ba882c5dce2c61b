"""`crowdloom train`."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import answers_options, database_option, doing, opened
from crowdloom.studies.cli.run_tables import say_run_table
from crowdloom.studies.cli.training_options import (
    engine_options,
    require_training,
    run_options,
    stoppable,
    training_progress,
)

if TYPE_CHECKING:
    from crowdloom.studies.label_recipes import Recipe
    from crowdloom.studies.reading import Scope

FILE = click.Path(path_type=Path)
LABEL_FILES = (".json", ".csv", ".parquet", ".npz")


@click.command()
@click.argument("source", metavar="STUDY_OR_LABELS")
@click.option(
    "--images",
    metavar="WHERE",
    help="Images by the items' keys: an .npz with arrays images and index (the keys), and label if you have it; a "
    "folder with a sub-folder for each class; one with CIFAR-10; or digits. A study's own if not given.",
)
@click.option("--size", type=click.IntRange(8, 1024), metavar="PIXELS", help="Resize all images to squares.")
@click.option(
    "--labels",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="hard (the items' references, or the majority's class), random, uniform, smoothed, aggregated, de-aggregated "
    "(at each step the label of one person), counts-aggregated, counts-de-aggregated. Repeat it; hard and all that "
    "there are of people if not given.",
)
@click.option("--annotators", type=click.IntRange(min=1), metavar="M", help="Labels of M people an image, drawn anew.")
@click.option("--beta", type=click.FloatRange(0, 1), help="The share of smoothed labels that all classes get; 0.05.")
@click.option(
    "--counts",
    type=FILE,
    metavar="FILE.npy",
    help="How many other people chose each class, a row for each image, or for each number that is a key.",
)
@click.option("--variety", help="Of a study's labels, as of `crowdloom labels`.")
@click.option("--gamma", type=float, help="Likewise.")
@click.option("--similarity", type=FILE, metavar="CSV", help="Likewise.")
@click.option("--vectors", type=FILE, metavar="FILE", help="Likewise.")
@click.option("--held-out", type=float, default=0.2, show_default=True, metavar="SHARE", help="Of each class.")
@click.option(
    "--metrics",
    default="cross_entropy,calibration_error,accuracy,fgsm_loss",
    show_default=True,
    metavar="NAMES",
    help="Also pgd_loss, corruption_cross_entropy, top2_accuracy, entropy_correlation, entropy_rank_correlation, "
    "class_accuracy.",
)
@click.option("--augment", is_flag=True, help="Crop and mirror every image anew in every epoch.")
@run_options(network="small-cnn if not given", seeds="3 if not given", epochs="40, or as many as make 300 steps")
@click.option("--out", type=FILE, metavar="FOLDER", help="Where runs, numbers and networks lie; runs/NAME.")
@engine_options
@answers_options
@database_option
def command(
    source: str,
    images: str | None,
    size: int | None,
    kinds: tuple[str, ...],
    annotators: int | None,
    beta: float | None,
    counts: Path | None,
    variety: str | None,
    gamma: float | None,
    similarity: Path | None,
    vectors: Path | None,
    held_out: float,
    metrics: str,
    augment: bool,
    networks: tuple[str, ...],
    seeds: int | None,
    epochs: int | None,
    out: Path | None,
    engine: str,
    workers: int | None,
    threads: int,
    device: str | None,
    responses: Scope,
    version: int | None,
    database: str | None,
) -> None:
    """Train networks on collected labels, and say how labels of several kinds compare.

    STUDY_OR_LABELS is a study in the store, whose accepted first answers are made into labels, or a file that
    `crowdloom labels` or `simulate-labels` wrote. Some of the images are held out, for each seed others, and networks
    are tried on them against their aggregated labels. Stopped or killed, the same command goes on where it was; once
    all is done it only prints the table.
    """
    require_training()
    from crowdloom.models.experiments.chapter3 import BETA
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.label_recipes import Recipe
    from crowdloom.studies.learning.labelled import Images, labelled_by_file, labelled_by_study
    from crowdloom.studies.learning.sweeping import Engine
    from crowdloom.studies.learning.train import RESULTS, TABLE, Training, train

    path = Path(source)
    is_file = path.suffix.lower() in LABEL_FILES or path.is_file()
    recipe = Recipe(
        variety=variety, gamma=gamma, similarity=similarity, vectors=vectors, responses=responses, version=version
    )
    if is_file:
        _check_file(recipe)
    if beta is not None and "smoothed" not in kinds:
        raise OptionError("--beta belongs to --labels smoothed; give that, or leave it out")
    if beta is not None and not 0 <= beta <= 1:  # NaN, which click lets through
        raise OptionError(f"--beta {beta:g}: give a share from 0 to 1")
    where = Images(images, size)
    training = Training(
        kinds=kinds,
        networks=tuple(dict.fromkeys(networks)) or Training.networks,
        seeds=seeds or Training.seeds,
        epochs=epochs,
        held_out=held_out,
        metrics=tuple(dict.fromkeys(name.strip() for name in metrics.split(","))),
        annotators=annotators,
        beta=BETA if beta is None else beta,
        augment=augment,
    )
    with ExitStack() as stack:
        store = None
        if not is_file or database is not None:
            store = stack.enter_context(opened(database, create=is_file))
        with doing() as say:
            say("Reading images and labels")
            if store is not None and not is_file:
                labelled = labelled_by_study(store, source, recipe, where, counts)
            else:
                labelled = labelled_by_file(path, where, counts)
        folder = out or Path("runs") / labelled.name
        stack.enter_context(stoppable(folder))
        show = stack.enter_context(training_progress())
        done = train(
            labelled, training, folder, Engine(engine, workers, threads, device), store=store, on_progress=show
        )
    for sentence in done.sentences():
        click.echo(sentence)
    click.echo()
    say_run_table(done.table)
    click.echo(f"Wrote {folder / TABLE} and {folder / RESULTS}; each run has a folder there, with its network.")
    if failed := done.swept.failed:
        click.echo(
            f"{len(failed)} of {len(done.swept.results)} runs failed; the same command tries them again.", err=True
        )
        sys.exit(1)


def _check_file(recipe: Recipe) -> None:
    """A file's labels are built already."""
    from crowdloom.studies.errors import OptionError

    given = [
        name for name in ("variety", "gamma", "similarity", "vectors", "version") if getattr(recipe, name) is not None
    ]
    if recipe.responses != "accepted":
        given.append("responses")
    if given:
        raise OptionError(
            f"--{given[0]} belongs to a study's labels; those of a file are built already, so leave it out"
        )
