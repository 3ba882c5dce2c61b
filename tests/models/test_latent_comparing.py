"""Strategies of simulated people against the training without a person: kept, taken up again, the same in processes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crowdloom.analysis.latent_comparison import BASELINE
from crowdloom.models import latent_comparing
from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.latent_baseline import baseline
from crowdloom.models.latent_cache import prepared
from crowdloom.models.latent_comparing import Terms, compare
from tests.models.latent_sessions import BRITTLE

BLOBS = "tests.models.blobs:blobs"
SHORT = {"interactions": 2, "epochs": 1, "points": 30}


@pytest.fixture(autouse=True, scope="module")
def _scenarios(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A folder of this module alone for prepared scenarios."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path_factory.mktemp("scenarios")))
        yield


def terms(**more: float) -> Terms:
    """Two interactions with an epoch each, on blobs."""
    return Terms(BLOBS, prepared(BLOBS).digest, **(SHORT | more))  # type: ignore[arg-type]


def test_the_baseline_is_the_training_without_a_person(tmp_path: Path) -> None:
    """As `baseline` has it for the same seed; the strategies begin as it does, have its seed and go their own ways."""
    records = compare(tmp_path, terms(), ["compactness", "distance"], 2)
    assert list(records) == [(name, seed) for seed in (0, 1) for name in (BASELINE, "compactness", "distance")]
    for seed in (0, 1):
        alone = records[BASELINE, seed]
        assert alone.curve == baseline(prepared(BLOBS), alone.seed, 2)
        assert all(one.without_person for one in alone.interactions)
        for strategy in ("compactness", "distance"):
            record = records[strategy, seed]
            assert (record.seed, record.curve[:6]) == (alone.seed, alone.curve[:6])
            assert record.interactions[0].before == alone.interactions[0].before
            assert [(one.number, one.alpha, one.without_person) for one in record.interactions] == [
                (1, 0.5, False),
                (2, 0.5, False),
            ]
            assert record.interactions[0].after != alone.interactions[0].after
            kinds = {one.kind for one in record.interactions[0].movements}
            assert kinds - {"point"} == ({"spread"} if strategy == "compactness" else set())  # blobs lie apart
    assert records[BASELINE, 0].seed != records[BASELINE, 1].seed


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped within a training it goes on after its last epoch; more seeds train what is missing alone."""
    undisturbed = compare(tmp_path / "one", terms(), ["distance"], 1)
    other = tmp_path / "other"

    def stop(done: int, of: int, share: float) -> None:
        if done == 1 and share > 0.8:  # in the second interaction of the second of two
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(other, terms(), ["distance"], 1, on_progress=stop)
    assert [path.name for path in (other / "runs").iterdir()] == ["baseline-0.json"]
    assert (other / ".sessions" / "distance-0").is_dir()
    shares: list[float] = []
    found = compare(other, terms(), ["distance"], 1, on_progress=lambda done, of, share: shares.append(share))
    assert strip(found) == strip(undisturbed)
    assert shares[0] > 0.75
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert not (other / ".sessions").exists()
    began: list[str] = []
    monkeypatch.setattr(latent_comparing, "_train_one", lambda folder, of, job, tell: began.append(job.strategy))
    assert strip(compare(other, terms(), ["distance"], 1)) == strip(undisturbed)
    assert began == []


def strip(records: object) -> object:
    """Sessions are the same in everything: nothing in a record says when it took place."""
    assert isinstance(records, dict)
    return {key: record.model_dump() for key, record in records.items()}


def test_another_comparison_needs_another_folder(tmp_path: Path) -> None:
    """One sentence says in what they differ, and nothing is changed."""
    compare(tmp_path, terms(), [], 1)
    with pytest.raises(ModelError, match=r"has a comparison with the alpha 0\.5, not 0\.9; give another folder"):
        compare(tmp_path, replace(terms(), alpha=0.9), [], 1)
    (tmp_path / "runs" / "baseline-0.json").write_text("{}")
    with pytest.raises(ModelError, match="is no record of a session; remove it, and it is trained again"):
        compare(tmp_path, terms(), [], 1)
    (tmp_path / "comparison.json").write_text("[]")
    with pytest.raises(ModelError, match="cannot be read; give another folder"):
        compare(tmp_path, terms(), [], 1)


def test_numbers_that_are_not_finite_end_it(tmp_path: Path) -> None:
    """It says where."""
    brittle = Terms(BRITTLE, prepared(BRITTLE).digest, **SHORT | {"epochs": 5})  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match=r"baseline, seed 0: .*not finite.*; lower alpha, or the scenario's"):
        compare(tmp_path, brittle, ["keep"], 1)


@pytest.mark.slow
def test_two_processes_come_to_the_same_numbers(tmp_path: Path) -> None:
    """And tell how far they are."""
    told: list[tuple[int, int, float]] = []
    alone = compare(tmp_path / "one", terms(), ["merge"], 1)
    both = compare(tmp_path / "two", terms(), ["merge"], 1, processes=2, on_progress=lambda *said: told.append(said))
    assert strip(both) == strip(alone)
    assert told[-1] == (2, 2, 1.0)


@pytest.mark.slow
def test_what_goes_wrong_in_a_process_is_said_here(tmp_path: Path) -> None:
    """As in this one."""
    brittle = Terms(BRITTLE, prepared(BRITTLE).digest, **SHORT | {"epochs": 5})  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match=r"seed 0: .*not finite.*; lower alpha, or the scenario's"):
        compare(tmp_path, brittle, ["keep"], 1, processes=2)
