"""`crowdloom export`."""

from __future__ import annotations

from pathlib import Path

import click

from crowdloom.studies.cli.options import answers_options, check_folder, database_option, opened


@click.command()
@click.argument("study")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="FILE.csv or FILE.parquet")
@answers_options
@database_option
def command(study: str, out: Path, responses: str, version: int | None, database: str | None) -> None:
    """Write the answers of STUDY as one long table: a row for each answer, no platform ids."""
    from crowdloom.studies.exporting import export_frame
    from crowdloom.studies.reading import read_frame

    check_folder(out)
    with opened(database) as store, store.read() as connection:
        frame = read_frame(connection, study, "all" if responses == "all" else "accepted", version)
    export_frame(frame, out)
    click.echo(f"Wrote {len(frame)} answers to {out}; times are UTC.")
