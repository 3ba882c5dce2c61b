"""What an export says of a mixed item: its two endpoints, their shares, and the images they come from."""

from __future__ import annotations

import re
from collections.abc import Mapping as Given
from collections.abc import Sequence
from typing import Any

from pydantic import Field, model_validator

from crowdloom.studies.design_types import Part, Text
from crowdloom.studies.importing.values import fraction

WRITTEN = ("endpoint1", "endpoint2", "coefficient", "source1", "source2")
"""The item's attributes that come out."""


class Mixed(Part):
    """The columns that say it, or one column and a pattern whose named groups are called like the fields here."""

    first: Text | None = None
    """The class of one image; it becomes the item's endpoint1, whatever the order of the classes."""
    second: Text | None = None
    """The class of the other image, the item's endpoint2."""
    coefficient: Text | None = None
    """The share of the first image, from 0 to 1."""
    source_first: Text | None = None
    """The key of the first image in its data set; tables that pandas wrote say "2205.0" for 2205."""
    source_second: Text | None = None
    """The key of the second image."""
    from_: Text | None = Field(default=None, alias="from")
    """Instead of columns: the column that the pattern reads as a whole."""
    pattern: Text | None = None
    """A regular expression with the groups `first`, `second` and, where they are said, the others."""

    @model_validator(mode="after")
    def _one_way(self) -> Mixed:
        if self.from_ is None and self.pattern is None:
            if self.first is None or self.second is None:
                raise ValueError("first and second must name columns, or from and pattern must be given")
            return self
        if self.from_ is None or self.pattern is None:
            raise ValueError("from and pattern belong together")
        if given := [name for name in _FIELDS if getattr(self, name) is not None]:
            raise ValueError(f"{given[0]}: give either columns or from and pattern")
        try:
            groups = set(re.compile(self.pattern).groupindex)
        except re.error as error:
            raise ValueError(f"pattern: is no regular expression ({error})") from error
        if strange := sorted(groups - set(_FIELDS)):
            raise ValueError(f"pattern: a group is called {strange[0]}; there are {', '.join(_FIELDS)}")
        if missing := [name for name in ("first", "second") if name not in groups]:
            raise ValueError(f"pattern: lacks the group {missing[0]}, as in (?P<{missing[0]}>[A-Za-z]+)")
        return self

    @property
    def columns(self) -> list[str]:
        """The columns of the file that are read."""
        return [name for name in (self.from_, *(getattr(self, field) for field in _FIELDS)) if name is not None]

    @property
    def has_coefficient(self) -> bool:
        """Whether items say how much of each image is in them."""
        return self.coefficient is not None or "coefficient" in re.compile(self.pattern or "").groupindex

    def attributes(self, fields: Given[str, str], classes: Sequence[str]) -> dict[str, Any]:
        """The item's attributes (see `WRITTEN`), by the columns of a row. Raises ValueError."""
        said = self._said(fields)
        for name in ("first", "second"):
            if said[name] not in classes:
                raise ValueError(f"{self._called(name)} says {said[name][:50]!r}, which is no class of the mapping")
        if said["first"] == said["second"]:
            raise ValueError(f"both images are of the class {said['first']!r}")
        attributes: dict[str, Any] = {"endpoint1": said["first"], "endpoint2": said["second"]}
        if "coefficient" in said:
            attributes["coefficient"] = fraction(said["coefficient"], 0, 1, self._called("coefficient"))
        for name, field in (("source1", "source_first"), ("source2", "source_second")):
            if source := said.get(field):
                attributes[name] = re.sub(r"^(\d+)\.0$", r"\1", source)
        return attributes

    def _said(self, fields: Given[str, str]) -> dict[str, str]:
        if self.from_ is None or self.pattern is None:
            columns = {name: getattr(self, name) for name in _FIELDS}
            return {name: fields[column].strip() for name, column in columns.items() if column is not None}
        match = re.fullmatch(self.pattern, fields[self.from_].strip())
        if match is None:
            raise ValueError(f"{self.from_} says {fields[self.from_][:100]!r}, which does not fit the pattern")
        return {name: text or "" for name, text in match.groupdict().items()}

    def _called(self, field: str) -> str:
        return str(self.from_ or getattr(self, field))


_FIELDS = ("first", "second", "coefficient", "source_first", "source_second")
