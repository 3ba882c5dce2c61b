"""How answers to the task `mixing-coefficient` are read from sliders, choices and constructions elsewhere."""

from __future__ import annotations

from collections.abc import Mapping as Given
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from crowdloom.studies.design_types import Number, Part
from crowdloom.studies.importing.mapping import Mapping
from crowdloom.studies.importing.values import Place, fraction
from crowdloom.tasks.protocol import Answer

FIELDS = {"infer": ("inferred", "confidence"), "choose": ("midpoint",), "construct": ("midpoint", "start")}
"""What is read for each question, the necessary field first."""


class Scale(Place):
    """A number between two ends: what it is where all of the mix is one endpoint's image."""

    first: Number | None = None
    """The value that means all of the item's first endpoint."""
    second: Number | None = None
    """The value that means all of its second endpoint."""
    left: Number | None = None
    """Instead: the value that means all of the class that was named first on the page."""
    right: Number | None = None
    """The value that means all of the class that was named second."""

    @model_validator(mode="after")
    def _two_ends(self) -> Scale:
        endpoints, sides = (self.first, self.second), (self.left, self.right)
        if {endpoints.count(None), sides.count(None)} != {0, 2}:
            raise ValueError("give the two ends of the scale: first and second, or left and right")
        low, high = sides if endpoints.count(None) else endpoints
        if low == high:
            raise ValueError(f"the two ends of the scale are both {low}")
        return self

    def share(self, values: Given[str, Any], *, flipped: bool | None) -> float:
        """The share of the first endpoint; `flipped` where the second was named first. Raises ValueError."""
        whole, nothing = (self.right, self.left) if flipped else (self.left, self.right)
        if whole is None or nothing is None:
            whole, nothing = float(self.first or 0), float(self.second or 0)
        return fraction(self.value(values), nothing, whole, self.name)


class Confidence(Place):
    """A number that says how sure somebody is."""

    lowest: Number
    highest: Number

    @model_validator(mode="after")
    def _two_ends(self) -> Confidence:
        if self.lowest == self.highest:
            raise ValueError("lowest: is the same as highest")
        return self

    def percent(self, values: Given[str, Any]) -> float:
        """From 0 to 100. Raises ValueError."""
        percent = round(100 * fraction(self.value(values), self.lowest, self.highest, self.name), 7)
        return int(percent) if percent == int(percent) else percent


class MixingAnswers(Part):
    """Where a response says the fields of the task `mixing-coefficient`."""

    question: Literal["infer", "choose", "construct"]
    named_first: Literal["first", "second"] | None = None
    """Which endpoint the page always named first, where it is known."""
    named_first_in: Place | None = None
    """Instead: where it stands which class was named first."""
    inferred: Scale | None = None
    """For `infer`: how much of the first endpoint they think is in the mix."""
    confidence: Confidence | None = None
    """For `infer`, where it was asked."""
    midpoint: Scale | None = None
    """For `choose` and `construct`: the mix that they say is half and half."""
    start: Scale | None = None
    """For `construct`, where it is known: the mix that it began with."""

    @model_validator(mode="after")
    def _fit_the_question(self) -> MixingAnswers:
        mine = FIELDS[self.question]
        if getattr(self, mine[0]) is None:
            raise ValueError(f"{mine[0]} is missing; the question {self.question} asks for it")
        given = [name for name in ("inferred", "confidence", "midpoint", "start") if getattr(self, name) is not None]
        if strange := [name for name in given if name not in mine]:
            raise ValueError(f"{strange[0]}: the question {self.question} does not ask for it")
        if self.named_first is not None and self.named_first_in is not None:
            raise ValueError("named_first: give either named_first or named_first_in")
        if self.named_first is None and self.named_first_in is None:
            scales = ((name, getattr(self, name)) for name in ("inferred", "midpoint", "start"))
            if sided := [name for name, scale in scales if scale and scale.left is not None]:
                raise ValueError(f"{sided[0]}: left and right need named_first or named_first_in")
        keys, columns = ({getattr(place, kind) for place in self.places} - {None} for kind in ("key", "column"))
        if both := keys & columns:
            raise ValueError(f"{min(both)!r} is both a key of the response and a column; leave out one")
        return self

    @property
    def places(self) -> list[Place]:
        """Everywhere that a part of the answer stands."""
        places = (self.inferred, self.confidence, self.midpoint, self.start, self.named_first_in)
        return [place for place in places if place is not None]


class MixingMapping(Mapping):
    """The mapping of an export with perceived mixing coefficients or midpoints."""

    task: ClassVar[str] = "mixing-coefficient"

    answer: MixingAnswers

    @model_validator(mode="after")
    def _mixed(self) -> MixingMapping:
        if self.columns.mixed is None:
            raise ValueError("columns: the table columns.mixed is missing; it says of which images an item is mixed")
        if self.answer.question == "infer" and not self.columns.mixed.has_coefficient:
            raise ValueError("columns.mixed: the coefficient is missing; the question infer needs it")
        if "question" in self.options:
            raise ValueError("options.question: is what answer.question says; leave it out here")
        return self

    def design_options(self) -> dict[str, Any]:
        """See `Mapping.design_options`."""
        return {**self.options, "question": self.answer.question}

    def answer_columns(self) -> list[str]:
        """See `Mapping.answer_columns`; the response's column only where a key of it is read."""
        columns = [place.column for place in self.answer.places if place.column is not None]
        return [self.columns.response, *columns] if self._reads_keys() else columns

    def given(self, fields: Given[str, str]) -> dict[str, Any]:
        """See `Mapping.given`: the response's object and the columns that hold a part of the answer."""
        values = super().given(fields) if self._reads_keys() else {}
        columns = [place.column for place in self.answer.places if place.column is not None]
        return values | {column: fields[column] for column in columns}

    def answer_from(self, values: Given[str, Any], attributes: Given[str, Any]) -> tuple[Answer, tuple[str, ...]]:
        """See `Mapping.answer_from`."""
        says = self.answer
        endpoints: tuple[str, str] = (attributes["endpoint1"], attributes["endpoint2"])
        flipped = self._flipped(values, endpoints)
        answer: Answer = {"flipped": None}
        if flipped is not None:
            first, second = reversed(endpoints) if flipped else endpoints
            answer = {"first": first, "second": second, "flipped": int(flipped)}
        for name, scale in (("inferred", says.inferred), ("midpoint", says.midpoint), ("start", says.start)):
            if scale is not None:
                answer[name] = scale.share(values, flipped=flipped)
        if says.confidence is not None:
            answer["confidence"] = says.confidence.percent(values)
        return answer, ()

    def _flipped(self, values: Given[str, Any], endpoints: tuple[str, str]) -> bool | None:
        """Whether the second endpoint was named first; None where it is not known."""
        place = self.answer.named_first_in
        if place is None:
            return None if self.answer.named_first is None else self.answer.named_first == "second"
        named = str(place.value(values)).strip()
        if named not in endpoints:
            raise ValueError(f"{place.name} says {named[:50]!r}, which is neither {endpoints[0]} nor {endpoints[1]}")
        return named == endpoints[1]

    def _reads_keys(self) -> bool:
        return any(place.key is not None for place in self.answer.places)
