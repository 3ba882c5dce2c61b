"""A record of a session as rows of tables, and back."""

from __future__ import annotations

import random
from typing import Any

import pytest

from crowdloom.tasks.latent_examples import EXAMPLES
from crowdloom.tasks.latent_imagined import imagine_session
from crowdloom.tasks.latent_options import LatentOptions
from crowdloom.tasks.latent_people import STRATEGIES
from crowdloom.tasks.latent_records import SessionRecord
from crowdloom.tasks.latent_rows import (
    class_rows,
    curve_rows,
    interaction_rows,
    movement_rows,
    record_of_rows,
    session_row,
)

MAKERS = (curve_rows, interaction_rows, class_rows, movement_rows)


def tables(record: SessionRecord) -> list[Any]:
    """The rows of all tables."""
    return [session_row(record), *(list(rows(record)) for rows in MAKERS)]


def records() -> list[SessionRecord]:
    """The examples, a session of each strategy, and one with a class of which no point is shown."""
    found = [SessionRecord.model_validate(answer["session"]) for _, answer in EXAMPLES]
    for seed, strategy in enumerate(STRATEGIES):
        drawn = random.Random(seed)
        found.append(imagine_session("digits", list("abcd"), LatentOptions(points=20), strategy, 1.0, False, drawn))
    values = found[0].model_dump()
    for one in values["interactions"]:
        for stage in ("before", "intended", "after"):
            one[stage]["centres"][2] = one[stage]["spreads"][2] = None
        one["class_accuracy_after"][2] = None
    return [*found, SessionRecord.model_validate(values)]


@pytest.mark.parametrize("record", records())
def test_rows_are_the_record_again(record: SessionRecord) -> None:
    """In whatever order they come, and equal to the last digit."""
    session, *others = tables(record)
    assert record_of_rows(session, *others) == record
    for rows in others:
        random.Random(1).shuffle(rows)
    assert record_of_rows(session, *others) == record


def test_rows_say_what_stands_in_the_record() -> None:
    """Classes by their names, accuracies from the curve, None for what is not there."""
    record = records()[0]
    _, curve, interactions, classes, movements = tables(record)
    assert [row["epoch"] for row in curve] == [1, 2, 3, 4, 5]
    assert (interactions[0]["accuracy_before"], interactions[0]["accuracy_after"]) == (0.7, 0.73)
    assert [row["accuracy"] for row in classes if row["stage"] == "intended"] == [None] * 6
    assert [row["class"] for row in movements] == ["walking", None, "walking", "walking"]
    assert [row["movement"] for row in movements] == [1, 2, 3, 1]


def test_rows_that_are_of_no_record() -> None:
    """A movement, a class or a field too few; a number that is none."""
    session, curve, interactions, classes, movements = tables(records()[0])
    with pytest.raises(ValueError, match="interaction 1 has 2 movements and not 3"):
        record_of_rows(session, curve, interactions, classes, movements[1:])
    with pytest.raises(KeyError, match="resting"):
        record_of_rows(session, curve, interactions, classes[1:], movements)
    with pytest.raises(KeyError, match="scenario"):
        record_of_rows({"classes": session["classes"]}, curve, [], classes, [])
    with pytest.raises(ValueError, match="accuracy"):
        record_of_rows(session, [curve[0] | {"accuracy": 2}], interactions, classes, movements)
