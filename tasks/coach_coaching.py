"""Who is coached in a trial, and who is the control."""

from __future__ import annotations

from crowdloom.tasks.coach_options import CoachOptions
from crowdloom.tasks.protocol import Trial

COACHING = "coaching"
"""The attribute of an item that says it, where the design leaves it to the items."""

VERSIONS = COACHED, CONTROL = "coached", "control"
"""What it says."""


def is_coached(trial: Trial) -> bool:
    """Whether proposals are made in this trial.

    Never for a class that is coached for nobody; else as the options say, or the item's attribute.

    >>> three = Trial(classes=("3",), class_order=("3",), options=CoachOptions(coaching="by-item"), reference="3")
    >>> from dataclasses import replace
    >>> [is_coached(replace(three, attributes={"coaching": said})) for said in ("coached", "control")]
    [True, False]
    """
    options: CoachOptions = trial.options
    if trial.reference in options.never_coached:
        return False
    said = trial.attributes.get(COACHING) if options.coaching == "by-item" else options.coaching
    return said == COACHED
