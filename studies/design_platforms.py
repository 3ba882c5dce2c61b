"""What a design says for one platform each."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, StrictBool, field_validator

from crowdloom.studies.design_types import Line, Number, Part, Text, Whole


class LinkOptions(Part):
    """How a study is offered by the direct link."""

    quota: Whole | None = Field(default=None, ge=1)
    """How many submissions may begin by one posting's link; as many as there are places where it is absent."""
    invited_only: StrictBool = False
    """Only the personal links that `crowdloom invite` makes let people in."""
    completion_code: Line | None = None
    """Shown at the end, for a panel that asks for one; else the code of the submission."""
    redirect: Text | None = None
    """Where the last page leads; {participant}, {submission}, {code} and {study} are replaced."""

    @field_validator("redirect")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not re.match(r"https?://[^\s/]+", value):
            raise ValueError(f"expected an address that begins with https://, got {value!r}")
        known = {"participant", "submission", "code", "study"}
        if unknown := [name for name in re.findall(r"\{([^}]*)\}", value) if name not in known]:
            raise ValueError(
                f"{{{unknown[0]}}} stands for nothing; there are {{participant}}, {{submission}}, "
                "{code} and {study}"
            )
        return value


class ProlificOptions(Part):
    """How a study is offered on Prolific."""

    description: Text | None = None
    """What people read before they take part; the consent text where it is absent."""
    account: Literal["academic", "corporate"] = "academic"
    """Which fee Prolific takes."""
    vat: Number = Field(default=0.2, ge=0, lt=1)
    """Value added tax on the fee, as a share."""
    project: Line | None = None
    """The id of the project in which the study is created; your default one where it is absent."""
    devices: tuple[Literal["desktop", "tablet", "mobile"], ...] = ("desktop", "tablet", "mobile")
    filters: tuple[dict[str, Any], ...] = ()
    """Prolific's own eligibility filters, as its API takes them."""


class Qualifications(Part):
    """Whom the MTurk protocol's built-in qualifications let in."""

    locale: tuple[Line, ...] = ()
    """Countries, "US", or states, "US-CA"."""
    approval_percent: Whole | None = Field(default=None, ge=0, le=100)
    """Of their earlier assignments at least so many per cent were approved."""
    approved_hits: Whole | None = Field(default=None, ge=0)
    """At least so many of their earlier assignments were approved."""
    adult: StrictBool = False
    """They agreed to content for adults."""

    @field_validator("locale")
    @classmethod
    def _codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for code in value:
            if not re.fullmatch(r"[A-Z]{2}(-[A-Z]{2})?", code):
                raise ValueError(f'expected a country such as "US" or a state such as "US-CA", got {code!r}')
        return value


class MTurkOptions(Part):
    """How a study is offered by the MTurk protocol."""

    delivery: Literal["server", "batches", "html"] = "server"
    """`server`: one HIT on our server, which deals the batches; `batches`: a HIT for each batch on our server, dealt
    by the marketplace; `html`: a self-contained HIT for each batch, whose answers come back with the assignment."""
    description: Text | None = None
    """What workers read in the list; the title where it is absent."""
    keywords: tuple[Line, ...] = ()
    qualifications: Qualifications = Qualifications()
    lifetime_days: Whole = Field(default=14, ge=1, le=365)
    """How long the HIT can be found."""
    auto_approval_days: Whole = Field(default=7, ge=1, le=30)
    """After so many days the marketplace approves, and pays, what nobody has reviewed."""
    frame_height: Whole = Field(default=0, ge=0, le=10_000)
    """Of the frame in which workers see the study; 0 leaves it to the marketplace."""
