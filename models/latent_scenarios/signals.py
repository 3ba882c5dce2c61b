"""Movements of a wrist, which are generated: a signal scenario that needs no data.

Each of six activities is a rhythm about three axes, with its own tempo, strength and pose, on top of noise, drift and
the way each of forty people does it. What is alike in life is alike here: walking and climbing stairs differ in tempo
and tilt, stirring and wiping in their shapes, resting and holding in a tremor; so some windows can hardly be told
apart. The last ten people are kept for validation.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crowdloom.models.latent_networks import SignalNetwork
from crowdloom.models.latent_scenarios.classes import CLASSES
from crowdloom.models.latent_scenarios.scenario import Scenario, ScenarioData
from crowdloom.models.latent_scenarios.windows import Floats, Windows, standardised


class _Rhythm(NamedTuple):
    """Beats a second, the acceleration along each axis (m/s²), the share of the first overtone, and the pose (m/s²)."""

    tempo: float
    strength: tuple[float, float, float]
    overtone: float
    pose: tuple[float, float, float]


RHYTHMS = MappingProxyType(
    {
        "resting": _Rhythm(0.25, (0.15, 0.1, 0.1), 0.0, (0.0, 1.0, 9.7)),
        "holding": _Rhythm(8.0, (0.3, 0.3, 0.25), 0.0, (0.6, 1.6, 9.5)),
        "walking": _Rhythm(1.8, (2.2, 1.4, 1.0), 0.5, (8.6, 2.2, 3.6)),
        "climbing stairs": _Rhythm(1.45, (2.0, 1.7, 1.2), 0.55, (8.1, 2.8, 4.4)),
        "stirring": _Rhythm(1.6, (1.7, 1.9, 0.5), 0.1, (2.4, 3.2, 8.6)),
        "wiping": _Rhythm(1.8, (2.3, 1.2, 0.4), 0.35, (2.0, 2.6, 9.0)),
    }
)
CHANNELS = ("acc-x", "acc-y", "acc-z")
HERTZ, LENGTH = 50.0, 100
PEOPLE, VALIDATION, EACH = 40, 10, 8
"""So many windows of each activity of each person."""


def load(path: Path | None = None) -> ScenarioData:
    """Generates the windows; always the same ones."""
    chance = np.random.default_rng(SCENARIO.seed)
    signals, labels, people = [], [], []
    for person in range(PEOPLE):
        manner = chance.normal(0.0, 1.0, 5)
        for label, rhythm in enumerate(RHYTHMS.values()):
            for _ in range(EACH):
                signals.append(_window(rhythm, manner, chance))
                labels.append(label)
                people.append(person)
    everything = Windows(np.stack(signals), np.array(labels, dtype=np.int64))
    later = np.array(people) >= PEOPLE - VALIDATION
    train, validation = (Windows(everything.signals[side], everything.labels[side]) for side in (~later, later))
    return standardised(train, validation)


def _window(rhythm: _Rhythm, manner: npt.NDArray[np.float64], chance: np.random.Generator) -> Floats:
    """Two seconds, float32 [3, T], of somebody who is quicker, stronger and wears the sensor otherwise by `manner`."""
    seconds = np.arange(LENGTH) / HERTZ
    tempo = rhythm.tempo * np.exp(0.1 * manner[0] + 0.07 * chance.normal())
    phase = 2 * np.pi * (tempo * seconds + chance.random())
    strength = np.array(rhythm.strength) * np.exp(0.25 * manner[1] + 0.2 * chance.normal(size=3))
    turned = np.array([0.0, np.pi / 2, np.pi / 4])[:, np.newaxis]
    beats = np.sin(phase + turned) + rhythm.overtone * np.sin(2 * phase + turned)
    pose = np.array(rhythm.pose) + 0.9 * manner[2:] + 0.7 * chance.normal(size=3)
    drift = np.cumsum(chance.normal(0.0, 0.06, (3, LENGTH)), axis=1)
    noise = chance.normal(0.0, 0.35, (3, LENGTH))
    return np.asarray(pose[:, np.newaxis] + strength[:, np.newaxis] * beats + drift + noise, dtype=np.float32)


SCENARIO = Scenario(
    name="signals",
    title="Movements of a wrist",
    kind="signal",
    classes=CLASSES["signals"],
    network=lambda: SignalNetwork(len(CHANNELS), len(RHYTHMS), width=16),
    load=load,
    names=CHANNELS,
    hertz=HERTZ,
    rate=5e-4,
    batch=128,
)
"""With the paper's batches and rate its 75 steps before the first interaction would teach the network nothing."""
