"""The source `scenarios`: what a live task trains on, by name; there is no picture."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from crowdloom.studies.design import Design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.items.item import SourceItem
from crowdloom.tasks import TASKS

SELF_PREPARED = ("digits", "signals")
"""The scenarios that need no data: a worker prepares them when they are first asked for."""

SCENARIO = "scenario"
"""The attribute that names the scenario of an item."""


def read_scenarios(design: Design, folder: Path) -> Iterator[SourceItem]:
    """An item for each of the design's names, which is its key, too.

    Raises ItemError for a name that can be none, and where a study of sessions has other classes than its scenarios.
    Whether it is prepared is not asked: that is done where the workers are.
    """
    from crowdloom.models.latent_scenarios import SCENARIOS

    for name in design.items.names or ():
        if name not in SCENARIOS and ":" not in name:
            raise ItemError(
                f"items.names: there is no scenario {name!r}; choose from {', '.join(SCENARIOS)}, or write "
                "PACKAGE.MODULE:CALLABLE"
            )
    if TASKS[design.task].live_steps:
        _check_classes(design)
    for name in design.items.names or ():
        yield SourceItem(key=name, name=f"scenario {name}", image=None, attributes={SCENARIO: name})


def _check_classes(design: Design) -> None:
    known = {name: _classes_of(name) for name in design.items.names or ()}
    for name, classes in known.items():
        if missing := [one for one in classes or () if one not in design.classes]:
            raise ItemError(
                f"classes: the scenario {name} has {', '.join(missing)}, too; name all classes of the study's "
                "scenarios, each once"
            )
    theirs = {one for classes in known.values() for one in classes or ()}
    more = [one for one in design.classes if one not in theirs]
    if more and None not in known.values():
        raise ItemError(f"classes: none of the scenarios {', '.join(known)} has {', '.join(more)}; leave that out")


def _classes_of(name: str) -> tuple[str, ...] | None:
    """A scenario's classes; None where they are known to the workers alone, as PyTorch or its module is not here."""
    from crowdloom.models.errors import ModelError
    from crowdloom.models.latent_scenarios import scenario
    from crowdloom.models.latent_scenarios.classes import CLASSES

    if name in CLASSES:
        return CLASSES[name]
    if importlib.util.find_spec("torch") is None:
        return None
    try:
        return scenario(name).classes
    except ModelError:
        return None


def not_prepared(design: Design) -> list[str]:
    """The scenarios of a design's live sessions that are not prepared on this machine and do not prepare themselves.

    Of `PACKAGE.MODULE:CALLABLE` that is not known without PyTorch; they are taken to have data to be read.
    """
    from crowdloom.models.errors import ModelError
    from crowdloom.models.latent_items import preparation

    def is_prepared(name: str) -> bool:
        try:
            preparation(name)
        except ModelError:
            return False
        return True

    live = design.items.source == "scenarios" and TASKS[design.task].live_steps
    names = design.items.names or () if live else ()
    return [name for name in names if name not in SELF_PREPARED and not is_prepared(name)]
