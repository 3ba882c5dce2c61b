"""A table or figure as files: the numbers with all that has to be known of them, and the picture of a figure.

No file says when it was made: the same runs give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from crowdloom.analysis.figure_style import NothingToDrawError
from crowdloom.analysis.figures import save_figure
from crowdloom.analysis.files import whole_file
from crowdloom.analysis.run_figures import annotation_time_figure, annotators_figure, images_figure
from crowdloom.analysis.run_table_files import FORMATS, escaped, markdown
from crowdloom.analysis.run_tables import RunTable
from crowdloom.models.experiments.chapter3 import SECONDS_10H, SECONDS_OURS
from crowdloom.studies.errors import OptionError
from crowdloom.studies.learning.paper_notes import About, notes
from crowdloom.studies.learning.paper_tables import Made, Planned
from crowdloom.studies.learning.sweeping import keeping_runs

FIGURES = (".svg", ".png", ".pdf")
SUFFIXES = (*FORMATS, *FIGURES)
SECONDS = {"CIFAR-10H": SECONDS_10H, "Ours": SECONDS_OURS}


def check_suffix(planned: Planned, out: Path) -> None:
    """Raise OptionError for a file of a kind that a table, or a figure, is not written to."""
    kinds = [*FORMATS, *(FIGURES if planned.experiment.kind == "figure" else ())]
    if out.suffix.lower() not in kinds:
        raise OptionError(
            f"--out {out}: {planned.experiment.called} is written to a file that ends in {', '.join(kinds)}"
        )


def paths_of(planned: Planned, out: Path) -> list[Path]:
    """The files that `write_files` writes: the one asked for, the Markdown, all runs' numbers, a figure's picture."""
    found = [out, out.with_suffix(".md"), out.with_name(f"{out.stem}-runs.parquet")]
    if planned.experiment.kind == "figure" and out.suffix.lower() not in FIGURES:
        found.append(out.with_suffix(".svg"))
    return list(dict.fromkeys(found))


def write_files(made: Made, about: About, out: Path) -> list[Path]:
    """Write `paths_of`; gives those that were written, which are all but the picture of a figure without numbers."""
    table, written = made.table(), []
    for path in paths_of(made.planned, out):
        suffix = path.suffix.lower()
        if suffix in FIGURES:
            try:
                with keeping_runs(path):
                    save_figure(figure(made.planned, table), path)
            except NothingToDrawError:
                continue
        else:
            with keeping_runs(path), whole_file(path) as part:
                if suffix == ".md":
                    part.write_text(document(made, table, about), encoding="utf-8")
                elif path != out:
                    made.swept.frame.to_parquet(part, index=False)
                else:
                    FORMATS[suffix](table, part)
        written.append(path)
    return written


def figure(planned: Planned, table: RunTable) -> Figure:
    """The picture of a figure. Raises NothingToDrawError where no run is done."""
    places = planned.places()
    if planned.experiment.name == "3.5":
        return annotation_time_figure(table, places, SECONDS)
    return (
        images_figure(table, places) if planned.experiment.trained_on == "asked" else annotators_figure(table, places)
    )


def document(made: Made, table: RunTable, about: About) -> str:
    """The Markdown: title, table, notes, and then where everything came from and how it was made."""
    experiment = made.planned.experiment
    title = f"# {experiment.heading}\n\n{escaped(experiment.title)}"
    parts = [title, markdown(table, made.planned.described()).strip(), "---"]
    for heading, lines in notes(made, table, about):
        if lines:
            parts.append(f"**{heading}**\n\n" + "\n".join(f"- {escaped(line)}" for line in lines))
    parts.append(f"**Again**\n\n```\n{about.command}\n```")
    return "\n\n".join(parts) + "\n"
