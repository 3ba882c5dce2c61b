"""Reading what came back: an assignment's answer XML as answers to the trials of its batch.

Whatever a browser posted is somebody else's word: nothing in it can make the reading fail, and what cannot
be used is reported with its sentence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crowdloom.studies.design import Design
from crowdloom.studies.errors import PlatformRefusedError
from crowdloom.studies.participation import ItemView
from crowdloom.studies.platforms.mturk_questions import read_answer
from crowdloom.studies.self_contained.question import question_digest, trial_of
from crowdloom.studies.self_contained.questionnaires import questionnaires, read_ratings
from crowdloom.studies.timing import read_timing
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import Answer, AnswerError, Settings
from crowdloom.tasks.questionnaires import Ratings

_LONGEST = 100_000  # characters of one field; more comes from no page of ours
_LONGEST_TEXT = 10_000  # characters of a last question's answer


@dataclass(frozen=True)
class ParsedAnswer:
    """One answer, as a response row wants it; `position` counts from 0 in the order shown."""

    item_id: int
    repeat_index: int
    position: int
    answer: Answer
    rt_ms: int | None
    timing: dict[str, Any] | None


@dataclass(frozen=True)
class Parsed:
    """What an assignment says."""

    agreed: bool
    """They agreed to take part and ticked every statement of eligibility."""
    check_passed: bool | None
    """The comprehension check; None where the design has none."""
    checks_failed: int
    """How often it was tried in vain before."""
    item_order: list[list[int]]
    """[item id, repeat index] of every trial in the order shown, as `Submission.item_order` has it."""
    class_order: list[str]
    answers: tuple[ParsedAnswer, ...]
    """In the order shown."""
    refused: dict[str, str]
    """By trial, `TOKEN.REPEAT`: why its answer cannot be used."""
    debrief: dict[str, str]
    """By question, as the event `debrief` keeps it."""
    questionnaires: dict[int, Ratings] = field(default_factory=dict)
    """By number, counted from 0."""
    questionnaires_refused: dict[int, str] = field(default_factory=dict)
    """By number: why an answer cannot be used; the submission counts all the same."""

    @property
    def is_complete(self) -> bool:
        """They took part by the rules, and every trial has a usable answer."""
        return self.agreed and self.check_passed is not False and not self.refused


def parse_assignment(design: Design, items: Sequence[ItemView], xml: str, options: Settings | None = None) -> Parsed:
    """The answers of one assignment; `items` and `options` are those the question was built from, in the same order.

    Raises PlatformRefusedError for what is no answer XML, or that of another question.
    """
    given = {name: values[0] for name, values in read_answer(xml).items() if values}
    if "question" in given and given["question"] != question_digest(design, items):
        raise PlatformRefusedError(
            "the assignment answers another question than that of this batch; import it with the design's version "
            "from which its HIT was made"
        )
    order = _order(_json(given.get("order")), len(items), design.batches.repeats)
    classes = _permuted(_json(given.get("classes")), len(design.classes))
    class_order = [design.classes[index] for index in classes]
    answers, refused = [], {}
    for position, (number, repeat) in enumerate(order):
        item = items[number]
        trial = trial_of(design, item, class_order, options)
        posted = _json(given.get(f"trial.{number}.{repeat}"))
        try:
            answer = TASKS[design.task].parse(_fields(posted), trial)
        except AnswerError as error:
            said = " ".join(error.errors.values()) if posted is not None else "It was not answered."
            refused[f"{item.token}.{repeat}"] = said
            continue
        timing = posted.get("timing") if isinstance(posted, dict) else None
        rt_ms, record = read_timing({"timing": json.dumps(timing)})
        answers.append(ParsedAnswer(item.id, repeat, position, answer, rt_ms, record))
    ratings, unusable = read_ratings(design, {name: _fields(_json(given.get(name))) for name in questionnaires(design)})
    return Parsed(
        agreed=_agreed(design, given),
        check_passed=_passed(design, given),
        checks_failed=_count(given.get("checks_failed")),
        item_order=[[items[number].id, repeat] for number, repeat in order],
        class_order=class_order,
        answers=tuple(answers),
        refused=refused,
        debrief=_debrief(design, given),
        questionnaires=ratings,
        questionnaires_refused=unusable,
    )


def _json(written: str | None) -> Any:
    """The value that a field holds, or None for what is none; a number that JSON does not know is None too."""
    if written is None or len(written) > _LONGEST:
        return None
    try:
        return json.loads(written, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return None


def _fields(posted: Any) -> dict[str, list[str]]:
    """The form within an answer: lists of texts, whatever else stands there."""
    fields = posted.get("fields") if isinstance(posted, dict) else None
    if not isinstance(fields, dict):
        return {}
    return {
        name: [_storable(value) for value in values if isinstance(value, str)]
        for name, values in fields.items()
        if isinstance(values, list)
    }


def _storable(text: str) -> str:
    """Without what no database keeps: a NUL, or half of a surrogate pair, which JSON can write."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _permuted(given: Any, length: int) -> list[int]:
    """The order that is given, if it is one of so many; else the document's."""
    whole = isinstance(given, list) and all(type(index) is int for index in given)
    return given if whole and sorted(given) == list(range(length)) else list(range(length))


def _order(given: Any, items: int, repeats: Sequence[int]) -> list[tuple[int, int]]:
    """Every trial in the order shown: all items, then those that stood at the positions `repeats` once more."""
    pairs = given if isinstance(given, list) else []
    firsts = [pair[0] for pair in pairs if isinstance(pair, list) and len(pair) == 2 and pair[1] == 0]
    shown = _permuted(firsts, items)
    return [(item, 0) for item in shown] + [(shown[position - 1], 1) for position in repeats]


def _agreed(design: Design, given: Mapping[str, str]) -> bool:
    consent = _json(given.get("consent"))
    ticked = set(_fields(consent).get("statement", ()))
    return consent is not None and ticked >= {str(number) for number in range(len(design.eligibility.statements))}


def _passed(design: Design, given: Mapping[str, str]) -> bool | None:
    if design.comprehension is None:
        return None
    fields = _fields(_json(given.get("check")))
    return all(
        fields.get(f"question-{number}") == [question.correct]
        for number, question in enumerate(design.comprehension.questions)
    )


def _count(written: str | None) -> int:
    return int(written) if written and written.isascii() and written.isdecimal() and len(written) < 6 else 0


def _debrief(design: Design, given: Mapping[str, str]) -> dict[str, str]:
    fields = _fields(_json(given.get("debrief")))
    answers = {}
    for number, question in enumerate(design.debrief):
        answer = "".join(fields.get(f"question-{number}", [])[:1]).strip()[:_LONGEST_TEXT]
        answers[question.question] = answer if not question.options or answer in question.options else ""
    return answers
