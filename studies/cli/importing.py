"""`crowdloom import`: raw files of studies that were run elsewhere, and releases."""

from __future__ import annotations

from pathlib import Path

import click

from crowdloom.studies.cli.options import counting, database_option, opened

FILE = click.Path(path_type=Path)


@click.group(name="import")
def command() -> None:
    """Read somebody else's raw file, or a release, into the store."""


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
    from crowdloom.studies.importing import import_jspsych

    with opened(database, create=True) as store:
        report = import_jspsych(store, file, task=task, study=study, mapping=mapping, keep_doubles=keep_doubles)
    click.echo(report.text())


@command.command()
@click.argument("folder", type=FILE, metavar="FOLDER|ZIP")
@click.option("--study", required=True, metavar="NAME", help="The study that it becomes: a new one.")
@database_option
def release(folder: Path, study: str, database: str | None) -> None:
    """Import a release that `crowdloom release` wrote: a folder, or its zip.

    Every analysis says the same of the study that it becomes. All files are checked first; importing a release again
    adds nothing.
    """
    from crowdloom.studies.releasing.importing import import_release
    from crowdloom.studies.releasing.opening import opened_release
    from crowdloom.studies.words import count

    # The store comes after the release: not before it is known that there is something to be stored.
    with opened_release(folder) as whole, counting("Reading") as show, opened(database, create=True) as store:
        imported = import_release(store, whole, study, show)
    if not imported.is_new:
        click.echo(f"The study {study} is the release {imported.release} already; nothing was added.")
        return
    click.echo(
        f"Imported the release {imported.release} as the study {study}: {count(imported.submissions, 'submission')} of "
        f"{count(imported.participants, 'participant')}, {count(imported.responses, 'response')}."
    )
