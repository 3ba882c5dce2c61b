"""`crowdloom aggregate`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crowdloom.studies.cli.frames import check_draws, check_name, intervals_sentence, write_frame
from crowdloom.studies.cli.options import check_apart, counting, progress
from crowdloom.studies.words import count

if TYPE_CHECKING:
    import pandas as pd

    from crowdloom.analysis.aggregation import Aggregated

METHODS = ("majority-vote", "dawid-skene", "linear-pool", "log-pool", "soft-dawid-skene")
"""As in `analysis.aggregation`, which is not imported until a command runs; a test compares the two."""
EM = ("dawid-skene", "soft-dawid-skene")
FILE = click.Path(path_type=Path)

_MANY = 1_000_000
"""Answers from which on iterations may take long enough to be shown."""


@click.command()
@click.argument("file", type=FILE)
@click.option("--task", required=True, metavar="COL", help="The column that says what was answered.")
@click.option("--worker", required=True, metavar="COL", help="The column that says who answered.")
@click.option("--label", required=True, metavar="COL", help="The column with the answer, any text.")
@click.option("--true", "true", metavar="COL", help="A column with a task's right label, to say how many came out so.")
@click.option("--method", type=click.Choice(METHODS), default="majority-vote", show_default=True)
@click.option("--iterations", type=click.IntRange(min=0), help="Of EM methods: at most so many; 100 if not given.")
@click.option("--tolerance", type=float, help="Of EM methods: end where an answer gains less; 0.00001 if not given.")
@click.option("--weights", type=click.Choice(["equal", "agreement"]), help="Of pools: what workers weigh.")
@click.option("--confusions", type=FILE, metavar="FILE", help="Of EM methods: also write each worker's confusions.")
@click.option(
    "--intervals",
    type=FILE,
    metavar="FILE",
    help="Also write 95 % intervals, by a bootstrap over workers; empty for tasks of one worker.",
)
@click.option("--samples", type=click.IntRange(min=1), help="With --intervals: so many draws; 1000 if not given.")
@click.option("--seed", type=int, help="With --intervals: draws that can be repeated; 0 if not given.")
@click.option("--out", type=FILE, required=True, metavar="FILE", help="A .csv or .parquet: task, one column per label.")
def command(
    file: Path,
    task: str,
    worker: str,
    label: str,
    true: str | None,
    method: str,
    iterations: int | None,
    tolerance: float | None,
    weights: str | None,
    confusions: Path | None,
    intervals: Path | None,
    samples: int | None,
    seed: int | None,
    out: Path,
) -> None:
    """Turn FILE, a row for each worker's answer, into the labels' probabilities for each task.

    FILE is a CSV file (separated by commas, semicolons or tabs; it may be packed) or Parquet. Everything is read as
    text, without the blanks around it. Rows without a task, worker or label are left out, a cell of blanks being an
    empty one; every other row counts as an answer, also where a worker answered a task twice. Tasks and labels are
    written in order: numbers by value, other texts by their characters. Options that are given must mean something to
    the method.
    """
    from crowdloom.analysis.aggregation import aggregate
    from crowdloom.analysis.answer_file import read_answers
    from crowdloom.studies.errors import OptionError

    options = _options(method, {"iterations": iterations, "tolerance": tolerance, "weights": weights}, confusions)
    check_draws(intervals, samples, seed)
    for name, path in (("--out", out), ("--confusions", confusions), ("--intervals", intervals)):
        if path is not None:
            check_name(path, name)
    check_apart({"FILE": file, "--out": out, "--confusions": confusions, "--intervals": intervals})
    _check_columns({"--task": task, "--worker": worker, "--label": label})
    try:
        rows = read_answers(file, [task, worker, label, *([true] if true else [])])
        counted = rows[rows[[task, worker, label]].notna().all(axis=1)]
        if counted.empty:
            raise OptionError(f"{file} has no row in which {task}, {worker} and {label} all say something")
        with _iterating(method, len(counted), iterations) as shown:
            found = aggregate(counted, method, task=task, worker=worker, label=label, **options, **shown)
        if "task" in found.classes:
            raise OptionError("a label is called 'task', like the first column of what is written; rename the label")
        compared = _compared(found, counted, task, true) if true else None
        written = [(out, found.probabilities().reset_index())]
        if confusions is not None:
            written.append((confusions, found.confusions()))
        if intervals is not None:
            written.append((intervals, _intervals(found, method, samples or 1000, seed or 0, options)))
    except ValueError as error:
        raise OptionError(str(error)) from error
    for path, frame in written:
        write_frame(frame, path)
    _say(found, counted[[task, worker]], len(rows) - len(counted), out)
    if intervals is not None:
        click.echo(intervals_sentence(written[-1][1], "task", intervals))
    if compared:
        click.echo(compared)


def _check_columns(columns: dict[str, str]) -> None:
    """Raise OptionError where one column is to be two things."""
    from crowdloom.studies.errors import OptionError

    seen: dict[str, str] = {}
    for option, column in columns.items():
        first = seen.setdefault(column, option)
        if first != option:
            raise OptionError(f"{first} and {option} are the same column {column!r}; each needs one of its own")


def _options(method: str, said: dict[str, Any], confusions: Path | None) -> dict[str, Any]:
    """What was said to the method. Raises OptionError where it has no such option, or no confusions."""
    from crowdloom.analysis.aggregation import METHODS as FOUND
    from crowdloom.studies.errors import OptionError

    given = {name: value for name, value in said.items() if value is not None}
    for name in given:
        if name not in FOUND[method].options:
            raise OptionError(f"--{name} means nothing to {method}; leave it out")
    if confusions is not None and method not in EM:
        raise OptionError(f"--confusions: {method} estimates none; take dawid-skene or soft-dawid-skene")
    return given


@contextmanager
def _iterating(method: str, answers: int, iterations: int | None) -> Iterator[dict[str, Any]]:
    """What tells a method to show its iterations; nothing for one without, or for so few answers that it is quick."""
    if answers < _MANY or method not in EM:
        yield {}
        return
    with progress("Iterating", 100 if iterations is None else iterations) as bar:
        yield {"progress": lambda done, _: bar.update(done - bar.pos)}


def _intervals(found: Aggregated, method: str, samples: int, seed: int, options: dict[str, Any]) -> pd.DataFrame:
    """Columns task, label, probability, low and high, which are empty for tasks of one worker."""
    import numpy as np

    from crowdloom.analysis.aggregate_intervals import aggregate_intervals, interval_rows

    with counting("Drawing workers") as show:
        around = aggregate_intervals(
            method, found.answers, np.random.default_rng(seed), samples, statistics={}, progress=show, **options
        ).probabilities
    return interval_rows("task", found.tasks, found.classes, found.aggregate.probabilities, around.low, around.high)


def _say(found: Aggregated, whose: pd.DataFrame, left_out: int, out: Path) -> None:
    aggregate = found.aggregate
    click.echo(
        f"Wrote the probabilities of {count(len(found.classes), 'label')} for {count(len(found.tasks), 'task')} to "
        f"{out}, from {count(len(whose), 'answer')} of {count(len(found.workers), 'worker')} ({aggregate.method})."
    )
    if aggregate.converged is not None:
        ended = "converged" if aggregate.converged else "not converged yet, see --iterations"
        click.echo(f"{count(len(aggregate.history), 'iteration')}, {ended}.")
    if left_out:
        have = "has an empty cell; it is" if left_out == 1 else "have an empty cell; they are"
        click.echo(f"{count(left_out, 'row')} {have} left out.")
    twice = int(whose.duplicated().sum())
    if twice:
        are, they = ("is", "it counts") if twice == 1 else ("are", "they count")
        click.echo(
            f"{count(twice, 'answer')} {are} a worker's second or later to the same task; {they} like all others."
        )
    if len(found.classes) == 1:
        click.echo(f"There is only one label, {found.classes[0]!r}, so every task has it with certainty.")


def _compared(found: Aggregated, counted: pd.DataFrame, task: str, true: str) -> str:
    """How many tasks came out as the column says. Raises OptionError where it says two labels for one task."""
    from crowdloom.studies.errors import OptionError

    known = counted[[task, true]].dropna().drop_duplicates()
    twice = known[task][known[task].duplicated()]
    if len(twice):
        raise OptionError(f"column {true} says two right labels of the task {twice.iloc[0]!r}; --true needs one each")
    if known.empty:
        return f"Column {true} is empty, so nothing is compared."
    right = found.labels().reindex(known[task].astype(object)).to_numpy() == known[true].astype(object).to_numpy()
    of = count(len(known), "task")
    return f"Of {of} with a right label in {true}, {right.sum():,} came out so ({100 * right.mean():.1f} %)."
