"""`crowdloom analyse`."""

from __future__ import annotations

from pathlib import Path

import click

from crowdloom.studies.cli.options import check_folder, database_option, doing, opened

FEWEST = 20
"""Draws of a bootstrap, below which no interval is said."""


@click.command()
@click.argument("study")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE.html",
    help="The report; its tables and figures go to a folder beside it, which has its name without .html.",
)
@click.option("--version", type=int, metavar="N", help="Only this version of the design; else all together.")
@click.option(
    "--counts",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="An .npy of how many annotators of another study chose each class: a row for each item whose key is its "
    "number, or for each source image of mixed items.",
)
@click.option("--samples", default=1000, show_default=True, help="Of each bootstrap.")
@database_option
def command(
    study: str, out: Path, version: int | None, counts: Path | None, samples: int, database: str | None
) -> None:
    """Carry out the plan of STUDY, and write tables, figures and one report that needs no network.

    Everything that the plan does not ask for is marked as exploratory.
    """
    from crowdloom.analysis.bootstrap import SAMPLES
    from crowdloom.analysis.mixing import read_counts
    from crowdloom.studies.analysing.writing import write_analysis
    from crowdloom.studies.errors import OptionError

    if out.suffix.lower() not in (".html", ".htm"):
        raise OptionError(f"--out {out}: the report is one HTML file; end its name in .html")
    check_folder(out)
    beside = out.with_suffix("")
    if beside.exists() and not beside.is_dir():
        raise OptionError(f"--out {out}: the tables and figures go to {beside}, which is a file; give another name")
    again = ["crowdloom", "analyse", study, "--out", str(out)]
    if version is not None:
        again += ["--version", str(version)]
    if counts is not None:
        again += ["--counts", str(counts)]
    if samples != SAMPLES:
        again += ["--samples", str(samples)]
    if samples < FEWEST:
        raise OptionError(f"--samples {samples}: an interval needs at least {FEWEST}")
    try:
        known = None if counts is None else read_counts(counts)
    except ValueError as error:
        raise OptionError(f"--counts: {error}") from error
    with opened(database) as store, doing() as say:
        analysed, written = write_analysis(
            store, study, out, again, version=version, counts=known, samples=samples, say=say
        )
    click.echo(f"Wrote {out}, and beside it {len(written)} tables and figures in {beside}.")
    for one in analysed.results.tested:
        click.echo(f"{one.hypothesis.name}: {one.sentence()}")
