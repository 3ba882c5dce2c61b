"""The command line with one more platform: one that shows our pages in a frame of its site."""

from collections.abc import Mapping, Sequence
from typing import Any

from crowdloom.studies.cli import main
from crowdloom.studies.design import Design
from crowdloom.studies.errors import PlatformRefusedError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.protocol import Account, Arrival, Capabilities, Ending, Fee, HandBack


class Framing:
    """A site on another host name of this machine, which vouches for nobody and pays nobody."""

    name = "framing"
    capabilities = Capabilities(identifies=False)
    fields = ("worker",)

    def where(self, environ: Mapping[str, str]) -> dict[str, Any]:
        """Any port of this machine."""
        return {"site": "http://localhost:*"}

    def frame_ancestors(self, where: Mapping[str, Any]) -> Sequence[str]:
        """The site."""
        return ("http://localhost:*",)

    def arrive(self, query: Mapping[str, str], where: Mapping[str, Any]) -> Arrival:
        """The id that the site puts into the frame's address."""
        return Arrival(query.get("worker"))

    def hand_back(self, ending: Ending, where: Mapping[str, Any]) -> HandBack | None:
        """A page of ours is the end."""
        return None

    def fee(self, rewards: Sequence[int], bonuses: int, design: Design) -> Fee:
        """None."""
        return Fee(0, 0, "It takes no fee.")

    def check_design(self, design: Design) -> str | None:
        """It takes every design."""
        return None

    def connect(self, where: Mapping[str, Any], environ: Mapping[str, str]) -> Account:
        """It has no accounts."""
        raise PlatformRefusedError("the site has no accounts")


PLATFORMS["framing"] = Framing()
main()
