"""The raw export of the crowd study, imported into real stores."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from crowdloom.analysis.elicited import Elicited
from crowdloom.analysis.labels import build_labels, parse_variety
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.importing import Report, import_jspsych
from crowdloom.studies.importing.soft_labels import (
    CHOSEN_YET_IMPOSSIBLE,
    NO_NUMBER_OF_NOTHING,
    PROBABILITY_OF_NOTHING,
    SAME_CLASS_TWICE,
    SECOND_WITHOUT_PROBABILITY,
)
from crowdloom.studies.tables import (
    Batch,
    BatchItem,
    Design,
    Event,
    Item,
    Participant,
    Place,
    Posting,
    Response,
    Submission,
    Table,
)
from crowdloom.tasks import TASKS
from crowdloom.tasks.columns import record_fields
from crowdloom.tasks.soft_label import CIFAR10

DOUBLED = "cl73wyn5lh8fjj1"


@pytest.fixture(scope="session")
def export(test_data: Path) -> Path:
    """The crowd study's raw export."""
    return test_data / "cifar10s-raw.csv"


@pytest.fixture(scope="module")
def doubled(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Report]]:
    """A store with the export and its double, and the report; tests only read it."""
    store = open_store(str(tmp_path_factory.mktemp("doubled") / "store.db"))
    yield store, bring(store, export, keep_doubles=True)
    store.close()


def bring(store: Store, path: Path, *, keep_doubles: bool = False) -> Report:
    """Import a file."""
    return import_jspsych(store, path, task="soft-label", study="cifar10s", keep_doubles=keep_doubles)


def counts(store: Store) -> dict[str, int]:
    """How many rows each table has."""
    with store.read() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in Table.metadata.tables.items()
        }


def total(report: Report) -> int:
    """All rows that the report accounts for."""
    stored = report.first + report.repeats + report.events + len(report.refused)
    return stored + report.doubled + report.known


def test_every_row_of_the_real_export_is_stored_once(store: Store, export: Path, doubled: tuple[Store, Report]) -> None:
    """A session that stands there twice is stored once, a second import adds nothing, a later one may add the copy."""
    report = bring(store, export)
    assert (report.rows, report.first, report.repeats, report.events) == (8494, 6200, 496, 1764)
    assert (report.doubled, report.known, report.refused) == (34, 0, [])
    assert total(report) == report.rows
    assert [(d.rows, d.answers, d.lines, d.original) for d in report.doubles] == [(34, 27, (7711, 7744), (4158, 4191))]
    assert sorted(report.corrected.values()) == [1, 6]
    assert report.contradictory == {
        CHOSEN_YET_IMPOSSIBLE: 40,
        SAME_CLASS_TWICE: 150,
        SECOND_WITHOUT_PROBABILITY: 10,
        PROBABILITY_OF_NOTHING: 402,
        NO_NUMBER_OF_NOTHING: 1,
    }
    found = counts(store)
    assert [found[name] for name in ("batch", "item", "batch_item", "participant", "submission", "place")] == [
        40,
        1000,
        1000,
        248,
        248,
        248,
    ]
    assert (found["response"], found["event"]) == (6696, 1764 + 248)  # and where each submission came from

    again = bring(store, export)
    assert (again.stored, again.known, again.doubled) == (0, 8460, 34)
    assert total(again) == again.rows
    assert "nothing was added" in again.text()
    assert counts(store) == found

    later = bring(store, export, keep_doubles=True)
    assert (later.first, later.repeats, later.events, later.known, later.doubled) == (25, 2, 7, 8460, 0)
    assert counts(store) == counts(doubled[0])


def test_a_copy_is_a_submission_of_its_own(doubled: tuple[Store, Report]) -> None:
    """With --keep-doubles the doubled session is stored twice, the second time marked as a copy."""
    store, report = doubled
    assert (report.first, report.repeats, report.events, report.doubled) == (6225, 498, 1771, 0)
    assert total(report) == report.rows
    with store.read() as connection:
        copy = connection.execute(
            select(Submission, Participant.platform_id)
            .join(Participant, Participant.id == Submission.participant_id)
            .where(Submission.copy_of.is_not(None))
        ).one()
        original = connection.execute(select(Submission).where(Submission.id == copy.copy_of)).one()
        states = connection.execute(select(Place.state)).scalars().all()
    assert copy.platform_id == f"cifar10s:{DOUBLED}"
    assert (copy.attempt, copy.batch_id, copy.item_order) == (2, original.batch_id, original.item_order)
    assert copy.state == "completed"
    assert states == ["filled"] * 249


def test_what_the_store_holds_is_what_was_given(doubled: tuple[Store, Report]) -> None:
    """Answers keep the original object, batches their 25 items, times what the file says and no more."""
    with doubled[0].read() as connection:
        design = connection.execute(select(Design)).one()
        posting = connection.execute(select(Posting)).one()
        batches = connection.execute(select(BatchItem.batch_id, Item.key).join(Item).join(Batch)).all()
        order = connection.execute(select(Submission.item_order, Submission.started_at, Submission.completed_at)).all()
        answers = connection.execute(
            select(Response, Item.key, Item.reference, Item.attributes).join(Item).order_by(Response.id)
        ).all()
        events = connection.execute(select(Event)).all()
    read = DesignModel.model_validate(design.values)
    assert (read.items.source, read.items.path, read.classes) == ("import", "cifar10s-raw.csv", CIFAR10)
    assert (read.batches.size, read.batches.responses_per_item, read.batches.repeats) == (25, 7, (6, 11))
    assert (posting.platform, posting.state) == ("import", "closed")
    assert set(Counter(row.batch_id for row in batches).values()) == {25}
    assert all(row.started_at < row.completed_at for row in order)
    assert {len(row.item_order) for row in order} == {27}
    first = answers[0]
    assert (first.key, first.reference, first.rt_ms, first.timing) == ("1128", "Deer", 47434, {"elapsed_ms": 149770})
    assert first.attributes == {"filename": "cifar10_train_1128_Deer.png"}
    assert (first.answer["top1"], first.answer["top2"], first.answer["top2_probability"]) == ("Deer", None, None)
    assert first.answer["given"]["classSelect2"] == "secondProbNo"
    one_by_one = [(a, b) for a, b in pairwise(answers) if a.submission_id == b.submission_id]
    assert all(a.answered_at < b.answered_at and a.position < b.position for a, b in one_by_one)
    slip = next(row.answer for row in answers if row.answer["given"]["prob"] == "8p")
    assert slip["top1_probability"] == 80
    odd = next(row.answer for row in answers if row.answer["given"]["prob2"].startswith("p"))
    assert (odd["top2"], odd["top2_probability"]) == (None, None)
    zeros = [row.answer["top1_probability"] for row in answers if row.answer["given"]["prob"] == "0"]
    assert zeros == [100] * 6
    typed = next(row.answer for row in answers if row.answer["given"]["prob2"] == "100" and row.answer["top2"] is None)
    assert typed["top2_probability"] == 100
    assert not any(DOUBLED in json.dumps(row.values) for row in events)  # people's names stay in their table


def test_the_released_labels_come_out(doubled: tuple[Store, Report], test_data: Path) -> None:
    """An import with its double, through the label builder, gives the authors' labels within 1e-9."""
    with doubled[0].read() as connection:
        rows = connection.execute(select(Item.key, Response.packed).join(Item)).all()
    record = np.dtype(record_fields(TASKS["soft-label"].columns, 10))
    records = np.frombuffer(b"".join(packed or b"" for _, packed in rows), record)
    labels, kept = build_labels(Elicited.from_records(records, 10), parse_variety("T2-clamp"), 0.1)
    assert kept.all()
    ours: dict[str, list[Any]] = defaultdict(list)
    for (key, _), label in zip(rows, labels, strict=True):
        ours[key].append(label.tolist())
    released = json.loads((test_data / "cifar10s-released-100.json").read_text())
    assert len(released) == 100
    for key, theirs in released.items():
        # the annotators stand in another order, and rounding must not decide how they are sorted
        mine, released_ones = (
            sorted(some, key=lambda label: [round(mass, 6) for mass in label]) for some in (ours[key], theirs)
        )
        np.testing.assert_allclose(mine, released_ones, rtol=0, atol=1e-9)
