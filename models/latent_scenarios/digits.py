"""Handwritten digits, 8 x 8 pixels, which come with scikit-learn: the scenario that works everywhere.

Source: the test set of E. Alpaydin and C. Kaynak, *Optical Recognition of Handwritten Digits* (UCI, 1998).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from crowdloom.analysis.digits import load_digits
from crowdloom.models.latent_networks import DigitsNetwork
from crowdloom.models.latent_scenarios.classes import CLASSES as BY_SCENARIO
from crowdloom.models.latent_scenarios.scenario import Scenario, ScenarioData
from crowdloom.models.splits import seeded_split

CLASSES = BY_SCENARIO["digits"]
VALIDATION = 0.25


def load(path: Path | None = None) -> ScenarioData:
    """The 1,797 digits; a quarter of each class is kept for validation."""
    digits = load_digits()
    labels = digits.targets.astype(np.int64)
    grey = np.round(digits.images * (255 / 16)).astype(np.uint8)
    split = seeded_split(len(labels), VALIDATION, SCENARIO.seed, by=labels)
    x = torch.from_numpy(grey).float().div(255).unsqueeze(1)
    target = torch.from_numpy(labels)
    train, test = (torch.from_numpy(side).long() for side in (split.train, split.test))
    return ScenarioData(x[train], target[train], x[test], target[test], grey[split.train])


SCENARIO = Scenario(
    name="digits",
    title="Handwritten digits",
    kind="image",
    classes=CLASSES,
    network=lambda: DigitsNetwork(len(CLASSES)),
    load=load,
    rate=3e-4,
    batch=128,
)
"""With the paper's batches and rate its 75 steps before the first interaction would teach the network nothing."""
