"""The mapping file: which columns and values of somebody else's export mean what."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping as Given
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from crowdloom.studies.design_types import ClassName, Text
from crowdloom.tasks.protocol import Answer


class Part(BaseModel):
    """A table of the mapping file: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Columns(Part):
    """The names of the columns; the defaults are jsPsych's own."""

    participant: Text
    batch: Text
    item: Text
    item_is_number: bool = False
    """Tables that pandas wrote say "1128.0" for the item 1128."""
    reference: Text | None = None
    attributes: tuple[Text, ...] = ()
    trial_type: Text = "trial_type"
    trial_index: Text = "trial_index"
    elapsed: Text = "time_elapsed"
    rt: Text = "rt"
    response: Text = "response"

    def names(self) -> list[str]:
        """Every column that the file must have for this part."""
        one_each = self.model_dump(exclude={"item_is_number", "attributes"}, exclude_none=True)
        return [*one_each.values(), *self.attributes]


class Sign(Part):
    """A screen is of this kind where `column` holds `value`."""

    column: Text
    value: Text


class Screens(Part):
    """How answers are told from all other screens."""

    first: Sign
    repeat: Sign | None = None


class Correction(Part):
    """A typed value that is known to mean another one."""

    key: Text
    """Of the response's JSON object."""
    value: str
    becomes: str
    reason: Text


@dataclass(frozen=True)
class Reading:
    """One response as the task understands it."""

    answer: Answer
    corrections: tuple[Correction, ...]
    contradictions: tuple[str, ...]


class Mapping(Part):
    """A mapping file; each task adds how its answers are read (`answers.MAPPINGS`)."""

    classes: tuple[ClassName, ...] = Field(min_length=1)
    columns: Columns
    screens: Screens
    corrections: tuple[Correction, ...] = ()

    @abstractmethod
    def answer_from(self, values: Given[str, Any]) -> tuple[Answer, tuple[str, ...]]:
        """The task's answer and the kinds of contradiction in it. Raises ValueError where it cannot be read."""

    def read(self, given: dict[str, Any]) -> Reading:
        """Correct and read a response; `given` stays in the answer as it was. Raises ValueError."""
        values = dict(given)
        applied = tuple(c for c in self.corrections if str(given.get(c.key, "")).strip() == c.value)
        values.update({correction.key: correction.becomes for correction in applied})
        answer, contradictions = self.answer_from(values)
        return Reading({**answer, "given": given}, applied, contradictions)

    def column_names(self) -> list[str]:
        """Every column that the file must have."""
        signs = [sign.column for sign in (self.screens.first, self.screens.repeat) if sign]
        return list(dict.fromkeys([*self.columns.names(), *signs]))

    def digest(self) -> str:
        """The SHA-256 of what the mapping says, whatever its layout and comments."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()
