"""The sessions of a study as tables to export: those of `crowdloom hill analyse`, without the trainings beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from crowdloom.studies.coding import final_interaction_codes
from crowdloom.studies.reading import Scope
from crowdloom.studies.reading_sessions import read_sessions

if TYPE_CHECKING:
    import pandas as pd

    from crowdloom.analysis.latent_frames import Session


@dataclass(frozen=True)
class SessionTable:
    """A table, and what is to be told of the sessions in it and of those that are left out, a sentence each."""

    frame: pd.DataFrame
    notes: Sequence[str]


def read_session_table(
    connection: Connection, study: str, name: str, scope: Scope = "accepted", version: int | None = None
) -> SessionTable:
    """One of the tables sessions, session-curves, session-interactions, session-classes and session-movements.

    `analysis.latent_frames` and `latent_interactions` say what is in them. Raises StudyError as `read_sessions` does.
    """
    from crowdloom.analysis.latent_frames import curves, movements, passes, shapes
    from crowdloom.analysis.latent_interactions import interactions

    found = read_sessions(connection, study, scope, version)
    frames: Mapping[str, Callable[[Sequence[Session]], pd.DataFrame]] = {
        "sessions": passes,
        "session-curves": curves,
        "session-interactions": partial(interactions, codes=final_interaction_codes(connection, study)),
        "session-classes": shapes,
        "session-movements": movements,
    }
    frame = frames[name](found.sessions)
    return SessionTable(frame, found.notes())
