"""Fourteen simulated people go through sessions on digits, over real HTTP and with real workers, to the analysis."""

from __future__ import annotations

import io
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import func, select

from crowdloom.studies.cli import main
from crowdloom.studies.database import open_store
from crowdloom.studies.design import Design
from crowdloom.studies.errors import OptionError
from crowdloom.studies.hill_analysing import write_hill_analysis
from crowdloom.studies.hill_run import HillRun, run_study, said_strategies
from crowdloom.studies.hill_simulation import STUDY, simulated_design
from crowdloom.studies.reading_sessions import Sessions, read_sessions
from crowdloom.studies.releasing.importing import import_release
from crowdloom.studies.releasing.opening import opened_release
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import release_study
from crowdloom.studies.tables import Job
from crowdloom.studies.whole_run import Say, empty_folder
from crowdloom.tasks.latent_options import LatentOptions
from crowdloom.tasks.latent_people import STRATEGIES

pytest.importorskip("torch", reason="sessions train networks: the extra `train` is not installed")
pytestmark = pytest.mark.slow

BOUND = re.compile(r"^  (\w[\w ]+?) +(\d+) +([+-]\d+\.\d|-)  (?:[+-]\d+\.\d to [+-]\d+\.\d|-)$", re.MULTILINE)
PEOPLE = 14
EPOCHS = 1
"""After each interaction; the paper's are five, which take longer and show nothing more here."""


@pytest.fixture(scope="module", autouse=True)
def folders(scenarios: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where prepared scenarios lie, and a folder of this module alone for the sessions' files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROWDLOOM_SCENARIOS", str(scenarios))
        patch.setenv("CROWDLOOM_SCRATCH", str(tmp_path_factory.mktemp("scratch")))
        yield


@dataclass
class Simulated:
    """What `crowdloom hill simulate` made, showed as it went on, and printed."""

    run: HillRun
    shown: list[str]
    printed: str


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """The whole study, once, by its command; its trainings alone are shorter."""
    runs: list[HillRun] = []
    shown: list[str] = []

    def shorter(folder: Path, design: Design, source: str, *, show: Say, **given: Any) -> HillRun:
        assert design.task_options(design.arms()[0]) == LatentOptions()
        short = Design.model_validate(design.dump() | {"options": {"epochs": EPOCHS}})
        runs.append(run_study(folder, short, short.model_dump_json(), show=shown.append, **given))
        return runs[-1]

    out = str(tmp_path_factory.mktemp("simulated") / "a folder")
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crowdloom.studies.hill_run.run_study", shorter)
        patch.setattr(sys, "argv", ["crowdloom", "hill", "simulate", "--participants", str(PEOPLE), "--out", out])
        with redirect_stdout(printed), pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 0
    assert runs[0].folder == Path(out)
    return Simulated(runs[0], shown, printed.getvalue())


@pytest.fixture(scope="module")
def run(simulated: Simulated) -> HillRun:
    """What it made."""
    return simulated.run


@pytest.fixture(scope="module")
def sessions(run: HillRun) -> Sessions:
    """Its sessions as the analysis reads them."""
    with closing(open_store(str(run.database), create=False)) as store, store.read() as connection:
        return read_sessions(connection, STUDY)


def test_everybody_completes_a_session(run: HillRun, sessions: Sessions, simulated: Simulated) -> None:
    """Each fills a place with a session of four interactions that were really trained, each by a job of its own."""
    assert run.rehearsal.people["completed"] == run.rehearsal.places["filled"] == PEOPLE
    assert not sessions.unusable
    assert len(sessions.sessions) == PEOPLE
    assert len({session.record.seed for session in sessions.sessions}) == PEOPLE
    for session in sessions.sessions:
        record = session.record
        assert [one.epoch for one in record.interactions] == [25 + EPOCHS * number for number in range(4)]
        assert len(record.curve) == 25 + 4 * EPOCHS
        assert not any(one.without_person for one in record.interactions)
        assert record.curve[-1].accuracy > 0.8
    with closing(open_store(str(run.database), create=False)) as store, store.read() as connection:
        done = select(Job.step, func.count().label("jobs")).where(Job.state == "done", Job.trial.is_not(None))
        steps = {row.step: row.jobs for row in connection.execute(done.group_by(Job.step))}
    assert steps == {"open": PEOPLE, "train": 4 * PEOPLE}
    assert f"{PEOPLE} of {PEOPLE} are done" in simulated.shown


def test_the_gains_are_printed_by_strategy(simulated: Simulated) -> None:
    """Everything lies in the folder; the table has a row for each strategy that somebody had, and one for all."""
    assert f"{PEOPLE} of {PEOPLE} simulated people completed a session on digits." in simulated.printed
    assert f"digits: over {PEOPLE} sessions the final accuracy was" in simulated.printed
    rows = BOUND.findall(simulated.printed)
    assert rows[-1][:2] == ("all", str(PEOPLE))
    assert sum(int(n) for _, n, _ in rows[:-1]) == PEOPLE
    assert (simulated.run.folder / "study.db").is_file()
    assert (simulated.run.folder / "analysis" / "summary.md").is_file()


def test_all_have_begun_alike(sessions: Sessions) -> None:
    """With the same pretrained network and the same points; what differs then is what people did."""
    first = sessions.sessions[0].record
    for session in sessions.sessions:
        assert session.record.curve[:25] == first.curve[:25]
        assert session.record.interactions[0].before == first.interactions[0].before
    assert len({session.record.curve[-1].accuracy for session in sessions.sessions}) > 1


def test_the_strategies_are_what_people_did(run: HillRun, sessions: Sessions) -> None:
    """All five are there; what the rule of the analysis calls the first arrangements is mostly what people said."""
    with closing(open_store(str(run.database), create=False)) as store, store.read() as connection:
        strategies = said_strategies(connection, STUDY)
    assert set(strategies.values()) == set(STRATEGIES)
    assert Counter(strategies.values()) == Counter(run.strategies["n"].drop("all").to_dict())
    asked = pd.read_csv(run.analysis / "data" / "interactions.csv")
    pure = {key: name for key, name in strategies.items() if name != "change"}
    first = asked[asked["interaction"] == 1].set_index("submission")["approach"]
    assert sum(first[submission] == name for (submission, _), name in pure.items()) >= 0.7 * len(pure)


def test_gains_are_over_the_same_training_without_a_person(run: HillRun, sessions: Sessions) -> None:
    """Each session beside the baseline of its seed; what is printed is their mean by strategy."""
    gains = pd.read_csv(run.analysis / "data" / "gains.csv")
    assert len(gains) == PEOPLE
    assert gains["baseline_accuracy"].between(0.8, 1).all()
    accuracies = {session.submission: session.record.curve[-1].accuracy for session in sessions.sessions}
    assert gains.set_index("submission")["accuracy"].to_dict() == pytest.approx(accuracies)
    low, gain, high = (float(run.strategies[name]["all"]) for name in ("low", "gain", "high"))
    assert run.strategies["n"]["all"] == PEOPLE
    assert gain == pytest.approx((gains["accuracy"] - gains["baseline_accuracy"]).mean())
    assert low < gain < high
    assert any("digits" in sentence for sentence in run.said)


def test_the_analysis_is_whole(run: HillRun) -> None:
    """Every figure and table of the summary is a file beside it."""
    summary = (run.analysis / "summary.md").read_text(encoding="utf-8")
    shown = re.findall(r"\]\(([^)]+)\)", summary)
    assert shown
    assert all((run.analysis / file).stat().st_size for file in shown)


def test_the_server_has_just_what_was_sent(sessions: Sessions) -> None:
    """Each session as its worker made it, so that there is nothing to tell."""
    assert not sessions.notes()
    assert not any(one.replaced for one in sessions.sessions)


def test_a_release_gives_the_same_gains(run: HillRun, tmp_path: Path) -> None:
    """Read into another store, its sessions have the same baselines, by scenario and seed, and say the same."""
    with closing(open_store(str(run.database), create=False)) as store:
        release_study(store, STUDY, tmp_path / "r", Options("CC-BY-4.0", free_text=True))
    with closing(open_store(str(tmp_path / "again.db"))) as again:
        with opened_release(tmp_path / "r.zip") as release:
            import_release(again, release, "again")
        write_hill_analysis(again, "again", tmp_path / "analysis")
    for name in ("gains", "interactions", "steps", "curves"):
        before, after = (
            pd.read_csv(folder / "data" / f"{name}.csv") for folder in (run.analysis, tmp_path / "analysis")
        )
        names = ["study", "participant", "submission"]
        pd.testing.assert_frame_equal(before.drop(columns=names), after.drop(columns=names), check_exact=True)
        for column in names[1:]:
            assert (pd.factorize(before[column])[0] == pd.factorize(after[column])[0]).all()


def test_what_cannot_be_simulated_is_said(tmp_path: Path) -> None:
    """A scenario that there is not, nobody, and a folder that has something in it."""
    with pytest.raises(OptionError, match="--scenario numbers: there is no scenario 'numbers'; choose from digits"):
        simulated_design("numbers", 14)
    with pytest.raises(OptionError, match="--participants 0: at least one is needed"):
        simulated_design("digits", 0)
    assert empty_folder(tmp_path / "a" / "b").is_dir()
    with pytest.raises(OptionError, match="has files in it already, and they stay as they are"):
        empty_folder(tmp_path / "a")


def test_a_scenario_whose_data_are_not_here_is_said(tmp_path: Path) -> None:
    """Before anybody comes, with what to do."""
    design, source = simulated_design("cifar10", 1)
    with pytest.raises(OptionError, match="crowdloom hill prepare cifar10"):
        run_study(tmp_path, design, source, people=1, say=print, show=print)
    assert not list(tmp_path.iterdir())
