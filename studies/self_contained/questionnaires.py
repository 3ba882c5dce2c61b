"""The questionnaires in a self-contained question: what the document's script knows of them, and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crowdloom.studies.design import Design
from crowdloom.studies.stages import questionnaire_stage
from crowdloom.tasks.protocol import AnswerError, Form
from crowdloom.tasks.questionnaires import Questionnaire, Ratings


def questionnaires(design: Design) -> dict[str, Questionnaire]:
    """The design's questionnaires by the names of their steps, under which their answers come back."""
    return {questionnaire_stage(number): said.asked for number, said in enumerate(design.questionnaires)}


def required_items(design: Design) -> dict[str, dict[str, str]]:
    """By step: what is said of each item where nothing is filled in."""
    return {name: _wrong(asked, {}) for name, asked in questionnaires(design).items()}


def sliders(design: Design) -> dict[str, list[dict[str, Any]]]:
    """By step: the sliders of each questionnaire, as `questionnaires.check.js` takes them."""
    return {name: _sliders(asked) for name, asked in questionnaires(design).items()}


def read_ratings(design: Design, forms: Mapping[str, Form]) -> tuple[dict[int, Ratings], dict[int, str]]:
    """The answers in the forms of the steps, and why others cannot be used, each by its number from 0."""
    read, refused = {}, {}
    for number, (name, asked) in enumerate(questionnaires(design).items()):
        if wrong := _wrong(asked, forms[name]):
            refused[number] = " ".join(wrong.values())
        else:
            read[number] = asked.parse(forms[name])
    return read, refused


def _sliders(asked: Questionnaire) -> list[dict[str, Any]]:
    scale = asked.instrument
    numbers = {"low": scale.low, "high": scale.high, "whole": scale.whole}
    return [{"name": item.name, "title": item.title, **numbers} for item in asked.items if scale.control == "slider"]


def _wrong(asked: Questionnaire, form: Form) -> dict[str, str]:
    try:
        asked.parse(form)
    except AnswerError as error:
        return error.errors
    return {}
