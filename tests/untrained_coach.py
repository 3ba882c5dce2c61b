"""A prepared coach whose networks never learned, with figures and samples for a page that shows them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from crowdloom.models.coach_folder import DESCRIPTION, SAMPLES
from crowdloom.tasks.coach_records import packed
from tests.models.coach_folders import DIGITS, write_coach

RANGES = {"classification": (0.0, 2.0), "efficiency": (0.0, 16.0), "discriminator": (0.0, 1.0)}
SCALE = 0.05
TRADEOFFS = (
    ((0.0, 0.0, 0.0), {"accuracy": 0.9, "change": 0.1, "ink": 0.98, "best": True}),
    ((0.5, 0.0, 0.0), {"accuracy": 0.99, "change": 0.3, "ink": 0.9, "best": True}),
    ((0.0, 8.0, 0.1), {"accuracy": 0.85, "change": 0.32, "ink": 0.93, "best": False}),
    ((1.5, 0.0, 0.0), {"accuracy": 1.0, "change": 0.5, "ink": 0.9, "best": True}),
)


def write_untrained_coach(coaches: Path, name: str = "digits", samples: int = 20) -> None:
    """Write it below a folder of coaches, with so many random pictures as its samples."""
    folder, rng = coaches / name / write_coach(coaches, name), np.random.default_rng(0)
    said = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")) | {
        "accuracy": 0.8125,
        "ranges": RANGES,
        "scales": dict.fromkeys(RANGES, SCALE),
        "tradeoffs": [{"weights": dict(zip(RANGES, weights, strict=True))} | found for weights, found in TRADEOFFS],
    }
    (folder / DESCRIPTION).write_text(json.dumps(said), encoding="utf-8")
    pictures = rng.integers(0, 256, (samples, 784), dtype=np.uint8) * (rng.random((samples, 784)) < 0.15)
    drawn = [{"label": DIGITS[at % 10], "picture": packed(bytes(picture))} for at, picture in enumerate(pictures)]
    (folder / SAMPLES).write_text(json.dumps(drawn), encoding="utf-8")
