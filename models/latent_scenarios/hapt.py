"""HAPT: twelve activities and postural transitions of thirty people, by a smartphone at the waist.

Source: J. L. Reyes-Ortiz et al., *Transition-Aware Human Activity Recognition Using Smartphones* (Neurocomputing 2016).
Its windows have 2.56 seconds, half of which the next one shares. The network learns from 24 of the people, and is tried
on the six whose numbers are multiples of five.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdloom.models.archives import read_npz
from crowdloom.models.errors import ModelError
from crowdloom.models.latent_networks import SignalNetwork
from crowdloom.models.latent_scenarios.classes import CLASSES as BY_SCENARIO
from crowdloom.models.latent_scenarios.scenario import Scenario, ScenarioData
from crowdloom.models.latent_scenarios.windows import UNLABELLED, Recording, standardised, windows

CLASSES = BY_SCENARIO["hapt"]
"""Their numbers in the data set count from 1."""
CHANNELS = ("acc-x", "acc-y", "acc-z", "gyro-x", "gyro-y", "gyro-z")
HERTZ, LENGTH, STEP = 50.0, 128, 64
HELD_OUT = 5
"""Every so-manieth person is kept for validation."""


def load(path: Path | None) -> ScenarioData:
    """Reads an .npz: `X` float32 [N, 6], `label` (1 to 12; -1 for none), `subject` and `session` [N], in order of time.

    Raises ModelError where it holds something else.
    """
    assert path is not None  # the scenario needs data
    arrays = read_npz(path, ("X", "label", "subject", "session"))
    if missing := [name for name in ("X", "label", "subject", "session") if name not in arrays]:
        raise ModelError(f"{path} has no array {missing[0]!r}; HAPT's has X, label, subject and session")
    signals, label, subject, session = (arrays[name] for name in ("X", "label", "subject", "session"))
    _check(path, signals, label, subject, session)
    train: list[Recording] = []
    validation: list[Recording] = []
    begins = np.flatnonzero((np.diff(subject) != 0) | (np.diff(session) != 0)) + 1
    for begin, end in zip([0, *begins], [*begins, len(label)], strict=True):
        classes = np.where(label[begin:end] > 0, label[begin:end].astype(np.int64) - 1, UNLABELLED)
        side = validation if subject[begin] % HELD_OUT == 0 else train
        side.append(Recording(signals[begin:end].astype(np.float32), classes))
    if not train or not validation:
        raise ModelError(f"{path} needs people whose numbers are multiples of {HELD_OUT}, to validate on, and others")
    return standardised(*(windows(side, len(CLASSES), LENGTH, STEP) for side in (train, validation)))


def _check(path: Path, signals: npt.NDArray[Any], *columns: npt.NDArray[Any]) -> None:
    if signals.ndim != 2 or signals.shape[1] != len(CHANNELS) or signals.dtype.kind != "f":
        raise ModelError(f"{path} needs in X a column of numbers for each of {', '.join(CHANNELS)}")
    if any(column.shape != (len(signals),) or column.dtype.kind not in "iu" for column in columns) or not len(signals):
        raise ModelError(f"{path} needs one whole number in label, subject and session for each row of X")
    label = columns[0]
    if int(label.max()) > len(CLASSES):
        raise ModelError(f"{path} has the label {int(label.max())}; HAPT's activities are 1 to {len(CLASSES)}")
    if not np.isfinite(signals).all():
        row = int(np.flatnonzero(~np.isfinite(signals).all(axis=1))[0])
        raise ModelError(f"{path} has a number that is not finite in row {row} of X, counted from 0; fill the gaps")


SCENARIO = Scenario(
    name="hapt",
    title="Activities, by a smartphone",
    kind="signal",
    classes=CLASSES,
    network=lambda: SignalNetwork(len(CHANNELS), len(CLASSES)),
    load=load,
    names=CHANNELS,
    hertz=HERTZ,
    needs_data=True,
)
"""Settings as in the paper."""
