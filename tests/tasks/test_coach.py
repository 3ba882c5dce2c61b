"""The coach's task: what it refuses, what its columns say, and how its simulated people go through their steps."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from crowdloom.tasks.coach import CoachTask
from crowdloom.tasks.coach_coaching import is_coached
from crowdloom.tasks.coach_drawing import length, render
from crowdloom.tasks.coach_options import LIVE_STEPS, CoachOptions
from crowdloom.tasks.coach_people import CoachBehaviour
from crowdloom.tasks.coach_records import packed, unpacked
from crowdloom.tasks.protocol import AnswerError, LiveTask, Person, Trial
from tests.tasks.plain_coach import Steps

TASK = CoachTask()
(TRIAL, ANSWER), (CONTROL, CONTROL_ANSWER) = TASK.examples
NAMES = [column.name for column in TASK.columns]


def values(answer: Any, trial: Trial) -> dict[str, Any]:
    """The typed values by their columns."""
    return dict(zip(NAMES, TASK.typed(answer, trial.classes), strict=True))


def refused(writing: Any, trial: Trial = TRIAL) -> str:
    """The sentence about a form with this writing."""
    with pytest.raises(AnswerError) as caught:
        TASK.parse({"writing": [json.dumps(writing)]}, trial)
    assert list(caught.value.errors) == ["writing"]
    return caught.value.errors["writing"]


def changed(*path: Any, to: Any, of: Any = ANSWER) -> Any:
    """The example's writing with one thing in it changed."""
    writing = deepcopy(of["writing"])
    *most, last = path
    inner = writing
    for part in most:
        inner = inner[part]
    inner[last] = deepcopy(to)  # the examples are shared by all tests of a process
    return writing


def test_the_columns_compare_both_attempts() -> None:
    """Of a coached trial all have values; of drawings that were chosen there is no time, and nothing was adopted."""
    first, second = (attempt["drawing"]["strokes"] for attempt in ANSWER["writing"]["attempts"])
    said = values(ANSWER, TRIAL)
    assert {name: said[name] for name in NAMES[:7]} == {
        "coached": 1,
        "read_before": "9",
        "read_after": "4",
        "recognised_before": 0,
        "recognised_after": 1,
        "confidence_before": 0.31,
        "confidence_after": 0.92,
    }
    assert (said["ink_before"], said["ink_after"]) == (sum(render(first)) / 255, sum(render(second)) / 255)
    assert (said["length_before"], said["length_after"]) == (length(first), length(second))
    assert (said["seconds_before"], said["seconds_after"]) == (1.28, 1.44)
    assert 0 < said["similarity"] < 1
    assert 0.5 < said["adopted"] < 1
    control = values(CONTROL_ANSWER, CONTROL)
    assert (control["coached"], control["adopted"], control["seconds_after"]) == (0, None, None)
    assert control["seconds_before"] == pytest.approx(1.24)


WITHOUT = deepcopy(ANSWER["writing"]["attempts"][0]) | {"proposal": None}
"""A first attempt after which nothing was proposed."""


@pytest.mark.parametrize(
    "writing",
    [
        changed("coached", to=False),
        changed("attempts", 0, to=WITHOUT),
        changed("attempts", 1, "proposal", to=ANSWER["writing"]["attempts"][0]["proposal"]),
        changed("attempts", 0, "reading", "picture", to=packed(bytes(784))),
        changed("attempts", 0, "reading", "read", to="4"),
        changed("attempts", 0, "reading", "read", to="ten"),
        changed("attempts", 0, "reading", "probabilities", to=[0.5, 0.5]),
        changed("attempts", 0, "reading", "probabilities", 3, to=1.5),
        changed("attempts", 0, "proposal", "probabilities", to=[0.1] * 11),
        changed("attempts", 0, "proposal", "read", to="9"),
        changed("attempts", 0, "proposal", "picture", to="AAAA"),
        changed("attempts", 0, "drawing", "strokes", to=[]),
        changed("attempts", 0, "drawing", "strokes", to=[[]]),
        changed("attempts", 0, "drawing", "strokes", 0, 0, to=[0.5, 1.2, 3]),
        changed("attempts", 0, "drawing", "strokes", 0, 0, to=[0.1, 0.1, 0]),
        changed("attempts", 0, "drawing", "device", to="brush"),
        changed("attempts", to=[*ANSWER["writing"]["attempts"], ANSWER["writing"]["attempts"][1]]),
        changed("looks", to=-1),
        {},
        [],
        None,
    ],
)
def test_what_the_steps_never_say_is_refused(writing: Any) -> None:
    """Pictures are those of the strokes, readings are of the study's classes, proposals are there where coached."""
    assert refused(writing) == "This is not what was written on this page; please reload it."


def test_a_writing_is_of_its_own_trial_and_whole() -> None:
    """Another class, one attempt of two, none at all: each has a sentence."""
    assert "not of what this page asks for" in refused(ANSWER["writing"], replace(TRIAL, reference="9"))
    half = changed("attempts", to=ANSWER["writing"]["attempts"][:1])
    assert refused(half) == "You have written 1 of 2 times; write it once more."
    with pytest.raises(AnswerError, match="Nothing is written yet"):
        TASK.parse({}, TRIAL)
    twice = CONTROL_ANSWER["writing"]["attempts"]
    assert "not what was written" in refused(changed("attempts", to=[twice[1], twice[1]]), TRIAL)


def test_who_is_coached() -> None:
    """As the options say, or the item; nobody for a class that is never coached."""

    def coached(item: str | None = None, **options: Any) -> bool:
        attributes = {"coaching": item} if item else {}
        return is_coached(replace(TRIAL, options=CoachOptions(**options), attributes=attributes, reference="4"))

    assert coached(coaching="coached")
    assert not coached(coaching="control")
    assert coached("coached", coaching="by-item")
    assert not coached("control", coaching="by-item")
    assert not coached(coaching="by-item")
    assert not coached(coaching="coached", never_coached=("4",))
    assert coached(coaching="coached", never_coached=("5",))
    assert coached("control", coaching="coached")  # only with by-item do items say it


def test_an_item_is_a_class_to_be_written() -> None:
    """Without one there is nothing to ask for; `by-item` needs to know of each whether it is coached."""
    assert "reference is missing" in str(TASK.check_item(replace(TRIAL, reference=None)))
    by_item = replace(TRIAL, options=CoachOptions(coaching="by-item"))
    assert "coaching is missing" in str(TASK.check_item(by_item))
    assert TASK.check_item(replace(by_item, attributes={"coaching": "control"})) is None
    assert TASK.check_classes(["0"]) is not None
    made = [TASK.stand_in("01", by_item.options, None, number, random.Random())[0] for number in range(4)]
    assert [(one["reference"], one["coaching"]) for one in made] == [
        ("0", "coached"),
        ("0", "control"),
        ("1", "coached"),
        ("1", "control"),
    ]
    assert TASK.stand_in("01", CoachOptions(), None, 3, random.Random())[0] == {"reference": "1"}


def live(steps: Steps, rng: random.Random, careless: float = 0.0, **behaviour: float) -> dict[str, Any]:
    """The columns of a simulated person's writing; their form is one that can be posted."""
    person = Person(careless=careless, behaviour=CoachBehaviour(**behaviour))
    form = TASK.simulate_live(steps, person, steps.trial, rng)
    return values(TASK.parse(form, steps.trial), steps.trial)


def test_simulated_people_call_the_steps_of_their_page() -> None:
    """They look, have the coach prepared where it is not, take a given drawing, and write twice; or go on."""
    assert isinstance(TASK, LiveTask)
    steps = Steps(TRIAL, ready=False)
    live(steps, random.Random(1))
    assert steps.called == ["state", "open", "given", "read", "read"]
    assert set(steps.called) == set(LIVE_STEPS)
    steps.writing = steps.writing.model_copy(update={"attempts": steps.writing.attempts[:1]})
    steps.called.clear()
    live(steps, random.Random(2))
    assert steps.called == ["state", "read"]
    steps.called.clear()
    live(steps, random.Random(3))
    assert steps.called == ["state"]


def test_who_adopts_more_is_read_better() -> None:
    """Their second attempt is closer to the proposal; in the control nothing is adopted, and they write anew."""
    rng = random.Random(4)
    trials = [replace(TRIAL, reference=name) for name in "23456789" if name not in TRIAL.options.never_coached]
    none, half, all_ = (
        [live(Steps(trial), rng, adopt=share, perturbation=0.7) for trial in trials for _ in range(2)]
        for share in (0.0, 0.5, 1.0)
    )

    def mean(found: list[dict[str, Any]], name: str) -> float:
        return float(sum(one[name] for one in found)) / len(found)

    assert abs(mean(none, "adopted")) < 0.1
    assert 0.25 < mean(half, "adopted") < 0.75
    assert mean(all_, "adopted") > 0.85
    assert mean(all_, "confidence_after") > mean(all_, "confidence_before") + 0.1
    assert mean(none, "similarity") > mean(all_, "similarity")
    control = [live(Steps(replace(CONTROL, reference=name)), rng, perturbation=0.7) for name in "2357"]
    assert all(one["adopted"] is None and one["similarity"] < 0.8 for one in control)


def test_practice_and_carelessness() -> None:
    """Who writes without any distortion the second time writes the given drawing; the careless scribble."""
    (perfect,) = (live(Steps(CONTROL), random.Random(5), practice=1.0, perturbation=0.8),)
    assert perfect["read_after"] == "7"
    assert perfect["confidence_after"] > perfect["confidence_before"]
    steps = Steps(TRIAL)
    live(steps, random.Random(6), careless=1.0)
    assert steps.called == ["state", "read", "read"]
    assert all(len(attempt.drawing.strokes) == 1 for attempt in steps.writing.attempts)


@pytest.mark.parametrize("classes", [("0", "1"), ("a", "b|", "Ü")])
def test_people_without_a_server_write_any_classes(classes: tuple[str, ...]) -> None:
    """A class that is no digit has a shape, too; what was proposed is adopted as stated."""
    for name in classes:
        trial = Trial(classes, classes, options=CoachOptions(), reference=name)
        person = Person(behaviour=CoachBehaviour(adopt=1.0))
        answer = TASK.parse(TASK.simulate({}, person, trial, random.Random(7)), trial)
        found = values(answer, trial)
        assert (found["coached"], found["recognised_after"]) == (1, 1)
        assert found["adopted"] == pytest.approx(1, abs=0.02)
        assert len(unpacked(answer["writing"]["attempts"][0]["proposal"]["picture"])) == 784
