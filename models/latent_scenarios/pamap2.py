"""PAMAP2: nine people's activities, by three inertial measurement units, read from the data set's own files.

Source: A. Reiss and D. Stricker, *Introducing a New Benchmarked Dataset for Activity Monitoring* (ISWC 2012), and its
`readme.pdf` for the columns. Of each unit the acceleration in the range of 16 g, the gyroscope and the magnetometer are
used, 27 channels. Missing values (the radio lost some) are filled in by straight lines; two samples are averaged to
one, 50 Hz; windows have 4 seconds, half of which the next one shares. The twelve activities of the protocol and
everything between them, class 0, make the paper's 13 classes. Subjects 105 and 106, who together did everything, are
kept for validation; the network learns from the others. The paper does not say how it did these things.
"""

from __future__ import annotations

import io
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from crowdloom.models.errors import ModelError, first_line
from crowdloom.models.latent_networks import SignalNetwork
from crowdloom.models.latent_scenarios.classes import CLASSES
from crowdloom.models.latent_scenarios.scenario import Scenario, ScenarioData
from crowdloom.models.latent_scenarios.windows import Recording, standardised, windows

Doubles = npt.NDArray[np.float64]

_NUMBERS = (*range(8), 12, 13, 16, 17, 24)
ACTIVITIES = MappingProxyType(dict(zip(_NUMBERS, CLASSES["pamap2"], strict=True)))
"""By their numbers in the data set."""
COLUMNS = 54
_UNITS = {"hand": 3, "chest": 20, "ankle": 37}
"""The first column of each unit: temperature, acceleration (16 g), acceleration (6 g), gyroscope, magnetometer, …"""
_SENSORS = {"acc": 1, "gyro": 7, "mag": 10}
"""The first of three columns within a unit."""
_PLACES = {
    f"{unit} {sensor}-{axis}": start + offset + number
    for unit, start in _UNITS.items()
    for sensor, offset in _SENSORS.items()
    for number, axis in enumerate("xyz")
}
CHANNELS = tuple(_PLACES)
HERTZ, LENGTH, STEP = 50.0, 200, 100
VALIDATION = (105, 106)


def load(path: Path | None) -> ScenarioData:
    """Reads `Protocol/subject1NN.dat`; `path` is the folder that has `Protocol` in it, or `Protocol` itself.

    Not all nine need to be there. Raises ModelError, naming file and line, where one is torn or is no such file.
    """
    assert path is not None  # the scenario needs data
    folder = path / "Protocol" if (path / "Protocol").is_dir() else path
    files = {int(file.stem[-3:]): file for file in sorted(folder.glob("subject1[0-9][0-9].dat"))}
    if not set(files) & set(VALIDATION) or not set(files) - set(VALIDATION):
        raise ModelError(
            f"{folder} needs PAMAP2's files subject101.dat and so on: subject105.dat or subject106.dat to validate on, "
            "and others to train on; give the folder that has Protocol in it"
        )
    train: list[Recording] = []
    validation: list[Recording] = []
    for subject, file in files.items():
        (validation if subject in VALIDATION else train).append(read_recording(file))
    train_windows, validation_windows = (windows(side, len(ACTIVITIES), LENGTH, STEP) for side in (train, validation))
    if not len(train_windows.labels) or not len(validation_windows.labels):
        raise ModelError(f"{folder} has no recording of {LENGTH / HERTZ:g} seconds on each side; get the whole data")
    return standardised(train_windows, validation_windows)


def read_recording(file: Path) -> Recording:
    """One subject's file at 50 Hz, without gaps; classes are positions of `ACTIVITIES`."""
    import pandas as pd

    content = file.read_bytes()
    _check_lines(file, content)
    try:
        table = pd.read_csv(
            io.BytesIO(content), sep=" ", header=None, usecols=[1, *_PLACES.values()], dtype=np.float64, na_values="NaN"
        )
    except ValueError as error:
        raise ModelError(f"{file} is no file of PAMAP2 ({first_line(error)}); unpack the data set again") from error
    activity = table[1].to_numpy()
    known = np.array(list(ACTIVITIES))
    if (strange := ~np.isin(activity, known)).any():
        line = int(np.flatnonzero(strange)[0])
        raise ModelError(
            f"{file} has the activity {activity[line]:g} in line {line + 1}, which is none of the protocol's; "
            "give the files in Protocol, as they were published"
        )
    signals = table[list(_PLACES.values())].to_numpy()
    for number, name in enumerate(CHANNELS):
        signals[:, number] = _filled(signals[:, number], f"{file} has no value at all of {name}; leave the file out")
    even = len(signals) // 2 * 2
    halved = signals[:even].reshape(-1, 2, len(CHANNELS)).mean(axis=1).astype(np.float32)
    return Recording(halved, np.searchsorted(known, activity[:even:2]).astype(np.int64))


def _check_lines(file: Path, content: bytes) -> None:
    """Pandas would fill up a line that was torn off with missing values."""
    for number, line in enumerate(io.BytesIO(content), 1):
        if line.strip().count(b" ") != COLUMNS - 1:
            found = len(line.split())
            raise ModelError(
                f"{file} has {found} values instead of {COLUMNS} in line {number}; it is torn, or no file of PAMAP2: "
                "unpack the data set again"
            )
    if not content:
        raise ModelError(f"{file} is empty; unpack the data set again")


def _filled(values: Doubles, otherwise: str) -> Doubles:
    """Gaps become straight lines from their one end to the other; those at an end its nearest value."""
    there = np.isfinite(values)
    if there.all():
        return values
    if not there.any():
        raise ModelError(otherwise)
    places = np.arange(len(values))
    return np.interp(places, places[there], values[there]).astype(np.float64)


SCENARIO = Scenario(
    name="pamap2",
    title="Activities, by sensors at hand, chest and ankle",
    kind="signal",
    classes=tuple(ACTIVITIES.values()),
    network=lambda: SignalNetwork(len(CHANNELS), len(ACTIVITIES)),
    load=load,
    names=CHANNELS,
    hertz=HERTZ,
    needs_data=True,
)
"""Settings as in the paper."""
