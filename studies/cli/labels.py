"""`crowdloom labels`."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.frames import check_draws, check_name, intervals_sentence, write_frame
from crowdloom.studies.cli.options import (
    answers_options,
    check_apart,
    check_folder,
    counting,
    database_option,
    opened,
)

if TYPE_CHECKING:
    from crowdloom.studies.reading import Scope


AGGREGATES = ("mean", "linear-pool", "log-pool", "soft-dawid-skene", "majority-vote", "dawid-skene")


@click.command()
@click.argument("study")
@click.option(
    "--variety",
    help="Soft labels: T1 or T2 (first class, or first and second), then where the rest of the mass goes: "
    "-uniform, -clamp, -semantic or -none; T2-clamp if not given. Mixing coefficients: two-hot (also if not given), "
    "two-hot-confidence (smoothed by confidence) or mixup (by the coefficient that the image was mixed with).",
)
@click.option(
    "--gamma",
    type=float,
    help="Under clamp: the mass kept for classes left possible; 0.1 if not given. Under two-hot-confidence: the share "
    "that a label of full confidence gives to all classes; 0.005 if not given.",
)
@click.option(
    "--similarity",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Under semantic: the classes' similarity; without it and --vectors, by the second choices of the answers.",
)
@click.option(
    "--vectors",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Under semantic: word vectors in GloVe's text format; the similarity is the cosine of the classes' names.",
)
@click.option(
    "--aggregate",
    type=click.Choice(AGGREGATES),
    help="One label per item; else one per response. Pools and soft-dawid-skene take the variety's labels, "
    "majority-vote and dawid-skene the most probable classes; mixing coefficients have the mean only.",
)
@click.option("--weights", type=click.Choice(["equal", "agreement"]), help="Of pools: what annotators weigh.")
@click.option("--calibrated", is_flag=True, help="Of pools: fit each annotator to the others first.")
@click.option(
    "--intervals",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Of aggregated soft labels: also write 95 % intervals, by a bootstrap over annotators, to a .csv or .parquet; "
    "low and high are empty where one person answered.",
)
@click.option("--samples", type=click.IntRange(min=1), help="With --intervals: so many draws; 1000 if not given.")
@click.option("--seed", type=int, help="With --intervals: draws that can be repeated; 0 if not given.")
@click.option("--repeats", is_flag=True, help="Let repeats count in an aggregate.")
@click.option(
    "--format", "file_format", type=click.Choice(["json", "csv", "parquet", "npz"]), help="Else by the suffix."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE")
@answers_options
@database_option
def command(
    study: str,
    variety: str | None,
    gamma: float | None,
    similarity: Path | None,
    vectors: Path | None,
    aggregate: str | None,
    weights: str | None,
    calibrated: bool,
    intervals: Path | None,
    samples: int | None,
    seed: int | None,
    repeats: bool,
    file_format: str | None,
    out: Path,
    responses: Scope,
    version: int | None,
    database: str | None,
) -> None:
    """Build labels from the answers of STUDY and write them to a file."""
    from crowdloom.analysis.export import write_labels
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.label_recipes import Draws, Recipe
    from crowdloom.studies.labelling import build_label_set, record_label_set

    check_folder(out)
    check_apart({"--similarity": similarity, "--vectors": vectors, "--out": out, "--intervals": intervals})
    if repeats and not aggregate:
        raise OptionError("--repeats belongs to --aggregate; single labels are built for repeats anyway")
    check_draws(intervals, samples, seed)
    if intervals is not None:
        if aggregate is None:
            raise OptionError("--intervals belongs to --aggregate; the label of a single answer has none")
        check_name(intervals, "--intervals")
    recipe = Recipe(
        variety=variety,
        gamma=gamma,
        aggregate=aggregate,
        repeats=repeats,
        responses=responses,
        version=version,
        similarity=similarity,
        vectors=vectors,
        weights=weights,
        calibrated=calibrated,
    )
    with opened(database) as store:
        with store.read() as connection, counting("Drawing annotators") if intervals else nullcontext() as show:
            if intervals:
                recipe = replace(recipe, draws=Draws(1000 if samples is None else samples, seed or 0, show))
            built = build_label_set(connection, study, recipe)
        try:
            write_labels(built.table, out, file_format)
        except ValueError as error:
            raise OptionError(str(error)) from error
        if intervals is not None and built.intervals is not None:
            write_frame(built.intervals, intervals)
        with store.write() as connection:
            token = record_label_set(connection, study, recipe, built)
    if intervals is not None and built.intervals is not None:
        click.echo(intervals_sentence(built.intervals, "item", intervals))
    click.echo(f"Wrote {len(built.table.labels)} labels from {built.responses} responses to {out} (label set {token}).")
    if built.left_out:
        click.echo(f"{built.left_out} responses say too little for a label; they are left out.")
