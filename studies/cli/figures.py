"""`crowdloom figures`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.describe import counts_option, read_study
from crowdloom.studies.cli.options import answers_options, check_folder, database_option

if TYPE_CHECKING:
    from crowdloom.studies.reading import Scope


@click.command()
@click.argument("study")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="A folder; it is made if it is not there.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["png", "pdf", "svg"]),
    default="png",
    show_default=True,
    help="Of all.",
)
@counts_option
@answers_options
@database_option
def command(
    study: str,
    out: Path,
    file_format: str,
    counts: Path | None,
    responses: Scope,
    version: int | None,
    database: str | None,
) -> None:
    """Draw the figures of the answers of STUDY that its task has, each into a file of its own.

    They are as wide as a column of a paper, 3.5 inches; the same answers give the same files.
    """
    from crowdloom.analysis.figures import save_figure
    from crowdloom.analysis.figures_by_task import FIGURES
    from crowdloom.analysis.frame import FrameError
    from crowdloom.studies.errors import StudyError

    check_folder(out)
    read = read_study(study, counts, responses, version, database)
    try:
        drawn = FIGURES[read.task](read.frame, read.items, read.classes)
    except FrameError as error:
        raise StudyError(f"the figures of {study} cannot be drawn: {error}") from error
    if drawn.figures:
        out.mkdir(exist_ok=True)
    for stem, figure in drawn.figures.items():
        path = out / f"{stem}.{file_format}"
        save_figure(figure, path)
        click.echo(f"Wrote {path}.")
    for stem, why in drawn.undrawn.items():
        click.echo(f"Not drawn: {stem}, since {why}.")
