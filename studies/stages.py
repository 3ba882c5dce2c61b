"""What comes after the last trial: the questionnaires one by one, the debrief questions, the receipt.

A submission's stage says where its participant is. Each questionnaire is a stage of its own, so that one statement
moves on from it, and its answer can be saved but once.
"""

from __future__ import annotations

from crowdloom.studies.design import Design

_QUESTIONNAIRE = "questionnaire-"


def after_trials(design: Design) -> str:
    """The stage that follows the last trial."""
    return _from(design, 0)


def after_questionnaire(design: Design, number: int) -> str:
    """The stage that follows the questionnaire with this number, counted from 0."""
    return _from(design, number + 1)


def questionnaire_stage(number: int) -> str:
    """The stage in which the questionnaire with this number, counted from 0, is asked."""
    return f"{_QUESTIONNAIRE}{number}"


def questionnaire_at(stage: str) -> int | None:
    """Which questionnaire is asked at a stage, counted from 0; None where none is.

    >>> questionnaire_at("questionnaire-2"), questionnaire_at("debrief")
    (2, None)
    """
    return int(stage.removeprefix(_QUESTIONNAIRE)) if stage.startswith(_QUESTIONNAIRE) else None


def _from(design: Design, number: int) -> str:
    if number < len(design.questionnaires):
        return questionnaire_stage(number)
    return "debrief" if design.debrief else "done"
