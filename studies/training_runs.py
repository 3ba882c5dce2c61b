"""Training runs in the store: what came of each, once for each row of a table that asks for it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

from crowdloom.studies.database import new_token, now
from crowdloom.studies.posting import newest_design
from crowdloom.studies.tables import Design, TrainingRun

if TYPE_CHECKING:
    from crowdloom.models.runs import RunResult


@dataclass(frozen=True)
class StoredRun:
    """A row of `training_run`; it serves wherever a result does."""

    token: str
    digest: str
    experiment: str
    row: str
    network: str
    seed: int
    state: str
    metrics: Mapping[str, Mapping[str, float | None]]
    record: Mapping[str, Any]
    error: str | None
    seconds: float
    created_at: datetime


_NEW = ("state", "metrics", "record", "error", "seconds", "created_at")
"""What a run that is done at last, or failed in another way, brings along."""


def record_training_runs(connection: Connection, results: Iterable[RunResult], study: str | None = None) -> None:
    """Write down what came of runs that were trained on a study's labels, or on nobody's.

    A run that is there as done stays as it is; one that is there as failed becomes what came of it now. Values that are
    no finite numbers are kept as null. Raises StudyError for an unknown study.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    given = dialect.insert(TrainingRun)
    keys = ["experiment", "row", "digest"] if study is None else ["study_id", "experiment", "row", "digest"]
    statement = given.on_conflict_do_update(
        index_elements=keys,
        index_where=text("study_id IS NULL" if study is None else "study_id IS NOT NULL"),
        set_={name: given.excluded[name] for name in _NEW},
        where=TrainingRun.state == "failed",
    )
    study_id = None if study is None else _study_id(connection, study)
    rows = [
        {
            "study_id": study_id,
            "token": new_token(),
            **{name: getattr(one, name) for name in ("digest", "experiment", "row", "network", "seed", "state")},
            "metrics": _plain(one.metrics),
            "record": _plain(one.record),
            "error": one.error,
            "seconds": one.seconds,
            "created_at": now(),
        }
        for one in results
    ]
    if rows:
        connection.execute(statement, rows)


def read_training_runs(connection: Connection, study: str | None = None) -> list[StoredRun]:
    """All runs on a study's labels, or on nobody's, in the order in which they were first written down.

    Raises StudyError for an unknown study. `analysis.run_results.results_frame` makes the long frame of them.
    """
    of = TrainingRun.study_id.is_(None) if study is None else TrainingRun.study_id == _study_id(connection, study)
    names = list(StoredRun.__dataclass_fields__)
    columns = [getattr(TrainingRun, name) for name in names]
    rows = connection.execute(select(*columns).where(of).order_by(TrainingRun.id))
    return [StoredRun(*row) for row in rows]


def count_training_runs(connection: Connection, study: str) -> dict[str, int]:
    """How many runs on a study's labels there are in each state."""
    found = connection.execute(
        select(TrainingRun.state, func.count())
        .where(TrainingRun.study_id == _study_id(connection, study))
        .group_by(TrainingRun.state)
    )
    return {str(state): int(number) for state, number in found}


def latest_runs(runs: Sequence[StoredRun]) -> list[StoredRun]:
    """Those that make one table: of runs with the same row, network and seed the newest, trained as the newest are.

    Whoever trains again with other settings, or on labels built anew, keeps the earlier runs in the store; a mean over
    both would be of neither.
    """
    by_time = sorted(runs, key=lambda run: run.created_at)
    way = {(run.experiment, run.row, run.network): _way(run) for run in by_time}
    newest = {
        (run.experiment, run.row, run.network, run.seed): run.token
        for run in by_time
        if way[run.experiment, run.row, run.network] == _way(run)
    }
    kept = set(newest.values())
    return [run for run in runs if run.token in kept]


def _way(run: StoredRun) -> str:
    """How a run was trained and tried, its seed aside, as text."""
    about, origin = run.record.get("run", {}), run.record.get("origin", {})
    said = [about.get("settings"), about.get("evaluations"), about.get("metrics"), origin.get("label_set")]
    return json.dumps(said, sort_keys=True)


def _study_id(connection: Connection, study: str) -> int:
    design_id, _ = newest_design(connection, study)
    return int(connection.execute(select(Design.study_id).where(Design.id == design_id)).scalar_one())


def _plain(value: Any) -> Any:
    """The value with null for what JSON has no number for, which PostgreSQL would refuse."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
