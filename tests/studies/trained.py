"""Results of training runs as a sweep gives them, with numbers that are known beforehand."""

from __future__ import annotations

from typing import Any

from crowdloom.models.runs import RunResult

SEEDS = (0, 1, 2)
ROWS = ("hard labels", "soft labels, kept apart")
FAILED = "the loss is not finite in epoch 3"


def result(row: str = ROWS[0], seed: int = 0, **changes: Any) -> RunResult:
    """A run that is done; soft labels are better in each metric, and so is a higher seed."""
    off = 0.5 * (row == ROWS[0]) + 0.1 * (2 - seed) + 0.01 * (row == ROWS[0]) * seed
    metrics = {
        name: {"cross_entropy": less + 1.0 + off, "calibration_error": 0.1 + off / 10, "accuracy": 0.9 - off / 10}
        for name, less in (("people's labels", 0.0), ("the reference", 1.0))
    }
    given: dict[str, Any] = {
        "experiment": "hard-against-soft",
        "row": row,
        "network": "small-cnn",
        "seed": seed,
        "state": "done",
        "metrics": metrics,
        "seconds": 30.0,
        "error": None,
        "digest": f"{row} {seed}",
        "record": record(),
    }
    return RunResult(**(given | changes))


def record(epochs: int = 20, label_set: str = "Lb3sT") -> dict[str, Any]:
    """What a run's record says, as far as anybody reads it."""
    return {
        "run": {"settings": {"epochs": epochs}, "images": 900, "metrics": [], "evaluations": []},
        "origin": {"label_set": label_set},
        "computing": {"device": "cpu"},
        "code": {"crowdloom": "0.5.0"},
        "libraries": {"torch": "2.14.0"},
    }


def sweep() -> list[RunResult]:
    """Two rows with three seeds, of which one run failed."""
    done = [result(row, seed) for row in ROWS for seed in SEEDS]
    return [*done[:-1], result(ROWS[1], SEEDS[-1], state="failed", metrics={}, error=FAILED)]
