"""Files as PAMAP2's authors publish them, with invented numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

IDS = [0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 16, 17, 24]


def table(seconds: int, seed: int) -> Any:
    """So many seconds of each activity one after the other, float64 [rows, 54], with gaps as a radio makes them."""
    chance = np.random.default_rng(seed)
    rows = 100 * seconds * len(IDS)
    made = chance.normal(0, 1, (rows, 54))
    made[:, 0] = 5.28 + np.arange(rows) / 100
    made[:, 1] = np.repeat(IDS, 100 * seconds)
    made[:, 3:] += made[:, 1:2] / 8
    made[:, 2] = np.nan  # the heart rate comes ten times a second
    made[::11, 2] = 100
    for start in chance.integers(0, rows - 30, 5):
        unit = int(chance.integers(0, 3))
        made[start : start + 20, 3 + 17 * unit : 20 + 17 * unit] = np.nan
    return made


def write(path: Path, made: Any) -> None:
    """A line for each row, with spaces between the values and `NaN` for a missing one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        for row in made:
            values = (f"{value:.6g}" if np.isfinite(value) else "NaN" for value in row[2:])
            file.write(f"{row[0]:.2f} {row[1]:.0f} {' '.join(values)}\n")
