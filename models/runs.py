"""What one run is, a network trained with one seed on one set of labels, and what came of it; all plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.elicited import Floats, Ints
from crowdloom.analysis.label_pools import LabelPool
from crowdloom.models.settings import Settings

METHOD = 1
"""Part of every digest; raised with a change of the code after which the same run has other numbers."""

State = Literal["done", "failed"]


@dataclass(frozen=True)
class Corrupted:
    """Where corrupted images lie: `folder` is CIFAR-10-C's, `rows` int [n] are positions in CIFAR-10's test set."""

    folder: Path
    rows: Ints


@dataclass(frozen=True)
class Evaluation:
    """Images that a network is tried on, and what should be said of them.

    name       as tables call it, such as `cifar10h`
    index      int [n], positions among the sweep's images
    labels     float [n, K], a distribution over the classes for each
    bin        how many predictions make one bin of the calibration error
    corrupted  the same images as CIFAR-10-C has them; None for corruptions made here
    """

    name: str
    index: Ints
    labels: Floats
    bin: int = 100
    corrupted: Corrupted | None = None

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or self.index.shape != self.labels.shape[:1]:
            raise ValueError(f"evaluation {self.name!r} needs labels [images, classes], one for each of its images")


@dataclass(frozen=True)
class Run:
    """One network, trained with one seed on one set of labels.

    experiment, row    where its numbers belong: the table, and the table's row; no part of what is computed
    index              int [N], the positions of its images among the sweep's
    pool               the labels of these images, in the same order
    metrics            columns of `models/evaluating.py`
    origin             where images and labels come from, for records and model cards, as JSON values; whoever reads the
                       model back wants `classes`, the names of the K classes
    """

    experiment: str
    row: str
    settings: Settings
    seed: int
    index: Ints
    pool: LabelPool
    evaluations: Sequence[Evaluation]
    metrics: Sequence[str]
    origin: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.index) != len(self.pool):
            raise ValueError(f"{self.title} has labels of {len(self.pool)} images, but {len(self.index)} images")
        names = [evaluation.name for evaluation in self.evaluations]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.title} has two evaluations of one name")
        given = self.origin.get("classes")
        if given is not None and len(given) != self.pool.classes:
            raise ValueError(f"{self.title} names {len(given)} classes, and its labels have {self.pool.classes}")

    @property
    def title(self) -> str:
        """As people read it: table, row, network and seed."""
        return f"{self.experiment}, {self.row}, {self.settings.network}, seed {self.seed}"

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names; where nobody gave any, their positions."""
        return tuple(str(name) for name in self.origin.get("classes", range(self.pool.classes)))

    def digest(self, images_digest: str) -> str:
        """The SHA-256 of all that decides the result, with the digest of the sweep's images (`digest_of`).

        The machine, the names of table and row and the origin are no part of it: rows of two tables that ask for the
        same thing are one run.

        >>> from crowdloom.analysis.label_pools import pool_of
        >>> pool = pool_of(np.eye(2))
        >>> one = Run("3.1", "hard", Settings(), 0, np.arange(2), pool, [], ["accuracy"])
        >>> two = Run("3.2", "hard", Settings(), 0, np.arange(2), pool, [], ["accuracy"])
        >>> three = Run("3.1", "hard", Settings(), 1, np.arange(2), pool, [], ["accuracy"])
        >>> one.digest("") == two.digest(""), one.digest("") == three.digest("")
        (True, False)
        """
        evaluations = [
            [one.name, one.bin, digest_of(_whole(one.index)), digest_of(one.labels)]
            + ([digest_of(_whole(one.corrupted.rows))] if one.corrupted else [])
            for one in self.evaluations
        ]
        said = {
            "method": METHOD,
            "settings": self.settings.as_json(),
            "seed": self.seed,
            "images": images_digest,
            "index": digest_of(_whole(self.index)),
            "pool": [
                digest_of(self.pool.labels),
                digest_of(_whole(self.pool.start)),
                digest_of(_whole(self.pool.count)),
            ],
            "evaluations": evaluations,
            "metrics": list(self.metrics),
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class RunResult:
    """What came of a run.

    metrics    {evaluation: {metric: value}}; empty where it failed
    seconds    of training and evaluation, over all attempts that the result needed
    error      one sentence; None where it is done
    record     configuration, code, libraries, device, times: all that it takes to do it again
    """

    experiment: str
    row: str
    network: str
    seed: int
    state: State
    metrics: Mapping[str, Mapping[str, float]]
    seconds: float
    error: str | None
    digest: str
    record: Mapping[str, Any]


def digest_of(array: npt.NDArray[Any]) -> str:
    """The SHA-256 of an array's type, shape and values, the same on every machine.

    >>> two = np.zeros(2)
    >>> digest_of(two) == digest_of(two.astype(">f8")), digest_of(two) == digest_of(two.reshape(2, 1))
    (True, False)
    """
    values = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    seen = hashlib.sha256(f"{values.dtype.str} {array.shape} ".encode())
    seen.update(values.data if values.size else b"")
    return seen.hexdigest()


def _whole(positions: Ints) -> npt.NDArray[np.int64]:
    """`intp` is as wide as the machine's addresses."""
    return positions.astype(np.int64)
