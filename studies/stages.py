"""What comes after each part of a participation: the check, the background questions, the trials, what follows them.

A submission's stage says where its participant is. Each questionnaire is a stage of its own, so that one statement
moves on from it, and its answer can be saved but once. Those that are asked after each item come between the trials;
while one is asked no trial can be answered, so that it is always about the item that was answered last.
"""

from __future__ import annotations

from collections.abc import Sequence

from crowdloom.studies.design import Design

_QUESTIONNAIRE = "questionnaire-"


def after_instructions(design: Design) -> str:
    """The stage that follows the instructions."""
    return "check" if design.comprehension else after_check(design)


def after_check(design: Design) -> str:
    """The stage that follows the comprehension check."""
    return "background" if design.background else "trials"


def after_answer(design: Design, order: Sequence[Sequence[int]], answered: int) -> str:
    """The stage that follows the answer to a trial: `answered` trials of `order` have one now."""
    _, repeat_index = order[answered - 1]
    if repeat_index == 0 and (number := _next(design, 0, "item")) is not None:
        return questionnaire_stage(number)
    return _after_item(design, len(order), answered)


def after_questionnaire(design: Design, number: int, trials: int, answered: int) -> str:
    """The stage that follows the questionnaire with this number, counted from 0.

    `answered` of the submission's `trials` have an answer.
    """
    after = design.questionnaires[number].after
    if (following := _next(design, number + 1, after)) is not None:
        return questionnaire_stage(following)
    return _after_item(design, trials, answered) if after == "item" else _at_last(design)


def questionnaire_stage(number: int) -> str:
    """The stage in which the questionnaire with this number, counted from 0, is asked."""
    return f"{_QUESTIONNAIRE}{number}"


def questionnaire_at(stage: str) -> int | None:
    """Which questionnaire is asked at a stage, counted from 0; None where none is.

    >>> questionnaire_at("questionnaire-2"), questionnaire_at("debrief")
    (2, None)
    """
    return int(stage.removeprefix(_QUESTIONNAIRE)) if stage.startswith(_QUESTIONNAIRE) else None


def _next(design: Design, first: int, after: str) -> int | None:
    """The first questionnaire from this number on that is asked after each item, or after the study."""
    rest = enumerate(design.questionnaires[first:], first)
    return next((number for number, one in rest if one.after == after), None)


def _after_item(design: Design, trials: int, answered: int) -> str:
    if answered < trials:
        return "trials"
    number = _next(design, 0, "study")
    return _at_last(design) if number is None else questionnaire_stage(number)


def _at_last(design: Design) -> str:
    return "debrief" if design.debrief else "done"
