"""What the rest of the code may ask a platform; differences are said by values, not by `isinstance`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Platform(Protocol):
    """A source of participants."""

    @property
    def name(self) -> str:
        """The name on the command line and in the store."""

    @property
    def frame_ancestors(self) -> Sequence[str]:
        """The origins that may show our pages in a frame; empty for a platform that does not frame."""

    def participant(self, query: Mapping[str, str]) -> str | None:
        """The platform's id of the person who arrives with this query string, or None."""
