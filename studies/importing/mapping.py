"""The mapping file: which columns and values of somebody else's export mean what."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Mapping as Given
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field, model_validator

from crowdloom.studies.design_types import ClassName, Part, Text, check_settings
from crowdloom.studies.importing.endpoints import WRITTEN, Mixed
from crowdloom.studies.importing.values import json_object
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import Answer


class Columns(Part):
    """The names of the columns; the defaults are jsPsych's own."""

    participant: Text
    batch: Text | None = None
    """The number of the batch; where it is absent, a batch is what a session shows that no other goes beyond."""
    item: Text
    item_is_number: bool = False
    """Tables that pandas wrote say "1128.0" for the item 1128."""
    reference: Text | None = None
    attributes: tuple[Text, ...] = ()
    mixed: Mixed | None = None
    """Of which two images an item is mixed."""
    trial_type: Text = "trial_type"
    trial_index: Text = "trial_index"
    elapsed: Text = "time_elapsed"
    rt: Text = "rt"
    response: Text = "response"
    """A JSON object."""

    @model_validator(mode="after")
    def _said_once(self) -> Columns:
        if self.mixed and (twice := [name for name in self.attributes if name in WRITTEN]):
            raise ValueError(f"attributes: {twice[0]} is what columns.mixed writes; leave it out here")
        return self

    def names(self) -> list[str]:
        """Every column that the file must have for this part, but for the response's."""
        one_each = self.model_dump(
            exclude={"item_is_number", "attributes", "mixed", "response"}, exclude_none=True
        ).values()
        return [*one_each, *self.attributes, *(self.mixed.columns if self.mixed else ())]


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

    task: ClassVar[str]

    classes: tuple[ClassName, ...] = Field(min_length=1)
    options: dict[str, Any] = {}
    """What the design is to say under `[options]` of the question that was asked."""
    columns: Columns
    screens: Screens
    corrections: tuple[Correction, ...] = ()

    @model_validator(mode="after")
    def _fits_the_task(self) -> Mapping:
        if problem := TASKS[self.task].check_classes(self.classes):
            raise ValueError(f"classes: {problem}")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("classes: a class stands there twice")
        check_settings(TASKS[self.task].options, self.options, "options")
        return self

    @abstractmethod
    def answer_from(self, values: Given[str, Any], attributes: Given[str, Any]) -> tuple[Answer, tuple[str, ...]]:
        """The task's answer about an item with these attributes, and the kinds of contradiction in it.

        Raises ValueError where it cannot be read.
        """

    def design_options(self) -> dict[str, Any]:
        """The options of the design that the import makes."""
        return self.options

    def answer_columns(self) -> list[str]:
        """The columns in which the answer stands."""
        return [self.columns.response]

    def given(self, fields: Given[str, str]) -> dict[str, Any]:
        """What stands on a screen as its answer. Raises ValueError where it cannot be read."""
        return json_object(fields[self.columns.response], self.columns.response)

    def read(self, given: dict[str, Any], attributes: Given[str, Any]) -> Reading:
        """Correct and read a response; `given` stays in the answer as it was. Raises ValueError."""
        values = dict(given)
        applied = tuple(c for c in self.corrections if str(given.get(c.key, "")).strip() == c.value)
        values.update({correction.key: correction.becomes for correction in applied})
        answer, contradictions = self.answer_from(values, attributes)
        return Reading({**answer, "given": given}, applied, contradictions)

    def column_names(self) -> list[str]:
        """Every column that the file must have."""
        signs = [sign.column for sign in (self.screens.first, self.screens.repeat) if sign]
        return list(dict.fromkeys([*self.columns.names(), *self.answer_columns(), *signs]))

    def digest(self) -> str:
        """The SHA-256 of what the mapping says, whatever its layout and comments."""
        # What a mapping does not use is left out, so that it keeps the digest of versions that did not know it.
        unused: dict[str, Any] = {}
        if self.columns.mixed is None:
            unused["columns"] = {"mixed"}
        if not self.options:
            unused["options"] = True
        return hashlib.sha256(self.model_dump_json(exclude=unused).encode()).hexdigest()
