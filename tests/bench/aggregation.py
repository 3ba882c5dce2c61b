"""Dawid-Skene and the majority vote against crowd-kit's, on a million answers in ten classes.

    python -m tests.bench.aggregation [ANSWERS]

100,000 tasks are answered by ten of 2,000 simulated workers each; Dawid-Skene makes the same ten iterations. Crowd-kit
begins with a data frame of codes, ours with the same codes as arrays: the targets are for these. Then both begin with
the same data frame, of codes and of texts; there, much of our time goes into telling values apart. The two take turns,
and medians are compared. The exit status is 1 where a probability differs by more than 1e-8.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene, MajorityVote

from crowdloom.analysis.aggregation import aggregate, fit
from crowdloom.analysis.annotations import Aggregate

ANSWERS = 1_000_000
PER_TASK = 10
CLASSES = 10
WORKERS = 2_000
ITERATIONS = 10
ROUNDS = 5
TARGETS = {"majority-vote": 15, "dawid-skene": 14}


def simulated(n: int) -> pd.DataFrame:
    """Answers, as numbers, of which each worker's own share is right, and the others are any class."""
    rng = np.random.default_rng(0)
    item = np.repeat(np.arange(n // PER_TASK), PER_TASK)
    worker, skill = rng.integers(0, WORKERS, len(item)), rng.uniform(0.3, 0.9, WORKERS)
    truth = rng.integers(0, CLASSES, n // PER_TASK)[item]
    label = np.where(rng.random(len(item)) < skill[worker], truth, rng.integers(0, CLASSES, len(item)))
    frame = pd.DataFrame({"task": item, "worker": worker, "label": label})
    return frame.sample(frac=1, random_state=0, ignore_index=True)


def as_texts(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with names."""
    return pd.DataFrame({name: frame[name].map(f"{name}{{:06d}}".format) for name in frame})


def measure(name: str, what: str, theirs: Callable[[], Any], ours: Callable[[], Any]) -> bool:
    """Print the ratio of the medians; whether both gave the same."""
    seconds: dict[str, list[float]] = {"theirs": [], "ours": []}
    found: dict[str, Any] = {}
    for _ in range(ROUNDS):
        for which, run in (("theirs", theirs), ("ours", ours)):
            start = time.perf_counter()
            found[which] = run()
            seconds[which].append(time.perf_counter() - start)
    slow, fast = median(seconds["theirs"]), median(seconds["ours"])
    mine = found["ours"]
    if isinstance(mine, Aggregate):  # arrays, whose positions are the codes
        expected, mine = found["theirs"].sort_index(axis=0).sort_index(axis=1), mine.probabilities
    else:
        expected = found["theirs"].loc[mine.index, mine.columns]
    off = float(np.abs(expected.to_numpy() - np.asarray(mine)).max())
    target = f" (target {TARGETS[name]}{'' if slow / fast >= TARGETS[name] else ', missed'})"
    print(
        f"aggregation, {name} from {what}: {len(expected)} tasks, crowd-kit {slow:.2f} s, ours {fast:.3f} s, "
        f"ratio {slow / fast:.1f}{target if what == 'arrays' else ''}; "
        f"probabilities differ by at most {off:.0e}"
    )
    return off <= 1e-8


def main() -> int:
    """Print the ratios; 1 where the two do not give the same numbers."""
    warnings.filterwarnings("ignore")  # of crowd-kit's use of pandas
    codes = simulated(int(sys.argv[1]) if len(sys.argv) > 1 else ANSWERS)
    same = True
    for name, theirs, options in (
        ("majority-vote", MajorityVote, {}),
        ("dawid-skene", lambda: DawidSkene(ITERATIONS, tol=-np.inf), {"iterations": ITERATIONS, "tolerance": -np.inf}),
    ):
        answers = aggregate(codes).answers
        same &= measure(
            name,
            "arrays",
            lambda t=theirs: t().fit_predict_proba(codes),
            lambda n=name, a=answers, o=options: fit(n, a, **o),
        )
        for what, frame in (("a frame of codes", codes), ("a frame of texts", as_texts(codes))):
            same &= measure(
                name,
                what,
                lambda t=theirs, f=frame: t().fit_predict_proba(f),
                lambda n=name, f=frame, o=options: aggregate(f, n, **o).probabilities(),
            )
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
