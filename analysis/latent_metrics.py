"""What a person asked of a latent space, and what its network did: centres, spreads and separation of classes.

A class c has a centre m_c (the mean of its points) and a spread s_c (their mean distance to it). Between two shapes of
the same points, from the first to the second (marked with '):

    centre movement of c      ||m'_c - m_c||
    spread change of c        s'_c - s_c; below 0 the class became more compact
    separation of c           the mean over the other classes d of ||m_c - m_d|| - (s_c + s_d): how far the boundaries
                              of classes are apart, if their spread is where they end; below 0 they overlap
    separation change of c    its separation after less that before

The metrics are those of Geissler et al., *Human in the Latent Loop (HILL)*, section 3.2, which names them without
formulas; a term of its loss is positive just where a pair's ||m_c - m_d|| - (s_c + s_d) is negative. Of all classes
together each is the mean over the classes that have points.

Coordinates have no unit, and what a network shows changes its size as it learns, so that sessions compare only after
division by the `extent`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.measures import mean_of
from crowdloom.tasks.latent_records import Shape

METRICS = ("centre_movement", "spread_change", "separation_change")


@dataclass(frozen=True)
class Geometry:
    """A shape in arrays; NaN for a class of which no point is shown."""

    centres: Floats
    """[K, 2]"""
    spreads: Floats
    """[K]"""

    @property
    def distances(self) -> Floats:
        """[K, K] between centres; NaN from a class to itself."""
        found: Floats = np.linalg.norm(self.centres[:, np.newaxis] - self.centres[np.newaxis], axis=2)
        np.fill_diagonal(found, np.nan)
        return found

    @property
    def separation(self) -> Floats:
        """[K] Mean distance of a class's boundary to those of the others; NaN where there is no other."""
        return _mean(self.distances - self.spreads[:, np.newaxis] - self.spreads[np.newaxis])

    @property
    def extent(self) -> float | None:
        """How large the picture is: sqrt(mean over classes of ||m_c - m||^2 + s_c^2), m the mean of the centres.

        About the root mean square distance of the points from the middle. None where there is no class.
        """
        known = ~np.isnan(self.spreads)
        if not known.any():
            return None
        off = self.centres[known] - self.centres[known].mean(axis=0)
        return float(np.sqrt(np.mean((off**2).sum(axis=1) + self.spreads[known] ** 2)))


def geometry(shape: Shape) -> Geometry:
    """The arrays of a shape."""
    centres = [(np.nan, np.nan) if centre is None else centre for centre in shape.centres]
    return Geometry(
        np.array(centres, dtype=np.float64).reshape(-1, 2),
        np.array([np.nan if spread is None else spread for spread in shape.spreads], dtype=np.float64),
    )


@dataclass(frozen=True)
class Change:
    """From one shape to another, for each class, [K] each; NaN where a class has no points in either."""

    centre_movement: Floats
    spread_change: Floats
    separation_change: Floats

    def overall(self) -> dict[str, float | None]:
        """The mean of each over the classes; None where none has it."""
        return {name: mean_of(getattr(self, name)) for name in METRICS}


def change(first: Shape, second: Shape) -> Change:
    """What happened to each class between two shapes.

    >>> before = Shape(centres=[(0, 0), (4, 0)], spreads=[1, 1])
    >>> after = Shape(centres=[(0, 0), (4, 3)], spreads=[1, 0.5])
    >>> found = change(before, after)
    >>> found.centre_movement.tolist(), found.spread_change.tolist(), found.separation_change.tolist()
    ([0.0, 3.0], [0.0, -0.5], [1.5, 1.5])
    """
    old, new = geometry(first), geometry(second)
    moved: Floats = np.linalg.norm(new.centres - old.centres, axis=1)
    return Change(moved, new.spreads - old.spreads, new.separation - old.separation)


@dataclass(frozen=True)
class Followed:
    """How far a network went the way that was asked, as a share of it: 1 all the way, 0 not at all, below 0 the other.

    The slope through the origin of what it did on what was asked, over the classes: sum(asked x done) / sum(asked^2).
    None where nothing was asked. A network that learns moves by itself, too; what it would have done without the person
    is not in here.
    """

    centres: float | None
    spreads: float | None
    separation: float | None


def followed(before: Shape, intended: Shape, after: Shape) -> Followed:
    """How far the network followed in centres (both coordinates), spreads and separation.

    >>> before, asked = Shape(centres=[(0, 0)], spreads=[2]), Shape(centres=[(2, 0)], spreads=[1])
    >>> followed(before, asked, Shape(centres=[(1, 5)], spreads=[2.5]))
    Followed(centres=0.5, spreads=-0.5, separation=None)
    """
    old, wanted, new = geometry(before), geometry(intended), geometry(after)
    return Followed(
        _slope((wanted.centres - old.centres).ravel(), (new.centres - old.centres).ravel()),
        _slope(wanted.spreads - old.spreads, new.spreads - old.spreads),
        _slope(wanted.separation - old.separation, new.separation - old.separation),
    )


def _slope(asked: Floats, done: Floats) -> float | None:
    known = ~np.isnan(asked) & ~np.isnan(done)
    square = float((asked[known] ** 2).sum())
    return float((asked[known] * done[known]).sum()) / square if square > _NOTHING else None


_NOTHING = 1e-12
"""A sum of squares of coordinates that rounding leaves; pictures have a size of about 1."""


def _mean(rows: Floats) -> Floats:
    """[K] The mean of each row's numbers; NaN where it has none."""
    known = ~np.isnan(rows)
    counts = known.sum(axis=1)
    sums = np.where(known, rows, 0.0).sum(axis=1)
    found: Floats = np.divide(sums, counts, out=np.full(len(rows), np.nan), where=counts > 0)
    return found
