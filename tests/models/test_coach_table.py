"""A table's settings: those of the paper, each trained once, kept, and gone on with after a stop."""

from __future__ import annotations

import pickle
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from crowdloom.analysis.coach_table import ALL, BASELINE, MEASURES, SettingNumbers
from crowdloom.models import coach_table as module
from crowdloom.models.coach_data import CoachData, digits
from crowdloom.models.coach_evaluation import accuracy_on_originals, tried
from crowdloom.models.coach_loss import UNIT, Alphas
from crowdloom.models.coach_networks import Classifier
from crowdloom.models.coach_settings import SETTINGS, Setting
from crowdloom.models.coach_table import TableTerms, finished, recogniser, train_settings, trained
from crowdloom.models.coach_training import CoachState, new_coaches
from crowdloom.models.errors import TrainingError
from crowdloom.models.run_folder import RunFolder

TERMS = TableTerms(networks=2, epochs=2)
FEW = (SETTINGS[0], SETTINGS[-2])
"""The baseline, and one with all losses."""


@pytest.fixture(scope="module")
def data() -> CoachData:
    """Few digits."""
    return digits().first(48, 30)


@pytest.fixture(scope="module")
def undisturbed(data: CoachData, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[SettingNumbers]]:
    """A folder of runs, and what came of them."""
    folder = tmp_path_factory.mktemp("runs")
    return folder, train_settings(data, folder, TERMS, FEW)


def test_settings_are_the_papers() -> None:
    """Thirteen rows, by the table's text, and three with all losses."""
    assert [one.kind for one in SETTINGS].count(ALL) == 3
    rows = [one for one in SETTINGS if one.kind != ALL]
    assert [(one.alphas.classification, one.alphas.efficiency, one.alphas.discriminator) for one in rows] == [
        (0, 0, 0),
        *((weight, 0, 0) for weight in (0.03, 0.08, 0.1, 0.24)),
        *((0, weight, 0) for weight in (1, 4, 8, 16, 32)),
        *((0, 0, weight) for weight in (0.03, 0.16, 0.64)),
    ]
    assert {one.alphas.change for one in SETTINGS} == {32.0}
    assert rows[0].kind == BASELINE
    assert [one.paper for one in rows if one.paper][::6] == [
        (0.9609, 0.00018, 0.00097),
        (0.9607, 0.00018, 0.00093),
        (0.9318, 0.00032, 0.00096),
    ]
    for one in SETTINGS[-3:]:
        assert all((one.alphas.classification, one.alphas.efficiency, one.alphas.discriminator))
        assert one.paper is None


def test_numbers_are_what_the_networks_do(data: CoachData, undisturbed: tuple[Path, list[SettingNumbers]]) -> None:
    """Counted again from the kept networks, picture by picture."""
    folder, found = undisturbed
    reader = recogniser(folder, data, TERMS)
    for setting, numbers in zip(FEW, found, strict=True):
        coach = trained(folder, data, setting, TERMS)
        assert coach is not None
        for n in range(2):
            right, changes, inks, drawn = 0, 0.0, 0.0, 0.0
            for image, label in zip(data.test_images, data.test_labels, strict=True):
                picture = torch.from_numpy(image)[None, None].float() / 255
                asked = torch.full((1, 2), int(label))
                with torch.no_grad():
                    proposal = coach(picture.expand(-1, 2, -1, -1), asked)[:, n : n + 1]
                    right += int(reader(proposal).argmax()) == int(label)
                changes += float((proposal - picture).abs().sum())
                inks += float(proposal.sum())
                drawn += float(picture.sum())
            assert numbers.accuracy[n] == pytest.approx(right / 30)
            assert numbers.change[n] == pytest.approx(changes / 30 * UNIT, rel=1e-4)
            assert numbers.effort[n] == pytest.approx(inks / 30 * UNIT, rel=1e-4)
            assert numbers.changed[n] == pytest.approx(changes / drawn, rel=1e-4)
            assert numbers.ink[n] == pytest.approx(inks / drawn, rel=1e-4)
        assert numbers.seconds > 0
    assert found[0].accuracy != found[1].accuracy or list(found[0].change) != list(found[1].change)


def test_what_is_done_is_not_done_again(
    data: CoachData, undisturbed: tuple[Path, list[SettingNumbers]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And other terms or data have folders of their own."""
    folder, found = undisturbed
    monkeypatch.setattr(module, "train_coaches", None)
    monkeypatch.setattr(module, "train_classifier", None)
    heard: list[tuple[int, int, float]] = []
    again = train_settings(data, folder, TERMS, FEW, on_progress=lambda *said: heard.append(said))
    assert again == found
    assert heard[-1] == (2, 2, 1.0)
    assert finished(folder, data, FEW[0], TableTerms(networks=2, epochs=3)) is None
    assert finished(folder, data.first(40, 30), FEW[0], TERMS) is None
    assert trained(folder, data, SETTINGS[1], TERMS) is None


def test_a_stopped_table_goes_on(
    data: CoachData, undisturbed: tuple[Path, list[SettingNumbers]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last whole epoch, to the same numbers; the time of before counts."""
    train, begun = module.train_coaches, []

    def stopped(*args: object, on_epoch: object, **rest: object) -> object:
        def keep(state: CoachState) -> None:
            on_epoch(state)  # type: ignore[operator]
            raise KeyboardInterrupt

        return train(*args, on_epoch=keep, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "train_coaches", stopped)
    with pytest.raises(KeyboardInterrupt):
        train_settings(data, tmp_path, TERMS, FEW)
    assert len(list(tmp_path.glob("setting-*/state.safetensors"))) == 1

    def watched(*args: object, state: CoachState | None, **rest: object) -> object:
        begun.append(state.epoch if state else 0)
        return train(*args, state=state, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "train_coaches", watched)
    found = train_settings(data, tmp_path, TERMS, FEW)
    assert begun == [1, 0]
    for one, other in zip(found, undisturbed[1], strict=True):
        assert all(getattr(one, measure) == getattr(other, measure) for measure in MEASURES)
    assert not list(tmp_path.glob("setting-*/state.safetensors"))


def test_settings_can_be_trained_elsewhere(
    data: CoachData, undisturbed: tuple[Path, list[SettingNumbers]], tmp_path: Path
) -> None:
    """What a process of its own is given says the same there, and comes to the same numbers."""
    recogniser(tmp_path, data, TERMS)
    work, setting = pickle.loads(pickle.dumps((partial(module._train_one, data, tmp_path, TERMS), FEW[0])))
    work(setting, lambda share: None)
    found = finished(tmp_path, data, FEW[0], TERMS)
    assert found is not None
    assert all(getattr(found, measure) == getattr(undisturbed[1][0], measure) for measure in MEASURES)


def test_a_setting_that_another_process_trains_is_waited_for(data: CoachData, tmp_path: Path) -> None:
    """And then done, as it did not end."""
    recogniser(tmp_path, data, TERMS)
    place, _ = module._place(tmp_path, data, FEW[0], TERMS)
    found: list[SettingNumbers] = []
    with RunFolder(place.path).held():
        other = threading.Thread(target=lambda: found.extend(train_settings(data, tmp_path, TERMS, FEW[:1])))
        other.start()
        other.join(0.3)
        assert other.is_alive()
    other.join()
    assert len(found) == 1


def test_what_is_not_finite_names_its_setting(data: CoachData, tmp_path: Path) -> None:
    """So that one knows which weight is too large."""
    with pytest.raises(TrainingError, match="All losses, alpha_CL inf, alpha_EF 0, alpha_D 0: the loss"):
        train_settings(data, tmp_path, TERMS, [Setting(ALL, Alphas(classification=float("inf")))])


def test_the_recogniser_is_trained_once(data: CoachData, undisturbed: tuple[Path, list[SettingNumbers]]) -> None:
    """And kept with its accuracy on the originals."""
    folder, _ = undisturbed
    reader = recogniser(folder, data, TERMS)
    with torch.no_grad():
        read = reader(torch.from_numpy(data.test_images)[:, None].float() / 255).argmax(1).numpy()
    assert accuracy_on_originals(reader, data) == float(np.mean(read == data.test_labels))
    assert len(list(folder.glob("recogniser-*"))) == 1


def test_a_coach_that_repeats_changes_nothing(data: CoachData) -> None:
    """And uses the ink that there was: the scale of all measures."""
    coach = new_coaches(10, [0, 1])
    coach.forward = lambda pictures, asked, weights=None: pictures  # type: ignore[method-assign]
    found = tried(coach, Classifier(10).eval(), data)
    mean_ink = data.test_images.mean() / 255
    assert found["change"] == found["changed"] == [0.0, 0.0]
    assert found["ink"] == pytest.approx([1.0, 1.0])
    assert found["effort"] == pytest.approx([mean_ink / 128] * 2, rel=1e-5)
