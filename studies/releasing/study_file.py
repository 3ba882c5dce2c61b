"""`release.json`: what a release says of its study to programs; `crowdloom import release` begins with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from crowdloom.analysis.plan import Plan, plan_hash
from crowdloom.studies.reading import Answers
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.scrubbing import ADDRESSES
from crowdloom.studies.releasing.submissions import Counts
from crowdloom.studies.releasing.tables import Table
from crowdloom.studies.releasing.whence import day_of, published_plans
from crowdloom.studies.tables import Batch, BatchItem, Condition, Design, Item

NAME = "release.json"
FORMAT = "crowdloom-release"

SAID = (
    "title",
    "task",
    "options",
    "seed",
    "classes",
    "instructions",
    "batches",
    "people",
    "trials",
    "eligibility",
    "checks",
    "comprehension",
    "background",
    "questionnaires",
    "debrief",
    "conditions",
    "coding",
    "plan",
)
"""What of a design is released. Consent, contact, thanks and platforms' settings may say who ran it or who came."""
_ELIGIBILITY = ("statements",)
_PEOPLE = ("minutes", "reward", "submissions_per_participant", "one_condition")
_ITEMS = ("sample", "image_size", "enlarge", "mixed")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReleasedBatch(_Part):
    """A batch with its items, by key, in the design's order."""

    number: int = Field(ge=0)
    items: list[str]


class ReleasedCondition(_Part):
    """An arm of a design."""

    name: str
    values: dict[str, Any]
    batches: list[ReleasedBatch]


class ReleasedDesign(_Part):
    """A version of the design, without what may say who somebody is."""

    version: int = Field(ge=1)
    values: dict[str, Any]
    conditions: list[ReleasedCondition]


class ReleasedCounts(_Part):
    """See `submissions.Counts`."""

    responses: int
    submissions: dict[str, int]
    participants: int
    never: dict[str, int]


class ReleasedPlan(_Part):
    """With which plan a version of the study was published, whether its answers are in the release or not."""

    version: int = Field(ge=1)
    sha256: str | None
    """Of the plan as the study had it; None for a version that was published without one."""
    published: date
    """The day of its first publication, UTC."""
    released_sha256: str | None = None
    """Of the plan in `designs`, where an address had to be taken out of it."""


class ReleaseFile(_Part):
    """The whole file."""

    format: Literal["crowdloom-release"]
    format_version: Literal[1]
    study: str
    version: int
    date: date
    licence: str
    creators: list[str]
    free_text: bool
    images: Literal["reference", "include"]
    task: str
    classes: list[str]
    labels: dict[str, Any]
    """By what the label sets were built; empty where there are none."""
    counts: ReleasedCounts
    tables: dict[str, dict[str, str]]
    """The columns of each table in `data`, with their kinds."""
    designs: list[ReleasedDesign]
    plans: list[ReleasedPlan] = []
    """Empty where no version was published with a plan."""


def describe_study(
    connection: Connection,
    answers: Answers,
    options: Options,
    *,
    version: int,
    day: date,
    counts: Counts,
    tables: Sequence[Table],
    labels: dict[str, Any],
) -> ReleaseFile:
    """The file of a release with these tables."""
    return ReleaseFile(
        format=FORMAT,
        format_version=1,
        study=answers.study,
        version=version,
        date=day,
        licence=options.licence,
        creators=list(options.creators),
        free_text=options.free_text,
        images=options.images,
        task=answers.task,
        classes=list(answers.classes),
        labels=labels,
        counts=ReleasedCounts.model_validate(counts._asdict()),
        tables={table.stem: {column.name: column.kind for column in table.columns} for table in tables},
        designs=(designs := _designs(connection, answers)),
        plans=_plans(connection, answers.study, designs),
    )


def _plans(connection: Connection, study: str, designs: Sequence[ReleasedDesign]) -> list[ReleasedPlan]:
    plans = published_plans(connection, study)
    if not any(plan.sha256 for plan in plans):
        return []
    released = {
        design.version: plan_hash(Plan.model_validate(design.values["plan"]))
        for design in designs
        if design.values.get("plan")
    }
    return [
        ReleasedPlan(
            version=plan.version,
            sha256=plan.sha256,
            published=day_of(plan.published),
            released_sha256=_if_other(released.get(plan.version), plan.sha256),
        )
        for plan in plans
    ]


def _if_other(released: str | None, published: str | None) -> str | None:
    return released if published is not None and released != published else None


def _designs(connection: Connection, answers: Answers) -> list[ReleasedDesign]:
    designs = []
    for row in connection.execute(
        select(Design.id, Design.version, Design.values.label("said"))
        .where(Design.id.in_(answers.designs))
        .order_by(Design.version)
    ):
        conditions: dict[str, ReleasedCondition] = {}
        batches: dict[tuple[str, int], ReleasedBatch] = {}
        for condition, values, number, item in connection.execute(
            select(Condition.name, Condition.values, Batch.number, Item.key)
            .join(Batch, Batch.condition_id == Condition.id)
            .join(BatchItem, BatchItem.batch_id == Batch.id)
            .join(Item, Item.id == BatchItem.item_id)
            .where(Condition.design_id == row.id)
            .order_by(Condition.id, Batch.number, BatchItem.position)
        ):
            if condition not in conditions:
                conditions[condition] = ReleasedCondition(
                    name=condition, values=ADDRESSES.clean_all(values), batches=[]
                )
            if (condition, number) not in batches:
                batches[condition, number] = ReleasedBatch(number=number, items=[])
                conditions[condition].batches.append(batches[condition, number])
            batches[condition, number].items.append(item)
        designs.append(
            ReleasedDesign(
                version=row.version, values=ADDRESSES.clean_all(_said(row.said)), conditions=list(conditions.values())
            )
        )
    return designs


def _said(values: dict[str, Any]) -> dict[str, Any]:
    said = {name: values[name] for name in SAID if name in values}
    for part, names in (("people", _PEOPLE), ("items", _ITEMS), ("eligibility", _ELIGIBILITY)):
        there = values.get(part, {})
        said[part] = {name: there[name] for name in names if name in there}
    return said
