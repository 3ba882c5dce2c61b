"""Prepared scenarios as folders, read without PyTorch."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crowdloom.models.errors import ModelError
from crowdloom.models.latent_items import item, preparation, scenario_folder, scenarios_folder, shown_points


def preparation_of(folder: Path, kind: str, items: object, labels: list[int]) -> Path:
    """As much of a preparation as items need."""
    folder.mkdir(parents=True)
    (folder / "scenario.json").write_text(json.dumps({"kind": kind, "names": ["x", "y"], "hertz": 50.0}))
    np.save(folder / "items.npy", np.asarray(items))
    np.save(folder / "labels.npy", np.array(labels))
    return folder


def test_an_image_comes_with_its_bytes(tmp_path: Path) -> None:
    """Row by row, in colour or grey."""
    colour = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), dtype=np.uint8)
    picture = item(preparation_of(tmp_path / "colour", "image", colour, [2, 0, 1]), 1)
    assert (picture.kind, picture.label, picture.height, picture.width, picture.channels) == ("image", 0, 4, 5, 3)
    assert base64.b64decode(picture.pixels) == colour[1].tobytes()
    grey = item(preparation_of(tmp_path / "grey", "image", colour[..., 0], [2, 0, 1]), 2)
    assert (grey.channels, grey.label, base64.b64decode(grey.pixels)) == (1, 1, colour[2, ..., 0].tobytes())


def test_a_signal_comes_with_its_channels(tmp_path: Path) -> None:
    """Five digits of each number are more than anybody sees."""
    signals = np.random.default_rng(0).normal(0, 30, (3, 2, 7)).astype(np.float32)
    series = item(preparation_of(tmp_path / "signals", "signal", signals, [2, 0, 1]), 0)
    assert (series.kind, series.label, series.names, series.hertz) == ("signal", 2, ["x", "y"], 50.0)
    assert np.array(series.series) == pytest.approx(signals[0], rel=1e-4)
    assert len(json.dumps(series.series)) < 10 * 14


@pytest.mark.parametrize("number", [-1, 3])
def test_an_item_that_is_not_there(tmp_path: Path, number: int) -> None:
    """They are counted from 0."""
    folder = preparation_of(tmp_path / "grey", "image", np.zeros((3, 2, 2), np.uint8), [0, 1, 1])
    with pytest.raises(ModelError, match=f"there is no training example {number}; they are counted from 0 to 2"):
        item(folder, number)


def test_an_item_of_a_folder_that_was_spoilt(tmp_path: Path) -> None:
    """One sentence, not a traceback."""
    folder = preparation_of(tmp_path / "grey", "image", np.zeros((3, 2, 2), np.uint8), [0, 1, 1])
    (folder / "items.npy").write_bytes(b"no array")
    with pytest.raises(ModelError, match="holds no whole prepared scenario; prepare it again"):
        item(folder, 0)
    with pytest.raises(ModelError, match="holds no prepared scenario; prepare it again"):
        item(tmp_path, 0)


def test_where_scenarios_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one folder, from which no name leads out."""
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path))
    assert scenarios_folder() == tmp_path
    assert scenario_folder("a.b:c") == tmp_path / "a.b-c"
    for name in ("..", "../x", "a/b", "/etc", ".hidden", "a:..", "a:b:c", "", "a\nb", "x" * 201):
        with pytest.raises(ModelError, match="names no scenario"):
            scenario_folder(name)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"digest": "../../../etc"}', '{"digest": "0123456789abcdef"}'])
def test_a_scenario_that_is_not_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None) -> None:
    """The sentence has the command that prepares it."""
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path))
    if content is not None:
        (tmp_path / "cifar10").mkdir()
        (tmp_path / "cifar10" / "current.json").write_text(content)
    with pytest.raises(ModelError, match=r"is not prepared in .*; run: crowdloom hill prepare cifar10"):
        preparation("cifar10")


def test_points_are_as_equally_many_of_each_class_as_can_be() -> None:
    """Whatever the classes' sizes; small classes give all they have."""
    chance = np.random.default_rng(0)
    for trial in range(100):
        sizes = chance.integers(0, 30, 5)
        labels = chance.permutation(np.repeat(np.arange(5), sizes))
        n = int(chance.integers(0, 120))
        shown = shown_points(labels, n, seed=trial)
        assert shown.tolist() == sorted(set(shown.tolist()))
        assert len(shown) == min(n, len(labels))
        counts = np.bincount(labels[shown], minlength=5)
        spared = counts < sizes  # a class of which some are not shown has no fewer than another one, but for one
        assert not spared.any() or counts[spared].min() >= counts.max() - 1
        assert np.array_equal(shown, shown_points(labels, n, seed=trial))
    assert shown_points(np.arange(500) % 5, 50, 1).tolist() != shown_points(np.arange(500) % 5, 50, 2).tolist()


def test_pytorch_is_not_loaded() -> None:
    """The pages' processes ask for items."""
    asked = "import sys, crowdloom.models.latent_items; print('torch' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
