"""Kept trainings without a person, and the preparation that a session began with, found without PyTorch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from crowdloom.models.errors import ModelError
from crowdloom.models.latent_kept import begun_with, kept_baseline
from crowdloom.tasks.latent_records import Epoch


def curve(*accuracies: float) -> list[Epoch]:
    """One epoch after another."""
    return [Epoch(epoch=number, accuracy=one, macro_f1=one) for number, one in enumerate(accuracies, 1)]


def said(some: list[Epoch]) -> list[dict[str, float]]:
    """As it is kept."""
    return [one.model_dump() for one in some]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two preparations of the scenario birds, one that is damaged, and one that is not whole."""
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path))
    for name, text in {
        "aa": json.dumps({"curve": said(curve(0.1, 0.2))}),
        "bb": json.dumps({"curve": said(curve(0.1, 0.3))}),
        "cc": "{",
        "dd": "{}",
    }.items():
        (tmp_path / "birds" / name).mkdir(parents=True)
        (tmp_path / "birds" / name / "scenario.json").write_text(text, encoding="utf-8")
    (tmp_path / "birds" / "ee").mkdir()
    (tmp_path / "birds" / "current.json").write_text("{}", encoding="utf-8")
    return tmp_path / "birds"


def test_the_preparation_is_the_one_whose_pretraining_is_the_same(folder: Path) -> None:
    """Not the one that counts now; None where it is not here, and where the scenario is not."""
    assert begun_with("birds", curve(0.1, 0.3)) == folder / "bb"
    assert begun_with("birds", curve(0.1, 0.30000001)) is None
    assert begun_with("fish", curve(0.1)) is None
    with pytest.raises(ModelError, match="names no scenario"):
        begun_with("../birds", curve(0.1, 0.3))


def test_a_kept_baseline_is_cut_to_what_is_asked(folder: Path) -> None:
    """One that is shorter, damaged or not there is None."""
    (folder / "aa" / "baselines").mkdir()
    (folder / "aa" / "baselines" / "7.json").write_text(json.dumps(said(curve(0.1, 0.2, 0.5))), encoding="utf-8")
    (folder / "aa" / "baselines" / "8.json").write_text("[{]", encoding="utf-8")
    assert kept_baseline(folder / "aa", 7, 2) == curve(0.1, 0.2)
    assert kept_baseline(folder / "aa", 7, 3) == curve(0.1, 0.2, 0.5)
    assert kept_baseline(folder / "aa", 7, 4) is None
    assert kept_baseline(folder / "aa", 8, 1) is None
    assert kept_baseline(folder / "aa", 9, 1) is None
