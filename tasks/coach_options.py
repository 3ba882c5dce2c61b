"""What a design can say to the task `coach`, and the live steps that its page calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from crowdloom.tasks.coach_records import Given, GivenInput, Nothing, Read, ReadInput, State
from crowdloom.tasks.protocol import LiveStep, Settings

SELF_PREPARED = "digits"
"""The coach that needs no data: a worker prepares it, in seconds, when it is first asked for."""

Names = Annotated[tuple[str, ...], BeforeValidator(lambda said: tuple(said) if isinstance(said, list) else said)]
"""Names, which stand in a list in a design."""


class CoachOptions(Settings):
    """Who is coached, by which coach, and what it strives for."""

    coach: str = Field(default=SELF_PREPARED, min_length=1, max_length=100)
    """The name of a prepared coach; `digits` prepares itself."""
    coaching: Literal["coached", "control", "by-item"] = "coached"
    """`coached`: proposals after the first attempt; `control`: the reading alone; `by-item`: as the item's attribute
    `coaching` says, which is one of the two."""
    never_coached: Names = ()
    """Classes that are coached for nobody, to see what carries over to them."""
    reads: Literal["when-done", "at-pen-up"] = "when-done"
    """When the reading (and the proposal) is shown: when the participant says that the drawing is done, or each time
    that the pen is lifted."""
    classification: float = Field(default=0.1, ge=0, le=1)
    """alpha_CL, the weight of being recognised, where the change has weight 32 (equation 1)."""
    efficiency: float = Field(default=4.0, ge=0, le=16)
    """alpha_EF, the weight of using little ink."""
    discriminator: float = Field(default=0.01, ge=0, le=1)
    """alpha_D, the weight of looking like a real drawing."""

    def check_classes(self, classes: Sequence[str]) -> str | None:
        """Only classes of the design can be left uncoached, and not all of them.

        >>> CoachOptions(never_coached=("ten",)).check_classes(["0", "1"])
        "never_coached: 'ten' is none of the design's classes (0, 1)"
        """
        if strange := [name for name in self.never_coached if name not in classes]:
            return f"never_coached: {strange[0]!r} is none of the design's classes ({', '.join(classes)})"
        if len(set(self.never_coached)) < len(self.never_coached):
            return "never_coached: a class stands there twice"
        if len(self.never_coached) == len(classes):
            return 'never_coached: nothing is left to be coached; for a control, say coaching = "control"'
        return None


MEMORY_MIB = 4096
"""What the process that prepares a coach may take."""

LIVE_STEPS: Mapping[str, LiveStep] = {
    "state": LiveStep(Nothing, State, 5, unrecorded=("output",)),
    "open": LiveStep(Nothing, State, 3600, "worker", MEMORY_MIB),
    "given": LiveStep(GivenInput, Given, 5, unrecorded=("output",)),
    "read": LiveStep(ReadInput, Read, 5),
}
"""By name:

state   the trial as it stands, so that a reload goes on where it was
open    prepares a coach that needs no data, where that was not done before
given   drawings of the asked class, for who cannot or would not write
read    reads a drawing and proposes a better one; a drawing that is done is kept as an attempt
"""
