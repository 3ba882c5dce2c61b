"""How answers to the task `soft-label` are read from somebody else's response objects."""

from __future__ import annotations

import math
from collections.abc import Mapping as Given
from typing import Any, ClassVar

from crowdloom.studies.design_types import Part, Text
from crowdloom.studies.importing.mapping import Mapping
from crowdloom.tasks.protocol import Answer

CHOSEN_YET_IMPOSSIBLE = "a chosen class is also ticked as impossible"
SAME_CLASS_TWICE = "the second class is the first one again"
SECOND_WITHOUT_PROBABILITY = "a second class without a probability"
PROBABILITY_OF_NOTHING = "no second class, yet a probability above 0 for it"
NO_NUMBER_OF_NOTHING = "no second class, yet something typed that is no probability (left out)"


class ClassChoice(Part):
    """A key of the response whose value is the name of a class after a prefix."""

    key: Text
    prefix: str = ""


class SoftLabelAnswers(Part):
    """Where a response says the fields of the task `soft-label`."""

    top1: ClassChoice
    top1_probability: Text
    top2: ClassChoice
    no_alternative: Text
    """The value of the key of `top2` that means "no second class"."""
    top2_probability: Text
    impossible_prefix: Text
    """A key that begins so, followed by the name of a class, says that this class was ticked."""


class SoftLabelMapping(Mapping):
    """The mapping of an export with soft labels."""

    task: ClassVar[str] = "soft-label"

    answer: SoftLabelAnswers

    def answer_from(self, values: Given[str, Any], attributes: Given[str, Any]) -> tuple[Answer, tuple[str, ...]]:
        """See `Mapping.answer_from`; an answer that contradicts itself is kept as it was given."""
        says = self.answer
        contradictions = []
        top1 = self._class(values, says.top1)
        if top1 is None:
            raise ValueError(f"{says.top1.key} is missing: no most probable class")
        top1_probability = _probability(values.get(says.top1_probability), says.top1_probability)
        if top1_probability is None:
            raise ValueError(f"{says.top1_probability} is empty: no probability of the most probable class")
        top2 = None
        if values.get(says.top2.key) != says.no_alternative:
            top2 = self._class(values, says.top2)
        try:
            top2_probability = _probability(values.get(says.top2_probability), says.top2_probability)
        except ValueError:
            if top2 is not None:
                raise
            top2_probability = None
            contradictions.append(NO_NUMBER_OF_NOTHING)
        ticked = {key.removeprefix(says.impossible_prefix) for key in values if key.startswith(says.impossible_prefix)}
        if unknown := ticked - set(self.classes):
            raise ValueError(f"{says.impossible_prefix + min(unknown)} names no class of the mapping")

        if {top1, top2} & ticked:
            contradictions.append(CHOSEN_YET_IMPOSSIBLE)
        if top1 == top2:
            contradictions.append(SAME_CLASS_TWICE)
        if top2 is not None and top2_probability is None:
            contradictions.append(SECOND_WITHOUT_PROBABILITY)
        if top2 is None and top2_probability:
            contradictions.append(PROBABILITY_OF_NOTHING)
        answer = {
            "top1": top1,
            "top1_probability": top1_probability,
            "top2": top2,
            "top2_probability": top2_probability,
            "impossible": [name for name in self.classes if name in ticked],
        }
        return answer, tuple(contradictions)

    def _class(self, values: Given[str, Any], choice: ClassChoice) -> str | None:
        value = values.get(choice.key)
        if value is None or value == "":
            return None
        name = str(value).removeprefix(choice.prefix)
        if name not in self.classes or not str(value).startswith(choice.prefix):
            raise ValueError(f"{choice.key} says {value!r}, which names no class of the mapping")
        return name


def _probability(value: object, key: str) -> float | None:
    """A number between 0 and 100; None where nothing was typed."""
    typed = "" if value is None else str(value).strip()
    if not typed:
        return None
    try:
        number = float(typed.removesuffix("%").replace(",", "."))
    except ValueError:
        number = math.nan
    if not 0 <= number <= 100:  # false for NaN too
        raise ValueError(f"{key} says {typed!r}, which is no probability between 0 and 100")
    return int(number) if number == int(number) else number
