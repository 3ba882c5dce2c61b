"""How a study stands: places, submissions and answers, counted in the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, case, func, select

from crowdloom.studies.database import now
from crowdloom.studies.fair_pay import FairPay, fair_pay
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.posted import read_posting
from crowdloom.studies.posting import PLAN, current_design
from crowdloom.studies.tables import (
    Batch,
    BatchItem,
    Condition,
    Design,
    Exclusion,
    Item,
    Listing,
    Payment,
    Place,
    Posting,
    RemoteSubmission,
    Response,
    Study,
    Submission,
)


@dataclass(frozen=True)
class BatchStatus:
    """A batch: its condition and number, how many items, and its places."""

    condition: str
    number: int
    items: int
    open: int
    held: int
    overdue: int
    """Held beyond their time: they go to the next person who arrives."""
    filled: int


@dataclass(frozen=True)
class PostingStatus:
    """A posting of any version of the study, and how its people fare there."""

    token: str
    platform: str
    version: int
    state: str
    created_at: datetime
    remote: dict[str, int]
    """What the platform said of its submissions when it was last asked, by state; empty for the direct link."""
    listings: dict[str, int]
    """Its listings there, by state."""
    seen_at: datetime | None
    """When the platform was last asked."""
    pay: FairPay | None
    """None for an import."""
    payments: dict[str, int]
    """Payments by state."""
    plan: str | None
    """The SHA-256 of the plan that its publication froze."""


@dataclass(frozen=True)
class ItemStatus:
    """An item in a condition: how many accepted first responses it has, and how many are wanted."""

    key: str
    condition: str
    accepted: int
    wanted: int


@dataclass(frozen=True)
class StudyStatus:
    """A study's current version (see `current_design`); submissions and answers are those of all its versions."""

    name: str
    token: str
    title: str
    task: str
    version: int
    batches: list[BatchStatus]
    postings: list[PostingStatus]
    submissions: dict[str, int]
    """By state; `surplus` counts those completed without a place, `excluded` those left out."""
    responses: int
    accepted_min: int
    accepted_max: int
    """The fewest and the most accepted first responses of an item."""
    items: list[ItemStatus]

    def places(self, state: str) -> int:
        """All places in a state: open, held, overdue or filled."""
        return sum(getattr(batch, state) for batch in self.batches)


def study_names(connection: Connection) -> list[str]:
    """All studies, by name."""
    return list(connection.scalars(select(Study.name).order_by(Study.name)))


def study_status(connection: Connection, name: str) -> StudyStatus:
    """How a study stands. Raises StudyError for an unknown one."""
    design_id, version = current_design(connection, name)
    study = connection.execute(
        select(Study.id, Study.token, Design.task, Design.values)
        .join(Design, Design.study_id == Study.id)
        .where(Design.id == design_id)
    ).one()
    batches = _batches(connection, design_id)
    items = _items(connection, design_id)
    accepted = [item.accepted for item in items]
    return StudyStatus(
        name=name,
        token=study.token,
        title=study.values["title"],
        task=study.task,
        version=version,
        batches=batches,
        postings=read_postings(connection, study.id),
        submissions=_submissions(connection, study.id),
        responses=_responses(connection, study.id),
        accepted_min=min(accepted, default=0),
        accepted_max=max(accepted, default=0),
        items=items,
    )


def _batches(connection: Connection, design_id: int) -> list[BatchStatus]:
    sizes = dict(
        connection.execute(
            select(BatchItem.batch_id, func.count())
            .join(Batch, Batch.id == BatchItem.batch_id)
            .join(Condition, Condition.id == Batch.condition_id)
            .where(Condition.design_id == design_id)
            .group_by(BatchItem.batch_id)
        ).all()
    )
    overdue = and_(Place.state == "held", Place.held_until < now())
    rows = connection.execute(
        select(
            Batch.id,
            Condition.name,
            Batch.number,
            func.sum(case((Place.state == "open", 1), else_=0)),
            func.sum(case((and_(Place.state == "held", Place.held_until >= now()), 1), else_=0)),
            func.sum(case((overdue, 1), else_=0)),
            func.sum(case((Place.state == "filled", 1), else_=0)),
        )
        .join(Condition, Condition.id == Batch.condition_id)
        .join(Place, Place.batch_id == Batch.id)
        .where(Condition.design_id == design_id)
        .group_by(Batch.id, Condition.id, Condition.name, Batch.number)
        .order_by(Condition.id, Batch.number)
    ).all()
    return [
        BatchStatus(condition, number, sizes[key], *(int(count) for count in counts))
        for key, condition, number, *counts in rows
    ]


def read_postings(connection: Connection, study_id: int) -> list[PostingStatus]:
    """The postings of all versions of a study, the newest first."""
    rows = connection.execute(
        select(
            Posting.id,
            Posting.values,
            Posting.token,
            Posting.platform,
            Design.version,
            Posting.state,
            Posting.created_at,
        )
        .join(Design, Design.id == Posting.design_id)
        .where(Design.study_id == study_id)
        .order_by(Posting.created_at.desc())
    ).all()
    return [
        PostingStatus(
            token=row.token,
            platform=row.platform,
            version=row.version,
            state=row.state,
            created_at=row.created_at,
            remote=_counts(connection, RemoteSubmission.state, RemoteSubmission.posting_id == row.id),
            listings=_counts(connection, Listing.state, Listing.posting_id == row.id),
            seen_at=connection.execute(
                select(func.max(RemoteSubmission.seen_at)).where(RemoteSubmission.posting_id == row.id)
            ).scalar(),
            pay=fair_pay(connection, read_posting(connection, row.token)) if row.platform in PLATFORMS else None,
            payments=_counts(
                connection,
                Payment.state,
                Payment.submission_id.in_(select(Submission.id).where(Submission.posting_id == row.id)),
            ),
            plan=row.values.get(PLAN),
        )
        for row in rows
    ]


def _counts(connection: Connection, column: Any, where: Any) -> dict[str, int]:
    rows = connection.execute(select(column, func.count()).where(where).group_by(column).order_by(column))
    return {row[0]: row[1] for row in rows}


def _submissions(connection: Connection, study_id: int) -> dict[str, int]:
    of_study = (
        select(Submission.state, func.count())
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .where(Design.study_id == study_id)
        .group_by(Submission.state)
    )
    counts = dict(connection.execute(of_study).all())
    surplus = dict(connection.execute(of_study.where(Submission.surplus)).all())
    excluded = dict(connection.execute(of_study.join(Exclusion, Exclusion.submission_id == Submission.id)).all())
    return counts | {"surplus": sum(surplus.values()), "excluded": sum(excluded.values())}


def _responses(connection: Connection, study_id: int) -> int:
    return connection.execute(
        select(func.count())
        .select_from(Response)
        .join(Submission, Submission.id == Response.submission_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .where(Design.study_id == study_id)
    ).scalar_one()


def _items(connection: Connection, design_id: int) -> list[ItemStatus]:
    """For each item in each condition, its first responses of submissions that fill a place, and the places."""
    wanted = select(Place.batch_id, func.count().label("places")).group_by(Place.batch_id).subquery()
    filled = (
        select(Item.key, Condition.name, func.count(Response.id), func.max(wanted.c.places))
        .select_from(BatchItem)
        .join(Item, Item.id == BatchItem.item_id)
        .join(Batch, Batch.id == BatchItem.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .join(wanted, wanted.c.batch_id == Batch.id)
        .outerjoin(Place, and_(Place.batch_id == Batch.id, Place.state == "filled"))
        .outerjoin(
            Response,
            and_(
                Response.submission_id == Place.submission_id,
                Response.item_id == BatchItem.item_id,
                Response.repeat_index == 0,
            ),
        )
        .where(Condition.design_id == design_id)
        .group_by(BatchItem.batch_id, BatchItem.item_id, Item.key, Condition.name)
        .order_by(BatchItem.batch_id, BatchItem.item_id)
    )
    return [ItemStatus(*row) for row in connection.execute(filled)]
