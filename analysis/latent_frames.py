"""The sessions of a study in which people reshape a network's latent space, as long frames.

All frames begin with the columns of `WHOSE`. `scenario` is what was learned (a data set with a network), `seed` that of
the training, which the training without a person has, too; interactions are numbered from 1.

    passes      item, points (shown), scale, pretraining and epochs (how many), interactions (how many), classes,
                replaced (see `Session`), words
    curves      source ("person" or "baseline"), epoch (1 is the first), accuracy, macro_f1: on the validation examples.
                A session's baseline stands under that session's names.
    shapes      interaction, stage ("before", "intended", "after"), class, x, y (its centre), spread, accuracy (of the
                class, on the validation examples; NaN for "intended"). A class without a point shown has NaN.
    movements   interaction, movement (numbered from 1), at_ms, kind, class, point, points, dx, dy, factor, as in
                `tasks.latent_records.Movement`; undone movements are there, and so is what undid them.

`tasks.latent_rows` says what their columns mean, and makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from crowdloom.analysis.frame import FrameError
from crowdloom.tasks.latent_records import BASELINE, Epoch, Interaction, SessionRecord
from crowdloom.tasks.latent_rows import Row, class_rows, curve_rows, movement_rows, session_row, stages

WHOSE = ("study", "condition", "participant", "submission", "scenario", "seed")

Baselines = Mapping[tuple[str, int], Sequence[Epoch]]
"""By scenario and seed, the curve of the training without a person."""


@dataclass(frozen=True)
class Session:
    """One participant's pass through one scenario."""

    study: str
    condition: str
    participant: str
    submission: str
    item: str
    """The key of the study's item."""
    record: SessionRecord
    repeat_index: int = 0
    """Which pass of the same submission through the same scenario, from 0."""
    words: str = ""
    """What the participant wrote about their strategy."""
    replaced: bool = False
    """Whether the page sent something else than the server itself had, whose record this is then."""

    @property
    def whose(self) -> dict[str, Any]:
        """The values of `WHOSE`."""
        names = ("study", "condition", "participant", "submission")
        return {name: getattr(self, name) for name in names} | {
            "scenario": self.record.scenario,
            "seed": self.record.seed,
        }

    @property
    def last(self) -> Epoch:
        """How well the network did in the end."""
        return self.record.curve[-1]


def check_record(record: SessionRecord) -> None:
    """Raise FrameError, in a clause, for the first thing in a record that contradicts the rest of it.

    A record comes from a page's form: that its fields are of the right types says nothing of whether they fit.
    """
    epochs = [one.epoch for one in record.curve]
    if epochs != list(range(1, len(epochs) + 1)):
        raise FrameError("the epochs of the curve are not 1, 2, 3 and so on")
    if len(set(record.classes)) < len(record.classes):
        raise FrameError("a class stands there twice")
    reached = record.pretraining
    for number, one in enumerate(record.interactions, 1):
        if one.number != number:
            raise FrameError(f"interaction {number} has the number {one.number}")
        if one.epoch != reached:
            raise FrameError(f"interaction {number} begins at epoch {one.epoch}, and not at epoch {reached}")
        reached += one.epochs
        _check_classes(one, len(record.classes))
        if any(move.label is not None and move.label >= len(record.classes) for move in one.movements):
            raise FrameError(f"interaction {number} moves a class that is not there")
    if reached != len(epochs):
        raise FrameError(f"the curve has {len(epochs)} epochs, and not the {reached} that were trained")


def _check_classes(one: Interaction, classes: int) -> None:
    given = {
        "class_accuracy_before": one.class_accuracy_before,
        "class_accuracy_after": one.class_accuracy_after,
        **{f"centres {stage}": shape.centres for stage, shape in stages(one)},
        **{f"spreads {stage}": shape.spreads for stage, shape in stages(one)},
    }
    for name, values in given.items():
        if len(values) != classes:
            raise FrameError(f"interaction {one.number} has {len(values)} {name} for {classes} classes")
    for stage, shape in stages(one):
        if [centre is None for centre in shape.centres] != [spread is None for spread in shape.spreads]:
            raise FrameError(f"interaction {one.number}, {stage}: a class has a centre and no spread, or the reverse")


def passes(sessions: Sequence[Session]) -> pd.DataFrame:
    """The frame of sessions, a row for each."""
    rows = [
        one.whose | session_row(one.record) | {name: getattr(one, name) for name in ("item", "replaced", "words")}
        for one in sessions
    ]
    names = ("item", "points", "scale", "pretraining", "epochs", "interactions", "classes", "replaced", "words")
    frame = _frame(rows, *names, floats=())
    frame["classes"] = frame["classes"].map(tuple)
    whole = ("pretraining", "epochs", "interactions")
    return frame.astype(dict.fromkeys(whole, int) | {"replaced": bool})


def curves(sessions: Sequence[Session], baselines: Baselines | None = None) -> pd.DataFrame:
    """The frame of curves: each session's, and after it its baseline's where that is known."""

    def rows() -> Iterator[Row]:
        for session in sessions:
            yield from (session.whose | {"source": "person"} | row for row in curve_rows(session.record))
            for one in (baselines or {}).get((session.record.scenario, session.record.seed), ()):
                yield session.whose | {"source": BASELINE} | one.model_dump()

    return _frame(rows(), "source", "epoch", "accuracy", "macro_f1", floats=("accuracy", "macro_f1"))


def shapes(sessions: Sequence[Session]) -> pd.DataFrame:
    """The frame of shapes: three rows for each class of each interaction."""
    numbers = ("x", "y", "spread", "accuracy")
    return _frame(_of_all(sessions, class_rows), "interaction", "stage", "class", *numbers, floats=numbers)


def movements(sessions: Sequence[Session]) -> pd.DataFrame:
    """The frame of movements, in the order in which they were made."""
    names = ("interaction", "movement", "at_ms", "kind", "class", "point", "points", "dx", "dy", "factor")
    return _frame(_of_all(sessions, movement_rows), *names, floats=("at_ms", "point", "dx", "dy", "factor"))


def _of_all(sessions: Sequence[Session], rows: Callable[[SessionRecord], Iterator[Row]]) -> Iterator[Row]:
    for session in sessions:
        for row in rows(session.record):
            yield session.whose | row


def interactions_of(sessions: Sequence[Session]) -> Iterator[tuple[Session, Interaction]]:
    """Every interaction with its session."""
    for session in sessions:
        for one in session.record.interactions:
            yield session, one


def _frame(rows: Iterable[Row], *names: str, floats: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=[*WHOSE, *names], dtype=object)  # so that None stays None
    whole = [name for name in ("seed", "epoch", "interaction", "movement", "points") if name in frame]
    return frame.astype(dict.fromkeys(floats, float) | dict.fromkeys(whole, int))
