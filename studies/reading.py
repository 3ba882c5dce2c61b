"""Reading answers back: in compact chunks for labels, or as the one long frame for all analysis.

Answers are read as the packed records that were written beside their JSON, some submissions at a
time, so that a million of them pass through the memory of a few thousand.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, and_, case, select, text

from crowdloom.studies.errors import StudyError
from crowdloom.studies.posting import newest_design
from crowdloom.studies.tables import (
    Batch,
    Condition,
    Design,
    Exclusion,
    Item,
    Participant,
    Place,
    Posting,
    Study,
    Submission,
)
from crowdloom.tasks import TASKS
from crowdloom.tasks.columns import Column, record_fields

if TYPE_CHECKING:
    import pandas as pd

Scope = Literal["accepted", "all"]
"""`accepted`: complete submissions that fill a place and are not excluded; `all`: every answer there is."""

SUBMISSIONS_AT_A_TIME = 500
"""At most, by the span of their internal ids."""


@dataclass(frozen=True)
class Answers:
    """What is fixed about the answers of a study: whose they are, to which items, of what type."""

    study: str
    task: str
    classes: Sequence[str]
    columns: Sequence[Column]
    items: Sequence[str]
    """The keys of the study's items, in the order in which they were loaded."""
    references: Sequence[str | None]
    designs: Sequence[int]
    """Internal ids of the versions that count."""
    scope: Scope
    submissions: npt.NDArray[np.intp]
    """Internal ids of the submissions that count, ascending; see `read_submissions`."""
    item_index: npt.NDArray[np.intp]
    """The position in `items` of an internal item id (-1 for those of other studies)."""

    @property
    def dtype(self) -> np.dtype[np.void]:
        """The type of a packed record."""
        return np.dtype(record_fields(self.columns, len(self.classes)))


@dataclass(frozen=True)
class Chunk:
    """Some answers: all answers of a few submissions, in the order of `Answers.submissions`."""

    submission: npt.NDArray[np.intp]
    """[n] Position in `Answers.submissions`."""
    item: npt.NDArray[np.intp]
    """[n] Position in `Answers.items`."""
    repeat_index: npt.NDArray[np.intp]
    records: npt.NDArray[np.void]


def find_answers(connection: Connection, study: str, scope: Scope = "accepted", version: int | None = None) -> Answers:
    """Which answers a study has, in all its versions or in one.

    Raises StudyError for an unknown study or version, for versions whose classes differ (name one
    then), and for a task without typed columns.
    """
    newest_design(connection, study)
    designs = connection.execute(
        select(Design.id, Design.version, Design.task, Design.values, Design.study_id)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == study)
        .order_by(Design.version)
    ).all()
    chosen = [design for design in designs if version in (None, design.version)]
    if not chosen:
        raise StudyError(f"{study!r} has no version {version}; there are 1 to {designs[-1].version}")
    if len({(design.task, tuple(design.values["classes"])) for design in chosen}) > 1:
        raise StudyError(f"the versions of {study!r} have different tasks or classes; choose one with --version")
    columns = TASKS[chosen[0].task].columns
    if not columns:
        raise StudyError(f"the answers to the task {chosen[0].task!r} have no typed columns")
    items = connection.execute(
        select(Item.id, Item.key, Item.reference).where(Item.study_id == chosen[0].study_id).order_by(Item.id)
    ).all()
    references = {item.key: item.reference for item in items}  # the newest row of a key has the last word
    position = {key: number for number, key in enumerate(references)}
    item_index = np.full(max((item.id for item in items), default=0) + 1, -1, dtype=np.intp)
    for item in items:
        item_index[item.id] = position[item.key]
    design_ids = [design.id for design in chosen]
    ids = connection.scalars(_of_designs(select(Submission.id), design_ids, scope)).all()
    return Answers(
        study=study,
        task=chosen[0].task,
        classes=chosen[0].values["classes"],
        columns=columns,
        items=list(references),
        references=list(references.values()),
        designs=design_ids,
        scope=scope,
        submissions=np.array(ids, dtype=np.intp),
        item_index=item_index,
    )


class Origin(NamedTuple):
    """Where the answers of a submission come from."""

    submission: str
    participant: str
    condition: str
    batch: int
    version: int
    standing: str
    """`accepted`; `copy` (accepted, from a session that stands in an imported file twice); or why it does not
    count: `excluded`, `rejected`, `surplus`, `started` (unfinished), `left`, `failed_check`."""
    platform: str


_STANDING = case(
    (Exclusion.id.is_not(None), "excluded"),
    (and_(Place.state == "filled", Submission.copy_of.is_not(None)), "copy"),
    (Place.state == "filled", "accepted"),
    (Submission.review == "rejected", "rejected"),
    (Submission.surplus, "surplus"),
    else_=Submission.state,
)


def read_submissions(connection: Connection, answers: Answers) -> list[Origin]:
    """The origin of each of `Answers.submissions`, in their order."""
    query = (
        select(
            Submission.id,
            Submission.pseudonym,
            Participant.pseudonym,
            Condition.name,
            Batch.number,
            Design.version,
            _STANDING,
            Posting.platform,
        )
        .join(Participant, Participant.id == Submission.participant_id)
        .join(Batch, Batch.id == Submission.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .outerjoin(Place, Place.submission_id == Submission.id)
        .outerjoin(Exclusion, Exclusion.submission_id == Submission.id)
        .where(Design.id.in_(answers.designs))
    )
    # By id and not by their order alone: another submission may have been accepted in the meantime.
    rows = {row[0]: Origin(*row[1:]) for row in connection.execute(query)}
    return [rows[number] for number in answers.submissions.tolist()]


def _of_designs(query: Any, designs: Sequence[int], scope: Scope) -> Any:
    query = (
        query.join(Batch, Batch.id == Submission.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .where(Posting.design_id.in_(designs))
        .order_by(Submission.id)
    )
    if scope == "accepted":
        query = (
            query.join(Place, Place.submission_id == Submission.id)
            .outerjoin(Exclusion, Exclusion.submission_id == Submission.id)
            .where(Place.state == "filled", Exclusion.id.is_(None))
        )
    return query


def stream(connection: Connection, answers: Answers) -> Iterator[Chunk]:
    """The answers in chunks; within a submission in the order in which they were given."""
    columns = "item_id, repeat_index, packed"
    for submission, (item_id, repeat_index, packed) in fetch_columns(connection, answers, columns):
        yield Chunk(
            submission=submission,
            item=answers.item_index[list(item_id)],
            repeat_index=np.array(repeat_index, dtype=np.intp),
            records=np.frombuffer(b"".join(packed), dtype=answers.dtype),
        )


def read_first(connection: Connection, answers: Answers) -> Chunk:
    """All first answers, without repeats, in one."""
    none = np.empty(0, dtype=np.intp)
    parts = [(none, none, none, np.empty(0, answers.dtype))]
    for chunk in stream(connection, answers):
        first = chunk.repeat_index == 0
        parts.append((chunk.submission[first], chunk.item[first], chunk.repeat_index[first], chunk.records[first]))
    return Chunk(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def fetch_columns(
    connection: Connection, answers: Answers, columns: str
) -> Iterator[tuple[npt.NDArray[np.intp], tuple[tuple[Any, ...], ...]]]:
    """Positions in `Answers.submissions`, and the columns, of the answers of some submissions at a time.

    `columns` are names of the table `response`, as in SQL; values are as the driver gives them.
    """
    query = text(
        f"SELECT submission_id, {columns} FROM response "
        "WHERE submission_id BETWEEN :first AND :last ORDER BY submission_id, id"
    )
    ids, start = answers.submissions, 0
    while start < len(ids):
        end = int(np.searchsorted(ids, ids[start] + SUBMISSIONS_AT_A_TIME))
        # The driver's own tuples: a Row object for each of a million answers takes longer than the labels.
        result = connection.execute(query, {"first": int(ids[start]), "last": int(ids[end - 1])})
        with _no_collecting():
            rows = list(result.cursor.fetchall())
            result.close()
            if len(ids[start:end]) <= ids[end - 1] - ids[start]:  # submissions that are not wanted lie between
                wanted = set(ids[start:end].tolist())
                rows = [row for row in rows if row[0] in wanted]
            turned = list(zip(*rows, strict=True))
            del rows
        if turned:
            submission_id, *rest = turned
            yield np.searchsorted(ids, submission_id), tuple(rest)
        start = end


@contextmanager
def _no_collecting() -> Iterator[None]:
    """No garbage collection meanwhile: one for every few hundred rows takes longer than reading them, and finds none.

    A collection that was off stays off.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_frame(
    connection: Connection, study: str, scope: Scope = "accepted", version: int | None = None
) -> pd.DataFrame:
    """The long frame of a study: one row for each answer, columns as in `analysis.frame`.

    Beside these it has `version`, of the design, and `standing`, which says how its submission counts
    (see `Origin`). `answered_at` is missing for imported answers. Raises StudyError as `find_answers` does.
    """
    import pandas as pd

    from crowdloom.analysis.frame import frame_from_records

    answers = find_answers(connection, study, scope, version)
    about = pd.DataFrame(read_submissions(connection, answers), columns=Origin._fields)
    items = pd.DataFrame({"item": answers.items, "reference": answers.references}, dtype=object)
    records, parts = [np.empty(0, answers.dtype)], []
    names = ("item_id", "position", "repeat_index", "rt_ms", "answered_at", "packed")
    for submission, values in fetch_columns(connection, answers, ", ".join(names)):
        part: dict[str, Any] = dict(zip(names, values, strict=True))
        records.append(np.frombuffer(b"".join(part.pop("packed")), dtype=answers.dtype))
        part["item"] = answers.item_index[list(part.pop("item_id"))]
        part["rt_ms"] = np.array(part["rt_ms"], dtype=np.float64)
        part["answered_at"] = pd.to_datetime(pd.Series(part["answered_at"]), utc=True)
        parts.append(pd.DataFrame({"about": submission, **part}))
    if not parts:
        parts = [pd.DataFrame(columns=["about", "item", *names[1:-1]], dtype=np.intp)]
    frame = pd.concat(parts, ignore_index=True)
    metadata: dict[str, Any] = {
        "study": np.full(len(frame), study, dtype=object),
        **{
            name: about[name].to_numpy()[frame["about"]] for name in ("submission", "participant", "condition", "batch")
        },
        **{name: items[name].to_numpy()[frame["item"]] for name in ("item", "reference")},
        **{name: frame[name] for name in ("position", "repeat_index", "rt_ms", "answered_at")},
    }
    read = frame_from_records(np.concatenate(records), metadata, answers.columns, answers.classes)
    # An imported file has no clock of its own; the time of the import would pass for one.
    read.loc[(about["platform"].to_numpy() == "import")[frame["about"]], "answered_at"] = pd.NaT
    read.insert(list(read).index("condition"), "version", about["version"].to_numpy(dtype=np.intp)[frame["about"]])
    read.insert(list(read).index("position"), "standing", about["standing"].to_numpy(dtype=object)[frame["about"]])
    return read
