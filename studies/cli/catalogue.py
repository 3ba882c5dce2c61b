"""`crowdloom catalogue`."""

from __future__ import annotations

import click


@click.command()
def command() -> None:
    """List the designs that `crowdloom new NAME FILE` writes: one for each task, and ready studies.

    Items, people (as many as took part) and pay (for each participation) are those of the designs.
    """
    from rich.console import Console
    from rich.table import Table

    from crowdloom.studies.catalogue import entries

    table = Table("name", "kind", box=None, pad_edge=False)
    for number in ("items", "people", "pay"):
        table.add_column(number, justify="right", no_wrap=True)
    table.add_column("what it is")
    for entry in entries():
        numbers = (entry.items, entry.design.rehearsal.people, entry.design.people.reward)
        table.add_row(
            entry.name, entry.kind, *("" if number is None else str(number) for number in numbers), entry.summary
        )
    Console().print(table)
