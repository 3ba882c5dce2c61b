"""`crowdloom hill audio`."""

from __future__ import annotations

from pathlib import Path

import click

from crowdloom.studies.cli.options import database_option, opened


@click.command()
@click.argument("study")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="A folder that is not there yet, or is empty.",
)
@database_option
def command(study: str, out: Path, database: str | None) -> None:
    """Write what people of STUDY said aloud: a sound file for each recording, and when in it each interaction went on.

    recordings.csv has a row for each file, interactions.csv one for each interaction that goes on in it. A voice
    identifies a person: keep the folder as safe as the store, and delete it when you have evaluated it. Whoever
    withdrew their consent is not in it; write it anew before you evaluate.
    """
    from crowdloom.studies.voice_files import write_recordings
    from crowdloom.studies.words import count

    with opened(database) as store, store.read() as connection:
        written = write_recordings(connection, study, out)
    click.echo(f"Wrote {count(written, 'recording')} to {out}; times are UTC.")
