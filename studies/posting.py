"""Postings: a design made public on a platform, and closed again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from sqlalchemy import Connection, Select, exists, insert, or_, select

from crowdloom.analysis.plan import Plan, plan_hash
from crowdloom.studies.database import new_token, now
from crowdloom.studies.errors import StudyError
from crowdloom.studies.platforms.protocol import Outcome
from crowdloom.studies.tables import Design, Invitation, Posting, Study, Submission

SIMULATED = "simulated"
"""The key in the values of a rehearsal's posting; its people are simulated."""
PLAN = "plan"
"""The key in a posting's values that has the hash of the plan with which it was published."""


@dataclass(frozen=True)
class Published:
    """A posting: the token that its link carries, and whether it was open before."""

    token: str
    version: int
    is_new: bool


def newest_design(connection: Connection, study: str) -> tuple[int, int]:
    """The id and version of a study's newest design. Raises StudyError for an unknown study."""
    row = connection.execute(
        select(Design.id, Design.version)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == study)
        .order_by(Design.version.desc())
        .limit(1)
    ).first()
    if row is None:
        names = connection.scalars(select(Study.name).order_by(Study.name)).all()
        there_are = f"there are: {', '.join(names)}" if names else "the store is empty, load a design first"
        raise StudyError(f"no study is called {study!r}; {there_are}")
    return row.id, row.version


def current_design(connection: Connection, study: str) -> tuple[int, int]:
    """The id and version of the design that a study runs by: the newest that is open, or that people took part in.

    Where there is neither, the newest. Raises StudyError for an unknown study.
    """
    newest = newest_design(connection, study)
    taken = exists().where(Submission.posting_id == Posting.id)
    row = connection.execute(
        select(Design.id, Design.version)
        .join(Study, Study.id == Design.study_id)
        .join(Posting, Posting.design_id == Design.id)
        .where(Study.name == study, or_(Posting.state == "open", taken))
        .order_by((Posting.state == "open").desc(), Design.version.desc())
        .limit(1)
    ).first()
    return newest if row is None else (row.id, row.version)


def simulated_postings(connection: Connection, designs: Collection[int] | Select[Any]) -> set[int]:
    """Of the postings of these designs, given by id, those that simulated people were sent to."""
    postings = connection.execute(select(Posting.id, Posting.values).where(Posting.design_id.in_(designs)))
    return {posting.id for posting in postings if posting.values.get(SIMULATED)}


def publish(
    connection: Connection,
    study: str,
    platform: str,
    *,
    values: Mapping[str, Any] | None = None,
    simulated: bool = False,
) -> Published:
    """Write down a posting of a study's newest version on a platform; one that is not closed there stays as it is.

    On the direct link it is open at once; on other platforms a draft, until `publishing.put_up` opens it there.
    `values` is what the posting is to remember of its platform. `simulated` is for rehearsals, whose people
    have taken part in nothing else. Raises StudyError for an unknown or an imported study, and where the store
    lacks a study whose people are excluded.
    """
    design_id, version = newest_design(connection, study)
    design = connection.execute(select(Design.values).where(Design.id == design_id).with_for_update()).scalar_one()
    if design["items"]["source"] == "import":
        raise StudyError(f"{study!r} was imported with its answers and has no pages; it cannot be published")
    if not simulated:
        _check_exclusions(connection, study, design["eligibility"]["exclude_studies"])
    there = connection.execute(
        select(Posting.token).where(
            Posting.design_id == design_id, Posting.platform == platform, Posting.state != "closed"
        )
    ).first()
    if there is not None:
        return Published(there.token, version, False)
    token = new_token()
    row = {
        "design_id": design_id,
        "platform": platform,
        "token": token,
        "state": "open" if platform == "link" else "draft",
        "values": {**(values or {}), "codes": {} if platform == "link" else _codes()}
        | ({SIMULATED: True} if simulated else {})
        | ({PLAN: plan_hash(Plan.model_validate(design["plan"]))} if design.get("plan") else {}),
        "created_at": now(),
    }
    connection.execute(insert(Posting), row)
    return Published(token, version, True)


def _codes() -> dict[str, str]:
    """A completion code for each outcome, none of which can be guessed from another."""
    return {outcome: new_token(6).upper() for outcome in get_args(Outcome)}


def _check_exclusions(connection: Connection, study: str, excluded: list[str]) -> None:
    """A misspelt name would let in the very people who are meant to stay out."""
    names = connection.scalars(select(Study.name).order_by(Study.name)).all()
    if missing := [repr(name) for name in excluded if name not in names]:
        raise StudyError(
            f"eligibility.exclude_studies of {study!r}: no study is called {' or '.join(missing)}; "
            f"there are: {', '.join(names)}"
        )


def invite(connection: Connection, posting_id: int, number: int) -> list[str]:
    """Make so many invitations to a posting; their tokens, which personal links carry."""
    tokens = [new_token() for _ in range(number)]
    moment = now()
    connection.execute(
        insert(Invitation), [{"posting_id": posting_id, "token": token, "created_at": moment} for token in tokens]
    )
    return tokens
