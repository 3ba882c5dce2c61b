"""What an analysis starts from, read from real stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import select

from crowdloom.analysis.plan import Plan, plan_hash
from crowdloom.studies.analysing.material import read_material
from crowdloom.studies.database import Store
from crowdloom.studies.errors import StudyError
from crowdloom.studies.posting import publish
from crowdloom.studies.reading import read_frame
from crowdloom.studies.tables import Design, Submission
from tests.studies.analysing.odd import KINDS, Odd, plan_of
from tests.studies.releasing.answered import REASON, TYPED, everything

SOFT = KINDS["soft"]


def test_everything_of_a_study(store: Store, tmp_path: Path) -> None:
    """People of every standing, what they said beside their answers, and what an hour of theirs earned."""
    everything(store, tmp_path)
    with store.read() as connection:
        material = read_material(connection, "digits")
        frame = read_frame(connection, "digits", "all")
        design = connection.execute(select(Design.sha256)).scalar_one()
        rows = {row.pseudonym: row for row in connection.execute(select(Submission.__table__))}
    about = material.submissions
    assert (material.study, material.version, material.design_sha256) == ("digits", 1, design)
    assert sorted(about["standing"]) == ["accepted", "accepted", "excluded", "failed_check", "left"]
    assert dict(material.states) == {"completed": 3, "left": 1, "failed_check": 1, "refused": 1}
    pd.testing.assert_frame_equal(material.frame, frame)
    assert set(material.frame["submission"]) == set(about["submission"][about["standing"] != "failed_check"])
    assert len(material.items) == 8
    excluded = about[about["standing"] == "excluded"]["note"].item()
    assert excluded.startswith(REASON)
    assert about["note"].isna().sum() == 4
    for told in about.to_dict("records"):
        row = rows[told["submission"]]
        assert told["checks_failed"] == row.checks_failed == (told["standing"] == "failed_check")
        assert told["started_at"] == row.started_at
        assert pd.isna(told["completed_at"]) == (row.completed_at is None)
    assert about["attention"].isna().all()
    assert material.debrief["Anything else? (You can write to us.)"].tolist() == [TYPED, ""]
    assert set(material.questionnaires["instrument"]) == {"umux-lite"}
    assert [where for where, _ in material.pay] == ["link, version 1"]
    assert "USD an hour" in material.pay[0][1]
    assert material.planned is None


def test_a_study_without_a_posting(sqlite_store: Store) -> None:
    """Empty tables, with their columns."""
    Odd(sqlite_store, "quiet", "infer", published=False)
    with sqlite_store.read() as connection:
        material = read_material(connection, "quiet")
    assert (len(material.frame), len(material.submissions), len(material.debrief)) == (0, 0, 0)
    assert {"standing", "checks_failed", "started_at", "attention", "note"} <= set(material.submissions)
    assert (dict(material.states), list(material.pay)) == ({}, [])


def versions(store: Store, *plans: dict[str, Any] | None) -> None:
    """A study with a published version for each of these plans; two people come to each."""
    for number, plan in enumerate(plans):
        Odd(store, "pets", "soft", plan=plan, title=f"Title {number}").come(f"ann{number}", f"ben{number}")


def test_a_plan_is_frozen_when_it_is_first_published(sqlite_store: Store) -> None:
    """The hash is that of the plan alone; before it is published nothing is frozen."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    Odd(sqlite_store, "pets", "soft", plan=plan_of(SOFT), published=False)
    with sqlite_store.read() as connection:
        planned = read_material(connection, "pets").planned
    assert planned is not None
    assert (planned.sha256, planned.published) == (plan_hash(Plan.model_validate(plan_of(SOFT))), None)
    with sqlite_store.write() as connection:
        publish(connection, "pets", "link")
        frozen = read_material(connection, "pets").planned
    assert frozen is not None
    assert frozen.published is not None
    assert before < frozen.published < before + timedelta(minutes=5)
    versions(sqlite_store, plan_of(SOFT))  # another title, the same plan
    with sqlite_store.read() as connection:
        assert read_material(connection, "pets").planned == frozen
        assert read_material(connection, "pets").version == 2


def test_another_plan_is_told(sqlite_store: Store) -> None:
    """Whichever version is analysed, those with another plan, or with none, are named."""
    versions(sqlite_store, plan_of(SOFT), plan_of(SOFT, seconds_per_answer=0.5), None)
    with sqlite_store.read() as connection:
        first, second, third = (read_material(connection, "pets", version) for version in (1, 2, 3))
        latest = read_material(connection, "pets")
    assert first.planned is not None
    assert second.planned is not None
    assert (first.planned.others, second.planned.others) == ((2, 3), (1, 3))
    assert first.planned.sha256 != second.planned.sha256
    assert third.planned is None
    assert latest.version == 3
    assert [len(one.submissions) for one in (first, second, third, latest)] == [2, 2, 2, 6]
    assert [set(one.frame["version"]) for one in (first, second)] == [{1}, {2}]
    assert dict(first.states) == {"completed": 2}
    assert dict(latest.states) == {"completed": 6}


def test_attention_is_what_the_design_checks(sqlite_store: Store) -> None:
    """Easy items are to be answered with their reference; where a design says nothing of them nobody fails."""
    checks = {"easy_at_most": 0.2, "easy_right": 2}
    Odd(sqlite_store, "checked", "soft", checks=checks).come("ann", "ben", same=True)
    Odd(sqlite_store, "unchecked", "soft").come("ann", "ben", same=True)
    with sqlite_store.read() as connection:
        checked, unchecked = (read_material(connection, name) for name in ("checked", "unchecked"))
    assert unchecked.submissions["attention"].isna().all()
    items = checked.items
    easy = set(items["item"][(items["difficulty"] <= 0.2)])
    first = checked.frame[~checked.frame["is_repeat"] & checked.frame["item"].isin(easy)]
    assert 0 < len(first) < len(checked.frame)
    wrong = (first["top1"] != first["reference"]).groupby(first["submission"]).any()
    failed = checked.submissions.set_index("submission")["attention"].notna()
    assert wrong.any()
    assert failed[failed].index.tolist() == wrong[wrong].index.tolist()


def test_unknown_studies_and_versions(sqlite_store: Store) -> None:
    """Told with those that there are."""
    versions(sqlite_store, None)
    with sqlite_store.read() as connection:
        with pytest.raises(StudyError, match="no study is called 'cars'; there are: pets"):
            read_material(connection, "cars")
        with pytest.raises(StudyError, match="'pets' has no version 2; there are 1 to 1"):
            read_material(connection, "pets", 2)


def test_versions_that_cannot_stand_together(sqlite_store: Store) -> None:
    """Other classes are another question; each version can be read by itself, with its own classes."""
    Odd(sqlite_store, "pets", "soft").come("ann")
    Odd(sqlite_store, "pets", "soft", classes=("ape", "bat", "cat")).come("ben")
    with sqlite_store.read() as connection:
        with pytest.raises(StudyError, match="different tasks or classes; choose one with --version"):
            read_material(connection, "pets")
        one, other = (read_material(connection, "pets", version) for version in (1, 2))
    assert (len(one.classes), len(other.classes)) == (6, 3)
    assert list(one.design.classes) == list(one.classes)
    assert set(one.frame["submission"]).isdisjoint(other.frame["submission"])
