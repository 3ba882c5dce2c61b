"""A unit that coders put into a category: an item, or one interaction of a session in a latent space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crowdloom.tasks.protocol import View

Unit = tuple[int, int | None, int | None]
"""By which codes are stored: the item; of an interaction also the response and the number."""


@dataclass(frozen=True)
class CodedInteraction:
    """Which interaction it is that coders see."""

    response_id: int
    submission: str
    """Its pseudonym."""
    submission_id: int
    item: str
    """The item's key, which is the scenario."""
    repeat_index: int
    number: int
    """From 1."""
    of: int
    """How many interactions the session has that a person made."""

    @property
    def session(self) -> str:
        """What the interactions of one session have in common."""
        return f"{self.submission} {self.item} {self.repeat_index}"


@dataclass(frozen=True)
class CodedItem:
    """An item as coders see it, or an interaction."""

    id: int
    """Of the item."""
    token: str
    key: str
    image: str | None
    """The address of its picture."""
    size: tuple[int, int] | None
    reference: str | None
    facts: Mapping[str, str]
    """Its attributes that are text, such as `prediction`."""
    views: Mapping[str, View]
    interaction: CodedInteraction | None = None

    @property
    def unit(self) -> Unit:
        """By which its codes are stored."""
        if self.interaction is None:
            return self.id, None, None
        return self.id, self.interaction.response_id, self.interaction.number

    @property
    def number(self) -> int:
        """Which interaction it is; 0 for an item."""
        return 0 if self.interaction is None else self.interaction.number
