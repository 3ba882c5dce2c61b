"""Outcomes: what one answer says, as a number, for each task; see `analysis.plan.OUTCOMES` for their meanings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from crowdloom.analysis.elicited import Bools, Elicited, Floats
from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.labels import build_labels, entropy, parse_variety
from crowdloom.analysis.latent_summary import improvements
from crowdloom.analysis.mixed_labels import endpoint_masses
from crowdloom.analysis.mixing import mixed_responses
from crowdloom.analysis.plan import OUTCOMES

Values = Callable[[pd.DataFrame, pd.DataFrame, Sequence[str]], Floats]


def outcome(task: str, name: str, frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> pd.Series:
    """An outcome of every answer in the frame, as float with the frame's index; NaN where it is not defined.

    The frame has been checked at the door. Raises ValueError for an outcome that the task does not have, and
    FrameError where the items lack what it needs.
    """
    if name not in OUTCOMES.get(task, {}):
        raise ValueError(f"the task {task} has no outcome {name!r}; there are: {', '.join(OUTCOMES.get(task, {}))}")
    values = _VALUES[task][name](frame, items, classes)
    return pd.Series(values.astype(np.float64), index=frame.index, name=name)


def _seconds(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Floats:
    return frame["rt_ms"].to_numpy(dtype=np.float64) / 1000


def _top1_accuracy(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Floats:
    return _right(frame, (frame["top1"] == frame["reference"]).to_numpy(dtype=bool))


def _top2_accuracy(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Floats:
    named = (frame["top1"] == frame["reference"]) | (frame["top2"] == frame["reference"])
    return _right(frame, named.to_numpy(dtype=bool))


def _right(frame: pd.DataFrame, right: Bools) -> Floats:
    return np.where(frame["reference"].notna(), right, np.nan).astype(np.float64)


def _top1_probability(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Floats:
    return frame["top1_probability"].to_numpy(dtype=np.float64)


def _label_entropy(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Floats:
    labels, kept = build_labels(Elicited.from_frame(frame, classes), parse_variety("T2-clamp"), gamma=0.1)
    values = np.full(len(frame), np.nan)
    values[kept] = entropy(labels[kept])
    return values


def _mass_elsewhere(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Floats:
    masses = endpoint_masses(frame, items, classes).set_index(["submission", "item"])["elsewhere"]
    answers = pd.MultiIndex.from_frame(frame[["submission", "item"]])
    values = masses.reindex(answers).to_numpy(dtype=np.float64)
    return np.where(frame["is_repeat"], np.nan, values)


def _mixing(column: str, zero: float | str | None = None) -> Values:
    """A column of `mixed_responses`, or its distance from a number or from another column."""

    def values(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Floats:
        responses = mixed_responses(frame, items, classes)
        found = responses[column].to_numpy(dtype=np.float64)
        if zero is None:
            return found
        return np.abs(found - (responses[zero].to_numpy(dtype=np.float64) if isinstance(zero, str) else zero))

    return values


def _accuracy(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Floats:
    if "prediction" not in items:
        raise FrameError("the items have no prediction, so no guess can be right; add the column prediction")
    predicted = dict(zip(items["item"], items["prediction"], strict=True))
    right = frame["choice"] == frame["item"].map(predicted)
    return np.where(frame["choice"].notna(), right, np.nan).astype(np.float64)


def _column(name: str) -> Values:
    """A column of the frame as it is."""
    return lambda frame, items, classes: frame[name].to_numpy(dtype=np.float64)


def _change(name: str) -> Values:
    """What a measure was after the second attempt less what it was after the first."""
    return lambda frame, items, classes: (frame[f"{name}_after"] - frame[f"{name}_before"]).to_numpy(dtype=np.float64)


def _improvement(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> Floats:
    return improvements(frame)


_VALUES: dict[str, dict[str, Values]] = {
    "soft-label": {
        "top1_accuracy": _top1_accuracy,
        "top2_accuracy": _top2_accuracy,
        "top1_probability": _top1_probability,
        "label_entropy": _label_entropy,
        "mass_elsewhere": _mass_elsewhere,
        "seconds": _seconds,
    },
    "mixing-coefficient": {
        "inferred": _mixing("lambda_h"),
        "deviation": _mixing("lambda_h", "lambda_f"),
        "confidence": _mixing("confidence"),
        "midpoint": _mixing("midpoint"),
        "midpoint_deviation": _mixing("midpoint", 0.5),
        "seconds": _seconds,
    },
    "wrong-label": {"accuracy": _accuracy, "seconds": _seconds},
    "latent-session": {
        "accuracy": _column("accuracy"),
        "improvement": _improvement,
        "macro_f1": _column("macro_f1"),
        "movements": _column("movements"),
        "seconds": _seconds,
    },
    "coach": {
        "recognised_before": _column("recognised_before"),
        "recognised_after": _column("recognised_after"),
        "recognised_gain": _change("recognised"),
        "confidence_before": _column("confidence_before"),
        "confidence_after": _column("confidence_after"),
        "confidence_gain": _change("confidence"),
        "ink_change": _change("ink"),
        "length_change": _change("length"),
        "seconds_change": _change("seconds"),
        "similarity": _column("similarity"),
        "adopted": _column("adopted"),
        "seconds": _seconds,
    },
}
