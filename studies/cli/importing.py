"""`crowdloom import`: raw files of studies that were run elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

from crowdloom.studies.cli.options import database_option

FILE = click.Path(path_type=Path)


@click.group(name="import")
def command() -> None:
    """Read somebody else's raw file into the store."""


@command.command()
@click.argument("file", type=FILE)
@click.option("--task", required=True, help="What was asked: soft-label or mixing-coefficient.")
@click.option("--study", required=True, metavar="NAME", help="The study that it becomes: a new one, or an import's.")
@click.option(
    "--mapping",
    metavar="FILE|NAME",
    help="A TOML file that says which columns mean what, or the name of one that comes with crowdloom (see above).",
)
@click.option(
    "--keep-doubles",
    is_flag=True,
    help="Make a session that stands in the file twice a submission of its own, marked as a copy.",
)
@database_option
def jspsych(file: Path, task: str, study: str, mapping: str | None, keep_doubles: bool, database: str | None) -> None:
    """Import the raw CSV export of a jsPsych (or Pavlovia) experiment.

    Says what became of every row. Importing a file again adds nothing.

    \b
    Mappings that come with crowdloom:
      cifar10s          soft labels of CIFAR-10S; the default of --task soft-label
      hmix-soft-labels  soft labels of H-Mix, of mixed images
      hmix-infer        H-Mix, inferred mixing coefficients, for --task mixing-coefficient
      hmix-choose       H-Mix, midpoints chosen from shuffled mixes, for the same task
      hmix-construct    H-Mix, midpoints constructed step by step, for the same task
    """
    from crowdloom.studies.database import open_store
    from crowdloom.studies.importing import import_jspsych

    store = open_store(database)
    try:
        report = import_jspsych(store, file, task=task, study=study, mapping=mapping, keep_doubles=keep_doubles)
    finally:
        store.close()
    click.echo(report.text())
