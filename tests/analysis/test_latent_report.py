"""The report of sessions in a latent space: its sections, and what it says of how sure anything is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crowdloom.analysis.latent_frames import Session, curves
from crowdloom.analysis.latent_gains import gains, scenario_gains
from crowdloom.analysis.latent_report import Material, Shown, gain_sentences, session_sections
from crowdloom.analysis.report import Drawing, Prose, Tabular
from tests.analysis.latent_sessions import baselines_of, session
from tests.analysis.test_latent_figures import pictures, questionnaires

SOME = [session(number, gain=0.03 + 0.002 * number) for number in range(3)]


def sentences(some: list[Session], known: int | None = None) -> str:
    """What is said of the gains of these sessions."""
    (one,) = scenario_gains(gains(curves(some, baselines_of(some[:known]))))
    return " ".join(gain_sentences(one))


def test_a_full_report_has_all_sections() -> None:
    """Tables and figures have stems of their own."""
    shown = [Shown(SOME[0], 1, pictures())]
    material = Material(SOME, baselines_of(SOME), questionnaires(), {("s0", "digits", 1): "distance"}, shown, ["Note."])
    sections = session_sections(material)
    assert [section.title for section in sections] == [
        "Sessions and the same training without a person",
        "What people asked for, and what the network did",
        "Strategies",
        "Interactions in pictures",
        "Questionnaires by scenario",
    ]
    assert all(section.exploratory for section in sections)
    blocks = [block for section in sections for block in section.blocks]
    stems = [block.stem for block in blocks if isinstance(block, Tabular | Drawing)]
    assert len(stems) == len(set(stems))
    assert isinstance(blocks[0], Prose)
    assert blocks[0].text == "Note."


def test_what_is_not_there_has_no_section() -> None:
    """Sessions alone, without baselines, pictures and questionnaires; and nothing at all."""
    sections = session_sections(Material(SOME, {}))
    assert [section.title for section in sections[3:]] == ["Interactions in pictures"]
    (why,) = sections[3].blocks
    assert isinstance(why, Prose)
    assert "no figure of an interaction in digits (figure 4 of the paper): where each point lay is known" in why.text
    (alone,) = [session(0, (), without_person=2)]
    assert "Interactions in pictures" not in [one.title for one in session_sections(Material([alone], {}))]
    (only,) = session_sections(Material([], {}, notes=["Why."]))
    assert [block.text for block in only.blocks if isinstance(block, Prose)] == [
        "No session counts, so there is nothing to tell.",
        "Why.",
    ]


@pytest.mark.parametrize("items", [("signals", "digits"), ("digits", "signals")])
def test_scenarios_are_in_one_order(items: tuple[str, str]) -> None:
    """That of the study's items, in every table, sentence and figure, whoever began with which."""
    both = [replace(session(number, scenario=name), item=name) for number in range(3) for name in ("digits", "signals")]
    shown = [Shown(both[place], 1, pictures()) for place in (0, 1)]
    material = Material(both, baselines_of(both), questionnaires(), shown=shown, items=items)
    blocks = [block for section in session_sections(material) for block in section.blocks]
    tables = {block.stem: block.table.frame for block in blocks if isinstance(block, Tabular)}
    for stem in ("gains", "steps", "changes"):
        names = [str(name).replace(",", " ").split()[0] for name in tables[stem].index]
        assert tuple(dict.fromkeys(names)) == items, stem
    for stem in ("by-scenario-1", "by-scenario-2"):
        assert [name for name in tables[stem] if name.startswith("n ")] == [f"n {name}" for name in items]
    drawn = {block.stem: block.figure for block in blocks if isinstance(block, Drawing)}
    assert tuple(axes.get_title(loc="left") for axes in drawn["learning"].axes) == items
    assert [stem for stem in drawn if stem.startswith("interaction-")] == [f"interaction-{name}" for name in items]
    legend = drawn["nasa-tlx-1"].axes[0].get_legend()
    assert legend is not None
    assert [text.get_text().split(",")[0] for text in legend.get_texts()] == list(items)


def test_an_interval_is_said_with_what_it_shows_and_does_not() -> None:
    """0.030, 0.032 and 0.034: mean 3.2 points, sd 0.2, and 4.303 standard errors to either side."""
    said = sentences(SOME)
    assert "the final accuracy was 3.2 percentage points above that without a person" in said
    assert "95 % interval +2.7 to +3.7. The interval lies above 0." in said
    assert "3 sessions are few" in said
    mixed = sentences([session(0, gain=-0.02), session(1, gain=0.01)])
    assert "0.5 percentage points below" in mixed
    assert "The interval has 0 in it: that people change anything is not shown." in mixed


def test_too_few_sessions_say_nothing_sure() -> None:
    """One or none has no interval; ten are no longer few."""
    assert "1 session with a baseline; that is too few to say how sure a gain is" in sentences(SOME, 1)
    assert "0 sessions with a baseline; that is too few" in sentences(SOME[:1], 0)
    assert "few" not in sentences([session(number, gain=0.01 * number) for number in range(10)])


def test_sessions_that_share_a_baseline_are_said_not_to_be_independent() -> None:
    """Two seeds among three sessions."""
    same = replace(SOME[1], record=SOME[0].record)
    assert "have 2 different seeds between them" in sentences([SOME[0], same, SOME[2]])


@pytest.mark.parametrize(("codes", "said"), [({("s0", "digits", 4): "keep"}, "only one common item"), ({}, "")])
def test_agreement_with_people_is_told_where_they_coded(codes: dict[tuple[str, str, int], str], said: str) -> None:
    """With the reason where there is no kappa; without codes there is no word of it."""
    (strategies,) = (one for one in session_sections(Material(SOME, {}, codes=codes)) if one.title == "Strategies")
    prose = [block.text for block in strategies.blocks if isinstance(block, Prose)]
    assert len(prose) == 1 + bool(codes)
    assert said in prose[-1]
