"""What a study's sessions in a latent space are told from: its records, questionnaires, codes and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from crowdloom.analysis.latent_interactions import interactions
from crowdloom.analysis.latent_report import Material, Shown, by_rise
from crowdloom.studies.coding import final_interaction_codes
from crowdloom.studies.hill_baselines import kept_baselines
from crowdloom.studies.reading import Scope, find_answers
from crowdloom.studies.reading_questionnaires import read_questionnaires
from crowdloom.studies.reading_sessions import read_pictures, read_sessions
from crowdloom.studies.words import count

if TYPE_CHECKING:
    import pandas as pd

    from crowdloom.analysis.latent_frames import Session


def read_session_material(
    connection: Connection, study: str, scope: Scope = "accepted", version: int | None = None
) -> Material:
    """All that is told of a study's sessions but their baselines. Raises StudyError as `read_sessions` does."""
    found = read_sessions(connection, study, scope, version)
    return Material(
        sessions=found.sessions,
        baselines={},
        questionnaires=read_questionnaires(connection, study, scope, version),
        codes=final_interaction_codes(connection, study),
        shown=_shown(connection, found.sessions),
        notes=found.notes(),
        items=found.items,
        nobody="" if found.sessions or found.unusable else nobody(connection, study, scope, version),
    )


def nobody(connection: Connection, study: str, scope: Scope, version: int | None) -> str:
    """Why nothing counts in a study in which nothing does, a clause."""
    begun = len(find_answers(connection, study, "all", version).submissions)
    if not begun:
        return "nobody has begun yet"
    if scope == "all":
        return f"{count(begun, 'participation')} began, and none has answered yet"
    return f"{count(begun, 'participation')} began, and none is complete and accepted"


def counting_sessions(material: Material, counted: pd.DataFrame) -> Material:
    """What is told of the sessions whose submission stands in `counted`, with the baselines that were trained before.

    Nothing is trained for a report; `crowdloom hill analyse` does it.
    """
    submissions = set(counted["submission"])
    sessions = [one for one in material.sessions if one.submission in submissions]
    kept = kept_baselines(sessions)
    notes = list(material.notes)
    if missing := len(sessions) - sum((one.record.scenario, one.record.seed) in kept.baselines for one in sessions):
        notes.append(
            f"{count(missing, 'session')} could not be compared with the same training without a person, which is not "
            "kept here; crowdloom hill analyse trains what is missing."
        )
    return replace(
        material,
        sessions=sessions,
        baselines=kept.baselines,
        questionnaires=None,  # they have a section of their own in a report
        shown=[one for one in material.shown if one.session.submission in submissions],
        notes=notes,
    )


def _shown(connection: Connection, sessions: Sequence[Session]) -> list[Shown]:
    """Of each scenario the interaction after which the accuracy rose most, of those whose pictures are kept."""
    by_name = {(one.submission, one.record.scenario): one for one in sessions}
    found: dict[str, Shown] = {}
    rows = by_rise(interactions(sessions))[["submission", "scenario", "interaction"]]
    for submission, scenario, number in rows.itertuples(index=False, name=None):
        if scenario in found:
            continue
        session = by_name[submission, scenario]
        if (pictures := read_pictures(connection, session, number)) is not None:
            found[scenario] = Shown(session, number, pictures)
    return [found[name] for name in dict.fromkeys(one.record.scenario for one in sessions) if name in found]
