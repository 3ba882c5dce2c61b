"""Tables of trained networks as commands print them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from crowdloom.analysis.run_tables import RunTable


def say_run_table(table: RunTable) -> None:
    """Print the means with their intervals, the best with a star, and below what has to be known to read them."""
    import pandas as pd

    from crowdloom.analysis.run_metrics import metric_of
    from crowdloom.analysis.run_table_notes import table_notes
    from crowdloom.analysis.run_tables import cell_text
    from crowdloom.analysis.summary import Table

    for evaluation in table.evaluations:
        cells = {}
        for metric in table.metrics:
            keys = [(evaluation, row, metric) for row in table.rows]
            cells[metric_of(metric).heading] = [
                cell_text(table.averages.get(key)) + ("*" if key in table.best else " ") for key in keys
            ]
        cells["seeds"] = [table.seeds_of(evaluation, row) for row in table.rows]
        frame = pd.DataFrame(cells, index=pd.Index(list(table.rows), name="labels", dtype=object))
        click.echo(f"{table.experiment}, evaluated on {evaluation}:")
        click.echo("\n".join(f"  {line}" for line in Table("", frame).lines().splitlines()) + "\n")
    if not table.evaluations:
        click.echo(f"{table.experiment}: no run is done.")
    for note in table_notes(table):
        click.echo(f"{note.replace('Marked is', 'A star marks')}")
