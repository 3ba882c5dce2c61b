"""The wrong-label task: what items it takes, what it accepts, what its page gives away, and its simulated people."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from flask import render_template
from pydantic import ValidationError

from crowdloom.studies.database import Store
from crowdloom.studies.self_contained.question import _environment
from crowdloom.studies.web import create_app
from crowdloom.tasks.protocol import AnswerError, Person, Trial, View
from crowdloom.tasks.wrong_label import (
    DIGITS,
    OPTIONS,
    VIEWS,
    WrongLabel,
    WrongLabelBehaviour,
    WrongLabelOptions,
)
from tests.studies.designs import make_design

TASK = WrongLabel()
WITHOUT, WITH = (trial for trial, _ in TASK.examples)


def changed(trial: Trial = WITH, **attributes: Any) -> Trial:
    """The trial with these attributes; None takes one out."""
    said = {name: value for name, value in {**trial.attributes, **attributes}.items() if value is not None}
    return replace(trial, attributes=said)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose what you think the algorithm took the image for."),
        ({"choice": [""]}, "Choose what you think the algorithm took the image for."),
        ({"choice": ["8"]}, "Choose one of the options shown."),
        ({"choice": ["1"]}, "Choose one of the options shown."),
        ({"choice": ["cow"]}, "Choose one of the options shown."),
    ],
)
def test_only_an_option_is_an_answer(form: dict[str, list[str]], sentence: str) -> None:
    """Neither the correct label nor another class that is not shown."""
    with pytest.raises(AnswerError) as caught:
        TASK.parse(form, WITH)
    assert caught.value.errors == {"choice": sentence}


def test_every_option_is_an_answer() -> None:
    """Right or wrong: which of them was predicted is for the analysis."""
    for name in OPTIONS:
        option = WITH.attributes[name]
        assert TASK.parse({"choice": [option]}, WITH) == {"choice": option}


@pytest.mark.parametrize("count", [0, 1, 5])
def test_too_few_classes_are_named(count: int) -> None:
    """Five options and the correct label are six."""
    assert TASK.check_classes(DIGITS[:count]) == (
        f"fewer labels than options: 5 options and the correct label need at least 6 classes, got {count}"
    )
    assert TASK.check_classes(DIGITS[:6]) is None


@pytest.mark.parametrize(
    ("trial", "problem"),
    [
        (replace(WITH, reference=None), "reference is missing; this task needs the columns reference, prediction, opt"),
        (replace(WITH, reference="cow"), "the reference 'cow' is not one of the design's classes (0, 1, 2"),
        (changed(prediction=None), "prediction is missing; this task needs"),
        (changed(prediction="cow"), "the prediction 'cow' is not one of the design's classes"),
        (changed(prediction="8"), "the prediction '8' is the reference; only images that were misidentified"),
        (changed(prediction="5"), "the prediction '5' is none of the options (4, 3, 0, 6, 9)"),
        (changed(option5=""), "option5 is missing"),
        (changed(option4=None), "option4 is missing"),
        (changed(option4="cow"), "the option4 'cow' is not one of the design's classes"),
        (changed(option4="9"), "the option '9' stands there twice; give five different ones"),
        (changed(option4="8"), "the reference '8' is one of the options; all of them are to be wrong"),
        (replace(WITH, views={"lime": View("x")}), f"no view is called 'lime'; there are: {', '.join(VIEWS)}"),
        (replace(WITHOUT, views={"lime": View("x")}), "no view is called 'lime'"),
        (replace(WITH, views={}), "it has no views, which options.interpretations shows; add columns such as view.ar"),
    ],
)
def test_an_item_that_cannot_be_shown_is_named(trial: Trial, problem: str) -> None:
    """What is missing or contradicts itself, in words."""
    said = TASK.check_item(trial)
    assert said is not None
    assert said.startswith(problem)


def test_one_view_is_enough() -> None:
    """And without interpretations none is needed, nor in the way."""
    assert TASK.check_item(replace(WITH, views={"gradcam": View("x")})) is None
    assert TASK.check_item(replace(WITHOUT, views=WITH.views)) is None


def pages(store: Store, trial: Trial) -> list[str]:
    """The task's page on our server and in a self-contained question."""
    values: dict[str, Any] = {"trial": trial, "design": make_design(), "values": {}, "errors": {}}
    values |= {"base": "/take/x", "trial_id": "item.0", "number": 1, "total": 1, "next_image": None, "shown_at": "now"}
    with create_app(store).test_request_context("/take/x"):
        own = render_template(TASK.template, **values)
    return [own, _environment().get_template(TASK.template).render(**values)]


@pytest.mark.parametrize("trial", [WITHOUT, WITH], ids=["without", "with"])
def test_the_page_does_not_tell_the_prediction(sqlite_store: Store, trial: Trial) -> None:
    """Two items that differ in their prediction, their category or the order of their options look the same."""
    first = pages(sqlite_store, trial)
    drawn = [trial.attributes[name] for name in OPTIONS]
    for prediction in drawn:
        assert pages(sqlite_store, changed(trial, prediction=prediction, category="C5")) == first
    backwards = dict(zip(OPTIONS, drawn[::-1], strict=True))
    assert pages(sqlite_store, changed(trial, **backwards)) == first
    assert pages(sqlite_store, replace(trial, seed="another")) != first


def test_every_option_comes_first_equally_often() -> None:
    """Over many participants: 5,000 draws, five options, within four standard deviations of 1,000 each."""
    options = [WITH.attributes[name] for name in OPTIONS]
    for place in (0, 4):
        seen = Counter(replace(WITH, seed=f"person {n}").shuffled(options)[place] for n in range(5000))
        assert all(abs(count - 1000) < 4 * (5000 * 0.2 * 0.8) ** 0.5 for count in seen.values())


def test_views_are_numbered_in_the_items_order(sqlite_store: Store) -> None:
    """Whichever they are; the first heat map is explained, the second as another measure, in either order."""
    views = {name: WITH.views[name] for name in ("smoothgrad", "area50", "gradcam")}
    own, _ = pages(sqlite_store, replace(WITH, views=views))
    assert own.count("<figure>") == 3
    places = [own.index(said) for said in ("<b>1</b> A map of how", "<b>2</b> We only allow", "<b>3</b> A second map")]
    assert places == sorted(places)
    alone, _ = pages(sqlite_store, replace(WITH, views={"smoothgrad": WITH.views["smoothgrad"]}))
    assert "A map of how much" in alone
    assert "in a different way" not in alone


def share_right(person: Person, trial: Trial, count: int = 4000) -> float:
    """The share of so many simulated answers that name the prediction."""
    rng = random.Random(7)
    picked = [TASK.simulate({}, person, trial, rng)["choice"][0] for _ in range(count)]
    return picked.count(trial.attributes["prediction"]) / count


@pytest.mark.parametrize(
    ("trial", "expected"),
    [
        (changed(WITH, category="C4"), 0.41),
        (changed(WITHOUT, category="C4"), 0.59),
        (changed(WITH, category="C3"), 0.66),
        (changed(WITHOUT, category="C3"), 0.84),
        (changed(WITH, category=None), 0.63),
        (changed(WITHOUT, category=None), 0.73),
        (changed(WITHOUT, category="C9"), 0.73),
    ],
)
def test_people_are_right_as_often_as_in_table_2(trial: Trial, expected: float) -> None:
    """By category and condition; the accuracy overall where an item has no category, or one that is not stated."""
    assert share_right(Person(), trial) == pytest.approx(expected, abs=0.03)
    assert share_right(Person(skill=0), trial) == share_right(Person(skill=1), trial)


def test_carelessness_is_a_guess_among_five() -> None:
    """A careless share c is right with c / 5 + (1 - c) a."""
    trial = changed(WITHOUT, category="C3")
    assert share_right(Person(careless=1), trial) == pytest.approx(0.2, abs=0.025)
    assert share_right(Person(careless=0.5), trial) == pytest.approx(0.1 + 0.42, abs=0.03)


def test_who_errs_errs_evenly() -> None:
    """Each distractor is picked as often as the others."""
    rng = random.Random(3)
    never = Person(behaviour=WrongLabelBehaviour(with_interpretations={"overall": 0}))
    seen = Counter(TASK.simulate({}, never, WITH, rng)["choice"][0] for _ in range(4000))
    assert set(seen) == {"4", "0", "6", "9"}
    assert all(abs(count - 1000) < 120 for count in seen.values())


def test_stand_ins_are_good_items() -> None:
    """They pass the task's own check, and have categories as long as the stated counts last."""
    behaviour = WrongLabelBehaviour(images_with={"C1": 2, "C4": 3}, images_without={"C2": 1})
    for shown, expected in ((True, ["C1", "C1", "C4", "C4", "C4", None]), (False, ["C2", None])):
        options, rng = WrongLabelOptions(interpretations=shown), random.Random(1)
        made = [TASK.stand_in(DIGITS, options, behaviour, number, rng) for number in range(len(expected))]
        assert [attributes.get("category") for attributes, _ in made] == expected
        for attributes, names in made:
            assert tuple(names) == (VIEWS if shown else ())
            reference = attributes.pop("reference")
            trial = Trial(DIGITS, DIGITS, attributes=attributes, options=options, reference=reference)
            assert TASK.check_item(replace(trial, views={name: View(name) for name in names})) is None


def test_the_default_counts_are_those_of_experiment_2() -> None:
    """200 images, the same in both conditions."""
    behaviour = WrongLabelBehaviour()
    assert sum(behaviour.images_with.values()) == sum(behaviour.images_without.values()) == 200


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"with_interpretations": {"C1": 0.5}}, "overall is missing"),
        ({"without_interpretations": {"overall": 1.2}}, "expected numbers from 0 to 1, got overall = 1.2"),
        ({"without_interpretations": {"overall": float("nan")}}, "should be a finite number"),
        ({"images_with": {"C1": -1}}, "expected numbers of images, got C1 = -1"),
        ({"accuracy": 1}, "Extra inputs are not permitted"),
    ],
)
def test_a_behaviour_that_makes_no_sense_is_refused(said: dict[str, Any], message: str) -> None:
    """With what was expected."""
    with pytest.raises(ValidationError, match=message):
        WrongLabelBehaviour.model_validate(said)
