"""Another coach, for the rehearsal of a design whose own is not prepared here."""

from __future__ import annotations

from crowdloom.studies.design import Design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.items.classes import DIGITS, unprepared_coaches
from crowdloom.tasks.coach_options import SELF_PREPARED


def with_a_coach(design: Design) -> tuple[Design, str | None]:
    """The design with coaches that are there, and the first of its own that is not; the design itself where all are.

    The coach `digits`, which prepares itself, takes the place of all. Raises ItemError where it cannot read the
    design's classes.
    """
    absent = next(iter(unprepared_coaches(design)), None)
    if absent is None:
        return design, None
    if set(design.classes) != set(DIGITS):
        raise ItemError(
            f"options.coach: the coach {absent} is not prepared here, and none that prepares itself reads these "
            f"classes; run: crowdloom coach prepare {absent}"
        )
    arms = tuple(
        arm.model_copy(update={"options": arm.options | {"coach": SELF_PREPARED}}) if "coach" in arm.options else arm
        for arm in design.conditions
    )
    options = design.options | {"coach": SELF_PREPARED}
    return design.model_copy(update={"options": options, "conditions": arms}), absent
