"""The command line with one more platform: one that shows our pages in a frame of its site."""

from collections.abc import Mapping

from crowdloom.studies.cli import main
from crowdloom.studies.platforms import PLATFORMS


class Framing:
    """A site on another host name of this machine."""

    name = "framing"
    frame_ancestors = ("http://localhost:*",)

    def participant(self, query: Mapping[str, str]) -> str | None:
        """The id that the site puts into the frame's address."""
        return query.get("worker")


PLATFORMS["framing"] = Framing()
main()
