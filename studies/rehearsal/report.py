"""What a rehearsal came to: as a record, as plain values, and in words."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from crowdloom.studies.rehearsal.described import Described
from crowdloom.studies.rehearsal.measures import LabelMeasures
from crowdloom.studies.rehearsal.planned import PlanFound


@dataclass(frozen=True)
class Rehearsal:
    """What a rehearsal came to."""

    study: str
    seed: int
    link: str
    """Where the people came in, without the server's address."""
    people: dict[str, int]
    """How many `arrived`; how it ended for them at last: `completed`, `refused`, `left`, `vanished`, `failed_check`,
    `turned_away`; how many submissions were `surplus`, and how many people `came_back` after dropping out."""
    submissions: dict[str, float]
    """Of those who completed any: how many `people`, their submissions in all (`completed`), and those of one
    person: the fewest (`min`), the `median` and the most (`max`)."""
    places: dict[str, int]
    """Of the study as it stands now: `filled`, and `wanted` in all."""
    responses: int
    """Answers that the people of this rehearsal gave, repeats included."""
    accepted: dict[str, int]
    """The fewest (`min`) and the most (`max`) accepted first responses of an item."""
    seconds_per_answer: float | None
    """Median of what the simulated people's pages measured; None where nobody answered."""
    labels: LabelMeasures | None
    """How far labels are from the truth; None for a task without soft labels, or where nothing was accepted."""
    skill_correlation: float | None
    """Spearman's, of people's agreement with the others and their true skill; None where it cannot be said."""
    described: Described | None
    """What `crowdloom describe` says of the answers, where it shows whether the stated behaviour comes out again."""
    plan: list[PlanFound]
    """What the design's plan finds in the answers; empty without a plan."""
    truth: dict[str, dict[str, float]]
    """The true label of each item, by its key."""
    requests: int
    wall_s: float

    def record(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        plain = asdict(replace(self, described=None))
        return plain | {"described": self.described and self.described.record()}

    @property
    def full(self) -> bool:
        """Whether every place is filled."""
        return self.places["filled"] == self.places["wanted"]

    def sentence(self) -> str:
        """What this design would give, in words."""
        filled, wanted = self.places["filled"], self.places["wanted"]
        arrived = self.people["arrived"] - self.people["turned_away"]
        if self.full:
            given = f"{arrived} people like these fill all {wanted} places of this design"
        else:
            given = f"{arrived} people like these fill {filled} of the {wanted} places of this design"
            if filled:
                given += f"; it takes about {math.ceil(arrived * wanted / filled)} of them to fill all"
        labels = "" if self.labels is None else f" {self.labels.sentence()}"
        return f"{given}.{labels} Real people err together more than simulated ones do, so expect no better than this."
