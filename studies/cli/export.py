"""`crowdloom export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import answers_options, check_folder, database_option, opened

if TYPE_CHECKING:
    from crowdloom.studies.reading import Scope


@click.command()
@click.argument("study")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="FILE.csv or FILE.parquet")
@click.option(
    "--table",
    type=click.Choice(
        ["answers", "items", "questionnaires", "background", "debrief", "events", "codes", "sessions"]
        + [f"session-{part}" for part in ("curves", "interactions", "classes", "movements")]
        + ["writings", "writing-attempts", "writing-points"]
    ),
    default="answers",
    show_default=True,
    help="The answers to the items, the items themselves, the questionnaires with their scores, the answers to the "
    "background or the debrief questions, everything else that happened, or the codes that researchers gave the "
    "items; of sessions in a latent space, and of writings that a coach read, one of their tables.",
)
@answers_options
@database_option
def command(study: str, out: Path, table: str, responses: Scope, version: int | None, database: str | None) -> None:
    """Write the answers of STUDY as one long table: a row for each answer, no platform ids.

    The items are a row each, with what their source says of them and their final category. --responses concerns
    the answers and the questionnaires, --version these and the items; background, debrief and events are those of
    all submissions, codes those of the items of the newest version. Tables of sessions are those of hill analyse,
    without the trainings that have no person, and tables of writings are those of releases, with the points of strokes
    as rows; both options concern them.
    """
    from crowdloom.studies.coding_overview import codes_table
    from crowdloom.studies.exporting import export_frame
    from crowdloom.studies.reading import read_frame
    from crowdloom.studies.reading_items import read_items
    from crowdloom.studies.reading_questionnaires import read_questionnaires
    from crowdloom.studies.records import read_background, read_debrief, read_events
    from crowdloom.studies.session_tables import read_session_table
    from crowdloom.studies.words import count
    from crowdloom.studies.writing_tables import read_writing_table

    notes: Sequence[str] = ()
    check_folder(out)
    with opened(database) as store, store.read() as connection:
        if table == "answers":
            frame = read_frame(connection, study, responses, version)
        elif table == "items":
            frame = read_items(connection, study, version)
        elif table == "questionnaires":
            frame = read_questionnaires(connection, study, responses, version)
        elif table.startswith("session"):
            found = read_session_table(connection, study, table, responses, version)
            frame, notes = found.frame, found.notes
        elif table.startswith("writing"):
            frame, notes = read_writing_table(connection, study, table, responses, version)
        else:
            read = {
                "background": read_background,
                "debrief": read_debrief,
                "events": read_events,
                "codes": codes_table,
            }[table]
            frame = read(connection, study)
    export_frame(frame, out)
    for note in notes:
        click.echo(note)
    click.echo(f"Wrote {count(len(frame), 'row')} to {out}; times are UTC.")
