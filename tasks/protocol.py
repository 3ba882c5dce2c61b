"""The contract that every task fulfils, and the plain records that pass through it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from crowdloom.tasks.columns import Column

Answer = dict[str, Any]
"""An answer as it is stored: a JSON object of the task's own fields."""

Form = Mapping[str, Sequence[str]]
"""A posted form: every field with the list of its values, as typed."""


class AnswerError(ValueError):
    """An answer that cannot be accepted as it stands: one sentence for each wrong field.

    >>> AnswerError({"top1": "Choose the most probable class."}).errors["top1"]
    'Choose the most probable class.'
    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in errors.items()))
        self.errors = dict(errors)


@dataclass(frozen=True)
class Trial:
    """One item as one participant sees it.

    `classes` is the design's order (answers and labels count in it), `class_order` the order on
    this participant's page. `image` is the address of the stimulus, or None where it has no image;
    `size` its width and height in pixels, where they are known.
    """

    classes: Sequence[str]
    class_order: Sequence[str]
    image: str | None = None
    size: tuple[int, int] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Person:
    """The habits of a simulated participant.

    `skill` in [0, 1] is how close what they perceive is to the truth; `calibration` is the exponent
    put on a perceived probability before it is reported (1 reports as perceived, below 1 overclaims,
    above 1 underclaims);
    `careless` is the share of trials answered without looking; `seconds` the median time for an
    answer; `drop_out` the chance to leave at each page.
    """

    skill: float = 0.9
    calibration: float = 1.0
    careless: float = 0.0
    seconds: float = 20.0
    drop_out: float = 0.0


@dataclass(frozen=True)
class LiveStep:
    """Something that the server does between two actions of a participant.

    `where` is "inline" for what takes milliseconds, "worker" for what must not hold up the pages.
    `studies` binds the name to an implementation in `models`.
    """

    input: type[BaseModel]
    output: type[BaseModel]
    time_limit_s: float
    where: Literal["inline", "worker"] = "inline"


class Task(Protocol):
    """One kind of question. All methods are pure; randomness comes in as `rng`."""

    @property
    def name(self) -> str:
        """The name in design files and on the command line, such as `soft-label`."""

    @property
    def template(self) -> str:
        """The page, below `templates/`."""

    @property
    def summary(self) -> str:
        """One line for the catalogue."""

    @property
    def columns(self) -> Sequence[Column]:
        """The typed columns that every answer has, in the order of `typed`."""

    @property
    def live_steps(self) -> Mapping[str, LiveStep]:
        """The server steps that its page may call; empty for most tasks."""

    @property
    def example(self) -> tuple[Trial, Answer]:
        """One real trial and one real answer to it."""

    def check_classes(self, classes: Sequence[str]) -> str | None:
        """What is wrong with a design's classes for this task, or None."""

    def parse(self, form: Form, trial: Trial) -> Answer:
        """The answer in a posted form. Raises AnswerError with one sentence per wrong field."""

    def form(self, answer: Answer) -> dict[str, list[str]]:
        """The form that `parse` reads this answer from: its inverse."""

    def typed(self, answer: Answer, classes: Sequence[str]) -> tuple[Any, ...]:
        """The answer as values of `columns`."""

    def simulate(
        self, truth: Mapping[str, float], person: Person, trial: Trial, rng: random.Random
    ) -> dict[str, list[str]]:
        """What a simulated participant would post who half sees the true label distribution."""
