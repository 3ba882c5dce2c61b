"""A writing as rows of tables, and back: one for the writing, one for each attempt, and one for each point of strokes.

writing   asked, coached, coach, looks, attempts (how many)
attempts  attempt (numbered from 1), device, given, seconds, undone and strokes of the drawing; of the reading read,
          picture (base64) and probabilities; of the proposal the same with proposal_ before them, and words; None
          without one
points    attempt, stroke and point (numbered from 1), x, y, t_ms: the strokes of the attempts once more
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crowdloom.tasks.coach_records import Writing

Row = dict[str, Any]

_OF_WRITING = ("asked", "coached", "coach", "looks")
_OF_DRAWING = ("device", "given", "seconds", "undone", "strokes")
_OF_READING = ("read", "picture", "probabilities")


def writing_row(writing: Writing) -> Row:
    """The row of the writing itself."""
    return {name: getattr(writing, name) for name in _OF_WRITING} | {"attempts": len(writing.attempts)}


def attempt_rows(writing: Writing) -> Iterator[Row]:
    """A row for each attempt."""
    for number, one in enumerate(writing.attempts, 1):
        yield {
            "attempt": number,
            **{name: getattr(one.drawing, name) for name in _OF_DRAWING},
            **{name: getattr(one.reading, name) for name in _OF_READING},
            **{f"proposal_{name}": one.proposal and getattr(one.proposal, name) for name in _OF_READING},
            "words": one.proposal and one.proposal.words,
        }


def point_rows(writing: Writing) -> Iterator[Row]:
    """A row for each point that the pen went through."""
    for number, one in enumerate(writing.attempts, 1):
        for stroke, points in enumerate(one.drawing.strokes, 1):
            for point, (x, y, at) in enumerate(points, 1):
                yield {"attempt": number, "stroke": stroke, "point": point, "x": x, "y": y, "t_ms": at}


def writing_of_rows(whole: Mapping[str, Any], attempts: Sequence[Row]) -> Writing:
    """The writing of its row and those of its attempts, in whatever order; they may have further values.

    Raises ValueError for attempts that are of no writing, KeyError for a value that is missing, and pydantic's
    ValidationError for one that a writing cannot have.
    """
    ordered = sorted(attempts, key=lambda row: row["attempt"])
    if [row["attempt"] for row in ordered] != list(range(1, whole["attempts"] + 1)):
        raise ValueError(f"its attempts are not 1 to {whole['attempts']}")
    made = []
    for row in ordered:
        proposal = {name: row[f"proposal_{name}"] for name in _OF_READING} | {"words": row["words"]}
        made.append(
            {
                "drawing": {name: row[name] for name in _OF_DRAWING},
                "reading": {name: row[name] for name in _OF_READING},
                "proposal": None if proposal["picture"] is None else proposal,
            }
        )
    return Writing.model_validate({name: whole[name] for name in _OF_WRITING} | {"attempts": made})
