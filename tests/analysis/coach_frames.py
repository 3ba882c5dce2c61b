"""Made-up answers to the task coach, with effects that are known: a long frame as a store would give it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

CLASSES = tuple("0123456789")


@dataclass(frozen=True)
class Effects:
    """What coaching does, on the scale of the log odds of being recognised; 0 everywhere is no effect at all."""

    second: float = 0.0
    """What a second attempt gains whoever writes."""
    coached: float = 0.0
    """What it gains beside that where the coach proposed something."""
    learned: float = 0.0
    """What each earlier coached trial adds to first attempts at any class."""
    kept: float = 0.0
    """What being coached at a class adds to later first attempts at that class."""
    practice: float = 0.0
    """What each trial adds, coached or not."""
    ink: float = 0.0
    """How much ink, in pixels, the coach takes away."""


def coach_frame(
    people: int = 40,
    effects: Effects = Effects(),
    *,
    within: bool = False,
    never: tuple[str, ...] = (),
    rounds: int = 2,
    seed: int = 0,
) -> pd.DataFrame:
    """The answers of so many people who write every class `rounds` times, in an order of their own.

    Between persons every second one is coached; within, every second item of a person, by turns.
    """
    rng = np.random.default_rng([seed, people])
    hard = rng.normal(0, 0.7, len(CLASSES))
    rows: list[dict[str, Any]] = []
    for person in range(people):
        level = rng.normal(0.4, 0.6)
        items = [(name, number) for number in range(1, rounds + 1) for name in CLASSES]
        turns = np.arange(len(items)) + person
        versions = dict(zip(items, (turns + turns // len(CLASSES)) % 2, strict=True))
        coached_before, classes_coached = 0, dict.fromkeys(CLASSES, 0)
        for position, place in enumerate(rng.permutation(len(items)).tolist()):
            name, number = items[place]
            coached = bool(versions[name, number] if within else person % 2) and name not in never
            before = level + hard[int(name)] + effects.practice * position + effects.learned * coached_before
            before += effects.kept * min(classes_coached[name], 1) + rng.normal(0, 0.8)
            after = before + effects.second + effects.coached * coached + rng.normal(0, 0.8)
            ink = np.array([100.0, 100.0 - effects.ink * coached]) + rng.normal(0, 8, 2) + 4 * level
            rows.append(
                _row(rng, person, position, name, coached)
                | {
                    "item": f"{name}-{number}" + (f"-{'coached' if coached else 'control'}" if within else ""),
                    "condition": "all" if within else ("control", "coached")[person % 2],
                    **_read(rng, name, "before", before),
                    **_read(rng, name, "after", after),
                    "ink_before": ink[0],
                    "ink_after": ink[1],
                }
            )
            coached_before += coached
            classes_coached[name] += coached
    frame = pd.DataFrame(rows)
    frame["answered_at"] = pd.to_datetime(frame["answered_at"], utc=True)
    return frame


def _row(rng: np.random.Generator, person: int, position: int, name: str, coached: bool) -> dict[str, Any]:
    length, seconds = rng.normal(2.0, 0.3, 2), rng.gamma(8, 0.25, 2)
    return {
        "study": "writing",
        "batch": 1 + person,
        "participant": f"p{person:03}",
        "submission": f"s{person:03}",
        "position": position,
        "is_repeat": False,
        "repeat_index": 0,
        "rt_ms": float(rng.integers(8000, 30000)),
        "reference": name,
        "answered_at": pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(minutes=position),
        "coached": float(coached),
        **{f"length_{when}": value for when, value in zip(("before", "after"), length, strict=True)},
        **{f"seconds_{when}": value for when, value in zip(("before", "after"), seconds, strict=True)},
        "similarity": float(rng.beta(8, 4)),
        "adopted": float(rng.normal(0.6, 0.15)) if coached else np.nan,
    }


def _read(rng: np.random.Generator, name: str, when: str, strength: float) -> dict[str, Any]:
    sure = 1 / (1 + np.exp(-strength))
    right = bool(rng.random() < sure)
    other = CLASSES[(int(name) + 1) % len(CLASSES)]
    return {
        f"read_{when}": name if right else other,
        f"recognised_{when}": float(right),
        f"confidence_{when}": float(sure),
    }
