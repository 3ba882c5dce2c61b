"""The soft-label task: what it accepts, what it refuses and in which words, and its simulated people."""

from __future__ import annotations

import random
from typing import Any

import pytest

from crowdloom.tasks.protocol import AnswerError, Person, Trial
from crowdloom.tasks.soft_label import CIFAR10, NO_ALTERNATIVE, SoftLabel

TASK = SoftLabel()
TRIAL = Trial(classes=CIFAR10, class_order=CIFAR10[::-1])
GOOD = {
    "top1": ["Deer"],
    "top1_probability": ["80"],
    "top2": ["Horse"],
    "top2_probability": ["15"],
    "impossible": ["Truck", "Airplane"],
}
NONE = {"top2": [NO_ALTERNATIVE], "top2_probability": [""]}


def answered(**changes: Any) -> dict[str, Any]:
    """The answer in the good form with these changes."""
    return TASK.parse(GOOD | changes, TRIAL)


def errors(**changes: Any) -> dict[str, str]:
    """The errors in the good form with these changes; a field of None is absent."""
    form = {name: values for name, values in (GOOD | changes).items() if values is not None}
    with pytest.raises(AnswerError) as caught:
        TASK.parse(form, TRIAL)
    return caught.value.errors


def test_an_answer_is_read() -> None:
    """Numbers become numbers, and classes stand in the design's order."""
    assert answered() == {
        "top1": "Deer",
        "top1_probability": 80,
        "top2": "Horse",
        "top2_probability": 15,
        "impossible": ["Airplane", "Truck"],
    }


def test_no_alternative_is_a_choice() -> None:
    """Without a second class there is no second probability, and ticking nothing is fine."""
    answer = answered(**NONE, impossible=[])
    assert (answer["top2"], answer["top2_probability"], answer["impossible"]) == (None, None, [])


def test_probabilities_need_not_add_up_to_a_hundred() -> None:
    """As in the paper: 100 and 100, or 0 and 0."""
    for typed in ("100", "0"):
        answer = answered(top1_probability=[typed], top2_probability=[typed])
        assert answer["top1_probability"] == answer["top2_probability"] == int(typed)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("85", 85),
        (" 85 ", 85),
        ("85%", 85),
        ("85 %", 85),
        ("85.5", 85.5),
        ("85,5", 85.5),
        ("85.", 85),
        (".5", 0.5),
        ("+85", 85),
        ("085", 85),
        ("-0", 0),
        ("0", 0),
        ("100", 100),
        ("100.0", 100),
        ("33.333333333", 33.333333333),
        ("0.00001", 0.00001),
        ("٨٥", 85),
        ("８５", 85),
    ],
)
@pytest.mark.parametrize("field", ["top1_probability", "top2_probability"])
def test_a_probability_is_read_as_people_write_it(field: str, typed: str, value: float) -> None:
    """With a per cent sign, a decimal comma, blanks, or digits of another script; and its form reads the same."""
    answer = answered(**{field: [typed]})
    assert answer[field] == value
    assert isinstance(answer[field], int) == (value == int(value))
    assert TASK.parse(TASK.form(answer), TRIAL) == answer


NO_PROBABILITY = (
    *("8p", "eighty", "½", "²", "五", "~80", "5-10", "<b>8</b>", "\x00"),
    *("8 5", "85%%", "%85", "8.5.5", "0.5.", ".", "+", "--5"),
    *("nan", "NaN", "inf", "-inf", "1e400", "1e1", "1_0", "0x10"),
    *("-1", "-0.1", "100.5", "101", "1000000", "9" * 5000),
)


@pytest.mark.parametrize("typed", NO_PROBABILITY, ids=range(len(NO_PROBABILITY)))
@pytest.mark.parametrize("field", ["top1_probability", "top2_probability"])
def test_what_is_no_probability_is_named(field: str, typed: str) -> None:
    """The sentence shows what was typed, as far as it is short, and says what to enter; it is the only error."""
    found = errors(**{field: [typed]})
    assert list(found) == [field]
    assert found[field].endswith("is not a probability; enter a number between 0 and 100, such as 85.")
    assert found[field].startswith(f"“{typed.strip()[:20]}")
    assert len(found[field]) < 110


@pytest.mark.parametrize("typed", [None, [], [""], ["  "], ["%"], [" % "]])
def test_a_missing_probability_is_asked_for(typed: list[str] | None) -> None:
    """Of the first class always, of the second where there is one."""
    assert errors(top1_probability=typed) == {"top1_probability": "Enter a probability between 0 and 100."}
    assert errors(top2_probability=typed) == {
        "top2_probability": "Enter a probability between 0 and 100 for the second category."
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"top1": None}, {"top1": "Choose the most probable category."}),
        ({"top1": [""]}, {"top1": "Choose the most probable category."}),
        ({"top1": ["Cow"]}, {"top1": "Choose one of the categories shown."}),
        ({"top1": [NO_ALTERNATIVE]}, {"top1": "Choose one of the categories shown."}),
        ({"top2": None}, {"top2": "Choose a second category, or “No alternative”."}),
        ({"top2": ["Cow"]}, {"top2": "Choose one of the categories shown, or “No alternative”."}),
        (
            {"top2": ["Deer"]},
            {"top2": "The second category must differ from the first; choose another one or “No alternative”."},
        ),
        ({"impossible": ["Cow"]}, {"impossible": "Tick only categories that are shown."}),
    ],
)
def test_a_wrong_choice_is_named(changes: dict[str, Any], expected: dict[str, str]) -> None:
    """One sentence, beside the field that is wrong."""
    assert errors(**changes) == expected


@pytest.mark.parametrize(
    ("ticked", "who"),
    [(["Deer"], "Deer"), (["Horse"], "Horse"), (["Deer", "Horse", "Truck"], "Deer and Horse")],
)
def test_a_chosen_class_cannot_be_impossible(ticked: list[str], who: str) -> None:
    """The sentence names the classes that are both, once each."""
    sentence = f"{who} cannot be both probable and definitely not; untick it here or choose another above."
    assert errors(impossible=ticked) == {"impossible": sentence}
    again = errors(top2=["Deer"], impossible=["Deer"])
    assert again["impossible"].startswith("Deer cannot be both")


def test_every_wrong_field_is_named_at_once() -> None:
    """Nobody has to find their mistakes one by one."""
    found = errors(top1=None, top1_probability=["x"], top2=["Horse"], top2_probability=[""], impossible=["Horse"])
    assert set(found) == {"top1", "top1_probability", "top2_probability", "impossible"}


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ((), "at least two classes are needed, got 0"),
        (("a",), "at least two classes are needed, got 1"),
        (("a", NO_ALTERNATIVE), "no class can be called 'no-alternative', which stands for no second class"),
        (("a", "b"), None),
    ],
)
def test_classes_that_do_not_fit_are_named(classes: tuple[str, ...], message: str | None) -> None:
    """A soft label needs something to choose between."""
    assert TASK.check_classes(classes) == message


def people(person: Person, truth: dict[str, float], count: int = 400) -> list[dict[str, Any]]:
    """What so many people with these habits answer."""
    rng = random.Random(11)
    return [TASK.parse(TASK.simulate(truth, person, TRIAL, rng), TRIAL) for _ in range(count)]


def accuracy(answers: list[dict[str, Any]], name: str = "Deer") -> float:
    """The share whose most probable class is this one."""
    return sum(answer["top1"] == name for answer in answers) / len(answers)


TRUTH = {"Deer": 0.7, "Horse": 0.25, "Dog": 0.05}


def test_a_skilled_person_sees_the_truth() -> None:
    """With full skill and no carelessness the two largest classes come with their shares, the rest is ruled out."""
    for answer in people(Person(skill=1), TRUTH, 50):
        assert (answer["top1"], answer["top2"]) == ("Deer", "Horse")
        assert answer["top1_probability"] == pytest.approx(70, abs=2)
        assert answer["top2_probability"] == pytest.approx(25, abs=2)
        assert set(answer["impossible"]) == set(CIFAR10) - set(TRUTH)


def test_skill_makes_people_right() -> None:
    """The less skill, the fewer see the true class; without any most do not."""
    shares = [accuracy(people(Person(skill=skill), TRUTH)) for skill in (1, 0.8, 0.5, 0)]
    assert shares[0] == 1
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[1] > shares[2] > shares[3]
    assert shares[3] < 0.5


def test_carelessness_makes_people_wrong() -> None:
    """A careless share c answers by chance: accuracy is 1 - c (1 - 1/K), within sampling error."""
    for careless in (0.25, 0.5, 1):
        expected = 1 - careless * (1 - 1 / len(CIFAR10))
        assert accuracy(people(Person(skill=1, careless=careless), TRUTH, 1000)) == pytest.approx(expected, abs=0.05)


def test_calibration_bends_what_people_say() -> None:
    """The exponent: below 1 they overclaim, above 1 they underclaim; whom they choose stays the same."""
    over, straight, under = (people(Person(skill=1, calibration=c), TRUTH, 20) for c in (0.5, 1, 2))
    for low, middle, high in zip(under, straight, over, strict=True):
        assert low["top1_probability"] < middle["top1_probability"] < high["top1_probability"] <= 100
        assert low["top1"] == middle["top1"] == high["top1"] == "Deer"


def test_a_certain_truth_has_no_alternative() -> None:
    """Where nothing else is worth two per cent, the skilled say so."""
    for answer in people(Person(skill=1), {"Ship": 1.0}, 20):
        assert (answer["top1"], answer["top2"]) == ("Ship", None)
        assert answer["top1_probability"] >= 97
