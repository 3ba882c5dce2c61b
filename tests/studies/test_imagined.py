"""Imagined runs of a study: whole, by the design's rules, and in a moment; and plans tried on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

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
from tests.studies.accuracies import check_accuracies, first_answers

pytestmark = pytest.mark.slow

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
FEW_ARE_RIGHT_WITH_VIEWS = {
    "with_interpretations": {"overall": 0.5},
    "without_interpretations": {"overall": 0.75},
    "images_with": {},
    "images_without": {},
}
"""An effect large enough for a small study."""
Imagined: TypeAlias = tuple[ImaginedStudy, pd.DataFrame, Design]


@contextmanager
def imagined(folder: Path, name: str, sample: int | None = None, **changes: Any) -> Iterator[Imagined]:
    """A design of the catalogue on made-up items, all or a sample; its items' frame.

    Nobody looks at the images, so they are not enlarged, which takes longer than all the rest.
    """
    written, source = read_design(find_design(name))
    values = written.dump() | changes
    values["items"] |= {"image_size": 0} | ({} if sample is None else {"sample": sample})
    design = Design.model_validate(values)
    with closing(open_store(f"sqlite:///{folder / 'store.db'}")) as store:
        load_design(store, design, source, folder, items=stand_ins(design))
        with store.read() as connection:
            yield ImaginedStudy(connection, design.name), read_items(connection, design.name), design


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Imagined]]:
    """The designs of the catalogue as they are, each loaded once."""
    with ExitStack() as stack:
        yield cache(lambda name: stack.enter_context(imagined(tmp_path_factory.mktemp(name), name)))


@pytest.mark.parametrize(
    "name", ["cifar10s", "mixing-coefficients", "mixed-soft-labels", "wrong-label-1", "wrong-label-2"]
)
def test_a_whole_study(whole: Callable[[str], Imagined], name: str) -> None:
    """Every item gets the responses that are wanted, nobody sees one twice, and the frame keeps the contract."""
    study, items, design = whole(name)
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


def test_people_stay_in_their_condition(whole: Callable[[str], Imagined]) -> None:
    """Nobody is in both conditions of Experiment 2; of Experiment 1 most are."""
    one, two = (whole(name)[0] for name in ("wrong-label-1", "wrong-label-2"))
    both = one.answers(1).groupby("participant")["condition"].nunique()
    alone = two.answers(1).groupby("participant")["condition"].nunique()
    assert (both == 2).mean() > 0.5
    assert (alone == 1).all()


@pytest.mark.parametrize("name", ["wrong-label-1", "wrong-label-2"])
def test_accuracies_are_those_of_the_paper(whole: Callable[[str], Imagined], name: str) -> None:
    """By condition and category, with all responses of the paper."""
    study, items, design = whole(name)
    check_accuracies(first_answers(study.answers(1), items), design)


def test_the_effect_is_there_and_can_be_taken_away(whole: Callable[[str], Imagined]) -> None:
    """The stated accuracies come out, and with `alike` there is no difference beyond chance."""
    study, items, design = whole("wrong-label-2")

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
    people = {"people": 60, "behaviour": FEW_ARE_RIGHT_WITH_VIEWS}
    with imagined(tmp_path, "wrong-label-2", 40, plan=PLAN, rehearsal=people) as (study, items, _):
        tried = try_plan(study, items, runs=20, seed=1, on_run=done.append)
        assert try_plan(study, items, runs=20, seed=1) == tried
    assert done == list(range(1, 41))
    assert (tried[0].name, tried[0].runs, tried[0].untested) == ("H1", 20, 0)
    assert tried[0].found >= 16
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


def test_a_design_without_a_plan(whole: Callable[[str], Imagined]) -> None:
    """There is nothing to try."""
    study, items, _ = whole("mixed-soft-labels")
    with pytest.raises(OptionError, match="has no plan"):
        try_plan(study, items, runs=1, seed=1)
