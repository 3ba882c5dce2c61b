"""Imagined runs of a study: whole, by the design's rules, and in a moment; and plans tried on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from crowdloom.analysis.frame import check_frame
from crowdloom.analysis.wrong_label import accuracy_table, guesses
from crowdloom.studies.analysing.rehearsed import try_plan
from crowdloom.studies.catalogue import find_design
from crowdloom.studies.database import open_store
from crowdloom.studies.design import Design
from crowdloom.studies.design_file import read_design
from crowdloom.studies.errors import OptionError
from crowdloom.studies.loading import load_design
from crowdloom.studies.reading_items import read_items
from crowdloom.studies.rehearsal import stand_ins
from crowdloom.studies.rehearsal.imagined import ImaginedStudy
from crowdloom.tasks import TASKS

PLAN = {
    "stopping": "Once all places are filled.",
    "hypotheses": [
        {
            "name": "H1",
            "claim": "Interpretations lower the accuracy.",
            "outcome": "accuracy",
            "test": "clustered-logit",
            "unit": "response",
            "levels": ["Int", "No-Int"],
        }
    ],
}


@contextmanager
def imagined(folder: Path, name: str, **changes: Any) -> Iterator[tuple[ImaginedStudy, pd.DataFrame, Design]]:
    """A design of the catalogue on made-up items, with its items' frame."""
    written, source = read_design(find_design(name))
    design = Design.model_validate(written.dump() | changes)
    with closing(open_store(f"sqlite:///{folder / 'store.db'}")) as store:
        load_design(store, design, source, folder, items=stand_ins(design))
        with store.read() as connection:
            yield ImaginedStudy(connection, design.name), read_items(connection, design.name), design


@pytest.mark.parametrize(
    "name", ["cifar10s", "mixing-coefficients", "mixed-soft-labels", "wrong-label-1", "wrong-label-2"]
)
def test_a_whole_study(tmp_path: Path, name: str) -> None:
    """Every item gets the responses that are wanted, nobody sees one twice, and the frame keeps the contract."""
    with imagined(tmp_path, name) as (study, items, design):
        frame = study.answers(1)
        again, other = study.answers(1), study.answers(2)
    check_frame(frame, TASKS[design.task].columns, design.classes)
    first = frame[~frame["is_repeat"]]
    wanted = {arm.name: arm.responses_per_item or design.batches.responses_per_item for arm in design.arms()}
    counts = first.groupby(["condition", "item"]).size()
    assert all(count == wanted[condition] for (condition, _), count in counts.items())
    shown = len(items) if design.batches.split_items else len(items) * len(wanted)
    assert len(counts) == shown
    assert not first.duplicated(["participant", "item"]).any()
    assert (first.groupby("participant")["submission"].nunique() <= design.people.submissions_per_participant).all()
    assert frame["is_repeat"].sum() == frame["submission"].nunique() * len(design.batches.repeats)
    pd.testing.assert_frame_equal(frame, again)
    assert not frame.equals(other)


def test_people_stay_in_their_condition(tmp_path: Path) -> None:
    """Nobody is in both conditions of Experiment 2; of Experiment 1 most are."""
    (tmp_path / "2").mkdir()
    with imagined(tmp_path, "wrong-label-1") as (one, _, _), imagined(tmp_path / "2", "wrong-label-2") as (two, _, _):
        both = one.answers(1).groupby("participant")["condition"].nunique()
        alone = two.answers(1).groupby("participant")["condition"].nunique()
    assert (both == 2).mean() > 0.5
    assert (alone == 1).all()


def test_the_effect_is_there_and_can_be_taken_away(tmp_path: Path) -> None:
    """The stated accuracies come out, and with `alike` there is no difference beyond chance."""
    with imagined(tmp_path, "wrong-label-2") as (study, items, design):

        def difference(seed: int, *, alike: bool) -> float:
            table = accuracy_table(guesses(study.answers(seed, alike=alike), items, design.classes))["Overall"]
            return float(table["No-Int"] - table["Int"])

        there = sum(difference(seed, alike=False) for seed in range(10)) / 10
        away = sum(difference(seed, alike=True) for seed in range(10)) / 10
    assert there == pytest.approx(0.10, abs=0.035)
    assert away == pytest.approx(0, abs=0.035)


def test_a_plan_is_tried(tmp_path: Path) -> None:
    """It mostly finds what was put in, and seldom what was not."""
    done: list[int] = []
    with imagined(tmp_path, "wrong-label-2", plan=PLAN) as (study, items, _):
        tried = try_plan(study, items, runs=20, seed=1, on_run=done.append)
        assert try_plan(study, items, runs=20, seed=1) == tried
    assert done == list(range(1, 41))
    assert (tried[0].name, tried[0].runs, tried[0].untested) == ("H1", 20, 0)
    assert tried[0].found >= 12
    assert tried[0].found_without <= 4
    assert tried[0].interval(10) == "50%, 30% to 70%"


def test_what_tells_items_apart_is_shuffled(tmp_path: Path) -> None:
    """Deviation is larger in the middle; with the coefficients shuffled as labels of the items it is not."""
    plan = {
        "stopping": "Once all places are filled.",
        "hypotheses": [
            {
                "name": "H1",
                "claim": "People are less sure of even mixes.",
                "outcome": "confidence",
                "test": "welch",
                "by": "coefficient",
                "levels": ["0.5", "0.9"],
            }
        ],
    }
    with imagined(tmp_path, "mixing-coefficients", plan=plan) as (study, items, _):
        tried = try_plan(study, items, runs=10, seed=1)[0]
    assert tried.found == 10
    assert tried.found_without <= 3


def test_a_design_without_a_plan(tmp_path: Path) -> None:
    """There is nothing to try."""
    with imagined(tmp_path, "mixed-soft-labels") as (study, items, _), pytest.raises(OptionError, match="has no plan"):
        try_plan(study, items, runs=1, seed=1)
