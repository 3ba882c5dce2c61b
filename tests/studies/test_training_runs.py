"""Training runs in the store: each once, failed ones until they succeed, the newest where there are several."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from sqlalchemy import func, select

from crowdloom.analysis.run_results import results_frame
from crowdloom.studies.database import Store
from crowdloom.studies.errors import StudyError
from crowdloom.studies.releasing.importing import import_release
from crowdloom.studies.releasing.opening import opened_release
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import release_study
from crowdloom.studies.tables import TrainingRun
from crowdloom.studies.training_runs import (
    StoredRun,
    count_training_runs,
    latest_runs,
    read_training_runs,
    record_training_runs,
)
from tests.studies.releasing.answered import PEOPLE, answer_all
from tests.studies.releasing.answered import study as answered
from tests.studies.studies_for_tests import load_small
from tests.studies.trained import FAILED, ROWS, record, result, sweep


@pytest.fixture
def study(store: Store, tmp_path: Path) -> str:
    """A study to train on."""
    return load_small(store, tmp_path).study


def write(store: Store, *results: object, study: str | None) -> list[StoredRun]:
    """Record results; all runs there are then."""
    with store.write() as connection:
        record_training_runs(connection, results, study)  # type: ignore[arg-type]
    with store.read() as connection:
        return read_training_runs(connection, study)


@pytest.mark.parametrize("whose", ["small", None])
def test_the_same_run_is_one_row(store: Store, study: str, whose: str | None) -> None:
    """Also where no study's labels were trained on; what is read is what was recorded, in its order."""
    assert study == "small"
    write(store, *sweep(), study=whose)
    runs = write(store, *sweep(), study=whose)
    assert [(run.row, run.seed, run.state) for run in runs] == [(one.row, one.seed, one.state) for one in sweep()]
    assert results_frame(runs).equals(results_frame(sweep()))
    assert runs[0].record == record()
    assert (runs[-1].error, runs[-1].metrics) == (FAILED, {})
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(TrainingRun)) == 6
        assert count_training_runs(connection, "small") == ({"done": 5, "failed": 1} if whose else {})


def test_runs_of_a_study_and_of_nobody_are_apart(store: Store, study: str) -> None:
    """The same run, and the same run for another table's row, each have a row of their own."""
    write(store, result(), study=study)
    write(store, result(), study=None)
    runs = write(store, result(experiment="another"), study=None)
    assert [run.experiment for run in runs] == ["hard-against-soft", "another"]
    assert len({run.token for run in runs}) == 2


def test_a_failed_run_that_succeeds_becomes_done(store: Store, study: str) -> None:
    """In its row; and what is done stays done, whatever is said later."""
    failed = result(state="failed", metrics={}, error=FAILED, seconds=1.0)
    [first] = write(store, failed, study=study)
    [second] = write(store, result(state="failed", metrics={}, error="the disk is full"), study=study)
    [third] = write(store, result(), study=study)
    [fourth] = write(store, failed, study=study)
    assert (first.error, second.error, third.error) == (FAILED, "the disk is full", None)
    assert (first.token, third.state, third.seconds) == (third.token, "done", 30.0)
    assert third.created_at > first.created_at
    assert fourth == third


def test_what_is_no_number_is_kept_as_null(store: Store, study: str) -> None:
    """NaN and infinity are no JSON, and PostgreSQL would refuse them."""
    odd = result(metrics={"10H": {"cross_entropy": math.inf, "accuracy": math.nan}}, record={"losses": [1.0, math.nan]})
    [run] = write(store, odd, study=study)
    assert run.metrics == {"10H": {"cross_entropy": None, "accuracy": None}}
    assert run.record == {"losses": [1.0, None]}


def test_an_unknown_study_is_refused(store: Store, study: str) -> None:
    """Nothing is written."""
    with pytest.raises(StudyError, match="no study is called 'big'; there are: small"):
        write(store, result(), study="big")
    assert write(store, study=study) == []


def test_runs_trained_another_way_are_not_mixed(store: Store, study: str) -> None:
    """The newest settings and labels count, and of the same run done again on other data the newest."""
    old = [result(seed=seed, digest=f"old {seed}", record=record(epochs=5)) for seed in range(5)]
    other_row = result(ROWS[1], digest="other")
    new = [result(seed=seed) for seed in (0, 1)]
    again = result(seed=1, digest="other images")
    write(store, *old, other_row, study=study)
    write(store, *new, study=study)
    runs = write(store, again, study=study)
    assert [run.digest for run in latest_runs(runs)] == ["other", "hard labels 0", "other images"]
    relabelled = result(seed=0, digest="relabelled", record=record(label_set="another"))
    assert [run.digest for run in latest_runs(write(store, relabelled, study=study))] == ["other", "relabelled"]


@pytest.mark.slow
def test_a_release_leaves_runs_where_they_are(sqlite_store: Store, tmp_path: Path) -> None:
    """Of a study that was trained on the release is the same, and read back it has no runs."""
    answer_all(sqlite_store, answered(sqlite_store, tmp_path, "digits"), PEOPLE[:2])
    first = release_study(sqlite_store, "digits", tmp_path / "first", Options("CC0-1.0"))
    assert len(write(sqlite_store, *sweep(), study="digits")) == 6
    again = release_study(sqlite_store, "digits", tmp_path / "again", Options("CC0-1.0"))
    assert (first.version, again.version, again.is_new) == (1, 1, False)
    with opened_release(tmp_path / "again") as release:
        import_release(sqlite_store, release, "read-back")
    assert write(sqlite_store, study="read-back") == []
