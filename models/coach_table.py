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
from torch import Tensor

from crowdloom.analysis import coach_table as table
from crowdloom.analysis.coach_table import SettingNumbers
from crowdloom.models.coach_data import CoachData
from crowdloom.models.coach_loss import UNIT, Alphas, change, effort
from crowdloom.models.coach_networks import Classifier, Coach
from crowdloom.models.coach_training import (
    BATCH,
    EPOCHS,
    NETWORKS,
    RATE,
    CoachState,
    computing,
    train_classifier,
    train_coaches,
)
from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.run_folder import BusyError, RunFolder, read_tensors, write_tensors
from crowdloom.models.run_record import code_version, library_versions
from crowdloom.models.together import do_all

KEPT = "networks.safetensors"
RECOGNISER_SEED = 0
AT_A_TIME = 64
"""Pictures that a stack is tried on at once."""
_VERSION = 1
"""Of how numbers come about: another one with each change of the code that changes them."""
_WAIT_S = 0.5


@dataclass(frozen=True)
class Setting:
    """A row of the table: which weights the losses have, and what the paper says of them."""

    kind: str
    alphas: Alphas
    paper: tuple[float, float, float] | None = None


def _settings() -> tuple[Setting, ...]:
    by_weight = {table.CLASSIFICATION: "classification", table.EFFICIENCY: "efficiency"}
    by_weight[table.DISCRIMINATOR] = "discriminator"
    varied = [
        Setting(kind, Alphas(**{by_weight[kind]: weight}), paper)
        for kind, rows in _PAPER.items()
        for weight, paper in rows.items()
    ]
    every = [Setting(table.ALL, Alphas(32.0, *alphas)) for alphas in _ALL]
    return Setting(table.BASELINE, Alphas(), (0.9609, 0.00018, 0.00097)), *varied, *every


_PAPER: Mapping[str, Mapping[float, tuple[float, float, float]]] = {
    table.CLASSIFICATION: {
        0.03: (0.9994, 0.00027, 0.00096),
        0.08: (0.9997, 0.00041, 0.00096),
        0.1: (0.9998, 0.00042, 0.00092),
        0.24: (1.0, 0.00062, 0.00085),
    },
    table.EFFICIENCY: {
        1.0: (0.9587, 0.00019, 0.00095),
        4.0: (0.9607, 0.00018, 0.00093),
        8.0: (0.9578, 0.00019, 0.00091),
        16.0: (0.9458, 0.00023, 0.00081),
        32.0: (0.1135, 0.00098, 0.0),
    },
    table.DISCRIMINATOR: {
        0.03: (0.9608, 0.00019, 0.00099),
        0.16: (0.96, 0.0002, 0.00096),
        0.64: (0.9318, 0.00032, 0.00096),
    },
}
_ALL = ((0.1, 4.0, 0.03), (0.24, 8.0, 0.16), (0.24, 24.0, 0.16))
"""alpha_CL, alpha_EF and alpha_D of three settings as those of the paper's figure 5, whose weights are not given:
moderate ones, stronger ones, and so much efficiency that proposals get poor, as in the figure's last column."""

SETTINGS = _settings()
"""Those of Table 1 in its order, then the three with all losses."""


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
            raise TrainingError(f"{_called(setting)}: {error}") from error
        seconds = before + monotonic() - began
        metrics = tried(coach, classifier, data)
        write_tensors(place.path / KEPT, coach.state_dict(), {})
        place.write_result({"digest": place.path.name, "of": made_of, "metrics": metrics, "seconds": seconds})
        place.drop_state()


def tried(coach: Coach, classifier: Classifier, data: CoachData) -> dict[str, list[float]]:
    """What each network of a stack makes of the test pictures, a number for each: `table.MEASURES`."""
    networks = coach.networks
    device = next(coach.parameters()).device
    classifier.to(device)
    right, changes, efforts = (torch.zeros(networks, dtype=torch.float64, device=device) for _ in range(3))
    drawn = 0.0
    with computing(device.type).in_use(), torch.inference_mode():
        for pictures, labels in _parts(data, device):
            many = pictures[:, None].expand(-1, networks, -1, -1)
            asked = labels[:, None].expand(-1, networks)
            proposals = coach(many, asked)
            read = classifier(proposals.reshape(-1, 1, *pictures.shape[1:])).argmax(1).view(-1, networks)
            right += (read == asked).sum(0)
            changes += change(many, proposals).sum(0, dtype=torch.float64)
            efforts += effort(proposals).sum(0, dtype=torch.float64)
            drawn += effort(many[:, :1]).sum(dtype=torch.float64).item()
    n = len(data.test_images)
    numbers = (right / n, changes / n, efforts / n, changes / drawn, efforts / drawn)
    return {name: values.tolist() for name, values in zip(table.MEASURES, numbers, strict=True)}


def accuracy_on_originals(classifier: Classifier, data: CoachData) -> float:
    """The share of the test pictures, as they were drawn, that are read as what they are."""
    device = next(classifier.parameters()).device
    with computing(device.type).in_use(), torch.inference_mode():
        right = [(classifier(pictures[:, None]).argmax(1) == labels).sum() for pictures, labels in _parts(data, device)]
    return float(sum(right)) / len(data.test_images)


def _parts(data: CoachData, device: torch.device) -> Sequence[tuple[Tensor, Tensor]]:
    pictures = torch.from_numpy(data.test_images).split(AT_A_TIME)
    labels = torch.from_numpy(data.test_labels).split(AT_A_TIME)
    return [
        (one.to(device, torch.float32) / 255, asked.to(device)) for one, asked in zip(pictures, labels, strict=True)
    ]


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


def _called(setting: Setting) -> str:
    alphas = setting.alphas
    return (
        f"{setting.kind}, alpha_CL {alphas.classification:g}, alpha_EF {alphas.efficiency:g}, "
        f"alpha_D {alphas.discriminator:g}"
    )


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
