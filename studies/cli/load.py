"""`crowdloom load`."""

from __future__ import annotations

from pathlib import Path

import click

from crowdloom.studies.cli.options import counting, database_option, opened


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--media", metavar="s3://BUCKET/PREFIX", help="Keep the images in this bucket, not in the database.")
@database_option
def command(file: Path, media: str | None, database: str | None) -> None:
    """Put the design FILE with its items into the store.

    A changed design becomes a new version; a version that was published is never changed.
    """
    from crowdloom.studies.design_file import located, read_design
    from crowdloom.studies.loading import load_design
    from crowdloom.studies.words import count

    design, source = read_design(file)
    with opened(database, create=True) as store, counting("Reading items") as show, located(source, str(file)):
        loaded = load_design(store, design, source, file.parent, bucket=media, progress=show)
    what = "is version" if loaded.is_new else "was there already, as version"
    click.echo(
        f"{loaded.study} {what} {loaded.version}: {count(loaded.items, 'item')} in "
        f"{count(loaded.batches, 'batch')}, {count(loaded.places, 'submission')} wanted."
    )
    if loaded.unused:
        click.echo(f"Of the source, {count(loaded.unused, 'item')} are in no batch.")
    click.echo(f"Next: crowdloom publish {loaded.study}")
