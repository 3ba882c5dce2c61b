"""The mixing-coefficient task: orientation whatever the order, what it refuses, and its simulated people."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from flask import render_template

from crowdloom.studies.database import Store
from crowdloom.studies.web import create_app
from crowdloom.tasks.mixing_coefficient import MixingBehaviour, MixingCoefficient, MixingOptions
from crowdloom.tasks.protocol import AnswerError, Person, Trial, View
from tests.studies.designs import make_design

TASK = MixingCoefficient()
INFER, CHOOSE, CONSTRUCT = (trial for trial, _ in TASK.examples)
NAMES = [f"{step / 10:.1f}" for step in range(11)]


def errors(trial: Trial, form: dict[str, list[str]]) -> dict[str, str]:
    """The errors in a form."""
    with pytest.raises(AnswerError) as caught:
        TASK.parse(form, trial)
    return caught.value.errors


@pytest.mark.parametrize("classes", list(permutations(("Airplane", "Cat", "Ship"))), ids="-".join)
@pytest.mark.parametrize("first", ["Airplane", "Ship"])
@pytest.mark.parametrize("pair", [("Airplane", "Ship"), ("Ship", "Airplane")], ids="-".join)
def test_shares_are_those_of_endpoint1(classes: tuple[str, ...], first: str, pair: tuple[str, str]) -> None:
    """What counts is which class the page named first, not this participant's order, nor which endpoint it is."""
    second = "Ship" if first == "Airplane" else "Airplane"
    trial = replace(INFER, class_order=classes, attributes={"endpoint1": pair[0], "endpoint2": pair[1]})
    answer = TASK.parse({"first": [first], "percent": ["30"], "confidence": ["5"]}, trial)
    assert (answer["first"], answer["second"]) == (first, second)
    assert answer["flipped"] == (first == pair[1])
    assert answer["inferred"] == {first: 0.7, second: 0.3}[pair[0]]
    assert TASK.typed(answer, classes) == (answer["inferred"], 5, None, None, answer["flipped"])
    assert TASK.parse(TASK.form(answer), trial) == answer


def test_the_page_names_the_classes_in_the_participants_order() -> None:
    """Without the hidden field that order holds."""
    for classes in permutations(INFER.classes):
        trial = replace(INFER, class_order=classes)
        first, second = trial.options.named(trial)
        assert classes.index(first) < classes.index(second)
        answer = TASK.parse({"percent": ["0"], "confidence": ["0"]}, trial)
        assert (answer["first"], answer["inferred"]) == (first, float(first == "Airplane"))


@pytest.mark.parametrize("typed", ["0", "100", "33.333333333", "12,5", " 7 % ", "0.00001"])
def test_what_is_typed_is_kept(typed: str) -> None:
    """With all its digits, through form and back."""
    answer = TASK.parse({"first": ["Airplane"], "percent": [typed], "confidence": [typed]}, INFER)
    value = float(typed.replace(",", ".").replace("%", ""))
    assert answer["percent"] == answer["confidence"] == value
    assert answer["inferred"] == pytest.approx(1 - value / 100, abs=1e-12)
    assert TASK.parse(TASK.form(answer), INFER) == answer


MISSING = {
    "percent": "Say how much of each category was used, with a number between 0 and 100.",
    "confidence": "Say how confident you are, with a number between 0 and 100.",
}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, MISSING),
        ({"percent": [" "], "confidence": ["%"]}, MISSING),
        ({"percent": ["50"]}, {"confidence": MISSING["confidence"]}),
        (
            {"percent": ["half"], "confidence": ["101"]},
            {
                "percent": "“half” is not a percentage; enter a number between 0 and 100, such as 85.",
                "confidence": "“101” is not a percentage; enter a number between 0 and 100, such as 85.",
            },
        ),
        (
            {"percent": ["50"], "confidence": ["50"], "first": ["Cat"]},
            {"first": "This page names other categories than the image was made of; please reload it."},
        ),
    ],
)
def test_what_is_wrong_with_a_share_is_named(form: dict[str, list[str]], expected: dict[str, str]) -> None:
    """Every wrong field at once."""
    assert errors(INFER, form) == expected


@pytest.mark.parametrize("trial", [CHOOSE, CONSTRUCT], ids=["choose", "construct"])
@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose the picture that looks most like half and half."),
        ({"picture": [""]}, "Choose the picture that looks most like half and half."),
        ({"picture": ["picture 12"]}, "Choose one of the pictures shown."),
        ({"picture": ["0.5"]}, "Choose one of the pictures shown."),
    ],
)
def test_what_is_wrong_with_a_picture_is_named(trial: Trial, form: dict[str, list[str]], sentence: str) -> None:
    """One sentence."""
    assert errors(trial, form) == {"picture": sentence}


def test_a_shuffled_picture_is_found_again() -> None:
    """Each position leads to another mix, in an order that the seed makes, and the names' order does not."""
    orders = set()
    for seed in "abcdef":
        trial = replace(CHOOSE, seed=seed)
        chosen = [TASK.parse({"picture": [f"picture {k}"]}, trial)["midpoint"] for k in range(1, 12)]
        assert sorted(chosen) == [float(name) for name in NAMES]
        other = replace(trial, views=dict(reversed(trial.views.items())), class_order=trial.class_order[::-1])
        assert [TASK.parse({"picture": [f"picture {k}"]}, other)["midpoint"] for k in range(1, 12)] == chosen
        orders.add(tuple(chosen))
    assert len(orders) == 6


@pytest.mark.parametrize("first", ["Airplane", "Ship"])
@pytest.mark.parametrize("order", [CONSTRUCT.classes, CONSTRUCT.classes[::-1]])
def test_steps_lead_from_the_class_named_first_to_the_other(first: str, order: tuple[str, ...]) -> None:
    """Wherever the page came from: the hidden field says which end was left, the trail where it began."""
    trial = replace(CONSTRUCT, class_order=order)
    begin = trial.options.start(trial, first)
    form = {"first": [first], "picture": ["picture 3"], "trail": [f"{begin} 3 4 3"]}
    answer = TASK.parse(form, trial)
    assert answer["midpoint"] == (0.8 if first == "Airplane" else 0.2)
    assert answer["start"] == float(trial.options.pictures(trial, first)[begin - 1])
    assert answer["trail"] == [begin, 3, 4, 3]
    assert TASK.typed(answer, trial.classes)[2:] == (answer["midpoint"], answer["start"], int(first == "Ship"))
    assert TASK.parse(TASK.form(answer), trial) == answer


@pytest.mark.parametrize("trail", ["", "x", "0", "12", "2 x", "1 " * 10_000, "{start} 7", "6", "6 {start} 6"])
def test_without_a_trail_there_was_no_start(trail: str) -> None:
    """A page without its script shows all pictures at once; no page sends a trail that begins or ends elsewhere."""
    start = CONSTRUCT.options.start(CONSTRUCT, CONSTRUCT.class_order[0])
    assert start != 6
    trail = trail.replace("{start}", str(start))
    answer = TASK.parse({"picture": ["picture 6"], "trail": [trail]}, CONSTRUCT)
    assert (answer["midpoint"], answer["start"], answer["trail"]) == (0.5, None, None)
    assert TASK.parse(TASK.form(answer), CONSTRUCT) == answer


@pytest.mark.parametrize(
    ("names", "starts"), [(NAMES, {"0.1", "0.9"}), (["0.0", "0.25", "0.5", "1.0"], {"0.0", "1.0"})]
)
def test_a_construction_begins_near_an_end(names: list[str], starts: set[str]) -> None:
    """At 0.1 or 0.9, or what is nearest, about as often; the same at each reload, and whoever is named first."""
    begun = []
    for seed in range(200):
        trial = replace(CONSTRUCT, views=dict.fromkeys(names, View("x")), seed=f"s{seed}")
        ways = {
            trial.options.pictures(trial, first)[trial.options.start(trial, first) - 1]
            for first in ("Airplane", "Ship")
        }
        assert len(ways) == 1
        begun += ways
    assert set(begun) == starts
    assert all(70 <= begun.count(name) <= 130 for name in starts)


VIEWS = {name: View("x") for name in NAMES}


@pytest.mark.parametrize(
    ("question", "changes", "views", "problem"),
    [
        ("infer", {}, {}, None),
        ("infer", {"coefficient": "0.25"}, {}, None),
        ("infer", {"endpoint1": None}, {}, "endpoint1 is missing"),
        ("infer", {"endpoint2": "Cow"}, {}, "endpoint2 'Cow' is not one of the design's classes"),
        ("infer", {"endpoint2": "Airplane"}, {}, "both endpoints are 'Airplane'"),
        ("infer", {"coefficient": None}, {}, "coefficient is missing"),
        ("infer", {"coefficient": "much"}, {}, "coefficient 'much' is not a number from 0 to 1"),
        ("infer", {"coefficient": 1.5}, {}, "coefficient 1.5 is not"),
        ("infer", {"coefficient": "nan"}, {}, "coefficient 'nan' is not"),
        ("choose", {"coefficient": None}, VIEWS, None),
        ("construct", {}, VIEWS, None),
        ("choose", {}, {}, "it has 0 mixes"),
        ("construct", {}, {"0": View("x"), "1": View("x")}, "it has 2 mixes"),
        ("choose", {}, VIEWS | {"gradcam": View("x")}, "the view 'gradcam'"),
        ("choose", {}, VIEWS | {"1.1": View("x")}, "the view '1.1'"),
        ("construct", {}, VIEWS | {"0.50": View("x")}, "the same share"),
    ],
)
def test_items_that_do_not_fit_are_named(question: Any, changes: Any, views: Any, problem: str | None) -> None:
    """Each in one sentence; texts of a CSV are numbers too."""
    trial = replace(
        INFER, attributes=INFER.attributes | changes, views=views, options=MixingOptions(question=question), image=None
    )
    said = TASK.check_item(trial)
    assert said is None if problem is None else problem in str(said)


def test_one_class_cannot_be_mixed() -> None:
    """Two are enough."""
    assert TASK.check_classes(("a",)) == "at least two classes are needed, got 1"
    assert TASK.check_classes(("a", "b")) is None


@pytest.mark.parametrize("trial", [CHOOSE, CONSTRUCT], ids=["choose", "construct"])
def test_the_page_does_not_say_which_mix_is_which(trial: Trial, sqlite_store: Store) -> None:
    """An item with steps has its middle mix as its image: nothing marks that, nor any share."""
    trial = replace(trial, image=trial.views["0.5"].image)
    with create_app(sqlite_store).test_request_context("/take/x"):
        html = render_template(
            TASK.template, design=make_design(), base="/take/x", trial=trial, number=1, total=2, values={}, errors={}
        )
    assert html.count(trial.views["0.5"].image) == 1
    assert "data-stimulus" not in html
    assert not [name for name in NAMES if f'"{name}"' in html or f" {name}" in html]


def simulated(trial: Trial, person: Person, share: float = 0.5, count: int = 400) -> list[dict[str, Any]]:
    """What so many people with these habits answer, each in an order of their own."""
    rng = random.Random(5)
    answers = []
    for number in range(count):
        own = replace(trial, seed=f"s{number}", class_order=rng.sample(trial.classes, len(trial.classes)))
        truth = {"Airplane": share, "Ship": 1 - share}
        answers.append(TASK.parse(TASK.simulate(truth, person, own, rng), own))
    return answers


@pytest.mark.parametrize("slope", [0.6, 1.0, 1.8])
def test_simulated_people_see_with_the_stated_slope(slope: float) -> None:
    """The regression of the inferred log-odds on those of lambda, over items and people, gives it back."""
    person = Person(skill=0.95, behaviour=MixingBehaviour(slope=slope))
    truths, seen = [], []
    for share in (0.2, 0.35, 0.5, 0.65, 0.8):
        for answer in simulated(INFER, person, share):
            truths.append(math.log(share / (1 - share)))
            kept = min(max(answer["inferred"], 0.005), 0.995)
            seen.append(math.log(kept / (1 - kept)))
    assert np.polyfit(truths, seen, 1)[0] == pytest.approx(slope, abs=0.08)
    assert np.std(np.array(seen) - slope * np.array(truths)) == pytest.approx(6 * 0.05, abs=0.05)


def test_without_noise_the_answer_is_the_truth() -> None:
    """In whole per cent, whichever class was named first."""
    for share in (0.1, 0.25, 0.5, 0.9):
        answers = simulated(INFER, Person(skill=1), share, 20)
        assert {answer["inferred"] for answer in answers} == {share}
        assert {answer["flipped"] for answer in answers} == {0, 1}


@pytest.mark.parametrize(("share", "entropies", "mean"), [(1, 0.9, 60), (0.5, 0.2, 40), (0.25, 0, 60), (0.5, 0.6, 20)])
def test_simulated_people_are_as_confident_as_stated(share: float, entropies: float, mean: float) -> None:
    """Least at half and half, and less where both images are ambiguous."""
    trial = replace(INFER, attributes=INFER.attributes | {"entropy1": str(entropies), "entropy2": 0.9})
    behaviour = MixingBehaviour(confidence=80, confidence_at_half=40, ambiguity=20)
    answers = simulated(trial, Person(behaviour=behaviour), share)
    assert np.mean([answer["confidence"] for answer in answers]) == pytest.approx(mean, abs=1.5)


@pytest.mark.parametrize("trial", [CHOOSE, CONSTRUCT], ids=["choose", "construct"])
def test_simulated_people_find_the_midpoint(trial: Trial) -> None:
    """Without noise all take it; with it they spread around it, and the careless take anything."""
    assert {answer["midpoint"] for answer in simulated(trial, Person(skill=1), count=20)} == {0.5}
    midpoints = [answer["midpoint"] for answer in simulated(trial, Person())]
    assert np.mean(midpoints) == pytest.approx(0.5, abs=0.03)
    assert 0.05 < np.std(midpoints) < 0.25
    careless = [answer["midpoint"] for answer in simulated(trial, Person(skill=1, careless=1))]
    assert {careless.count(float(name)) > 15 for name in NAMES} == {True}


def test_the_careless_say_anything() -> None:
    """Shares and confidences are uniform, whatever the image."""
    answers = simulated(INFER, Person(careless=1), 0.9, 1000)
    for name, scale in (("inferred", 1), ("confidence", 100)):
        values = np.array([answer[name] for answer in answers]) / scale
        assert values.mean() == pytest.approx(0.5, abs=0.03)
        assert values.std() == pytest.approx(12**-0.5, abs=0.02)
