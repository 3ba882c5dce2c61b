"""From many people's answers to one distribution over classes per item: all methods, by name, behind one door.

`fit` takes answers as positions (see `analysis.annotations`), `aggregate` a frame with a row for each answer. Labels of
single answers are never lost by it: `analysis.labels` builds them, and `crowdloom labels` without `--aggregate` writes
them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from crowdloom.analysis.annotations import Aggregate, Annotations, SoftAnnotations
from crowdloom.analysis.dawid_skene import dawid_skene
from crowdloom.analysis.elicited import Ints
from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.majority_vote import majority_vote
from crowdloom.analysis.pools import linear_pool, log_pool
from crowdloom.analysis.soft_dawid_skene import soft_dawid_skene


@dataclass(frozen=True)
class Method:
    """One way to aggregate."""

    about: str
    takes: Literal["hard", "soft"]
    """Soft methods take hard answers as certain ones; hard methods take soft answers' most probable class."""
    fit: Callable[..., Aggregate]
    options: tuple[str, ...] = ()
    """What may be said to it, by keyword."""


_EM = ("iterations", "tolerance", "progress")
_POOL = ("weights", "calibrated", "floor")

METHODS = {
    "majority-vote": Method("the share of the answers that each class got", "hard", majority_vote),
    "dawid-skene": Method("true classes and annotators' confusions, by EM", "hard", dawid_skene, _EM),
    "linear-pool": Method("the (weighted) mean of the answers' distributions", "soft", linear_pool, _POOL),
    "log-pool": Method("their (weighted) geometric mean, normalised", "soft", log_pool, _POOL),
    "soft-dawid-skene": Method(
        "true classes and annotators' confusions, from distributions or few answers", "soft", soft_dawid_skene,
        (*_EM, "strength"),
    ),
}  # fmt: skip
"""Every method by its name."""

Answers = Annotations | SoftAnnotations


def find_method(name: str) -> Method:
    """The method of that name. Raises ValueError, with the choices, for another."""
    if name not in METHODS:
        raise ValueError(f"{name!r} is no way to aggregate; choose one of {', '.join(METHODS)}")
    return METHODS[name]


def suited(name: str, answers: Answers) -> Answers:
    """The answers as the method takes them. Raises ValueError for an unknown method, or where they are too many."""
    if find_method(name).takes == "hard":
        return answers.most_probable() if isinstance(answers, SoftAnnotations) else answers
    return answers.one_hot() if isinstance(answers, Annotations) else answers


def fit(name: str, answers: Answers, **options: Any) -> Aggregate:
    """Aggregate answers by a method of `METHODS`, with its options (see its own function).

    Raises ValueError for an unknown method, an option that it does not take, or one out of range.

    >>> votes = Annotations(np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([1, 1, 0]), 1, 3, 2)
    >>> fit("majority-vote", votes).probabilities.round(3).tolist()
    [[0.333, 0.667]]
    """
    method = find_method(name)
    unknown = [option for option in options if option not in (*method.options, "drawn")]
    if unknown:
        takes = ", ".join(method.options) or "no options"
        raise ValueError(f"{name} has no option {unknown[0]}; it takes {takes}")
    return method.fit(suited(name, answers), **options)


@dataclass(frozen=True)
class Aggregated:
    """What came of a frame: an aggregate with the names of what its positions stand for."""

    tasks: list[Any]
    workers: list[Any]
    classes: list[Any]
    answers: Answers
    aggregate: Aggregate
    left_out: int
    """Rows in which the task, the worker or the label was missing."""

    def probabilities(self) -> pd.DataFrame:
        """A row for each task, a column for each class."""
        index = pd.Index(self.tasks, name="task")
        return pd.DataFrame(self.aggregate.probabilities, index=index, columns=pd.Index(self.classes, name="label"))

    def labels(self) -> pd.Series:
        """The most probable class of each task; between equally probable ones the first in order."""
        best = self.aggregate.probabilities.argmax(axis=1) if self.classes else []
        names = [self.classes[number] for number in best]
        return pd.Series(names, index=pd.Index(self.tasks, name="task"), name="label", dtype=object)

    def confusions(self) -> pd.DataFrame:
        """Columns worker, true, label and probability: how likely each worker says label where true is right.

        A row for each worker, class and label that the worker ever gave; other labels have the probability 0.
        Raises ValueError where the method knows no confusions.
        """
        found = self.aggregate.confusions
        if found is None:
            raise ValueError(f"{self.aggregate.method} estimates no confusions; take dawid-skene or soft-dawid-skene")
        workers, classes = (np.array([*names, None], dtype=object) for names in (self.workers, self.classes))
        k = len(self.classes)
        frame = pd.DataFrame(
            {
                "worker": np.repeat(workers[found.annotator], k),
                "true": np.tile(classes[:-1], len(found.label)),
                "label": np.repeat(classes[found.label], k),
                "probability": found.probabilities.reshape(-1),
            }
        )
        order = np.lexsort(
            (np.repeat(found.label, k), np.tile(np.arange(k), len(found.label)), np.repeat(found.annotator, k))
        )
        return frame.iloc[order].reset_index(drop=True)


def aggregate(
    frame: pd.DataFrame,
    method: str = "majority-vote",
    *,
    task: str = "task",
    worker: str = "worker",
    label: str | Sequence[str] = "label",
    classes: Sequence[Any] | None = None,
    **options: Any,
) -> Aggregated:
    """Aggregate a frame with a row for each answer.

    task, worker    names of the columns that say what was answered, and who did
    label           the column with the answer; or several columns, one for each class, with its distribution
    classes         all classes, in the order wanted; else those that occur, in order

    Rows in which one of these is missing are left out; every other row counts, also where a worker answered a task
    twice. Tasks, workers and classes come out in order: numbers by their value, also where they are texts, other texts
    by their characters. Raises FrameError where a column is missing or a label is none of `classes`, and ValueError as
    `fit` does.

    >>> answers = pd.DataFrame({"task": ["a", "a", "a", "b"], "worker": [1, 2, 3, 1], "label": list("xxyy")})
    >>> aggregate(answers).labels().to_dict()
    {'a': 'x', 'b': 'y'}
    """
    soft = not isinstance(label, str)
    columns = [task, worker, *label] if soft else [task, worker, str(label)]
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise FrameError(f"the frame lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; add them")
    known = np.logical_and.reduce([frame[name].notna().to_numpy() for name in columns])
    kept = frame if known.all() else frame[known]
    item, tasks = coded(kept[task])
    annotator, workers = coded(kept[worker])
    answers: Answers
    if soft:
        names: list[Any] = list(label)
        answers = SoftAnnotations(item, annotator, kept[names].to_numpy(np.float64), len(tasks), len(workers))
    else:
        said, names = _coded_labels(kept[str(label)], classes)
        answers = Annotations(item, annotator, said, len(tasks), len(workers), len(names))
    return Aggregated(tasks, workers, names, answers, fit(method, answers, **options), int((~known).sum()))


def coded(values: pd.Series) -> tuple[Ints, list[Any]]:
    """Each value's position [N] among the distinct ones, and these in order; nothing may be missing.

    >>> coded(pd.Series(["10", "9", "10"]))[1], coded(pd.Series(["b", "a10", "a9"]))[1]
    (['9', '10'], ['a10', 'a9', 'b'])
    """
    if len(values) and values.dtype.kind in "iu" and np.can_cast(values.to_numpy().dtype, np.intp):
        numbers = values.to_numpy(np.intp)
        least = numbers.min()
        if int(numbers.max()) - int(least) <= 4 * len(numbers):  # numbers close together are counted faster than hashed
            offset = numbers - least if least else numbers
            occurs = np.bincount(offset) > 0
            codes = offset if occurs.all() else (np.cumsum(occurs) - 1)[offset]
            return codes, (np.flatnonzero(occurs) + least).tolist()
    codes, distinct = pd.factorize(values)
    if distinct.dtype.kind in "biuf":  # numbers or booleans
        order = np.argsort(np.asarray(distinct), kind="stable")
        names = distinct[order].tolist()
    else:
        found = distinct.tolist()
        order = _in_order(found)
        names = [found[number] for number in order.tolist()]
    place = np.empty(len(names), dtype=np.intp)
    place[order] = np.arange(len(names))
    return place[codes], names


def _in_order(names: list[Any]) -> Ints:
    """Numbers by value, and equal ones ("1", "01") by their characters; all by characters where one is no number."""
    by_text = np.asarray(pc.array_sort_indices(pa.array(map(str, names), pa.string())), dtype=np.intp)
    try:
        numbers = np.array([float(name) for name in names])
    except (TypeError, ValueError):
        return by_text
    if np.isnan(numbers).any():
        return by_text
    return by_text[np.argsort(numbers[by_text], kind="stable")]


def _coded_labels(values: pd.Series, classes: Sequence[Any] | None) -> tuple[Ints, list[Any]]:
    if classes is None:
        return coded(values)
    codes = pd.Index(list(classes)).get_indexer(values)
    bad = np.flatnonzero(codes < 0)
    if len(bad):
        raise FrameError(f"the label {values.iloc[bad[0]]!r} is none of the classes {', '.join(map(str, classes))}")
    return codes.astype(np.intp), list(classes)
