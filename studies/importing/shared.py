"""What imports of raw files and of releases have in common: their platform, their study's name, their people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, insert, select

from crowdloom.studies.database import new_token
from crowdloom.studies.errors import OptionError
from crowdloom.studies.tables import Participant

PLATFORM = "import"
"""Of the postings and the people of an import; also the source of its design's items."""


def bad_name(study: str, problem: str) -> OptionError:
    """The error of a study name that a design cannot have, for this reason."""
    return OptionError(f"--study {study!r} cannot be a name ({problem}); use lower case letters, digits, - and _")


def add_participants(
    connection: Connection, study: str, names: Iterable[str], start: datetime
) -> tuple[dict[str, int], int]:
    """Add participants unless they are there; the ids of all those of the study by their names, and how many are new.

    Names count within a study only.
    """
    own = select(Participant.platform_id, Participant.id).where(
        Participant.platform == PLATFORM, Participant.platform_id.startswith(f"{study}:", autoescape=True)
    )
    there = {row.platform_id: row.id for row in connection.execute(own)}
    wanted = dict.fromkeys(f"{study}:{name}" for name in names)
    fresh = [
        {"pseudonym": new_token(), "platform": PLATFORM, "platform_id": name, "created_at": start}
        for name in wanted
        if name not in there
    ]
    if fresh:
        connection.execute(insert(Participant), fresh)
        there = {row.platform_id: row.id for row in connection.execute(own)}
    return {str(name).removeprefix(f"{study}:"): number for name, number in there.items()}, len(fresh)
