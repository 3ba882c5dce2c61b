"""`crowdloom simulate-labels`."""

from __future__ import annotations

from pathlib import Path

import click

from crowdloom.studies.cli.options import check_apart, check_folder, database_option, doing, opened
from crowdloom.studies.words import count

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("study")
@click.option(
    "--counts",
    type=FILE,
    required=True,
    metavar="FILE.npy",
    help="How many annotators chose each class, a row for each image; the key of a study's item is its row, from 0.",
)
@click.option(
    "--annotators", type=click.IntRange(min=1), default=5, show_default=True, help="Simulated for each image."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The same one, the same labels.")
@click.option(
    "--gamma",
    type=float,
    default=0.0,
    show_default=True,
    help="The mass kept for classes left possible where an answer leaves none, as of labels T2-clamp.",
)
@click.option(
    "--similarity",
    type=FILE,
    metavar="CSV",
    help="The classes' similarity; without it and --vectors, by the second choices of the answers.",
)
@click.option("--vectors", type=FILE, metavar="FILE", help="Word vectors of the classes, in GloVe's text format.")
@click.option("--simulator", type=FILE, metavar="FILE.json", help="Also write what was fitted.")
@click.option(
    "--format", "file_format", type=click.Choice(["json", "csv", "parquet", "npz"]), help="Else by the suffix."
)
@click.option("--out", type=FILE, required=True, metavar="FILE", help="Labels, one for each image and annotator.")
@click.option("--version", type=int, metavar="N", help="Only this version of the design; else all together.")
@database_option
def command(
    study: str,
    counts: Path,
    annotators: int,
    seed: int,
    gamma: float,
    similarity: Path | None,
    vectors: Path | None,
    simulator: Path | None,
    file_format: str | None,
    out: Path,
    version: int | None,
    database: str | None,
) -> None:
    """Simulate soft labels for images with hard ones, by what people answered in STUDY.

    Probabilities and the number of classes left possible come from the accepted first answers, apart for images of low
    and of high entropy; the most probable class is drawn from the image's counts.
    """
    from crowdloom.analysis.export import write_labels
    from crowdloom.analysis.mixing import read_counts
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.simulating import Simulation, record_simulated, simulate_labels

    check_folder(out)
    if simulator is not None:
        check_folder(simulator, "--simulator")
    check_apart(
        {
            "--counts": counts,
            "--similarity": similarity,
            "--vectors": vectors,
            "--out": out,
            "--simulator": simulator,
        }
    )
    try:
        known = read_counts(counts)
    except ValueError as error:
        raise OptionError(f"--counts: {error}") from error
    simulation = Simulation(annotators, seed, gamma, similarity, vectors, version)
    with opened(database) as store, doing() as say:
        say("Simulating labels")
        with store.read() as connection:
            made = simulate_labels(connection, study, known, simulation)
        say("Writing them")
        try:
            write_labels(made.table, out, file_format)
        except ValueError as error:
            raise OptionError(str(error)) from error
        if simulator is not None:
            made.simulator.write(simulator)
        with store.write() as connection:
            token = record_simulated(connection, study, known, simulation, made)
    for sentence in made.sentences():
        click.echo(sentence)
    people = count(annotators, "annotator")
    click.echo(
        f"Wrote {len(made.table.labels):,} labels of {count(len(known), 'image')}, by {people} each, to {out} "
        f"(label set {token})."
    )
