"""Prepared coaches whose networks never learned anything: what the steps do with them is the same, in no time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from crowdloom.models.coach_folder import DESCRIPTION, DRAWINGS, FORMAT, NETWORKS, SAMPLES
from crowdloom.models.prepared_folder import CURRENT
from crowdloom.tasks.coach_records import Strokes

DIGITS = tuple("0123456789")
WEIGHTS = 3


def drawing(number: int) -> Strokes:
    """A line whose slope says which one it is."""
    return [[(0.2, 0.2, 0.0), (round(0.3 + 0.03 * number, 4), 0.8, 400.0)]]


def write_coach(
    root: Path, name: str = "tiny", classes: Sequence[str] = DIGITS, drawings: int = 20, seed: int = 1
) -> str:
    """Writes a prepared coach whose networks are random, as the one that counts; gives its digest."""
    digest = f"{seed:016x}"
    folder = root / name / digest
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(seed)
    maps = len(classes) + WEIGHTS
    shapes = {
        "classifier.conv1": (8, 1, 3, 3),
        "classifier.conv2": (16, 8, 3, 3),
        "classifier.linear": (len(classes), 784),
        "coach.encoder1": (16, 1 + maps, 3, 3),
        "coach.encoder2": (32, 16, 3, 3),
        "coach.decoder1": (32, 32 + maps, 3, 3),
        "coach.decoder2": (16, 32, 3, 3),
        "coach.decoder3": (1, 16, 3, 3),
    }
    arrays: dict[str, Any] = {}
    for layer, shape in shapes.items():
        size = np.sqrt(2 / np.prod(shape[1:]))
        arrays[f"{layer}.weight"] = chance.normal(0, size, shape).astype(np.float32)
        arrays[f"{layer}.bias"] = np.zeros(shape[0], np.float32)
    np.savez(folder / NETWORKS, **arrays)
    names = ("classification", "efficiency", "discriminator")
    said = {
        "format": FORMAT,
        "name": name,
        "classes": list(classes),
        "accuracy": 0.1,
        "ranges": {one: [0, most] for one, most in zip(names, (1, 32, 1), strict=True)},
        "scales": dict(zip(names, (0.003, 0.25, 0.003), strict=True)),
        "tradeoffs": [],
    }
    given = {one: [drawing(number) for number in range(drawings)] for one in classes}
    for file, content in ((DESCRIPTION, said), (DRAWINGS, given), (SAMPLES, [])):
        (folder / file).write_text(json.dumps(content), encoding="utf-8")
    (root / name / CURRENT).write_text(json.dumps({"digest": digest}), encoding="utf-8")
    return digest
