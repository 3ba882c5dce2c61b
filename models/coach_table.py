"""The settings of the paper's Table 1, each trained once and kept, so that a table goes on where it was stopped.

Below the folder of a table's runs lie, each with the digest of all that makes its numbers in its name,

recogniser-DIGEST/   result.json, and networks.safetensors: C_H, which all settings on the same data share
setting-DIGEST/      result.json: what its networks came to; networks.safetensors: they, as a stack;
                     state.safetensors: after the last epoch of one that is under way

Source: J. Schneider, *Human-to-AI Coach: Improving Human Inputs to AI Systems* (IDA 2020), section 4.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import torch

from crowdloom.analysis.coach_table import SettingNumbers
from crowdloom.models.coach_data import CoachData
from crowdloom.models.coach_evaluation import accuracy_on_originals, tried
from crowdloom.models.coach_loss import UNIT
from crowdloom.models.coach_networks import Classifier, Coach
from crowdloom.models.coach_settings import SETTINGS, Setting
from crowdloom.models.coach_training import (
    BATCH,
    EPOCHS,
    NETWORKS,
    RATE,
    CoachState,
    train_classifier,
    train_coaches,
)
from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.run_folder import BusyError, RunFolder, read_tensors, write_tensors
from crowdloom.models.run_record import code_version, library_versions
from crowdloom.models.together import do_all

KEPT = "networks.safetensors"
RECOGNISER_SEED = 0
_VERSION = 1
"""Of how numbers come about: another one with each change of the code that changes them."""
_WAIT_S = 0.5


@dataclass(frozen=True)
class TableTerms:
    """What all settings of a table have in common."""

    networks: int = NETWORKS
    epochs: int = EPOCHS
    device: str = "cpu"

    @property
    def seeds(self) -> range:
        """Of the networks of a setting."""
        return range(self.networks)


OnProgress = Callable[[int, int, float], None]
"""Told how many settings are done, of how many, and which share of all the work."""


def on_no_progress(done: int, of: int, share: float) -> None:
    """Nobody listens."""


def train_settings(
    data: CoachData,
    folder: Path,
    terms: TableTerms,
    settings: Sequence[Setting] = SETTINGS,
    *,
    processes: int = 1,
    on_progress: OnProgress = on_no_progress,
) -> list[SettingNumbers]:
    """What the networks of each setting come to; what `folder` has already is not trained again.

    The numbers do not depend on the number of processes. Stopped or killed, the next call goes on after the last whole
    epoch of each setting, with the same result. Raises ModelError where a process is ended from outside,
    TrainingError, naming the setting, where numbers are not finite, OSError such as for a full disk.
    """
    recogniser(folder, data, terms)
    missing = [one for one in settings if finished(folder, data, one, terms) is None]
    before = len(settings) - len(missing)

    def told(done: int, shares: Sequence[float]) -> None:
        on_progress(before + done, len(settings), (before + sum(shares)) / len(settings))

    do_all(partial(_train_one, data, folder, terms), missing, processes, told)
    found = [finished(folder, data, one, terms) for one in settings]
    return [one for one in found if one is not None]


def recogniser(folder: Path, data: CoachData, terms: TableTerms = TableTerms()) -> Classifier:
    """C_H, trained as the paper trains it and kept in `folder`; trained here where it is not there."""
    place, made_of = _recogniser_place(folder, data, terms)
    with _held(place):
        if not (place.path / KEPT).exists():
            classifier = train_classifier(data, seed=RECOGNISER_SEED, epochs=terms.epochs)
            write_tensors(place.path / KEPT, classifier.state_dict(), {})
            metrics = {"originals": {"accuracy": accuracy_on_originals(classifier, data)}}
            place.write_result({"digest": place.path.name, "of": made_of, "metrics": metrics})
    return _read_recogniser(place, len(data.classes))


def finished(
    folder: Path, data: CoachData, setting: Setting, terms: TableTerms = TableTerms()
) -> SettingNumbers | None:
    """What the networks of a setting came to; None where they are not trained."""
    place, _ = _place(folder, data, setting, terms)
    kept = place.read_result(place.path.name)
    if kept is None or not (place.path / KEPT).exists():
        return None
    alphas = setting.alphas
    return SettingNumbers(
        setting.kind,
        float(alphas.classification),
        float(alphas.efficiency),
        float(alphas.discriminator),
        **kept["metrics"],
        seconds=float(kept["seconds"]),
        paper=setting.paper,
    )


def trained(folder: Path, data: CoachData, setting: Setting, terms: TableTerms = TableTerms()) -> Coach | None:
    """The stack of coaches of a setting, in test mode on the processor; None where they are not trained."""
    if finished(folder, data, setting, terms) is None:
        return None
    place, _ = _place(folder, data, setting, terms)
    tensors, _ = read_tensors(place.path / KEPT)
    coach = Coach(len(data.classes), terms.networks)
    coach.load_state_dict(tensors)
    return coach.to(memory_format=torch.channels_last).eval()


# ---- One setting.


def _train_one(
    data: CoachData, folder: Path, terms: TableTerms, setting: Setting, tell: Callable[[float], None]
) -> None:
    """Train the networks of a setting, or go on with them, and keep them; nothing where they are kept already."""
    place, made_of = _place(folder, data, setting, terms)
    classifier = _read_recogniser(_recogniser_place(folder, data, terms)[0], len(data.classes))
    with _held(place):
        if finished(folder, data, setting, terms) is not None:
            return
        owner = made_of | {"code": code_version()["models"], "libraries": library_versions()}
        state, before = _restored(place, owner)
        began = monotonic()

        def keep(state: CoachState) -> None:
            seconds = before + monotonic() - began
            place.write_state(state.tensors(), {"of": owner, "losses": list(state.losses), "seconds": seconds})

        def step(epoch: int, step: int, steps: int) -> None:
            tell((epoch + step / steps) / terms.epochs)

        try:
            coach, _ = train_coaches(
                data,
                classifier,
                setting.alphas,
                seeds=terms.seeds,
                epochs=terms.epochs,
                device=terms.device,
                state=state,
                on_epoch=keep,
                on_step=step,
            )
        except TrainingError as error:
            raise TrainingError(f"{setting.called}: {error}") from error
        seconds = before + monotonic() - began
        metrics = tried(coach, classifier, data)
        write_tensors(place.path / KEPT, coach.state_dict(), {})
        place.write_result({"digest": place.path.name, "of": made_of, "metrics": metrics, "seconds": seconds})
        place.drop_state()


def _restored(place: RunFolder, owner: Mapping[str, Any]) -> tuple[CoachState | None, float]:
    """The state to go on from and the seconds that it took; None and 0 where there is none that can be used."""
    try:
        kept = place.read_state()
    except ModelError:
        return None, 0.0
    if kept is None or kept[1].get("of") != owner:
        return None, 0.0
    tensors, values = kept
    return CoachState.restored(tensors, values["losses"]), float(values["seconds"])


# ---- Where they lie.


def _place(folder: Path, data: CoachData, setting: Setting, terms: TableTerms) -> tuple[RunFolder, dict[str, Any]]:
    """A setting's folder, and what its name is the digest of."""
    made_of = _common(data, terms) | {"alphas": asdict(setting.alphas), "unit": UNIT, "networks": terms.networks}
    return _folder(folder, "setting", made_of | {"device": terms.device})


def _recogniser_place(folder: Path, data: CoachData, terms: TableTerms) -> tuple[RunFolder, dict[str, Any]]:
    return _folder(folder, "recogniser", _common(data, terms))


def _common(data: CoachData, terms: TableTerms) -> dict[str, Any]:
    return {"version": _VERSION, "data": data.digest, "epochs": terms.epochs, "batch": BATCH, "rate": RATE}


def _folder(folder: Path, what: str, made_of: dict[str, Any]) -> tuple[RunFolder, dict[str, Any]]:
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]
    return RunFolder(folder / f"{what}-{digest}"), made_of


@contextmanager
def _held(place: RunFolder) -> Iterator[None]:
    """Keeps the folder to this process, when nobody else works in it any more."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(place.held())
                break
            except BusyError:
                sleep(_WAIT_S)
        yield


def _read_recogniser(place: RunFolder, classes: int) -> Classifier:
    tensors, _ = read_tensors(place.path / KEPT)
    classifier = Classifier(classes)
    classifier.load_state_dict(tensors)
    return classifier.to(memory_format=torch.channels_last).eval().requires_grad_(False)
