"""Tables of trained networks as files: Markdown to read, CSV and Parquet to compute with."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from crowdloom.analysis.files import whole_file
from crowdloom.analysis.run_leads import leads_frame
from crowdloom.analysis.run_metrics import metric_of
from crowdloom.analysis.run_table_notes import LEADS, LEADS_NOTE, table_notes
from crowdloom.analysis.run_tables import RunTable, cell_text
from crowdloom.analysis.summary import Table


def markdown(table: RunTable, described: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """The table with its notes: a line for each evaluation and row, the best in bold.

    `described` gives rows columns of their own in place of their name, such as {"CIFAR-10H, M = 2": {"Labels":
    "CIFAR-10H", "M": "2"}}; all of them the same.

    >>> import pandas as pd
    >>> from crowdloom.analysis.run_results import COLUMNS
    >>> from crowdloom.analysis.run_tables import run_table
    >>> lines = [("3.1", row, "a", 0, "10H", "cross_entropy", ce) for row, ce in (("hard", 2.0), ("soft", 1.5))]
    >>> print(markdown(run_table("3.1", pd.DataFrame(lines, columns=list(COLUMNS)))).split("- ")[0].strip())
    | Evaluation | Labels | CE | Seeds |
    |:--|:--|--:|--:|
    | 10H | hard | 2.000 | 1 |
    | 10H | soft | **1.500** | 1 |
    """
    cells, words = _main(table, described or {row: {"Labels": row} for row in table.rows})
    parts = [_lines(cells, words) if table.evaluations else "Nothing is done yet."]
    parts.append("\n".join(f"- {escaped(note)}" for note in table_notes(table)))
    if table.leads:
        columns = [column for column, _ in Table("", leads_frame(table.leads)).columns()]
        cells = [[escaped(cell) for cell in row] for row in zip(*columns, strict=True)]
        parts += [f"{LEADS}:", _lines(cells, words=3), LEADS_NOTE]
    return "\n\n".join(part for part in parts if part) + "\n"


def _main(table: RunTable, described: Mapping[str, Mapping[str, str]]) -> tuple[list[list[str]], int]:
    """The cells, and how many columns hold words or what else is said of a row."""
    headings = [escaped(name) for name in next((described[row] for row in table.rows), {})]
    lines = [["Evaluation", *headings, *(escaped(metric_of(name).heading) for name in table.metrics), "Seeds"]]
    for evaluation in table.evaluations:
        for row in table.rows:
            cells = [_cell(table, evaluation, row, metric) for metric in table.metrics]
            said = [escaped(text) for text in described[row].values()]
            lines.append([escaped(evaluation), *said, *cells, table.seeds_of(evaluation, row)])
    return lines, 1 + len(headings)


def _lines(cells: Sequence[Sequence[str]], words: int) -> str:
    """A table of Markdown; so many columns, from the left, hold words."""
    rule = [":--" if number < words else "--:" for number in range(len(cells[0]))]
    return "\n".join(
        [f"| {' | '.join(cells[0])} |", f"|{'|'.join(rule)}|", *(f"| {' | '.join(row)} |" for row in cells[1:])]
    )


def write_run_table(table: RunTable, path: Path) -> None:
    """Write a table by the path's suffix: .md as `markdown` has it, .csv and .parquet as `RunTable.frame`.

    Raises ValueError for another suffix, and OSError (a full disk) with nothing left behind.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"{path}: write a table to a file that ends in {', '.join(FORMATS)}")
    with whole_file(path) as part:
        FORMATS[suffix](table, part)


def _write_markdown(table: RunTable, path: Path) -> None:
    path.write_text(markdown(table), encoding="utf-8")


FORMATS: dict[str, Callable[[RunTable, Path], None]] = {
    ".md": _write_markdown,
    ".csv": lambda table, path: table.frame().to_csv(path, index=False),
    ".parquet": lambda table, path: table.frame().to_parquet(path, index=False),
}


def _cell(table: RunTable, evaluation: str, row: str, metric: str) -> str:
    one = table.averages.get((evaluation, row, metric))
    said = cell_text(one)
    if (evaluation, row, metric) not in table.best:
        return said
    mean, *interval = said.split(" ± ")
    return " ± ".join([f"**{mean}**", *interval])


def escaped(text: str) -> str:
    r"""A name as Markdown shows it as it is.

    >>> escaped("T2_clamp | *mine*")
    'T2\\_clamp \\| \\*mine\\*'
    """
    return re.sub(r"([\\`*_<>\[\]|])", r"\\\1", " ".join(text.split()))
