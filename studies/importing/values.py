"""Single values of somebody else's export: where they stand, and reading them as numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping as Given
from typing import Any

from pydantic import model_validator

from crowdloom.studies.design_types import Part, Text


class Place(Part):
    """Where a value stands: under a key of the response's JSON object, or in a column of its own."""

    key: Text | None = None
    column: Text | None = None
    prefix: str = ""
    """What stands before the value, such as "select" in "select0.5"."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Place:
        if (self.key is None) == (self.column is None):
            raise ValueError("key: give either key (of the response's JSON object) or column (of the file)")
        return self

    @property
    def name(self) -> str:
        """What messages call it."""
        return str(self.key or self.column)

    def value(self, values: Given[str, Any]) -> Any:
        """The value without its prefix. Raises ValueError where there is none."""
        found = values.get(self.name)
        if found is None or str(found).strip() == "":
            raise ValueError(f"{self.name} is {'missing' if self.name not in values else 'empty'}")
        if not self.prefix:
            return found
        if not isinstance(found, str) or not found.startswith(self.prefix):
            raise ValueError(f"{self.name} says {found!r}, which does not begin with {self.prefix!r}")
        return found.removeprefix(self.prefix)


def fraction(value: object, low: float, high: float, name: str) -> float:
    """How far a value lies on the way from `low` to `high`, from 0 to 1; raises ValueError for any other.

    What programs leave behind of adding tenths, as in 0.6000000000000001, is taken off.

    >>> fraction("0.6000000000000001", 0, 1, "final_value"), fraction(26, 100, 0, "mixingcoeff")
    (0.6, 0.74)
    """
    try:
        number = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    share = round((number - low) / (high - low), 9) + 0.0  # never -0.0
    if not 0 <= share <= 1:  # false for NaN too
        raise ValueError(f"{name} says {str(value)[:50]!r}, which is no number from {low:g} to {high:g}")
    return share


def json_object(text: str, column: str) -> dict[str, Any]:
    """A JSON object that can be stored as it is. Raises ValueError."""
    try:
        given = json.loads(text)
        json.dumps(given, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{column} is no valid JSON ({error})") from error
    if not isinstance(given, dict):
        raise ValueError(f"{column} is no JSON object")
    return given
