"""The direct link: anybody who has it, an invited person, or a panel that adds its own `?participant=ID`.

It moves no money: what people are owed is recorded, and paid by the researcher's own means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from crowdloom.studies.design import Design
from crowdloom.studies.errors import PlatformRefusedError
from crowdloom.studies.platforms.protocol import Account, Arrival, Capabilities, Ending, Fee, HandBack


class Link:
    """The platform `link`."""

    name = "link"
    capabilities = Capabilities(pauses=True, identifies=False)
    fields = ("participant",)

    def where(self, environ: Mapping[str, str]) -> dict[str, Any]:
        """There is no service behind it."""
        return {}

    def frame_ancestors(self, where: Mapping[str, Any]) -> Sequence[str]:
        """Nobody frames it."""
        return ()

    def arrive(self, query: Mapping[str, str], where: Mapping[str, Any]) -> Arrival:
        """The panel's id or the invitation's token, where the link carries one."""
        return Arrival(participant=query.get("participant") or None)

    def hand_back(self, ending: Ending, where: Mapping[str, Any]) -> HandBack | None:
        """To the design's redirect address, once everything is answered.

        >>> from crowdloom.studies.design_platforms import LinkOptions
        >>> design = Design.model_construct(name="pets", link=LinkOptions(redirect="https://panel.example/?id={participant}"))
        >>> Link().hand_back(Ending("completed", Arrival("a b"), design, "XY"), {}).url
        'https://panel.example/?id=a%20b'
        """
        redirect = ending.design.link.redirect
        if redirect is None or ending.outcome != "completed":
            return None
        values = {
            "participant": ending.arrival.participant or "",
            "submission": ending.submission or "",
            "code": ending.code,
            "study": ending.design.name,
        }
        for name, value in values.items():
            redirect = redirect.replace(f"{{{name}}}", quote(value, safe=""))
        return HandBack(redirect)

    def fee(self, rewards: Sequence[int], bonuses: int, design: Design) -> Fee:
        """No fee."""
        return Fee(0, 0, "The direct link takes no fee; you pay people by your own means.")

    def check_design(self, design: Design) -> str | None:
        """Every design can be given out by a link."""
        return None

    def connect(self, where: Mapping[str, Any], environ: Mapping[str, str]) -> Account:
        """There is no account."""
        raise PlatformRefusedError("the direct link has no account on any platform")
