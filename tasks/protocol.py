"""The contract that every task fulfils, and the plain records that pass through it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self, runtime_checkable

from pydantic import BaseModel, ConfigDict

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


class Settings(BaseModel):
    """What a design can say to a task: unknown names are refused, and nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)

    def of_person(self, number: int) -> Self:
        """As a behaviour: that of the simulated person with this number, from 0; all are alike unless a task says."""
        return self

    def check_classes(self, classes: Sequence[str]) -> str | None:
        """As options: which field does not fit the design's classes, and why, as in `field: …`; None where all fit."""
        return None


@dataclass(frozen=True)
class View:
    """A further picture of an item: its address, and its width and height in pixels where they are known."""

    image: str
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Trial:
    """One item as one participant sees it.

    `classes` is the design's order (answers and labels count in it), `class_order` the order on
    this participant's page. `image` is the address of the stimulus, or None where it has no image;
    `size` its width and height in pixels, where they are known. `attributes` is what the item's source
    says of it, `views` are its further pictures by name, `options` the task's options as the design and
    the condition set them. What a page shuffles, it shuffles by `seed`, which is the same whenever
    this participant sees this item. `reference` is the item's correct class, where it has one; few tasks
    may show it.
    """

    classes: Sequence[str]
    class_order: Sequence[str]
    image: str | None = None
    size: tuple[int, int] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    views: Mapping[str, View] = field(default_factory=dict)
    options: Any = None
    seed: str = ""
    reference: str | None = None

    def shuffled(self, values: Sequence[str]) -> list[str]:
        """These values in this trial's own order; it depends on which they are, not on how they come.

        >>> trial = Trial(classes=(), class_order=(), seed="somebody and something")
        >>> trial.shuffled(["cat", "dog", "frog"]) == trial.shuffled(["frog", "cat", "dog"])
        True
        """
        return random.Random(self.seed).sample(sorted(values), len(values))  # noqa: S311 - the same at each reload


@dataclass(frozen=True)
class Person:
    """The habits of a simulated participant.

    `skill` in [0, 1] is how close what they perceive is to the truth; `calibration` is the exponent
    put on a perceived probability before it is reported (1 reports as perceived, below 1 overclaims,
    above 1 underclaims);
    `careless` is the share of trials answered without looking; `seconds` the median time for an
    answer; `drop_out` the chance to leave at each page. `behaviour` says how they answer this task
    (a `Task.behaviour`); None means the task's own default.
    """

    skill: float = 0.9
    calibration: float = 1.0
    careless: float = 0.0
    seconds: float = 20.0
    drop_out: float = 0.0
    behaviour: Any = None


@dataclass(frozen=True)
class LiveStep:
    """Something that the server does between two actions of a participant.

    `where` is "inline" for what takes milliseconds, "worker" for what must not hold up the pages.
    `studies` binds the name to an implementation in `models`. A worker's process that takes more than `memory_mib`
    is ended, and the step has failed. Of an inline step an event is kept; it leaves out the fields of the input that
    are named in `unrecorded`, and with "output" the output.
    """

    input: type[BaseModel]
    output: type[BaseModel]
    time_limit_s: float
    where: Literal["inline", "worker"] = "inline"
    memory_mib: int | None = None
    unrecorded: tuple[str, ...] = ()


Call = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Runs a live step to its end, worker steps too: from its name and its input to its output."""


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
    def examples(self) -> Sequence[tuple[Trial, Answer]]:
        """A real trial with a real answer for each form that the question can take."""

    @property
    def options(self) -> type[Settings]:
        """What a design can set under `[options]`, for all or for a condition; each has a default."""

    @property
    def behaviour(self) -> type[Settings]:
        """What a design can state under `[rehearsal.behaviour]` of how simulated people answer."""

    def check_classes(self, classes: Sequence[str]) -> str | None:
        """What is wrong with a design's classes for this task, or None."""

    def check_item(self, trial: Trial) -> str | None:
        """What an item lacks for this task under these options, or None; `class_order` and `seed` mean nothing here."""

    def stand_in(
        self, classes: Sequence[str], options: Any, behaviour: Any, number: int, rng: random.Random
    ) -> tuple[dict[str, Any], Sequence[str]]:
        """What a made-up item has, for a rehearsal without the real ones: attributes, names of further pictures.

        It is the `number`-th item (from 0) of a condition with these options. Where the task needs a
        reference, it stands among the attributes as `reference`, from which the caller takes it out.
        """

    def parse(self, form: Form, trial: Trial) -> Answer:
        """The answer in a posted form. Raises AnswerError with one sentence per wrong field."""

    def form(self, answer: Answer) -> dict[str, list[str]]:
        """The form that `parse` reads this answer from: its inverse."""

    def typed(self, answer: Answer, classes: Sequence[str]) -> tuple[Any, ...]:
        """The answer as values of `columns`."""

    def simulate(
        self, truth: Mapping[str, float], person: Person, trial: Trial, rng: random.Random
    ) -> dict[str, list[str]]:
        """What a simulated participant would post.

        `truth` is the item's true label distribution; `trial` has the item's attributes, also those
        that no page shows.
        """


@runtime_checkable
class LiveTask(Task, Protocol):
    """A task whose page calls live steps: its simulated participants do, too."""

    def simulate_live(self, call: Call, person: Person, trial: Trial, rng: random.Random) -> dict[str, list[str]]:
        """Go through the trial by calling its live steps; what a simulated participant would post at the end."""
