"""Power and cost of a design, before any money is spent: for its own numbers, for others, and what would be needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from crowdloom.analysis.power import Power, power_of
from crowdloom.analysis.power_needed import needed
from crowdloom.analysis.power_people import Asked
from crowdloom.studies.cost import Cost, cost_of
from crowdloom.studies.design_batches import MOST_RESPONSES
from crowdloom.studies.errors import OptionError
from crowdloom.studies.power_numbers import Setting, asked_of, listings

TARGETS = (0.8, 0.9)

Over = Literal["responses", "items"]
Progress = Callable[[int, int], None]

_FURTHEST = 16
"""What is needed is looked for up to so many times the design's own number,"""
MOST_ANSWERS = 100_000
"""and up to so many answers of a study, beyond which simulating takes minutes."""
_NEEDED_TAKES = 3  # points that it takes about, for the progress


@dataclass(frozen=True)
class Point:
    """One size of the study: what its power is, and what it costs."""

    responses_per_item: int
    items: int
    answers: int
    """First answers, in all conditions."""
    power: Power
    cost: Cost
    own: bool
    """Whether this is the design as it stands."""

    def record(self) -> dict[str, Any]:
        """For JSON; amounts are in minor units."""
        found, false = self.power.found, self.power.false
        return {
            "responses_per_item": self.responses_per_item,
            "items": self.items,
            "responses": self.answers,
            "submissions": self.cost.places,
            "people": self.power.people,
            "power": found.share,
            "power_low": found.low,
            "power_high": found.high,
            "false_positives": false.share,
            "false_positives_low": false.low,
            "false_positives_high": false.high,
            "cost": self.cost.total,
            "currency": self.cost.currency,
            "design": self.own,
        }


@dataclass(frozen=True)
class Needed:
    """What a power of `target` takes, with the rest of the design as it stands."""

    target: float
    over: Over
    point: Point | None
    """None where even `furthest` does not reach it."""
    furthest: int

    def record(self) -> dict[str, Any]:
        """For JSON."""
        return {"target": self.target, "over": self.over, "furthest": self.furthest} | {
            "needed": None if self.point is None else self.point.record()
        }


@dataclass(frozen=True)
class PowerReport:
    """The curve, smallest numbers first, and what is needed."""

    setting: Setting
    points: list[Point]
    needed: list[Needed]

    @property
    def own(self) -> Point:
        """The design as it stands."""
        return next(point for point in self.points if point.own)

    @property
    def series(self) -> dict[int, list[Point]]:
        """The curves over responses for each item, by the number of items; or the one over items, by 0."""
        if len({point.responses_per_item for point in self.points}) == 1:
            return {0: self.points}
        found: dict[int, list[Point]] = {}
        for point in self.points:
            found.setdefault(point.items, []).append(point)
        return found


def power_report(
    setting: Setting,
    responses: Sequence[int] = (),
    items: Sequence[int] = (),
    progress: Progress = lambda done, total: None,
    *,
    most_answers: int = MOST_ANSWERS,
) -> PowerReport:
    """Simulate the design as it stands, and with these other numbers of responses for each item and of items.

    Where both are given, with every combination. What is needed is looked for along each that varies; without any of
    the two the responses vary, around the design's own number; studies of more than `most_answers`, or of
    `_FURTHEST` times the design's own number, are not looked at. Raises OptionError where nothing varies and for
    numbers that no design could have, and DesignError where items cannot be dealt.
    """
    own = setting.design.batches.responses_per_item, setting.items
    _check_numbers(responses, items, own)
    along: list[Over] = ["responses"] if responses or not items else []
    if items:
        along.append("items")
    if not responses and not items:
        responses = around(own[0])
    grid = [(r, n) for n in sorted({own[1], *items}) for r in sorted({own[0], *responses})]
    asked = {at: asked_of(setting, *at) for at in grid}  # so that what cannot be dealt is said before the long work
    studies = (len(grid) + _NEEDED_TAKES * len(along) * len(TARGETS)) * setting.trial.simulations
    work = _Work(setting, progress, studies, most_answers)
    points = [work.point(asked[at], *at) for at in grid]
    found = [work.needed(over, target) for over in along for target in TARGETS]
    progress(work.total, work.total)
    return PowerReport(setting, points, found)


def around(own: int) -> list[int]:
    """Numbers of responses around the design's own one.

    >>> around(9), around(1)
    ([3, 6, 9, 12, 18], [1, 2, 3])
    """
    return sorted({max(round(own * factor), 1) for factor in (1 / 3, 2 / 3, 1, 4 / 3, 2)} | {own + 1, own + 2} & {2, 3})


def _check_numbers(responses: Sequence[int], items: Sequence[int], own: tuple[int, int]) -> None:
    for name, numbers, most in (("responses", responses, MOST_RESPONSES), ("items", items, MOST_ANSWERS)):
        if wrong := [number for number in numbers if not 1 <= number <= most]:
            raise OptionError(f"--{name}: expected numbers from 1 to {most:,}, got {wrong[0]}")
    if (responses or items) and set(responses) <= {own[0]} and set(items) <= {own[1]}:
        raise OptionError(
            f"--{'responses' if responses else 'items'}: nothing varies, since the design has {own[0]} responses per "
            f"item and {own[1]} items already; name other numbers"
        )


@dataclass
class _Work:
    """Simulates, and says how far it is."""

    setting: Setting
    progress: Progress
    total: int
    most_answers: int
    done: int = 0
    found: dict[tuple[int, int], Point] = field(default_factory=dict)

    def point(self, asked: Asked, responses: int, items: int) -> Point:
        """Simulate one size of the study, once."""
        if (responses, items) in self.found:
            return self.found[responses, items]
        before = self.done
        try:
            power = power_of(asked, self.setting.trial, lambda done, of: self._tell(before + done))
        except ValueError as error:
            raise OptionError(str(error)) from error
        design = self.setting.design
        cost = cost_of(design, self.setting.platform, listings(design, self.setting.platform, asked))
        own = (responses, items) == (design.batches.responses_per_item, self.setting.items)
        point = Point(responses, items, asked.responses, power, cost, own)
        self.found[responses, items] = point
        return point

    def needed(self, over: Over, target: float) -> Needed:
        """What the target takes, with the other number as the design has it."""
        own = self.setting.design.batches.responses_per_item, self.setting.items
        step = 1 if over == "responses" else self.setting.step
        start = own[0] if over == "responses" else own[1] // step
        answers = asked_of(self.setting, *own).responses
        most = max(int(start * min(_FURTHEST, max(self.most_answers / answers, 1))), 1)

        def at(number: int) -> tuple[int, int]:
            return (number, own[1]) if over == "responses" else (own[0], number * step)

        def simulate(number: int) -> Point:
            return self.point(asked_of(self.setting, *at(number)), *at(number))

        along = {number: self.found[at(number)] for number in range(1, most + 1) if at(number) in self.found}
        known = {number: point.power.found for number, point in along.items()} or {start: simulate(start).power.found}
        number = needed(target, lambda number: simulate(number).power.found, known, most)
        return Needed(target, over, None if number is None else self.found[at(number)], at(most)[over == "items"])

    def _tell(self, done: int) -> None:
        self.done = done
        self.progress(min(done, self.total - 1), self.total)
