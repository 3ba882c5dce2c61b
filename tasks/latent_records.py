"""What passes between a participant, the page and the network in a session of HILL, and what of it is the answer.

Source: D. Geissler et al., *Human in the Latent Loop (HILL)*, sections 3.2, 3.3 and 4.1. A session shows some of the
training examples as points in the plane; a participant rearranges them, the network trains towards the arrangement, and
so on. Points stand in one fixed order; classes are counted in the scenario's order. Coordinates are those of the plane
into which the network's latent features are projected; they have no unit. Times are milliseconds since the page showed
the arrangement, by the browser's clock.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_POINTS = 100_000
MOST_MOVEMENTS = 5_000
"""In one interaction."""
LARGEST = 1e6
"""No coordinate lies farther out: what a network shows has a size of about one."""

LONGEST_S = 1e9
"""No arrangement is looked at for so long; whatever is longer no clock said."""
MOST_INTERACTIONS, MOST_CLASSES = 100, 1000

BASELINE = "baseline"
"""What frames and tables call the training without a person, from the same seed."""

Coordinate = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Coordinates = Annotated[list[Coordinate], Field(max_length=MOST_POINTS)]
Share = Annotated[float, Field(ge=0, le=1)]


class Record(BaseModel):
    """Unknown fields are refused, and so are numbers that are none."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


MovementKind = Literal["point", "lasso", "centre", "gather", "spread", "keys", "undo", "redo", "reset"]


class Movement(Record):
    """One thing that a participant did to the arrangement.

    point    dragged one point         lasso    dragged a selection      centre   dragged a class by its centre
    gather   a class to its centre     spread   a class by its handle    keys     moved or spread a class by keys
    undo, redo, reset                  of what was done since the last training
    """

    at_ms: float = Field(ge=0, le=1000 * LONGEST_S)
    kind: MovementKind
    label: int | None = Field(default=None, ge=0, lt=MOST_CLASSES)
    """The class; None where the selection has several, and of undo, redo and reset."""
    point: int | None = Field(default=None, ge=0, lt=MOST_POINTS)
    """The point, where it is one."""
    points: int = Field(default=0, ge=0, le=MOST_POINTS)
    """How many points moved."""
    dx: Coordinate = 0.0
    dy: Coordinate = 0.0
    factor: float | None = Field(default=None, ge=0, le=LARGEST)
    """Of gather, spread and keys: what the distances from the centre were multiplied by."""


class Arrangement(Record):
    """Where the points lie: [N] each, in the order of the session's points."""

    x: Coordinates
    y: Coordinates

    @model_validator(mode="after")
    def _as_many(self) -> Arrangement:
        if len(self.x) != len(self.y):
            raise ValueError(f"x has {len(self.x):,} numbers and y {len(self.y):,}; each point needs both")
        return self


class Shape(Record):
    """An arrangement in two numbers for each class: its centre (mean) and its spread (mean distance to the centre).

    A class of which no point is shown has None.
    """

    centres: list[tuple[Coordinate, Coordinate] | None]
    spreads: list[Annotated[float, Field(ge=0, le=3 * LARGEST)] | None]


class Epoch(Record):
    """How well the network does on the validation examples after an epoch; epoch 1 is the first."""

    epoch: int = Field(ge=1)
    accuracy: Share
    macro_f1: Share


class Interaction(Record):
    """One interaction: what was shown, what the participant wanted, and what training made of it.

    `epoch` is how many epochs the network had when the arrangement was shown; `without_person` says that the time was
    over and that the epochs were trained with cross-entropy alone.
    """

    number: int = Field(ge=1)
    epoch: int = Field(ge=0)
    epochs: int = Field(ge=1)
    alpha: Share
    seconds: float = Field(ge=0, le=LONGEST_S)
    """From when the arrangement was shown to the click on "Train"."""
    movements: list[Movement] = Field(max_length=MOST_MOVEMENTS)
    before: Shape
    intended: Shape
    after: Shape
    class_accuracy_before: list[Share | None]
    """On the validation examples; None for a class that has none there."""
    class_accuracy_after: list[Share | None]
    wrong_before: int = Field(ge=0)
    """How many of the points shown the network took for another class."""
    wrong_after: int = Field(ge=0)
    without_person: bool = False


class SessionRecord(Record):
    """The answer to one scenario: all that happened, but for where each single point lay."""

    scenario: str = Field(max_length=200)
    classes: list[str] = Field(min_length=2, max_length=MOST_CLASSES)
    seed: int = Field(ge=0, lt=2**63)
    """Of the training after the pretraining; the training without a person has the same."""
    points: int = Field(ge=1, le=MOST_POINTS)
    scale: Literal["learned", "as-published"]
    pretraining: int = Field(ge=1)
    """How many epochs the network had before the first interaction."""
    curve: list[Epoch] = Field(min_length=1, max_length=10_000)
    """Of the pretraining, too."""
    interactions: list[Interaction] = Field(max_length=MOST_INTERACTIONS)


class Before(Record):
    """What the last training started from: where the network had put the points, and where the participant put them."""

    x: Coordinates
    y: Coordinates
    intended_x: Coordinates
    intended_y: Coordinates
    predictions: list[int]
    class_accuracy: list[Share | None]
    confusion: list[list[int]]


class Draft(Record):
    """An arrangement that was not trained yet, as it was last kept."""

    x: Coordinates
    y: Coordinates
    alpha: Share
    movements: list[Movement] = Field(max_length=MOST_MOVEMENTS)


class Paused(Record):
    """A training that was paused: so many of its epochs are done."""

    number: int
    epochs_done: int
    epochs: int


class SessionState(Record):
    """All that the page needs to show a session, also after a reload or on another device.

    `number` is the interaction that comes next, from 1; `interactions` + 1 when all are done. `labels` and
    `predictions` are classes of the points shown; `class_accuracy` and `confusion` [true][predicted] are on the
    validation examples.
    """

    scenario: str
    title: str
    kind: Literal["image", "signal"]
    classes: list[str]
    number: int
    interactions: int
    epoch: int
    epochs: int
    """Of all: the pretraining's and those of each interaction, as planned."""
    epochs_each: int
    x: Coordinates
    y: Coordinates
    labels: list[int]
    predictions: list[int]
    class_accuracy: list[Share | None]
    confusion: list[list[int]]
    before: Before | None = None
    draft: Draft | None = None
    paused: Paused | None = None
    seconds_left: float
    """Of the time for this scenario; 0 when it is over."""
    first_step_at: float | None = None
    """When the last training took its first optimisation step: seconds since 1970, by the worker's clock."""
    record: SessionRecord


# ---- The live steps: input and output.


class Nothing(Record):
    """An input without any field."""


class Found(Record):
    """The output of `state`: None where the session was not begun."""

    state: SessionState | None


class Kept(Record):
    """The output of `keep`: how many movements of this interaction the server has."""

    movements: int


class KeepInput(Arrangement):
    """The input of `keep`: the arrangement as it stands, and the movements since the last call.

    `first` is the number of movements that were sent before: what comes twice is kept once.
    """

    number: int = Field(ge=1, le=MOST_INTERACTIONS)
    alpha: Share
    first: int = Field(ge=0, le=MOST_MOVEMENTS)
    movements: list[Movement] = Field(max_length=MOST_MOVEMENTS)


class TrainInput(Arrangement):
    """The input of `train`: interaction `number` with all its movements.

    `resume` goes on with a paused training as it was begun; then everything but `number` is ignored. `rest` trains all
    epochs that are left with cross-entropy alone, for when the time is over.
    """

    number: int = Field(ge=1, le=MOST_INTERACTIONS)
    alpha: Share = 0.5
    epochs: int | None = Field(default=None, ge=1, le=100)
    """None for as many as the study says; others are refused where it does not leave them to the participant."""
    seconds: float = Field(default=0, ge=0, le=LONGEST_S)
    movements: list[Movement] = Field(default=[], max_length=MOST_MOVEMENTS)
    resume: bool = False
    rest: bool = False


class ItemInput(Record):
    """The input of `item`: the number of a point."""

    point: int = Field(ge=0, lt=MOST_POINTS)


class ItemPicture(Record):
    """The output of `item`: the training example behind a point.

    image    `height` x `width` pixels of `channels` (1 or 3) bytes each, row by row, in base64 in `pixels`
    signal   `series`: a list of numbers for each channel, whose names stand in `names`; `hertz` samples a second
    """

    kind: Literal["image", "signal"]
    label: int
    height: int = 0
    width: int = 0
    channels: int = 0
    pixels: str = ""
    names: list[str] = []
    hertz: float = 0
    series: list[list[float]] = []
