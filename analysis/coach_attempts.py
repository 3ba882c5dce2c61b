"""The drawings of a study of the task `coach` as a frame: a row for each attempt of which there is a record.

study, condition, participant, submission, item, asked, coached
attempt           1 or 2
device            what it was written with; "keyboard" for one that was chosen
chosen            whether it was chosen among given drawings
strokes, points   how many
undone            strokes taken back
shown_seconds     from the canvas shown to done
read              the class that was read
recognised        whether that is the class asked for
confidence        the probability of the class asked for
ink, length       see `tasks.coach_drawing`
seconds           from the pen put down to the pen lifted last; NaN for one that was chosen
proposal_confidence  the probability of the asked class for what was proposed; NaN where nothing was
words             what the coach said; None where it said nothing
coach             the coach that read, and the digest of its preparation
looks             how often the page had unfinished drawings read, in the whole trial
replaced          whether the page sent something else than the server's own record, which counts
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crowdloom.tasks.coach_drawing import drawing_seconds, ink, length
from crowdloom.tasks.coach_records import Writing, unpacked

_WHOSE = ("study", "condition", "participant", "submission", "item")
_NUMBERS = ("confidence", "ink", "length", "seconds", "shown_seconds", "proposal_confidence")
_COUNTS = ("attempt", "strokes", "points", "undone", "looks")
_TRUTHS = ("coached", "chosen", "recognised", "replaced")
COLUMNS = (
    *_WHOSE, "asked", "coached", "attempt", "device", "chosen", "strokes", "points", "undone", "shown_seconds", "read",
    "recognised", "confidence", "ink", "length", "seconds", "proposal_confidence", "words", "coach", "looks",
    "replaced",
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """One participant's answer to one item."""

    study: str
    condition: str
    participant: str
    submission: str
    item: str
    writing: Writing
    repeat_index: int = 0
    replaced: bool = False


def attempt_rows(one: Written, classes: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of an answer; `classes` are the design's. Raises ValueError for a class asked for that is none."""
    said = one.writing
    asked = list(classes).index(said.asked)
    for number, attempt in enumerate(said.attempts, 1):
        drawing, proposal = attempt.drawing, attempt.proposal
        chosen = drawing.given is not None
        yield {
            **{name: getattr(one, name) for name in _WHOSE},
            "asked": said.asked,
            "coached": said.coached,
            "attempt": number,
            "device": drawing.device,
            "chosen": chosen,
            "strokes": len(drawing.strokes),
            "points": sum(map(len, drawing.strokes)),
            "undone": drawing.undone,
            "shown_seconds": drawing.seconds,
            "read": attempt.reading.read,
            "recognised": attempt.reading.read == said.asked,
            "confidence": attempt.reading.probabilities[asked],
            "ink": ink(unpacked(attempt.reading.picture)),
            "length": length(drawing.strokes),
            "seconds": np.nan if chosen else drawing_seconds(drawing.strokes),
            "proposal_confidence": np.nan if proposal is None else proposal.probabilities[asked],
            "words": None if proposal is None else proposal.words,
            "coach": said.coach,
            "looks": said.looks,
            "replaced": one.replaced,
        }


def attempt_frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The frame of such rows, also of none."""
    frame = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    return frame.astype(
        dict.fromkeys(_NUMBERS, float) | dict.fromkeys(_COUNTS, int) | dict.fromkeys(_TRUTHS, bool)
    )  # fmt: skip
