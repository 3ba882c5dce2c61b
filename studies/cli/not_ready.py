"""What a design needs that is prepared by a command of its own, and is not prepared on this machine."""

from __future__ import annotations

from collections.abc import Iterator

from crowdloom.studies.design import Design


def not_ready(design: Design) -> Iterator[str]:
    """A sentence for each scenario and each coach; other machines may have them."""
    from crowdloom.studies.items.classes import unprepared_coaches
    from crowdloom.studies.items.scenarios import not_prepared

    for name in not_prepared(design):
        yield (
            f"The scenario {name} is not prepared here, and no session can begin where workers lack it; run: crowdloom "
            f"hill prepare {name}"
        )
    for name in unprepared_coaches(design):
        yield (
            f"The coach {name} is not prepared here, and nobody can write where servers and workers lack it; run: "
            f"crowdloom coach prepare {name}"
        )
