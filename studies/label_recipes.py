"""What a label set is built by, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crowdloom.analysis.export import LabelTable
from crowdloom.studies.errors import OptionError
from crowdloom.studies.reading import Scope

if TYPE_CHECKING:
    import pandas as pd

POOLS = ("linear-pool", "log-pool")


@dataclass(frozen=True)
class Draws:
    """The draws of annotators from which the intervals of an aggregate come."""

    samples: int
    seed: int
    progress: Callable[[int, int], None] | None = None
    """Told how far it is."""


@dataclass(frozen=True)
class Recipe:
    """How labels are built; which varieties there are, and what gamma means, depends on the task."""

    variety: str | None = None
    """The task's usual one where it is not said."""
    gamma: float | None = None
    aggregate: str | None = None
    """None for one label per response; `mean`, or a method of `analysis.aggregation`, for one per item."""
    repeats: bool = False
    """Whether repeats count in an aggregate (single labels are always built for repeats too)."""
    responses: Scope = "accepted"
    version: int | None = None
    similarity: Path | None = None
    """For semantic soft labels only: a CSV with the similarity of the classes."""
    vectors: Path | None = None
    """For these too: vectors of the classes' words, whose cosine says it. With neither, the second choices do."""
    weights: str | None = None
    """For pools only: what annotators weigh, `equal` (also where it is not said) or `agreement`."""
    calibrated: bool = False
    """For pools only: whether each annotator's labels are calibrated first."""
    draws: Draws | None = None
    """For aggregates of soft labels only: also find their intervals."""


def pool_options(recipe: Recipe) -> dict[str, Any]:
    """What a pool is told, nothing for other aggregates. Raises OptionError where it is told to another."""
    if recipe.aggregate in POOLS:
        return {"weights": recipe.weights or "equal", "calibrated": recipe.calibrated}
    for option, given in (("--weights", recipe.weights is not None), ("--calibrated", recipe.calibrated)):
        if given:
            raise OptionError(f"{option} means something under --aggregate {' or '.join(POOLS)} only; leave it out")
    return {}


@dataclass(frozen=True)
class BuiltLabels:
    """Labels ready to be written, and what they were built from."""

    table: LabelTable
    responses: int
    left_out: int
    """Responses that have no label, such as the same class twice with the probability 0."""
    settings: dict[str, Any] = field(default_factory=dict)
    """The variety with all that it was built by, whether said or usual; kept with the label set."""
    intervals: pd.DataFrame | None = None
    """Where the recipe has draws: item, label, probability, low and high (95 %), a row for each item and class.

    Low and high are missing for items with one annotator."""
