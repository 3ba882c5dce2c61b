"""The prepared scenarios as folders, read without PyTorch: where they lie, and the examples behind the points.

$CROWDLOOM_SCENARIOS/NAME/        one scenario; in the user's data folder where that is not set
    current.json                  which preparation counts now
    DIGEST/                       one preparation: it appears whole, and never changes
        scenario.json             what participants are shown, the settings, the curve of the pretraining
        items.npy, labels.npy     the training examples as people see them, and their classes
        x.npy, validation_x.npy, validation_labels.npy
        pretrained.safetensors    the network after the pretraining

Whatever began with a preparation can go on with it, also when the scenario was prepared anew since.
"""

from __future__ import annotations

import base64
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdloom.models.errors import ModelError
from crowdloom.models.prepared_folder import place_of, prepared_root
from crowdloom.tasks.latent_records import ItemPicture

DESCRIPTION, PRETRAINED = "scenario.json", "pretrained.safetensors"
ITEMS, LABELS = "items.npy", "labels.npy"
X, VALIDATION_X, VALIDATION_LABELS = "x.npy", "validation_x.npy", "validation_labels.npy"
_NAME = re.compile(r"\w[\w.-]*(:\w[\w.]*)?", re.ASCII)
_DIGITS = 5  # of a signal's numbers, which are drawn a few hundred pixels high


def scenarios_folder() -> Path:
    """Where prepared scenarios lie: `$CROWDLOOM_SCENARIOS`, or in the user's data folder."""
    return prepared_root("CROWDLOOM_SCENARIOS", "scenarios")


def scenario_folder(name: str) -> Path:
    """The folder of one scenario, which need not exist. Raises ModelError for what cannot be a scenario's name.

    >>> scenario_folder("birds.study:scenario").name
    'birds.study-scenario'
    """
    if not _NAME.fullmatch(name) or ".." in name or len(name) > 200:
        raise ModelError(f"{name[:50]!r} names no scenario; a name has letters, digits, - _ . and one : at most")
    return scenarios_folder() / name.replace(":", "-")


def preparation(name: str, digest: str | None = None) -> Path:
    """The folder of a prepared scenario: the preparation that counts now, or the one with this digest.

    Raises ModelError where there is none, saying how one is made.
    """
    folder = scenario_folder(name)
    found = place_of(folder, digest)
    if found is None or not (found / DESCRIPTION).is_file():
        raise ModelError(f"the scenario {name} is not prepared in {folder.parent}; run: crowdloom hill prepare {name}")
    return found


def description(folder: Path) -> dict[str, Any]:
    """What `scenario.json` in a preparation's folder says. Raises ModelError where it cannot be read."""
    try:
        said = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} holds no prepared scenario; prepare it again") from error
    if not isinstance(said, dict):
        raise ModelError(f"{folder} holds no prepared scenario; prepare it again")
    return said


def item(folder: Path, number: int) -> ItemPicture:
    """The training example `number` of a preparation (its folder), as people see it. Milliseconds, also of a large set.

    Raises ModelError where there is no such example, or the folder was removed.
    """
    said, items, labels = _opened(folder)
    if not 0 <= number < len(labels):
        raise ModelError(f"there is no training example {number}; they are counted from 0 to {len(labels) - 1}")
    one, label = items[number], int(labels[number])
    if said["kind"] == "image":
        height, width = one.shape[:2]
        pixels = base64.b64encode(one.tobytes()).decode()
        channels = 1 if one.ndim == 2 else one.shape[2]
        return ItemPicture(kind="image", label=label, height=height, width=width, channels=channels, pixels=pixels)
    series = [[float(f"{value:.{_DIGITS}g}") for value in channel] for channel in one.tolist()]
    return ItemPicture(kind="signal", label=label, names=said["names"], hertz=said["hertz"], series=series)


def shown_points(labels: npt.NDArray[np.int64], n: int, seed: int) -> npt.NDArray[np.int64]:
    """Which `n` of the training examples are shown: as equally many of each class as can be, ascending.

    `labels` int [N]. The same labels, number and seed give the same examples. Where a class has too few, the others
    give more; of all examples where there are no more than `n`.

    >>> shown_points(np.array([0, 0, 0, 0, 1]), 3, seed=1).tolist()
    [0, 1, 4]
    """
    chance = np.random.default_rng(seed)
    mixed = chance.permutation(len(labels))
    # The how-manieth of its class each example is, in the mixed order: the first ones of all classes come first.
    within_class = np.argsort(labels[mixed], kind="stable")
    classes, counts = np.unique(labels, return_counts=True)
    rank = np.empty(len(labels), dtype=np.int64)
    rank[within_class] = np.concatenate([np.arange(count) for count in counts]) if len(classes) else []
    chosen = mixed[np.argsort(rank, kind="stable")[: max(n, 0)]]
    return np.sort(chosen).astype(np.int64)


@lru_cache(maxsize=16)
def _opened(folder: Path) -> tuple[dict[str, Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """A preparation never changes, so it is opened once; the pages of its files come and go as memory allows."""
    said = description(folder)
    try:
        return said, np.load(folder / ITEMS, mmap_mode="r"), np.load(folder / LABELS)
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} holds no whole prepared scenario; prepare it again") from error
