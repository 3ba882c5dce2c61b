"""Made-up sessions in a latent space: valid records in which classes were moved as a strategy has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crowdloom.analysis.latent_frames import Session
from crowdloom.tasks.latent_records import Epoch, Interaction, Movement, SessionRecord, Shape

CLASSES = ("ant", "bee", "cow", "dog", "eel")
PRETRAINING, EACH = 25, 5


def shape_of(centres: np.ndarray, spreads: np.ndarray) -> Shape:
    """The shape of arrays; NaN for a class without points."""
    gone = np.isnan(spreads)
    return Shape(
        centres=[None if no else (float(x), float(y)) for no, (x, y) in zip(gone, centres, strict=True)],
        spreads=[None if no else float(spread) for no, spread in zip(gone, spreads, strict=True)],
    )


def arranged(before: Shape, strategy: str, size: float = 0.5) -> Shape:
    """What a person who follows a strategy makes of a shape of all classes."""
    centres, spreads = np.array(before.centres, dtype=float), np.array(before.spreads, dtype=float)
    middle = centres.mean(axis=0)
    if strategy == "compactness":
        spreads = spreads * (1 - size)
    elif strategy == "distance":
        centres = middle + (centres - middle) * (1 + size)
    elif strategy == "merge":
        for first in range(0, len(centres) - 1, 2):
            pair = slice(first, first + 2)
            centres[pair] += (centres[pair].mean(axis=0) - centres[pair]) * size
    else:
        assert strategy == "keep"
    return shape_of(centres, spreads)


def session(
    number: int = 0,
    strategies: Sequence[str] = ("compactness", "distance", "merge", "keep"),
    *,
    scenario: str = "digits",
    classes: Sequence[str] = CLASSES,
    gain: float = 0.03,
    condition: str = "default",
    without_person: int = 0,
) -> Session:
    """A session of the person of that number, after whose end the accuracy is `gain` above that of `baseline_of`.

    `without_person` interactions follow that were trained when the time was over.
    """
    rng = np.random.default_rng([number, *scenario.encode()])
    k = len(classes)
    angles = np.linspace(0, 2 * np.pi, k, endpoint=False)
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1) + rng.normal(0, 0.05, (k, 2))
    before = shape_of(centres, rng.uniform(0.5, 0.8, k))
    total = len(strategies) + without_person
    base = baseline_of(scenario, number, PRETRAINING + EACH * total)
    curve = [
        one
        if one.epoch <= PRETRAINING
        else one.model_copy(
            update={
                name: min(getattr(one, name) + gain * (one.epoch - PRETRAINING) / (EACH * total), 1.0)
                for name in ("accuracy", "macro_f1")
            }
        )
        for one in base
    ]
    interactions = []
    accuracy: list[float | None] = [float(value) for value in rng.uniform(0.5, 0.8, k)]
    for place in range(total):
        alone = place >= len(strategies)
        intended = before if alone else arranged(before, strategies[place])
        after = shape_of(
            (np.array(before.centres) + np.array(intended.centres)) / 2,
            (np.array(before.spreads) + np.array(intended.spreads)) / 2,
        )
        better: list[float | None] = [min(value + 0.02, 1.0) for value in accuracy if value is not None]
        interactions.append(
            Interaction(
                number=place + 1,
                epoch=PRETRAINING + EACH * place,
                epochs=EACH,
                alpha=0.5,
                seconds=60.0 + number,
                movements=[]
                if alone or strategies[place] == "keep"
                else [Movement(at_ms=1000.0 * n, kind="centre", label=n, points=20, dx=0.1, dy=-0.1) for n in range(2)],
                before=before,
                intended=intended,
                after=after,
                class_accuracy_before=accuracy,
                class_accuracy_after=better,
                wrong_before=30,
                wrong_after=25,
                without_person=alone,
            )
        )
        before, accuracy = after, better
    record = SessionRecord(
        scenario=scenario,
        classes=list(classes),
        seed=number,
        points=100,
        scale="learned",
        pretraining=PRETRAINING,
        curve=curve,
        interactions=interactions,
    )
    return Session("latent", condition, f"p{number}", f"s{number}", scenario, record)


def baseline_of(scenario: str, seed: int, epochs: int) -> list[Epoch]:
    """A curve that rises towards 0.86, a little different for each seed after the pretraining."""
    rng = np.random.default_rng([seed, *scenario.encode()])
    found = []
    for epoch in range(1, epochs + 1):
        accuracy = 0.86 - 0.6 * np.exp(-epoch / 12)
        if epoch > PRETRAINING:
            accuracy += rng.normal(0, 0.004)
        found.append(Epoch(epoch=epoch, accuracy=float(accuracy), macro_f1=float(accuracy) - 0.01))
    return found


def baselines_of(sessions: Sequence[Session]) -> dict[tuple[str, int], list[Epoch]]:
    """The baseline of each session."""
    return {
        (one.record.scenario, one.record.seed): baseline_of(one.record.scenario, one.record.seed, one.last.epoch)
        for one in sessions
    }
