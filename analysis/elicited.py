"""What people said about each item, as arrays: the input of every label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Elicited:
    """N answers about K classes, as arrays.

    top1, top2                            int [N], a position among the classes; -1 where none was chosen
    top1_probability, top2_probability    float [N], 0-100; NaN where none was given
    impossible                            bool [N, K], the classes ticked as definitely not

    Raises ValueError where the shapes differ, or a class or a probability is out of range.
    """

    top1: Ints
    top1_probability: Floats
    top2: Ints
    top2_probability: Floats
    impossible: Bools

    def __post_init__(self) -> None:
        if self.impossible.ndim != 2 or self.impossible.dtype != np.bool_:
            raise ValueError("impossible must be a boolean array [responses, classes]")
        n, k = self.impossible.shape
        for name in ("top1", "top1_probability", "top2", "top2_probability"):
            values = getattr(self, name)
            if values.shape != (n,):
                raise ValueError(f"{name} has shape {values.shape}, but impossible has {n} rows; give one value each")
            if n and name in ("top1", "top2") and not (values.min() >= -1 and values.max() < k):
                raise ValueError(f"{name} must lie between 0 and {k - 1}, or be -1 where no class was chosen")
            if n and name not in ("top1", "top2") and (np.fmin.reduce(values) < 0 or np.fmax.reduce(values) > 100):
                raise ValueError(f"{name} must lie between 0 and 100, or be NaN where no probability was given")

    def __len__(self) -> int:
        return len(self.top1)

    @classmethod
    def from_records(cls, records: npt.NDArray[np.void], n_classes: int) -> Elicited:
        """The answers in packed records, an array of `numpy.dtype(tasks.columns.record_fields(...))`.

        Raises ValueError where the records lack a field of the task soft-label.
        """
        needed = ("top1", "top1_probability", "top2", "top2_probability", "impossible")
        missing = [name for name in needed if name not in (records.dtype.names or ())]
        if missing:
            raise ValueError(f"the answers have no field {', '.join(missing)}; labels need the answers of soft-label")
        return cls(
            records["top1"].astype(np.intp),
            records["top1_probability"].astype(np.float64),
            records["top2"].astype(np.intp),
            records["top2_probability"].astype(np.float64),
            np.unpackbits(records["impossible"], axis=1, count=n_classes).view(np.bool_),
        )

    @classmethod
    def from_frame(cls, frame: Any, classes: Sequence[str]) -> Elicited:
        """The answers in a long frame (see `analysis.frame`), which has been checked at the door."""
        position = {name: number for number, name in enumerate(classes)}
        sets, which = _distinct(frame["impossible"].tolist())
        impossible = np.zeros((len(sets), len(classes)), dtype=np.bool_)
        rows = np.repeat(np.arange(len(sets)), [len(names) for names in sets])
        impossible[rows, [position[name] for name in chain.from_iterable(sets)]] = True
        return cls(
            _positions(frame["top1"], position),
            frame["top1_probability"].to_numpy(np.float64),
            _positions(frame["top2"], position),
            frame["top2_probability"].to_numpy(np.float64),
            impossible[which],
        )


def _distinct(values: list[Any]) -> tuple[list[Any], Ints]:
    """The distinct objects among values [N] and, for each value, which of these it is, [N].

    A frame holds the same few tuples again and again (see `analysis.frame`); telling objects apart takes less time than
    comparing what is in them.
    """
    import pandas as pd

    which, first = pd.factorize(np.fromiter(map(id, values), dtype=np.int64, count=len(values)))
    by_id = {id(value): value for value in values}
    return [by_id[key] for key in first.tolist()], which.astype(np.intp)


def _positions(names: Any, position: Mapping[str, int]) -> Ints:
    """The position of each class named, [N]; -1 for none."""
    import pandas as pd

    which, known = pd.factorize(names)
    return np.array([*(position.get(name, -1) for name in known), -1], dtype=np.intp)[which]  # -1 takes the last
