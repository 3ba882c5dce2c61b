"""A writing as rows and back."""

from __future__ import annotations

from typing import Any

import pytest

from crowdloom.tasks import TASKS
from crowdloom.tasks.coach_records import Writing
from crowdloom.tasks.coach_rows import attempt_rows, point_rows, writing_of_rows, writing_row

EXAMPLES = [Writing.model_validate(answer["writing"]) for _, answer in TASKS["coach"].examples]


def test_examples_come_back_as_they_were() -> None:
    """From their rows, in whatever order."""
    for writing in EXAMPLES:
        rows = list(attempt_rows(writing))
        assert writing_of_rows(writing_row(writing), rows[::-1]) == writing
        points = list(point_rows(writing))
        assert len(points) == sum(len(stroke) for one in writing.attempts for stroke in one.drawing.strokes)
        last = writing.attempts[-1].drawing.strokes[-1][-1]
        assert tuple(points[-1][name] for name in ("attempt", "x", "y", "t_ms")) == (2, *last)


@pytest.mark.parametrize(
    ("attempt", "change", "error"),
    [
        (0, {"attempt": 2}, "its attempts are not 1 to 2"),
        (0, {"attempt": 3}, "its attempts are not 1 to 2"),
        (0, {"picture": "AAAA"}, "a picture has 784 pixels, this one 3"),
        (0, {"words": None}, "words"),
        (1, {"strokes": [[]]}, "strokes"),
        (1, {"device": "nose"}, "device"),
    ],
)
def test_rows_that_are_of_no_writing_are_refused(attempt: int, change: dict[str, Any], error: str) -> None:
    """With a word about what is wrong."""
    coached = next(one for one in EXAMPLES if one.coached)
    rows = list(attempt_rows(coached))
    rows[attempt] |= change
    with pytest.raises(ValueError, match=error):
        writing_of_rows(writing_row(coached), rows)
