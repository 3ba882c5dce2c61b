"""The source `scenarios`: what a live task trains on, by name; there is no picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crowdloom.studies.design import Design
from crowdloom.studies.items.item import SourceItem

SCENARIO = "scenario"
"""The attribute that names the scenario of an item."""


def read_scenarios(design: Design, folder: Path) -> Iterator[SourceItem]:
    """An item for each of the design's names, which is its key, too."""
    for name in design.items.names or ():
        yield SourceItem(key=name, name=f"scenario {name}", image=None, attributes={SCENARIO: name})
