"""The source `scenarios`: what a live task trains on, by name; there is no picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crowdloom.studies.design import Design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.items.item import SourceItem

SCENARIO = "scenario"
"""The attribute that names the scenario of an item."""


def read_scenarios(design: Design, folder: Path) -> Iterator[SourceItem]:
    """An item for each of the design's names, which is its key, too. Raises ItemError for a name that can be none.

    Whether it is prepared is not asked: that is done where the workers are.
    """
    from crowdloom.models.latent_scenarios import SCENARIOS

    for name in design.items.names or ():
        if name not in SCENARIOS and ":" not in name:
            raise ItemError(
                f"items.names: there is no scenario {name!r}; choose from {', '.join(SCENARIOS)}, or write "
                "PACKAGE.MODULE:CALLABLE"
            )
        yield SourceItem(key=name, name=f"scenario {name}", image=None, attributes={SCENARIO: name})
