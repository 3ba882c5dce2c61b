"""What passes between a participant, the page and the recogniser when somebody writes, is read, and writes again.

Source: J. Schneider, *Human-to-AI Coach: Improving Human Inputs to AI Systems* (IDA 2020), sections 2 and 6.

A stroke is the way of the pen from where it was put down to where it was lifted: points (x, y, t). x and y are in
canvas widths, from the upper left corner, 0 to 1; t is in milliseconds since the canvas was shown, by the browser's
clock.
Pictures are what the recogniser is given: 28 x 28 pixels, 0 (no ink) to 255 (full ink), by rows, in base64.
Probabilities are counted in the design's classes.
"""

from __future__ import annotations

import base64
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

SIDE = 28
"""Pixels that a picture is wide and high."""
PIXELS = SIDE * SIDE

MOST_STROKES = 200
MOST_POINTS = 10_000
"""In one drawing, over all strokes: some three minutes without lifting the pen."""
LONGEST_MS = 1e9
ATTEMPTS = 2
"""A participant writes, is read, and writes once more."""

Share = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[float, Field(ge=0, le=LONGEST_MS)]
Point = tuple[Share, Share, Milliseconds]
Stroke = Annotated[list[Point], Field(min_length=1, max_length=MOST_POINTS)]
Strokes = Annotated[list[Stroke], Field(max_length=MOST_STROKES)]


def packed(picture: bytes) -> str:
    """A picture of 784 bytes as text.

    >>> unpacked(packed(bytes(784))) == bytes(784)
    True
    """
    return base64.b64encode(picture).decode("ascii")


def unpacked(text: str) -> bytes:
    """The picture in a text. Raises ValueError for anything else."""
    try:
        picture = base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii's own words say nothing to whoever reads them
        raise ValueError(f"this is no picture of {PIXELS} pixels in base64") from error
    if len(picture) != PIXELS:
        raise ValueError(f"a picture has {PIXELS} pixels, this one {len(picture)}")
    return picture


def _is_picture(text: str) -> str:
    unpacked(text)
    return text


Picture = Annotated[str, Field(max_length=2 * PIXELS), AfterValidator(_is_picture)]
Probabilities = Annotated[list[Share], Field(max_length=1000)]


class Record(BaseModel):
    """Unknown fields are refused, and so are numbers that are none."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Nothing(Record):
    """A step that needs no input."""


class Drawing(Record):
    """What a participant wrote, or chose among the given drawings."""

    strokes: Strokes
    device: Literal["mouse", "pen", "touch", "keyboard"]
    """What it was written with, last; `keyboard` is for one that was chosen among given drawings."""
    given: int | None = Field(default=None, ge=0, lt=1000)
    """Which of the given drawings of this attempt was chosen, counted from 0; None for one that was written."""
    seconds: float = Field(ge=0, le=LONGEST_MS / 1000)
    """From when the canvas was shown to when the drawing was done."""
    undone: int = Field(default=0, ge=0, le=1_000_000)
    """How many strokes were taken back before it was done, one by one or all at once."""

    @model_validator(mode="after")
    def _chosen_by_keyboard(self) -> Drawing:
        if (self.device == "keyboard") != (self.given is not None):
            raise ValueError("a drawing that was chosen is of the device keyboard, and no other one is")
        return self


class Reading(Record):
    """What the recogniser made of a picture."""

    picture: Picture
    read: str = Field(max_length=500)
    """The most probable class."""
    probabilities: Probabilities


class Proposal(Record):
    """What the coach proposes: a picture, how it would be read, and the change in a sentence."""

    picture: Picture
    read: str = Field(max_length=500)
    probabilities: Probabilities
    words: str = Field(max_length=500)


class Attempt(Record):
    """A drawing that was done, how it was read, and what was then proposed (None where nothing was)."""

    drawing: Drawing
    reading: Reading
    proposal: Proposal | None = None


class Writing(Record):
    """One trial: what was asked for, by which coach it was read, and the attempts in their order. It is the answer."""

    asked: str = Field(max_length=500)
    coached: bool
    coach: str = Field(max_length=200)
    """The coach's name and the digest of its preparation, with a colon between them."""
    attempts: list[Attempt] = Field(max_length=ATTEMPTS)
    looks: int = Field(default=0, ge=0)
    """How often the page had an unfinished drawing read, where readings are shown at each pen-up."""


class State(Record):
    """The trial as it stands: `ready` says whether the coach is prepared; without it there is no writing."""

    ready: bool
    writing: Writing | None = None
    marks: Picture | None = None
    """Where the proposal adds and leaves out, as `coach_changes` says; None without a proposal."""


class GivenInput(Record):
    """Asks for the drawings that can be chosen in an attempt, counted from 1."""

    attempt: int = Field(ge=1, le=ATTEMPTS)


class Given(Record):
    """Drawings to choose from: strokes each, with the pictures that the recogniser would be given."""

    drawings: list[Strokes]
    pictures: list[Picture]


class ReadInput(Record):
    """A drawing to be read: one that is `done` is kept as attempt number `attempt`, any other is only looked at."""

    attempt: int = Field(ge=1, le=ATTEMPTS)
    drawing: Drawing
    done: bool


class Read(Record):
    """What the recogniser read, what the coach proposes (None in an uncoached trial), and how the trial stands then.

    `writing` is None for a drawing that was only looked at: nothing but the number of looks has changed.
    """

    reading: Reading
    proposal: Proposal | None = None
    marks: Picture | None = None
    """Where the proposal adds and leaves out, as `coach_changes` says; None without a proposal."""
    writing: Writing | None = None
