"""What a store knows of a study that came from a release: which one, what it left out, when its plan was published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from crowdloom.studies.posting import PLAN
from crowdloom.studies.tables import Design, Posting, Study

RELEASE = "release"
"""The key in an import's posting that says that it was read from a release, whose durations it then has."""


@dataclass(frozen=True)
class Whence:
    """The release that a study was read from."""

    study: str
    """Its name there."""
    version: int
    sha256: str
    """Of the release's content."""
    free_text: bool
    """Whether it has what people typed, and why researchers excluded submissions."""
    images: bool
    """Whether it has the pictures."""


class PublishedPlan(NamedTuple):
    """With which plan a version of a study was published, and when first; the day alone where a release says so."""

    version: int
    sha256: str | None
    published: date


def read_whence(connection: Connection, study: str) -> Whence | None:
    """The release that a study was read from; None where it was run, or imported from another file."""
    for _, _, values in _postings(connection, study):
        if RELEASE in values:
            said = values[RELEASE]
            return Whence(*(said[name] for name in ("study", "version", "sha256", "free_text", "images")))
    return None


def published_plans(connection: Connection, study: str) -> list[PublishedPlan]:
    """The plans with which a study's versions were published, each with its first publication, oldest first."""
    found: dict[tuple[int, str | None], PublishedPlan] = {}
    for version, at, values in _postings(connection, study):
        said = values.get(RELEASE, {}).get("plans")
        plans = (
            [PublishedPlan(version, values.get(PLAN), at)]
            if said is None
            else [PublishedPlan(one["version"], one["sha256"], date.fromisoformat(one["published"])) for one in said]
        )
        for plan in plans:
            found.setdefault((plan.version, plan.sha256), plan)
    return list(found.values())


def day_of(moment: date) -> date:
    """The day of a moment, or of a day."""
    return moment.date() if isinstance(moment, datetime) else moment


def _postings(connection: Connection, study: str) -> list[tuple[int, datetime, dict[str, Any]]]:
    rows = connection.execute(
        select(Design.version, Posting.created_at, Posting.values)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == study)
        .order_by(Posting.created_at, Posting.id)
    )
    return [(row[0], row[1], row[2]) for row in rows]
