"""Background questions: what a design may ask, what their page takes, and that it is saved once."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import ValidationError
from sqlalchemy import select

from crowdloom.studies.background import read_answers, simulate_background
from crowdloom.studies.database import Store
from crowdloom.studies.design_background import BackgroundQuestion
from crowdloom.studies.tables import Event
from crowdloom.studies.web import create_app
from crowdloom.tasks.protocol import AnswerError
from tests.studies.designs import make_design
from tests.studies.studies_for_tests import DESIGN, begin, open_small, trial_id

QUESTIONS = """
[[background]]
question = "How old are you?"
number = true
minimum = 18
maximum = 99
required = true
[[background]]
question = "How well do you know machine learning?"
scale = true
left = "not at all"
right = "very well"
[[background]]
question = "Which hand do you write with?"
options = ["left", "right"]
[[background]]
question = "What do you work on?"
"""


def question(**said: Any) -> BackgroundQuestion:
    """A question."""
    return BackgroundQuestion.model_validate({"question": "What?"} | said)


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ({"scale": True, "left": "a"}, "add right"),
        ({"scale": True, "number": True, "left": "a", "right": "b"}, "either scale or number"),
        ({"options": ["a"], "number": True}, "either options or number"),
        ({"left": "a"}, "belongs to a question with scale = true"),
        ({"minimum": 3.0}, "belongs to a question with number = true"),
        ({"number": True, "minimum": 3.0, "maximum": 3.0}, "expected a number below maximum"),
        ({"question": "participant"}, "is a column"),
    ],
)
def test_questions_that_make_no_sense_are_refused(said: dict[str, Any], part: str) -> None:
    """Each with a sentence that says which field."""
    with pytest.raises(ValidationError, match=re.escape(part)):
        question(**said)


def test_a_question_stands_in_a_design_once() -> None:
    """Answers are kept by question, so two that are the same would be one."""
    with pytest.raises(ValidationError, match="stands there twice"):
        make_design(background=[{"question": "What?"}, {"question": "What?"}])


@pytest.mark.parametrize(
    ("said", "typed", "kept"),
    [
        ({"number": True}, "34", 34),
        ({"number": True, "minimum": 0}, "1,5", 1.5),
        ({"number": True}, "-3", -3),
        ({"scale": True, "left": "a", "right": "b"}, "100", 100),
        ({"options": ["a", "b"]}, "b", "b"),
        ({}, " some words ", "some words"),
        ({}, "", ""),
        ({"number": True}, "", ""),
    ],
)
def test_what_is_read(said: dict[str, Any], typed: str, kept: Any) -> None:
    """Numbers as numbers, whole ones without decimals; what is not required may stay empty."""
    assert read_answers([question(**said)], {"question-0": [typed]}) == {"What?": kept}


@pytest.mark.parametrize(
    ("said", "typed", "sentence"),
    [
        ({"required": True}, " ", "Please answer this question."),
        ({"number": True, "minimum": 18, "maximum": 99}, "17", "“17” does not fit; enter a number from 18 to 99."),
        ({"number": True, "minimum": 18}, "x", "“x” does not fit; enter a number from 18 on."),
        ({"number": True, "maximum": 9}, "10", "“10” does not fit; enter a number up to 9."),
        ({"number": True}, "nan", "“nan” does not fit; enter a number."),
        ({"number": True}, "1e5", "“1e5” does not fit; enter a number."),
        ({"scale": True, "left": "a", "right": "b"}, "101", "“101” does not fit; enter a number from 0 to 100."),
        ({"options": ["a", "b"]}, "c", "Choose one of the answers."),
        ({}, "x" * 10_001, "Please keep it below 10000 characters."),
    ],
)
def test_what_is_refused(said: dict[str, Any], typed: str, sentence: str) -> None:
    """One sentence for the field."""
    with pytest.raises(AnswerError) as error:
        read_answers([question(**said)], {"question-0": [typed]})
    assert error.value.errors == {"question-0": sentence}


def test_simulated_people_answer_what_can_be_read() -> None:
    """Whatever the limits are."""
    asked = [
        question(question="a", number=True, minimum=18, maximum=20),
        question(question="b", number=True, maximum=0.5),
        question(question="c", number=True, minimum=0.2, maximum=0.4),
        question(question="d", scale=True, left="x", right="y"),
        question(question="e", options=["x", "y"], required=True),
        question(question="f", required=True),
        question(question="g", number=True),
    ]
    for seed in range(50):
        read = read_answers(asked, simulate_background(asked, random.Random(seed)))
        assert all(read.values()) or 0 in read.values()


def client(store: Store) -> FlaskClient:
    """The app's test client."""
    return create_app(store, "test").test_client()


def events(store: Store, kind: str = "background") -> list[dict[str, Any]]:
    """The values of the events of a kind."""
    with store.read() as connection:
        return list(connection.scalars(select(Event.values).where(Event.kind == kind).order_by(Event.id)))


FORM = {"question-0": "34", "question-1": "20.5", "question-2": "left", "question-3": ""}


def test_the_page_comes_before_the_trials_and_is_saved_once(store: Store, tmp_path: Path) -> None:
    """After the instructions; a double post and one that comes later change nothing."""
    pages = client(store)
    base = begin(pages, open_small(store, tmp_path, DESIGN + QUESTIONS), "ann")
    page = pages.get(base).text
    assert "A few questions about you" in page
    assert 'name="question-1" value=""' in page
    assert trial_id(pages, base) is None
    assert pages.post(f"{base}/answer", data={"trial": "x"}).status_code == 303
    for _ in range(2):
        assert pages.post(f"{base}/background", data=FORM).status_code == 303
    assert trial_id(pages, base) is not None
    pages.post(f"{base}/background", data=FORM | {"question-0": "35"})
    pages.post(f"{base}/background", data={})
    assert pages.get(f"{base}/background").status_code == 303
    assert events(store) == [
        {
            "How old are you?": 34,
            "How well do you know machine learning?": 20.5,
            "Which hand do you write with?": "left",
            "What do you work on?": "",
        }
    ]


def test_wrong_answers_are_shown_again(sqlite_store: Store, tmp_path: Path) -> None:
    """With what was typed and one sentence for each field; nothing is saved."""
    pages = client(sqlite_store)
    base = begin(pages, open_small(sqlite_store, tmp_path, DESIGN + QUESTIONS), "ann")
    said = pages.post(f"{base}/background", data=FORM | {"question-0": "seven", "question-2": "both"})
    assert said.status_code == 422
    assert "“seven” does not fit; enter a number from 18 to 99." in said.text
    assert "Choose one of the answers." in said.text
    assert 'value="20.5"' in said.text
    assert events(sqlite_store) == []


def test_who_left_must_come_back_first(sqlite_store: Store, tmp_path: Path) -> None:
    """The page of somebody who left in another tab saves nothing; when they are back, it is asked again."""
    pages = client(sqlite_store)
    base = begin(pages, open_small(sqlite_store, tmp_path, DESIGN + QUESTIONS), "ann")
    pages.post(f"{base}/leave")
    pages.post(f"{base}/background", data=FORM)
    assert events(sqlite_store) == []
    pages.post(f"{base}/return")
    assert "A few questions about you" in pages.get(base).text
