"""A whole study of the coach with simulated writers, small, over real HTTP; its networks never learned."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from crowdloom.models.coach_folder import prepared_coach
from crowdloom.studies.coach_designs import MNIST_5000, best_coach, demo_design, simulated_design
from crowdloom.studies.coach_run import CoachRun, run_study
from crowdloom.studies.database import open_store
from crowdloom.studies.design import Design
from crowdloom.studies.errors import OptionError
from crowdloom.studies.reading import read_frame
from tests.untrained_coach import write_untrained_coach

PEOPLE = 4


@pytest.fixture
def coaches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for coaches, with none in it, and one for what steps keep."""
    monkeypatch.setenv("CROWDLOOM_COACHES", str(tmp_path / "coaches"))
    monkeypatch.setenv("CROWDLOOM_SCRATCH", str(tmp_path / "scratch"))
    return tmp_path / "coaches"


def run_small(folder: Path, *, within: bool) -> tuple[CoachRun, list[str]]:
    """The simulated study with two digits instead of ten; and what it said."""
    design, _ = simulated_design("digits", PEOPLE, within=within, behaviour={"adopt": 1.0})
    values = design.dump()
    values["items"] |= {"only": ["3", "4"], "rounds": 1}
    values["options"]["never_coached"] = ["3"]
    values["batches"]["size"] = 2
    small, said = Design.model_validate(values), list[str]()
    folder.mkdir()
    run = run_study(folder, small, small.model_dump_json(), people=PEOPLE, say=said.append, show=said.append)
    return run, said


@pytest.mark.slow
def test_half_of_the_people_are_coached(coaches: Path, tmp_path: Path) -> None:
    """Everybody writes all of it; what is printed and analysed is what was stored."""
    write_untrained_coach(coaches)
    run, said = run_small(tmp_path / "run", within=False)
    assert run.rehearsal.people["completed"] == PEOPLE
    assert said[0] == "Simulated writers take part over HTTP, 4 of them."
    assert f"{PEOPLE} of {PEOPLE} are done" in said
    assert run.coaches == {"digits": prepared_coach("digits").accuracy}
    with closing(open_store(str(run.database), create=False)) as store, store.read() as connection:
        frame = read_frame(connection, "coach-simulation")
    assert frame.groupby("condition")["participant"].nunique().to_dict() == {"coached": 2, "control": 2}
    assert run.table["people"].to_dict() == dict.fromkeys(
        ["coached", "not coached", "never coached (coached people)", "never coached (the others)"], 2
    )
    coached = frame[(frame["coached"] == 1)]
    assert run.table.loc["coached", "ink_before"] == pytest.approx(coached["ink_before"].mean())
    assert run.table.loc["coached", "recognised_after"] == pytest.approx(100 * coached["recognised_after"].mean())
    trials = pd.read_csv(run.analysis / "data" / "trials.csv")
    assert len(trials) == len(frame) == 2 * PEOPLE
    assert "; simulated people took part" in (run.analysis / "summary.md").read_text(encoding="utf-8")[:300]
    assert any(sentence.startswith("Between 2 coached and 2 control people") for sentence in run.said)


def test_the_simulated_designs_fit_the_people(coaches: Path) -> None:
    """Each has a place; nobody is paid; classes, coach and behaviour are those asked for."""
    for within in (False, True):
        design, source = simulated_design("digits", 7, within=within, behaviour={"adopt": 0.25})
        assert design.batches.responses_per_item == 4
        assert design.batches.size == 20
        assert (design.batches.versions == "coaching") == within
        assert design.people.reward is None
        assert design.rehearsal.people == 7
        assert design.rehearsal.behaviour == {"adopt": 0.25}
        assert Design.model_validate(json.loads(source)) == design
        assert len(design.arms()) == (1 if within else 2)
        assert all(design.task_options(arm).coach == "digits" for arm in design.arms())


def test_what_cannot_be_simulated_is_said(coaches: Path, tmp_path: Path) -> None:
    """Too few people, no name of a coach, a coach whose data are not here; and nothing is left behind."""
    with pytest.raises(OptionError, match="--participants 1: at least 2 are needed"):
        simulated_design("digits", 1, within=False, behaviour={})
    with pytest.raises(OptionError, match=r"--coach \.\./x: '\.\./x' names no coach"):
        simulated_design("../x", 4, within=False, behaviour={})
    design, source = simulated_design("own", 2, within=True, behaviour={})
    (tmp_path / "run").mkdir()
    with pytest.raises(OptionError, match="crowdloom coach prepare own"):
        run_study(tmp_path / "run", design, source, people=2, say=print, show=print)
    assert not list((tmp_path / "run").iterdir())


def test_the_demo_has_the_best_coach_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """MNIST's images where their package is installed; each time that the pen is lifted something is proposed."""
    design, _ = demo_design()
    options = design.task_options(design.arms()[0])
    assert (options.coach, options.reads, options.coaching) == (MNIST_5000, "at-pen-up", "coached")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert best_coach() == "digits"
