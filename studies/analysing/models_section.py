"""The report's part on models: a table for each experiment and evaluation, how they were trained, what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from crowdloom.analysis.report import Block, Facts, Prose, Section, Tabular
from crowdloom.analysis.run_leads import leads_frame
from crowdloom.analysis.run_metrics import metric_of
from crowdloom.analysis.run_results import failed_runs, results_frame
from crowdloom.analysis.run_table_notes import LEADS, LEADS_NOTE, table_notes
from crowdloom.analysis.run_tables import RunTable, cell_text, run_table
from crowdloom.analysis.summary import Table
from crowdloom.studies.training_runs import StoredRun, latest_runs
from crowdloom.studies.words import count, duration


def models_section(runs: Sequence[StoredRun]) -> list[Section]:
    """What came of training on the study's labels; nothing where nobody has."""
    if not runs:
        return []
    latest = latest_runs(runs)
    frame, failed = results_frame(latest), failed_runs(latest)
    section = Section("Models", exploratory=True)
    metrics: dict[str, None] = {}
    for number, experiment in enumerate(dict.fromkeys(run.experiment for run in latest), 1):
        table = run_table(experiment, frame, failed)
        metrics |= dict.fromkeys(table.metrics)
        section.blocks += _experiment(table, number)
        if any(_is_reduced(run.record) for run in latest if run.experiment == experiment):
            section.blocks.append(Prose(f"{experiment}: few images and epochs; its numbers say nothing about labels."))
        section.blocks.append(Facts(list(_training([run for run in latest if run.experiment == experiment]))))
    if older := len(runs) - len(latest):
        section.blocks.append(
            Prose(f"Not shown: {count(older, 'earlier run')} with other settings or labels, or done again since.")
        )
    if metrics:
        section.blocks.append(Facts([_meaning(name) for name in metrics]))
    return [section]


def _experiment(table: RunTable, number: int) -> Iterator[Block]:
    whole = table.frame()
    for which, evaluation in enumerate(table.evaluations, 1):
        cells = {
            metric_of(metric).heading: [_cell(table, evaluation, row, metric) for row in table.rows]
            for metric in table.metrics
        }
        cells["seeds"] = [table.seeds_of(evaluation, row) for row in table.rows]
        best = {(row, metric_of(metric).heading) for of, row, metric in table.best if of == evaluation}
        frame = pd.DataFrame(cells, index=pd.Index(list(table.rows), name="labels", dtype=object))
        yield Tabular(
            Table(f"{table.experiment}, evaluated on {evaluation}", frame),
            f"models-{number}-{which}",
            data=whole[whole["evaluation"] == evaluation].set_index("row"),
            best=frozenset(best),
        )
    if not table.evaluations:
        yield Prose(f"{table.experiment}: no run is done.")
    yield from (Prose(note) for note in table_notes(table))
    if table.leads:
        yield Tabular(
            Table(f"{table.experiment}: {LEADS.lower()}", leads_frame(table.leads)), f"models-{number}-best", LEADS_NOTE
        )


def _cell(table: RunTable, evaluation: str, row: str, metric: str) -> str:
    """A mean with its interval, which is not torn apart at the end of a line."""
    return cell_text(table.averages.get((evaluation, row, metric))).replace(" ", "\N{NO-BREAK SPACE}")


def _training(runs: Sequence[StoredRun]) -> Iterator[tuple[str, str, str]]:
    """How an experiment's networks were trained, from their records."""
    yield "networks", _listed(run.network for run in runs), ""
    yield "seeds", _listed(str(run.seed) for run in sorted(runs, key=lambda run: run.seed)), ""
    for name, find, meaning in _FROM_RECORDS:
        if said := _listed(str(value) for run in runs if (value := find(run.record)) is not None):
            yield name, said, meaning
    done = [run for run in runs if run.state == "done"]
    if done:
        seconds = sum(run.seconds for run in done)
        said = duration(seconds) if seconds < 60 else f"{seconds / 60:.1f} minutes"
        yield "time", said, f"of {count(len(done), 'run')} together"


def _in(*path: str) -> Callable[[Mapping[str, Any]], Any]:
    """Reads one value of a record; None where it is not there."""

    def find(record: Mapping[str, Any]) -> Any:
        value: Any = record
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    return find


_is_reduced = _in("origin", "reduced")
_FROM_RECORDS: Sequence[tuple[str, Callable[[Mapping[str, Any]], Any], str]] = (
    ("epochs", _in("run", "settings", "epochs"), ""),
    ("images", _in("run", "images"), "trained on"),
    ("label set", _in("origin", "label_set"), "its token in the store"),
    ("device", _in("computing", "device"), ""),
    ("trained with", _in("code", "crowdloom"), "the version of crowdloom"),
    ("PyTorch", _in("libraries", "torch"), ""),
)


def _listed(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))


def _meaning(name: str) -> tuple[str, str, str]:
    metric = metric_of(name)
    return metric.heading, f"{metric.better} is better" if metric.better else "not judged", metric.meaning
