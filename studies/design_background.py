"""The questions that a design asks of everybody beside the trials, and those before the first one in particular."""

from __future__ import annotations

from typing import Literal

from pydantic import StrictBool, field_validator, model_validator

from crowdloom.studies.design_types import Line, Number, Part, Text

Kind = Literal["options", "scale", "number", "text"]


class AskedQuestion(Part):
    """A question with options, or one that is answered in free text."""

    question: Text
    options: tuple[Line, ...] = ()
    required: StrictBool = False

    @field_validator("question")
    @classmethod
    def _is_no_column(cls, value: str) -> str:
        if value in ("participant", "submission", "at"):
            raise ValueError(f"{value!r} is a column of the table that answers stand in; ask in other words")
        return value

    @property
    def kind(self) -> Kind:
        """How it is answered."""
        return "options" if self.options else "text"

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """The least and the greatest number that answers it; None where there is no such limit."""
        return None, None


class BackgroundQuestion(AskedQuestion):
    """A question before the first trial, who people are or what they know; free text unless it says how to answer."""

    scale: StrictBool = False
    """A place between `left` (0) and `right` (100); none is chosen beforehand."""
    left: Line | None = None
    right: Line | None = None
    number: StrictBool = False
    """A number, such as an age, from `minimum` to `maximum`."""
    minimum: Number | None = None
    maximum: Number | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> BackgroundQuestion:
        kinds = [name for name in ("options", "scale", "number") if getattr(self, name)]
        if len(kinds) > 1:
            raise ValueError(f"{kinds[1]}: a question has either {' or '.join(kinds)}, not both")
        for of, names in (("scale", ("left", "right")), ("number", ("minimum", "maximum"))):
            for name in names:
                if getattr(self, name) is not None and not getattr(self, of):
                    raise ValueError(f"{name}: belongs to a question with {of} = true")
                if of == "scale" and self.scale and getattr(self, name) is None:
                    raise ValueError(f"scale: needs left and right, which say what its ends mean; add {name}")
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(f"minimum: expected a number below maximum ({self.maximum:g}), got {self.minimum:g}")
        return self

    @property
    def kind(self) -> Kind:
        """How it is answered."""
        return "scale" if self.scale else "number" if self.number else super().kind

    @property
    def limits(self) -> tuple[float | None, float | None]:
        """The least and the greatest number that answers it; None where there is no such limit."""
        return (0, 100) if self.scale else (self.minimum, self.maximum)
