"""The sections of a study with a coach: what they say, and what they leave out, by its design."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crowdloom.analysis.clustered import LOGIT, SUBSTITUTED
from crowdloom.analysis.coach_attempts import Written, attempt_frame, attempt_rows
from crowdloom.analysis.coach_report import Material, main_sentences, measure_section, writing_sections
from crowdloom.analysis.coach_result_tables import regressions_table
from crowdloom.analysis.coach_summary import coach_summary, coach_tables
from crowdloom.analysis.coach_tests import regressions
from crowdloom.analysis.coach_trials import trials
from crowdloom.analysis.describe import MEANINGS, describe
from crowdloom.analysis.report import Drawing, Prose, Section, Tabular
from crowdloom.analysis.times import time_spent
from crowdloom.tasks import TASKS
from crowdloom.tasks.coach_records import Writing
from tests.analysis.coach_frames import CLASSES, Effects, coach_frame
from tests.analysis.mixed_frames import item_frame
from tests.analysis.test_figures import cut_off

NEVER = ("8", "9")
STRONG = Effects(second=0.3, coached=2.0, learned=0.1, kept=0.8, ink=10)


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Permutation tests draw fewer arrangements."""
    monkeypatch.setattr("crowdloom.analysis.permutation.DRAWN", 4999)


def material(frame: pd.DataFrame, **changes: object) -> Material:
    """Of this frame, with the drawings of the task's examples."""
    rows = []
    for number, (trial, answer) in enumerate(TASKS["coach"].examples):
        writing = Writing.model_validate(answer["writing"])
        written = Written("writing", "coached", f"p{number}", f"s{number}", "4-1", writing)
        rows += attempt_rows(written, trial.classes)
    return Material(**({"frame": frame, "never_coached": NEVER, "attempts": attempt_frame(rows)} | changes))


def stems(sections: list[Section]) -> list[str]:
    """Of all tables and figures."""
    return [block.stem for one in sections for block in one.blocks if isinstance(block, Tabular | Drawing)]


def told(sections: list[Section]) -> str:
    """All that they say."""
    return "\n".join(block.text for one in sections for block in one.blocks if isinstance(block, Prose))


def test_only_who_can_be_compared_is_counted() -> None:
    """Not who wrote nothing that can be coached, nor who has coached trials alone beside people who have both."""
    between = coach_frame(8, STRONG, never=NEVER)
    of_one = (between["participant"] == "p001") & ~between["reference"].isin(NEVER)
    assert main_sentences(trials(between[~of_one], NEVER))[0].startswith("Between 3 coached and 4 control people, ")
    within = coach_frame(8, STRONG, within=True)
    of_one = (within["participant"] == "p001") & (within["coached"] == 0)
    assert main_sentences(trials(within[~of_one]))[0].startswith("Within 7 people, coached trials and others, ")


def test_it_is_said_where_the_two_way_variance_was_replaced() -> None:
    """Below the table of single trials."""
    found = regressions(trials(coach_frame(6, within=True)))
    assert regressions_table(found, "trials").note == ""
    replaced = replace(found[0], odds=replace(found[0].odds, name=LOGIT + SUBSTITUTED))
    assert "the larger one-way variance takes its place in: second attempts." in (
        regressions_table([replaced, found[1]], "trials").note
    )


def test_between_persons() -> None:
    """Coached and control people are compared, nobody is paired with themselves but before and after."""
    sections = writing_sections(material(coach_frame(24, STRONG, never=NEVER, rounds=3)))
    assert [one.title for one in sections] == [
        "What coaching changed",
        "How much of the proposals was adopted",
        "Learning over trials",
        "Transfer to classes never coached",
        "How people wrote",
    ]
    assert all(one.exploratory for one in sections)
    assert stems(sections) == [
        "coaching-between-people",
        "coaching-attempts-coached",
        "coaching-attempts-uncoached",
        "coaching-trials",
        "similarity-between-people",
        "learning-trends",
        "learning-slopes",
        "learning-again-between-people",
        "coach-learning",
        "transfer-people",
        "transfer-slopes",
        "transfer-trials",
        "coach-transfer",
        "drawings",
    ]
    said = told(sections)
    assert "Between 12 coached and 12 control people, recognised: from first to second attempts +" in said
    assert "The interval lies above 0." in said
    assert "First attempts at 8, 9 that nobody is coached at, after at least one trial of another class: " in said
    assert "12 people adopted on average 0." in said
    assert "people on a side are few" not in said


def test_within_persons() -> None:
    """Trials of the same people are compared, and what carries over cannot be told from practice."""
    sections = writing_sections(material(coach_frame(8, STRONG, never=NEVER, within=True)))
    assert {"coaching-within-people", "similarity-within-people", "learning-again-within-people"} <= set(
        stems(sections)
    )
    assert {"learning-earlier-coaching", "transfer-trends"} <= set(stems(sections))
    assert not {"coaching-between-people", "transfer-people", "learning-slopes"} & set(stems(sections))
    said = told(sections)
    assert "Within 8 people, coached trials and others, recognised: " in said
    assert said.count("8 people on a side are few: whether their means are normal cannot be seen.") == 1
    assert "what carries over cannot be told from what practice does" in said


def test_where_everybody_was_coached() -> None:
    """What the coach does cannot be told, which is said; classes that are never coached are not there."""
    frame = coach_frame(8, STRONG)
    sections = writing_sections(material(frame[frame["coached"] == 1], never_coached=()))
    assert "What the coach changes cannot be told from what writing a second time changes." in told(sections)
    assert stems(sections)[:1] == ["coaching-attempts-coached"]
    assert "Transfer to classes never coached" not in [one.title for one in sections]
    assert main_sentences(trials(frame[frame["coached"] == 1])) == []


def test_without_an_effect_nothing_is_claimed() -> None:
    """The interval has 0 in it, and a sentence says so."""
    said = main_sentences(trials(coach_frame(24, Effects(second=0.5), seed=3)))
    assert len(said) == 2
    assert all(one.endswith("The interval has 0 in it: that the coach changes anything is not shown.") for one in said)


def test_without_answers_there_is_one_section() -> None:
    """It says why nothing counts."""
    empty = material(coach_frame(1).iloc[:0], attempts=attempt_frame([]), nobody="nobody has begun yet", notes=["N."])
    (section,) = writing_sections(empty)
    assert told([section]) == "No answer counts: nobody has begun yet.\nN."
    assert {block.text.partition(",")[0] for block in measure_section(empty).blocks if isinstance(block, Prose)} == {
        f"Not drawn: coach-{name}" for name in
        ("recognised", "confidence", "ink", "length", "seconds", "similarity", "adopted")
    }  # fmt: skip


@pytest.mark.parametrize("people", [1, 12])
def test_figures_cut_nothing_off(people: int) -> None:
    """Those of measures, learning and transfer, for one person and for many."""
    one = material(coach_frame(people, STRONG, never=NEVER, within=people == 12))
    sections = [measure_section(one), *writing_sections(one)]
    drawings = [block for section in sections for block in section.blocks if isinstance(block, Drawing)]
    assert len(drawings) == (8 if people == 1 else 9)  # one control person adopts nothing
    for drawing in drawings:
        assert not cut_off(drawing.figure), drawing.stem


def test_numbers_and_tables_of_the_long_frame() -> None:
    """Every number has a meaning; classes never coached have a table of their own."""
    frame = coach_frame(6, STRONG, never=NEVER)
    items = item_frame(*({"item": f"{name}-1", "reference": name, "never_coached": "yes"} for name in NEVER))
    summary = describe("coach", frame, items, CLASSES)
    assert summary == coach_summary(frame, items, CLASSES)
    assert set(summary) <= set(MEANINGS)
    assert summary["recognised_after_share"] == frame["recognised_after"].mean()
    assert summary["adopted_mean"] == pytest.approx(frame["adopted"].mean())
    assert summary["coached_share"] == pytest.approx(0.4)
    tables = coach_tables(frame, items, CLASSES)
    assert [table.frame["trials"].iloc[0] for table in tables] == [48, 48, 24, 12]
    assert "of classes never coached" in tables[2].title
    row = tables[-1].frame.loc["0"]
    wrong = frame[(frame["reference"] == "0") & (frame["read_before"] != "0")]
    assert row["recognised first"] == pytest.approx(100 - 100 * len(wrong) / 12)
    assert row["misread as"] == "1"
    assert coach_tables(frame.iloc[:0], items, CLASSES) == []
    assert describe("coach", frame.iloc[:0], items, CLASSES)["similarity_mean"] is None


def test_times_are_told_apart_by_coaching() -> None:
    """Of coached trials and of others."""
    found = time_spent("coach", coach_frame(4), np.random.default_rng(0), 20)
    assert [(one.kind, one.answers) for one in found][:2] == [("coached trial", 40), ("uncoached trial", 40)]


def test_rows_of_attempts() -> None:
    """What is measured of the drawings is what the task's own columns say."""
    for trial, answer in TASKS["coach"].examples:
        typed = dict(zip((one.name for one in TASKS["coach"].columns),
                         TASKS["coach"].typed(answer, trial.classes), strict=True))  # fmt: skip
        written = Written("s", "c", "p", "s", "4-1", Writing.model_validate(answer["writing"]))
        frame = attempt_frame(list(attempt_rows(written, trial.classes)))
        for (_, row), when in zip(frame.iterrows(), ("before", "after"), strict=True):
            for name in ("read", "recognised", "confidence", "ink", "length"):
                assert row[name] == typed[f"{name}_{when}"]
            assert row["chosen"] == (typed[f"seconds_{when}"] is None)
            assert row["chosen"] or row["seconds"] == typed[f"seconds_{when}"]
        assert frame["proposal_confidence"].notna().tolist() == [bool(typed["coached"]), False]
