"""What a design can say to the task `latent-session`, and the live steps that its page calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from crowdloom.tasks.latent_records import (
    MOST_POINTS,
    Found,
    ItemInput,
    ItemPicture,
    KeepInput,
    Kept,
    Nothing,
    SessionState,
    TrainInput,
)
from crowdloom.tasks.protocol import LiveStep, Settings


class LatentOptions(Settings):
    """How a session goes; the defaults are the paper's, where it states them (sections 3.2 and 4.1)."""

    interactions: int = Field(default=4, ge=1, le=20)
    """How often the participant arranges the points."""
    epochs: int = Field(default=5, ge=1, le=100)
    """So many are trained after each interaction."""
    choose_epochs: bool = False
    """The participant chooses how many epochs are trained, from 1 to 100."""
    alpha: float = Field(default=0.5, ge=0, le=1)
    """The share of the person in the loss, where the slider stands at first."""
    choose_alpha: bool = True
    """The participant can change alpha."""
    scale_weight: float = Field(default=0.1, ge=0, le=100)
    """Lambda, the weight of |1 - scale| in the loss."""
    scale: Literal["learned", "as-published"] = "learned"
    """`learned`: the scale begins at 1 and multiplies the projected points; `as-published`: as in the authors' code it
    begins at 10 and multiplies nothing, so that its term changes nothing."""
    points: int = Field(default=100, ge=2, le=MOST_POINTS)
    """How many training examples are shown, as equally many of each class as can be."""
    minutes: float = Field(default=25, gt=0, le=240)
    """The participant's time for one scenario, without the trainings and the wait for them; the epochs that are left
    then are trained without the participant."""
    think_aloud: bool = False
    """Ask whether the participant's voice may be recorded while they think aloud."""


MEMORY_MIB = 4096
"""What a session's process may take."""

LIVE_STEPS: Mapping[str, LiveStep] = {
    "state": LiveStep(Nothing, Found, 5, unrecorded=("output",)),
    "open": LiveStep(Nothing, SessionState, 3600, "worker", MEMORY_MIB),
    "keep": LiveStep(KeepInput, Kept, 5, unrecorded=("x", "y")),
    "train": LiveStep(TrainInput, SessionState, 3600, "worker", MEMORY_MIB),
    "discard": LiveStep(Nothing, SessionState, 5, unrecorded=("output",)),
    "item": LiveStep(ItemInput, ItemPicture, 5, unrecorded=("output",)),
}
"""By name:

state     the session as it stands, if it was begun
open      begins it: the first time in a scenario the network is pretrained
keep      keeps an arrangement that is not trained yet
train     trains towards an arrangement; cancelling it pauses it after the last whole epoch
discard   gives up a paused training: the network is as before it, the arrangement stays
item      the training example behind a point
"""
