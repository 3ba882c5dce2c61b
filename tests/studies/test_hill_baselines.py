"""Baselines of sessions: the kept ones are found again, the missing are trained, and what cannot be is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crowdloom.analysis.latent_frames import Session
from crowdloom.studies import hill_baselines
from crowdloom.studies.hill_baselines import kept_baselines, train_baselines
from crowdloom.tasks.latent_records import Epoch
from tests.analysis.latent_sessions import session

pytest.importorskip("torch", reason="baselines are trained: the extra `train` is not installed")

from crowdloom.models.latent_cache import prepared
from tests.models.latent_sessions import BRITTLE


@pytest.fixture(autouse=True)
def _scenarios(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prepared scenarios lie in a folder of this test."""
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path / "scenarios"))


def begun(seed: int, epochs: int = 1, scenario: str = BRITTLE) -> Session:
    """A session on the prepared scenario, after so many epochs."""
    curve = list(prepared(scenario).curve)
    done = [Epoch(epoch=len(curve) + n, accuracy=0.5, macro_f1=0.5) for n in range(1, epochs + 1)]
    whole = session(seed, ())
    record = whole.record.model_copy(
        update={"scenario": scenario, "pretraining": len(curve), "curve": [*curve, *done], "seed": seed}
    )
    return replace(whole, item=scenario, record=record)


def test_missing_baselines_are_trained_once() -> None:
    """By seed; the second time all are kept, and nothing is trained."""
    some = [begun(1), begun(2), replace(begun(1), submission="again")]
    assert not kept_baselines(some).baselines
    heard: list[tuple[int, int]] = []
    found = train_baselines(some, lambda done, of: heard.append((done, of)))
    assert not found.problems
    assert set(found.baselines) == {(BRITTLE, 1), (BRITTLE, 2)}
    assert all([one.epoch for one in curve] == [1, 2, 3] for curve in found.baselines.values())
    assert heard == [(0, 2), (1, 2), (2, 2)]
    assert kept_baselines(some).baselines == found.baselines
    heard.clear()
    assert train_baselines(some, lambda done, of: heard.append((done, of))).baselines == found.baselines
    assert heard == [(0, 0)]


def test_a_training_that_fails_is_said_and_the_others_stay() -> None:
    """The network comes to numbers that are not finite in its second epoch."""
    found = train_baselines([begun(3, epochs=2), begun(1)])
    assert set(found.baselines) == {(BRITTLE, 1)}
    assert len(found.problems) == 1
    assert found.problems[0].startswith(f"{BRITTLE}: 1 training without a person is missing, for ")


def test_a_session_that_began_with_another_network_has_no_baseline() -> None:
    """Such as one from another machine; the sentence says what to do."""
    one = begun(1)
    other = [point.model_copy(update={"accuracy": 0.123}) for point in one.record.curve]
    found = train_baselines([replace(one, record=one.record.model_copy(update={"curve": other}))])
    assert not found.baselines
    assert (
        "begins with the same network as the session of s1; analyse where the study's workers ran."
        in (found.problems[0])
    )


def test_scenarios_that_are_not_there_are_said_each() -> None:
    """One whose data nobody brought, and one that nobody knows; the names may be anything."""
    some = [session(0, scenario=name) for name in ("cifar10", "no such thing", "../../etc")]
    found = train_baselines(some)
    assert not found.baselines
    assert len(found.problems) == 3
    assert "crowdloom hill prepare cifar10" in found.problems[0]


def test_without_pytorch_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was kept is there all the same."""
    train_baselines([begun(1)])
    monkeypatch.setattr(hill_baselines, "lacking", lambda: "torch is not installed")
    found = train_baselines([begun(1), begun(2)])
    assert set(found.baselines) == {(BRITTLE, 1)}
    assert found.problems == [
        '1 training without a person is missing, for torch is not installed; run: pip install "crowdloom[train]".'
    ]
    assert train_baselines([]).problems == []
