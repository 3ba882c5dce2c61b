"""`crowdloom describe`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from crowdloom.studies.cli.options import answers_options, database_option, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from crowdloom.studies.reading import Scope

counts_option = click.option(
    "--counts",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="For mixed items: an .npy of how many annotators chose each class, a row for each source image; gives the "
    "entropies of the two images where items do not say them.",
)


class Read(NamedTuple):
    """What a study's answers are described, or drawn, from."""

    task: str
    frame: pd.DataFrame
    items: pd.DataFrame
    classes: Sequence[str]


def read_study(study: str, counts: Path | None, responses: Scope, version: int | None, database: str | None) -> Read:
    """Read a study's answers and items.

    Raises StudyError for an unknown study, OptionError for counts that do not fit.
    """
    from crowdloom.analysis.mixing import read_counts, with_entropies
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.reading import find_answers, read_frame
    from crowdloom.studies.reading_items import read_items

    with opened(database) as store, store.read() as connection:
        answers = find_answers(connection, study, responses, version)
        frame = read_frame(connection, study, responses, version)
        items = read_items(connection, study, version)
    if counts is not None:
        try:
            items = with_entropies(items, read_counts(counts))
        except ValueError as error:
            raise OptionError(f"--counts: {error}") from error
    return Read(answers.task, frame, items, answers.classes)


@click.command()
@click.argument("study")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@counts_option
@answers_options
@database_option
def command(
    study: str, as_json: bool, counts: Path | None, responses: Scope, version: int | None, database: str | None
) -> None:
    """Describe the answers of STUDY: people, time, and what the task's answers say, in numbers and tables."""
    from crowdloom.analysis.describe import TABLES, describe, describe_rows
    from crowdloom.analysis.frame import FrameError
    from crowdloom.studies.errors import StudyError

    read = read_study(study, counts, responses, version, database)
    try:
        summary = describe(*read)
        tables = TABLES[read.task](read.frame, read.items, read.classes)
    except FrameError as error:
        raise StudyError(f"{study} cannot be described: {error}") from error
    if as_json:
        listed = [{"title": table.title, "rows": table.records()} for table in tables]
        said = {**summary, "tables": listed} if listed else summary
        click.echo(json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False))
        return
    for name, value, meaning in describe_rows(summary):
        click.echo(f"{name:31} {value:>9}  {meaning}")
    for table in tables:
        click.echo(f"\n{table.title}\n{table.lines()}")
