"""`crowdloom new`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
def command(name: str, file: Path) -> None:
    """Write the design NAME of the catalogue to FILE, commented, to start from.

    NAME is a task, such as soft-label, or a study; `crowdloom catalogue` lists both. An existing FILE stays.
    """
    from crowdloom.studies.catalogue import write_design

    write_design(name, file)
    click.echo(f"Wrote {file}. Edit it, then: crowdloom validate {file}")
