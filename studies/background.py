"""Answers to background and debrief questions: read from a form, and made up for simulated people."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence

from crowdloom.studies.design_background import AskedQuestion
from crowdloom.tasks.protocol import AnswerError, Form

Answers = dict[str, str | int | float]
"""By question; an empty text where somebody did not answer one that is not required."""

LONGEST_TEXT = 10_000
"""Characters of an answer in free text."""

_SAID = ("Now and then.", "Not much.", "For some years.")


def read_answers(questions: Sequence[AskedQuestion], form: Form) -> Answers:
    """The answers in a posted form. Raises AnswerError with one sentence for each wrong field."""
    answers: Answers = {}
    errors: dict[str, str] = {}
    for number, question in enumerate(questions):
        field = f"question-{number}"
        typed = form.get(field, [""])[0].strip()
        try:
            answers[question.question] = _read(question, typed)
        except ValueError as error:
            errors[field] = str(error)
    if errors:
        raise AnswerError(errors)
    return answers


def _read(question: AskedQuestion, typed: str) -> str | int | float:
    if not typed:
        if question.required:
            raise ValueError("Please answer this question.")
        return ""
    if question.kind in ("scale", "number"):
        return _number(question, typed)
    if question.options and typed not in question.options:
        raise ValueError("Choose one of the answers.")
    if len(typed) > LONGEST_TEXT:
        raise ValueError(f"Please keep it below {LONGEST_TEXT} characters.")
    return typed


def _number(question: AskedQuestion, typed: str) -> int | float:
    written = typed.replace(",", ".")
    # Not all that Python takes for a number: people write no 1e1, no 1_0 and no nan.
    value = float(written) if re.fullmatch(r"[+-]?([0-9]{1,15}\.?[0-9]*|\.[0-9]+)", written) else math.nan
    least, most = question.limits
    fits = (least is None or value >= least) and (most is None or value <= most)
    if math.isnan(value) or not fits:
        raise ValueError(f"“{typed[:20]}{'…' * (len(typed) > 20)}” does not fit; enter {_wanted(least, most)}.")
    return int(value) if value == int(value) else value


def _wanted(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f"a number from {least:g} to {most:g}"
    if least is not None:
        return f"a number from {least:g} on"
    return "a number" if most is None else f"a number up to {most:g}"


def simulate_background(questions: Sequence[AskedQuestion], rng: random.Random) -> dict[str, list[str]]:
    """What a simulated participant would post: anything that fits, every question answered."""
    return {f"question-{number}": [_made_up(question, rng)] for number, question in enumerate(questions)}


def _made_up(question: AskedQuestion, rng: random.Random) -> str:
    if question.kind == "options":
        return rng.choice(question.options)
    if question.kind == "text":
        return rng.choice(_SAID)
    least, most = question.limits
    low = least if least is not None else 18 if most is None else most - 50
    high = most if most is not None else low + 50
    whole = rng.randint(math.ceil(low), max(math.ceil(low), math.floor(high)))
    return f"{whole if low <= whole <= high else low:g}"
