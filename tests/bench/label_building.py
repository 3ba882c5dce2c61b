"""Label building on arrays against the straightforward construction, response by response.

    python -m tests.bench.label_building

Both build the T2-clamp label of the same simulated CIFAR-10 answers: the baseline from the answers
as they are stored, one dictionary each, the other from the arrays of `Elicited`. The same numbers
are checked; the exit status is 1 where they differ.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from crowdloom.analysis.labels import Elicited, build_labels, parse_variety
from crowdloom.tasks.columns import pack, record_fields
from crowdloom.tasks.protocol import Person, Trial
from crowdloom.tasks.soft_label import CIFAR10, SoftLabel

RESPONSES = 200_000
TARGET = 70
GAMMA = 0.1


def one_by_one(answers: list[dict[str, Any]], classes: tuple[str, ...], gamma: float) -> list[list[float] | None]:
    """T2-clamp labels as one would write them for a few thousand answers."""
    position = {name: number for number, name in enumerate(classes)}
    labels: list[list[float] | None] = []
    for answer in answers:
        label = [0.0] * len(classes)
        label[position[answer["top1"]]] = answer["top1_probability"] / 100
        if answer["top2"] is not None and answer["top2_probability"] is not None:
            label[position[answer["top2"]]] = answer["top2_probability"] / 100
        impossible = {position[name] for name in answer["impossible"]}
        mass = sum(label)
        chosen = [number for number, value in enumerate(label) if value > 0]
        open_classes = len(classes) - len(impossible) - len(chosen)
        rest = 1 - mass
        if mass >= 1:
            label = [value / mass for value in label]
            rest = 0.0
            if open_classes != 0:
                rest = gamma
                label = [value * (1 - gamma) for value in label]
        if open_classes > 0:
            for number in range(len(classes)):
                if number not in impossible and number not in chosen:
                    label[number] = rest / open_classes
        total = sum(label)
        labels.append([value / total for value in label] if total > 0 else None)
    return labels


def simulated(n: int) -> list[dict[str, Any]]:
    """Answers of simulated participants to items of varied difficulty."""
    task, rng, trial = SoftLabel(), random.Random(1), Trial(classes=CIFAR10, class_order=CIFAR10)
    answers = []
    for _ in range(n):
        weights = [rng.expovariate(1) ** 4 for _ in CIFAR10]
        truth = {name: weight / sum(weights) for name, weight in zip(CIFAR10, weights, strict=True)}
        answers.append(task.parse(task.simulate(truth, Person(skill=0.95), trial, rng), trial))
    return answers


def fastest(function: Callable[[], Any], times: int) -> tuple[float, Any]:
    """The shortest of several runs, in seconds, and what the last one returned."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def main() -> int:
    """Print the ratio; 1 where the two differ."""
    task = SoftLabel()
    texts = [json.dumps(answer) for answer in simulated(5_000)]
    answers = [json.loads(texts[number % len(texts)]) for number in range(RESPONSES)]
    packed = b"".join(pack(task.columns, task.typed(answer, CIFAR10), CIFAR10) for answer in answers)
    records = np.frombuffer(packed, dtype=np.dtype(record_fields(task.columns, len(CIFAR10))))
    elicited = Elicited.from_records(records, len(CIFAR10))
    variety = parse_variety("T2-clamp")

    baseline, expected = fastest(lambda: one_by_one(answers, CIFAR10, GAMMA), 3)
    vectorised, (labels, kept) = fastest(lambda: build_labels(elicited, variety, GAMMA), 15)
    same = np.array_equal(kept, [label is not None for label in expected]) and np.allclose(
        labels, [label or [0.0] * len(CIFAR10) for label in expected], rtol=0, atol=1e-12
    )
    ratio = baseline / vectorised
    print(
        f"label building: {RESPONSES} responses, baseline {baseline:.3f} s, vectorised {vectorised:.4f} s, "
        f"ratio {ratio:.0f} (target {TARGET}{'' if ratio >= TARGET else ', missed'})"
    )
    if not same:
        print("label building: the two do not give the same numbers")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
