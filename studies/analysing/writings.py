"""What a study's writings are told from: its answers, with the server's own records."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from crowdloom.analysis.coach_report import Material
from crowdloom.studies.analysing.sessions import nobody
from crowdloom.studies.reading import Scope
from crowdloom.studies.reading_writings import read_writings

if TYPE_CHECKING:
    import pandas as pd


def read_writing_material(
    connection: Connection, study: str, scope: Scope = "accepted", version: int | None = None
) -> Material:
    """All that is told of a study's writings. Raises StudyError as `read_writings` does."""
    found = read_writings(connection, study, scope, version)
    return Material(
        frame=found.frame,
        never_coached=found.never_coached,
        attempts=found.attempts,
        notes=found.notes,
        nobody="" if len(found.frame) or found.notes else nobody(connection, study, scope, version),
    )


def counting_writings(material: Material, counted: pd.DataFrame) -> Material:
    """What is told of the writings whose submission stands in `counted`."""
    submissions: Collection[str] = set(counted["submission"])
    frame, attempts = (
        of[of["submission"].isin(submissions)].reset_index(drop=True) for of in (material.frame, material.attempts)
    )
    return replace(material, frame=frame, attempts=attempts)
