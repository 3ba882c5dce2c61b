"""The instruments: their items and scores, what is read from forms, what simulated people say."""

from __future__ import annotations

import random
from statistics import mean

import pytest

from crowdloom.tasks.protocol import AnswerError, Person
from crowdloom.tasks.questionnaires import INSTRUMENTS, Questionnaire, questionnaire, score, sus_parity

TLX = questionnaire("nasa-tlx")
UMUX = questionnaire("umux-lite", system="the tool")
SCALES = questionnaire("scales", statements=["It helped.", "It biased me."], left="no", right="yes")
ALL = pytest.mark.parametrize("asked", [UMUX, TLX, SCALES], ids=lambda asked: asked.instrument.name)


def errors(asked: Questionnaire, **typed: str) -> dict[str, str]:
    """What is said of a form in which every item is 4, but for these."""
    form = {item.name: ["4"] for item in asked.items} | {name: [value] for name, value in typed.items()}
    try:
        asked.parse(form)
    except AnswerError as error:
        return error.errors
    return {}


def test_the_subscales_of_the_workload() -> None:
    """Six from 0 to 20, high is the worse end of each: performance runs from good to poor."""
    assert [item.title for item in TLX.items] == [
        "Mental demand", "Physical demand", "Temporal demand", "Performance", "Effort", "Frustration",
    ]  # fmt: skip
    assert (TLX.instrument.low, TLX.instrument.high) == (0, 20)
    ends = {item.name: (item.left, item.right) for item in TLX.items}
    assert ends.pop("performance") == ("good", "poor")
    assert set(ends.values()) == {("very low", "very high")}


def test_the_system_stands_in_the_items() -> None:
    """As the design calls it, with a capital where a sentence begins; else as the instrument does."""
    assert [item.text for item in UMUX.items] == [
        "What the tool can do meets my requirements.",
        "The tool is easy to use.",
    ]
    assert questionnaire("umux-lite").items[1].text == "This system is easy to use."
    assert questionnaire("nasa-tlx", system="sorting").items[2].text == "How hurried was the pace of sorting?"
    assert "{" not in "".join(item.text for asked in (UMUX, TLX, SCALES) for item in asked.items)


@pytest.mark.parametrize(("u1", "u2", "expected"), [(1, 1, 22.9), (7, 7, 87.9), (4, 4, 55.4), (6, 7, 82.48333)])
def test_sus_parity(u1: int, u2: int, expected: float) -> None:
    """0.65 (u1 + u2 - 2) 100/12 + 22.9."""
    assert sus_parity({"capabilities": u1, "ease": u2}) == pytest.approx(expected)
    assert score("umux-lite", {"capabilities": u1, "ease": u2}) == {
        "sus_parity": sus_parity({"capabilities": u1, "ease": u2})
    }


def test_the_total_of_the_workload() -> None:
    """The sum of the six, from 0 to 120; none where one is missing, and none for scales."""
    names = [item.name for item in TLX.items]
    assert [score("nasa-tlx", dict.fromkeys(names, value))["total"] for value in (0, 20)] == [0, 120]
    assert score("nasa-tlx", dict.fromkeys(names[1:], 5)) == {}
    assert score("scales", {"q1": 5, "q2": 6}) == {}


@ALL
def test_every_item_needs_an_answer(asked: Questionnaire) -> None:
    """An empty form has a sentence for each, which names it."""
    with pytest.raises(AnswerError) as caught:
        asked.parse({})
    assert list(caught.value.errors) == [item.name for item in asked.items]
    for item in asked.items:
        assert caught.value.errors[item.name].startswith(f"{item.title}: ")


@pytest.mark.parametrize("typed", ["0", "8", "4.0", "x", " 4", "٤"])
def test_points_are_those_of_the_page(typed: str) -> None:
    """1 to 7 and nothing else."""
    assert errors(UMUX, ease=typed) == {"ease": "Statement 2: choose one of the answers from 1 to 7."}


@pytest.mark.parametrize("typed", ["-1", "21", "3.5", "nan", "inf", "1e1", "1_0", "٤", "4 %", "9" * 400])
def test_subscales_are_whole_numbers(typed: str) -> None:
    """From 0 to 20; the sentence repeats what was typed, as far as it is short."""
    said = typed if len(typed) <= 20 else f"{typed[:20]}…"
    assert errors(TLX, effort=typed) == {
        "effort": f"Effort: “{said}” is not on this scale; enter a whole number from 0 to 20."
    }


@pytest.mark.parametrize(
    ("typed", "value"), [("0", 0), ("100", 100), ("33,3", 33.3), (" 7. ", 7), (".5", 0.5), ("-0", 0)]
)
def test_scales_take_any_number(typed: str, value: float) -> None:
    """From 0 to 100, also with a decimal comma."""
    found = SCALES.parse({"q1": [typed], "q2": ["5"]})["q1"]
    assert found == value
    assert isinstance(found, int) == (value == int(value))
    assert errors(SCALES, q2="100.1") == {
        "q2": "Statement 2: “100.1” is not on this scale; enter a number from 0 to 100."
    }


@ALL
def test_simulated_answers_are_answers(asked: Questionnaire) -> None:
    """Whatever the person is like; and the form of what was read is the form that was posted."""
    rng = random.Random(3)
    for skill in (0.0, 0.5, 1.0):
        for careless in (0.0, 1.0):
            form = asked.simulate(Person(skill=skill, careless=careless), rng)
            assert asked.form(asked.parse(form)) == form


def test_simulated_people_differ_by_skill() -> None:
    """For the skilled the tool is easy and the workload low; the careless spread over the whole scale."""
    rng = random.Random(5)

    def average(asked: Questionnaire, person: Person) -> float:
        return mean(value for _ in range(200) for value in asked.parse(asked.simulate(person, rng)).values())

    assert average(UMUX, Person(skill=0.8)) == pytest.approx(1 + 6 * 0.8, abs=0.3)
    assert average(TLX, Person(skill=0.8)) == pytest.approx(20 * 0.2, abs=0.8)
    assert average(SCALES, Person(skill=0.8, careless=1.0)) == pytest.approx(50, abs=6)


def test_every_instrument_can_be_asked() -> None:
    """Its name is its key, and those with items of their own need nothing else."""
    for name, instrument in INSTRUMENTS.items():
        assert instrument.name == name
        if instrument.items:
            assert questionnaire(name).heading == f"About {instrument.system}"
    assert (SCALES.heading, questionnaire("scales", statements=["One."]).heading) == ("A few statements", "A statement")
