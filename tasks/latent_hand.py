"""The hand of a simulated person: it moves points as the page lets people move them, and notes each movement."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from crowdloom.tasks.latent_records import Movement, Shape

MOVEMENT_MS = 2500.0
"""The median time of a movement; it is log-normal with sigma 0.5."""
_FEWEST = 1e-6  # no hand moves a class by less


def shape_of(x: Sequence[float], y: Sequence[float], labels: Sequence[int], classes: int) -> Shape:
    """Centre and spread (mean distance to the centre) of each class; None for one without points.

    >>> shape_of([0, 2], [1, 1], [1, 1], 2)
    Shape(centres=[None, (1.0, 1.0)], spreads=[None, 1.0])
    """
    members: list[list[int]] = [[] for _ in range(classes)]
    for point, label in enumerate(labels):
        members[label].append(point)
    centres: list[tuple[float, float] | None] = []
    spreads: list[float | None] = []
    for points in members:
        if not points:
            centres.append(None)
            spreads.append(None)
            continue
        at_x, at_y = (sum(values[point] for point in points) / len(points) for values in (x, y))
        centres.append((at_x, at_y))
        spreads.append(sum(math.hypot(x[point] - at_x, y[point] - at_y) for point in points) / len(points))
    return Shape(centres=centres, spreads=spreads)


class Hand:
    """Moves points as the page lets people move them, and notes each movement as the page does."""

    def __init__(
        self,
        x: Sequence[float],
        y: Sequence[float],
        labels: Sequence[int],
        classes: int,
        rng: random.Random,
        strength: float,
    ) -> None:
        self.x, self.y = [float(value) for value in x], [float(value) for value in y]
        self.labels = labels
        self.classes = classes
        self.rng = rng
        self.movements: list[Movement] = []
        self._strength = strength
        self._at_ms = 0.0

    def share(self) -> float:
        """g u of the formulas, at most 1."""
        return min(self._strength * self.rng.uniform(0.8, 1.2), 1.0)

    def centres(self) -> dict[int, tuple[float, float]]:
        """Where the centre of each class lies that has points."""
        found = shape_of(self.x, self.y, self.labels, self.classes).centres
        return {label: centre for label, centre in enumerate(found) if centre is not None}

    def spreads(self) -> dict[int, float]:
        """The spread of each class that has points."""
        found = shape_of(self.x, self.y, self.labels, self.classes).spreads
        return {label: spread for label, spread in enumerate(found) if spread is not None}

    def drag_centre(self, label: int, dx: float, dy: float) -> None:
        """A class follows its centre."""
        if math.hypot(dx, dy) < _FEWEST:
            return
        points = self._of(label)
        for point in points:
            self.x[point] += dx
            self.y[point] += dy
        self._note(kind="centre", label=label, points=len(points), dx=dx, dy=dy)

    def spread(self, label: int, factor: float, centre: tuple[float, float]) -> None:
        """The distances of a class from its centre, which lies there, become so many times what they were."""
        if factor == 1:
            return
        points = self._of(label)
        for point in points:
            self.x[point] = centre[0] + factor * (self.x[point] - centre[0])
            self.y[point] = centre[1] + factor * (self.y[point] - centre[1])
        self._note(kind="spread", label=label, points=len(points), factor=factor)

    def drag_point(self, point: int, dx: float, dy: float) -> None:
        """One point."""
        if math.hypot(dx, dy) < _FEWEST:
            return
        self.x[point] += dx
        self.y[point] += dy
        self._note(kind="point", label=self.labels[point], point=point, points=1, dx=dx, dy=dy)

    def bring_in(self, points: Sequence[int], most: int) -> None:
        """Drag those of these points that lie farthest out towards the centres of their classes."""
        centres = self.centres()

        def way(point: int) -> tuple[float, float]:
            to = centres[self.labels[point]]
            return to[0] - self.x[point], to[1] - self.y[point]

        for point in sorted(points, key=lambda one: -math.hypot(*way(one)))[:most]:
            dx, dy = way(point)
            share = self.share()
            self.drag_point(point, share * dx, share * dy)

    def _of(self, label: int) -> list[int]:
        return [point for point, own in enumerate(self.labels) if own == label]

    def _note(self, **values: object) -> None:
        self._at_ms += MOVEMENT_MS * self.rng.lognormvariate(0, 0.5)
        self.movements.append(Movement.model_validate({"at_ms": round(self._at_ms, 1), **values}))
