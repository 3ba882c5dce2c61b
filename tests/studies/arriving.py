"""People who arrive at a study by its direct link, without a browser."""

from __future__ import annotations

from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.participation import Assigned, Designs, finish_instructions, read_progress


def arrive(store: Store, design: Design, posting: str, person: str) -> Assigned:
    """A new submission before its first item."""
    with store.write() as connection:
        token = join(connection, find_entry(connection, posting), person)
        finish_instructions(connection, read_progress(connection, token), design)
    return Designs(store).assigned(token)
