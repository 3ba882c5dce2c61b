"""`crowdloom catalogue`."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """List the designs that `crowdloom new NAME FILE` writes: one for each task, and ready studies."""
    from rich.console import Console
    from rich.table import Table

    from crowdloom.studies.catalogue import entries

    table = Table("name", "kind", "what it is", box=None, pad_edge=False)
    for entry in entries():
        table.add_row(entry.name, entry.kind, entry.summary)
    Console().print(table)
