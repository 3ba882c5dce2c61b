"""What an operation gets: its parameters, who calls, and the transaction that it runs in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crowdloom.studies.marketplace.errors import RequestError


@dataclass(frozen=True)
class Call:
    """One request of a requester, whose parameters were checked against the model."""

    connection: Connection
    requester: int
    now: datetime
    parameters: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def get(self, name: str, default: Any = None) -> Any:
        """An optional parameter."""
        return self.parameters.get(name, default)

    def within(self, name: str, least: int, most: int) -> None:
        """Hold a number against the range that MTurk documents. Raises RequestError."""
        value = self.get(name, least)
        if not least <= value <= most:
            raise RequestError(f"{name} {value} is not between {least} and {most}.", "ParameterValidationError")

    def no_longer_than(self, name: str, most: int) -> None:
        """Hold a text against the length that MTurk documents. Raises RequestError."""
        if len(self.get(name, "")) > most:
            raise RequestError(f"{name} is longer than {most} characters.", "ParameterValidationError")
