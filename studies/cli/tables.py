"""`crowdloom tables`."""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import check_apart, check_folder, database_option, doing, opened
from crowdloom.studies.cli.run_tables import say_run_table
from crowdloom.studies.cli.training_options import (
    engine_options,
    require_training,
    run_options,
    stoppable,
    training_progress,
)
from crowdloom.studies.words import count, duration

if TYPE_CHECKING:
    from crowdloom.studies.learning.given_material import Given
    from crowdloom.studies.learning.paper_tables import Made, Planned, Way, Work
    from crowdloom.studies.learning.sweeping import Engine

FILE = click.Path(path_type=Path)
NAMES = (
    *("3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "4.1", "4.2", "4.3", "5.1", "5.2"),
    *("B.1", "B.2", "B.3", "figure-B.3", "C.1", "cifar10s"),
)


@click.command()
@click.argument("names", metavar="NAME…", nargs=-1, required=True)
@click.option("--reduced", is_flag=True, help="Few images, narrow networks, two epochs: to see that all of it runs.")
@click.option("--out", type=FILE, required=True, metavar="FILE|FOLDER", help="For several tables, or all, a folder.")
@click.option("--study", metavar="NAME", help="A study of soft labels in the store (CIFAR-10S).")
@click.option("--mixed", metavar="NAME", help="A study of mixing coefficients in the store.")
@click.option(
    "--images",
    metavar="WHERE",
    help="By the items' keys: a folder with CIFAR-10, an .npz, a folder with a sub-folder for each class, or digits; "
    "the items of --study if not given.",
)
@click.option("--download", is_flag=True, help="Fetch CIFAR-10 into the folder --images.")
@click.option(
    "--counts",
    type=FILE,
    metavar="FILE.npy",
    help="How many people chose each class (CIFAR-10H), a row for each image, or for each number that is a key.",
)
@click.option("--split", type=FILE, metavar="FILE.npz", help="The authors'; else 30 % of each class for evaluation.")
@click.option("--similarity", type=FILE, metavar="CSV", help="Of the classes; else by people's second choices.")
@click.option("--vectors", type=FILE, metavar="FILE", help="Word vectors of the classes, in GloVe's text format.")
@click.option("--corrupted", type=FILE, metavar="FOLDER", help="CIFAR-10-C; else images are corrupted here.")
@run_options(
    network="the table's own if not given", seeds="the table's if not given", epochs="the table's if not given"
)
@click.option("--runs", type=FILE, metavar="FOLDER", help="Where runs are kept; runs/ beside --out if not given.")
@engine_options
@database_option
def command(
    names: tuple[str, ...],
    reduced: bool,
    out: Path,
    study: str | None,
    mixed: str | None,
    images: str | None,
    download: bool,
    counts: Path | None,
    split: Path | None,
    similarity: Path | None,
    vectors: Path | None,
    corrupted: Path | None,
    networks: tuple[str, ...],
    seeds: int | None,
    epochs: int | None,
    runs: Path | None,
    engine: str,
    workers: int | None,
    threads: int,
    device: str | None,
    database: str | None,
) -> None:
    """Rebuild tables and figures of K. M. Collins' thesis from label sets: train, evaluate, average over seeds.

    \b
    NAME is a table, 3.1 to 3.4, 4.1 to 4.3, 5.1, 5.2, B.1 to B.3, C.1,
    or a figure, 3.5, 3.6, figure-B.3; or cifar10s, what a small network
    learns from CIFAR-10S on a processor in minutes; or all.

    Writes each as Markdown (mean and 95 % interval over seeds, the best in bold, below it where everything came from),
    all runs' numbers as Parquet, and of figures a picture. --out FILE.csv or .parquet writes the table there, too, and
    --out FILE.png the picture. Without any data, --reduced takes scikit-learn's digits and simulated people.

    Stopped or killed, the same command goes on where it was; once all is done it only writes the tables.
    """
    require_training()
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.learning.given_material import Given, check_given, material_of
    from crowdloom.studies.learning.paper_document import SUFFIXES, check_suffix, paths_of, write_files
    from crowdloom.studies.learning.paper_notes import About
    from crowdloom.studies.learning.paper_tables import Way, chosen, make, plan, work_of
    from crowdloom.studies.learning.sweeping import Engine

    experiments = chosen(names)
    given = Given(study, mixed, images, counts, split, similarity, vectors, corrupted, download)
    way = Way(reduced, seeds, tuple(dict.fromkeys(networks)), epochs)
    how = Engine(engine, workers, threads, device)
    check_given(experiments, given, reduced)
    several = len(names) > 1 or len(experiments) > 1
    check_folder(out)
    if several and out.is_file():
        raise OptionError(f"--out {out} is a file; several tables go to a folder")
    if several and out.suffix.lower() in SUFFIXES and not out.is_dir():
        raise OptionError(f"--out {out} names a file; several tables go to a folder")
    with ExitStack() as stack:
        store = stack.enter_context(opened(database)) if given.studies or database is not None else None
        with doing() as say:
            say("Reading images and labels")
            material = material_of(store, given, reduced)
            planned = [plan(one, material, given, way) for one in experiments]
        files = {one.experiment.name: out / f"{_file_name(one)}.md" if several else out for one in planned}
        for one in planned:
            check_suffix(one, files[one.experiment.name])
            check_apart(given.files() | {str(path): path for path in paths_of(one, files[one.experiment.name])})
        if several:
            out.mkdir(exist_ok=True)
        folder = runs or (out if several else out.parent) / "runs"
        folder.mkdir(parents=True, exist_ok=True)
        if not given.anything:
            click.echo("No data were given: images are scikit-learn's digits, and people are simulated.")
        stack.enter_context(stoppable(folder))
        made: list[Made] = []
        for work in work_of(planned, material):
            _say_work(work, folder, how, measured=not reduced)
            made += make(work, folder, how, store, training_progress)
    for done in made:
        about = About(material, given, way, _command(done.planned, given, way, how))
        written = write_files(done, about, files[done.planned.experiment.name])
        if not several:
            click.echo()
            say_run_table(done.table())
        click.echo(f"Wrote {', '.join(map(str, written))}.")
    click.echo(f"Each run has a folder in {folder}, with its network.")
    _say_failed(made)


def _file_name(planned: Planned) -> str:
    """`table-3.1`, `figure-B.3`, `cifar10s`."""
    return planned.experiment.called.replace(" ", "-")


def _command(planned: Planned, given: Given, way: Way, how: Engine) -> str:
    """What makes the same table again; where it is computed, and by how many at once, changes nothing."""
    from dataclasses import fields

    words = ["crowdloom", "tables", planned.experiment.name]
    words += ["--reduced"] if way.reduced else []
    for field in fields(given):
        value = getattr(given, field.name)
        words += [f"--{field.name}"] if value is True else [f"--{field.name}", str(value)] if value else []
    words += [word for network in way.networks for word in ("--network", network)]
    for name, value in (("seeds", way.seeds), ("epochs", way.epochs), ("device", how.device)):
        words += [f"--{name}", str(value)] if value is not None else []
    words += ["--threads", str(how.threads)] if how.threads > 1 else []
    return shlex.join([*words, "--out", f"{_file_name(planned)}.md"])


def _say_work(work: Work, folder: Path, engine: Engine, *, measured: bool) -> None:
    """How much there is to do, before it begins."""
    from crowdloom.models.sweeps import workers_for
    from crowdloom.studies.learning.paper_tables import seconds_needed, still_to_do

    left = still_to_do(work, folder)
    named = ", ".join(one.experiment.called for one in work.tables)
    of = f", {len(left):,} of them to be done" if left else ", all done"
    click.echo(f"{named[0].upper()}{named[1:]}: {count(len(work.runs), 'run')}{of}.")
    if left and measured:
        with doing() as say:
            say("Timing a few steps")
            seconds = seconds_needed(work, left, engine)
        here = engine.engine == "local"
        at_once = workers_for(len(left), engine.workers, engine.threads, engine.device) if here else 1
        how = f"{at_once} at a time" if at_once > 1 else "one after the other"
        click.echo(
            f"By a few steps, timed here, they train for about {duration(seconds / at_once)}, {how}. Ctrl-C stops, and "
            "the same command goes on."
        )


def _say_failed(made: list[Made]) -> None:
    """Exit with 1 where runs failed; their reasons stand in the table."""
    failed = {one.digest: one for table in made for one in table.swept.results if one.state != "done"}
    if failed:
        for one in failed.values():
            click.echo(one.error, err=True)
        click.echo(f"{count(len(failed), 'run')} failed; the same command tries again.", err=True)
        sys.exit(1)
