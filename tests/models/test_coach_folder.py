"""Prepared coaches as folders, read without PyTorch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from crowdloom.models.coach_folder import (
    DESCRIPTION,
    DRAWINGS,
    NETWORKS,
    SAMPLES,
    Weights,
    coach_folder,
    coaches_folder,
    is_ready,
    prepared_coach,
)
from crowdloom.models.errors import ModelError
from tests.models.coach_folders import drawing, write_coach

PICTURE = bytes(range(196)) * 4


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for coaches."""
    monkeypatch.setenv("CROWDLOOM_COACHES", str(tmp_path))
    return tmp_path


def test_a_coach_reads_and_proposes(root: Path) -> None:
    """Probabilities in the order of the classes; proposals depend on the picture, the class and the weights."""
    digest = write_coach(root, "tiny", ("a", "b", "c"))
    coach = prepared_coach("tiny")
    assert (coach.name, coach.digest, coach.classes) == ("tiny", digest, ("a", "b", "c"))
    assert prepared_coach("tiny", digest) is coach
    sure = coach.probabilities(PICTURE)
    assert len(sure) == 3
    assert sum(sure) == pytest.approx(1)
    assert coach.read(PICTURE) == coach.classes[int(np.argmax(sure))]
    made = {
        coach.propose(picture, asked, weights)
        for picture in (PICTURE, bytes(784))
        for asked in coach.classes
        for weights in (Weights(0, 0, 0), (1, 0, 0), (0, 16, 0), (0, 0, 0.5))
    }
    assert len(made) == 24
    assert {len(one) for one in made} == {784}
    assert coach.drawings("b")[1] == drawing(1)


def test_what_cannot_be_asked(root: Path) -> None:
    """Each sentence says what there is instead."""
    write_coach(root, "tiny", ("a", "b", "c"))
    coach = prepared_coach("tiny")
    with pytest.raises(ModelError, match="the coach tiny knows no class 'x'; its classes are a, b, c"):
        coach.propose(PICTURE, "x", Weights(0, 0, 0))
    with pytest.raises(ModelError, match="knows no class 'x'"):
        coach.drawings("x")
    for weights in ((2, 0, 0), (-0.1, 0, 0), (float("nan"), 0, 0)):
        with pytest.raises(ModelError, match="trained with a weight classification from 0 to 1, not"):
            coach.propose(PICTURE, "a", weights)
    with pytest.raises(ModelError, match="trained with a weight efficiency from 0 to 32, not 33"):
        coach.propose(PICTURE, "a", (0, 33, 0))
    for picture in (b"", PICTURE[1:]):
        with pytest.raises(ModelError, match=f"has 784 pixels, this one {len(picture)}"):
            coach.probabilities(picture)


def test_the_preparation_that_counts(root: Path) -> None:
    """The last one, while an earlier one can still be asked for."""
    old = write_coach(root, "tiny", seed=1)
    new = write_coach(root, "tiny", seed=2)
    assert prepared_coach("tiny").digest == new
    assert prepared_coach("tiny", old).digest == old
    assert prepared_coach("tiny", old).probabilities(PICTURE) != prepared_coach("tiny").probabilities(PICTURE)


def test_where_coaches_lie(root: Path) -> None:
    """In one folder, from which no name leads out."""
    assert coaches_folder() == root
    assert coach_folder("mnist-5000") == root / "mnist-5000"
    for name in ("..", "../x", "a/b", "/etc", ".hidden", "a:b", "", "a\nb", "x" * 101):
        with pytest.raises(ModelError, match="names no coach"):
            is_ready(name)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"digest": "../../../etc"}', '{"digest": "0123456789abcdef"}'])
def test_a_coach_that_is_not_prepared(root: Path, content: str | None) -> None:
    """The sentence has the command that prepares it."""
    if content is not None:
        (root / "mnist").mkdir()
        (root / "mnist" / "current.json").write_text(content)
    assert not is_ready("mnist")
    with pytest.raises(ModelError, match=r"is not prepared in .*; run: crowdloom coach prepare mnist"):
        prepared_coach("mnist")


def test_a_preparation_of_another_format_is_none(root: Path) -> None:
    """It is prepared anew."""
    digest = write_coach(root, "tiny")
    assert is_ready("tiny")
    path = root / "tiny" / digest / DESCRIPTION
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 0}))
    assert not is_ready("tiny")


@pytest.mark.parametrize("name", [NETWORKS, DRAWINGS, SAMPLES])
@pytest.mark.parametrize("content", [None, b"", b"{}", b"[1]"])
def test_a_spoilt_preparation(root: Path, name: str, content: bytes | None) -> None:
    """One sentence, not a traceback; an empty list of samples or object of drawings is no damage."""
    digest = write_coach(root, f"tiny-{name}", drawings=3)
    path = root / f"tiny-{name}" / digest / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    if (name, content) in ((DRAWINGS, b"{}"), (SAMPLES, b"{}")):
        assert prepared_coach(f"tiny-{name}").classes
        return
    with pytest.raises(ModelError, match="holds no whole prepared coach; remove it and run: crowdloom coach prepare"):
        prepared_coach(f"tiny-{name}")


def test_pytorch_is_not_loaded() -> None:
    """The pages' processes read drawings."""
    asked = "import sys, crowdloom.models.coach_folder; print('torch' in sys.modules, 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
