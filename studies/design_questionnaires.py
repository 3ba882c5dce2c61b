"""The standard instruments that a design asks for, each on a page of its own, after the last trial or each item."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator, model_validator

from crowdloom.studies.design_types import Line, Part
from crowdloom.tasks import questionnaires
from crowdloom.tasks.questionnaires import INSTRUMENTS


class Questionnaire(Part):
    """An instrument; every item needs an answer, and nothing is chosen beforehand."""

    instrument: str
    """`umux-lite`, `nasa-tlx` or `scales`."""
    after: Literal["study", "item"] = "study"
    """`study`: once, after the last trial; `item`: after each item, but not when it is shown again."""
    system: Line | None = None
    """What the items of umux-lite and nasa-tlx speak of, such as "the tool" or "sorting the images"."""
    statements: tuple[Line, ...] = ()
    """Of scales: one scale from 0 to 100 for each."""
    left: Line | None = None
    """Of scales: what their left end means, 0."""
    right: Line | None = None
    """Of scales: what their right end means, 100."""

    @field_validator("instrument")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in INSTRUMENTS:
            raise ValueError(f"no instrument is called {value!r}; there are: {', '.join(sorted(INSTRUMENTS))}")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Questionnaire:
        if INSTRUMENTS[self.instrument].items:
            for name in ("statements", "left", "right"):
                if getattr(self, name):
                    raise ValueError(f"{name}: belongs to scales; {self.instrument} has items of its own")
            return self
        if self.system is not None:
            raise ValueError("system: the statements of scales say what they speak of; leave it out")
        for name in ("statements", "left", "right"):
            if not getattr(self, name):
                raise ValueError(f"instrument: scales need statements, left and right; add {name}")
        if twice := [text for text in self.statements if self.statements.count(text) > 1]:
            raise ValueError(f"statements: {twice[0]!r} stands there twice")
        return self

    @property
    def asked(self) -> questionnaires.Questionnaire:
        """With its items written out, as pages show them."""
        ends = {name: end for name, end in (("left", self.left), ("right", self.right)) if end is not None}
        return questionnaires.questionnaire(self.instrument, system=self.system, statements=self.statements, **ends)
