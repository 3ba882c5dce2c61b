"""What stands beside the planned results: who was simulated, and what was decided by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from crowdloom.analysis.report import Facts, Prose, Section, Tabular
from crowdloom.studies.analysing.material import Material, read_material
from crowdloom.studies.analysing.plan_section import plan_section
from crowdloom.studies.analysing.report import analyse
from crowdloom.studies.analysing.results import find_results
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.posting import publish
from tests.studies.analysing.odd import KINDS, Odd, plan_of
from tests.studies.releasing.planned import everybody


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Material]:
    """A study in which three submissions were rejected or excluded by hand, and others otherwise."""
    folder = tmp_path_factory.mktemp("planned")
    store = open_store(f"sqlite:///{folder / 'store.db'}")
    everybody(store, folder, "soft")
    with store.read() as connection:
        yield read_material(connection, "soft")
    store.close()


def prose(section: Section) -> list[str]:
    """Its paragraphs."""
    return [block.text for block in section.blocks if isinstance(block, Prose)]


def test_what_was_decided_by_hand_is_set_beside_the_plan(material: Material) -> None:
    """The plan again with their answers, of all whom its rules leave in."""
    rules = material.design.plan.exclusions.model_copy(update={"attention": False, "consistency": None})
    plan = material.design.plan.model_copy(update={"exclusions": rules})
    material = replace(material, design=material.design.model_copy(update={"plan": plan}))
    results = find_results(material)
    told = results.told
    assert results.by_hand == 3
    section = plan_section(material, results)
    assert prose(section)[-1].startswith("3 submissions were rejected in review or excluded by hand, which no rule")
    table = next(block for block in section.blocks if isinstance(block, Tabular) and block.stem == "plan-with-all")
    assert table.data is not None
    decided = told[told["standing"].isin(["rejected", "excluded"])]["submission"]
    counted = [*told[told["reason"].isna()]["submission"], *decided]
    first = material.frame[material.frame["submission"].isin(counted) & ~material.frame["is_repeat"]]
    means = (first["top1"] == first["reference"]).groupby(first["participant"]).mean()
    [again] = results.with_them
    assert again.means == pytest.approx((means.mean(),))
    assert again.result.n == (len(means),)
    assert results.tested[0].result.n == (len(means) - 3,)


def test_nothing_is_said_where_nothing_was_decided(sqlite_store: Store) -> None:
    """Neither a paragraph nor a table."""
    study = Odd(sqlite_store, "calm", "wrong", plan=plan_of_wrong())
    study.come("ann", "ben")
    with sqlite_store.read() as connection:
        calm = read_material(connection, "calm")
    section = plan_section(calm, find_results(calm))
    assert not any("excluded by hand" in text or "simulated" in text for text in prose(section))
    assert [block.stem for block in section.blocks if isinstance(block, Tabular)] == ["plan"]


def test_simulated_people_are_said_first(sqlite_store: Store) -> None:
    """In the line under the title and before all results; what they earned by the hour is not said."""
    study = Odd(sqlite_store, "made", "wrong", published=False, plan=plan_of_wrong())
    with sqlite_store.write() as connection:
        study.token = publish(connection, "made", "link", simulated=True).token
    study.come("ann", "ben")
    with sqlite_store.read() as connection:
        made = read_material(connection, "made")
    assert made.simulated == 2
    analysed = analyse(made, ["crowdloom"], samples=20)
    assert analysed.lead.endswith("of 2 people, simulated")
    assert prose(analysed.sections[0])[0].startswith("All submissions are of simulated people, sent by a rehearsal")


def plan_of_wrong() -> dict[str, object]:
    """The plan of a wrong-label study."""
    return plan_of(KINDS["wrong"])


def test_each_claim_is_a_paragraph_of_its_own(sqlite_store: Store) -> None:
    """With its end; what was compared and found stands in the next one."""
    plan = plan_of_wrong()
    first = {"name": "H1", "claim": "Interpretations help", "outcome": "accuracy", "test": "student"}
    plan["hypotheses"] = [first | {"levels": ["shown", "plain"], "direction": "greater"}]
    Odd(sqlite_store, "calm", "wrong", plan=plan).come("ann", "ben", "cem", "dan")
    with sqlite_store.read() as connection:
        calm = read_material(connection, "calm")
    claim, found = prose(plan_section(calm, find_results(calm)))
    assert claim == "H1: Interpretations help."
    assert found.startswith("Outcome: whether the guess is the classifier's prediction (share), means of items. ")
    assert "the condition shown with the condition plain, expected to be greater. Student's t-test" in found


@pytest.mark.parametrize(
    ("others", "says"),
    [
        ((1,), ("version 1", "was published with another plan, or with none")),
        ((1, 3), ("versions 1, 3", "were published with another plan, or with none")),
    ],
)
def test_how_many_there_are_is_said_rightly(material: Material, others: tuple[int, ...], says: tuple[str, str]) -> None:
    """One version was, several were; one p value, several p values."""
    assert material.planned is not None
    material = replace(material, planned=replace(material.planned, others=others))
    [rows] = [block.rows for block in plan_section(material, find_results(material)).blocks if isinstance(block, Facts)]
    said = {name: (value, meaning) for name, value, meaning in rows}
    assert said["other plans"] == says
    assert said["correction"] == ("Holm's correction over 1 p value; alpha is 0.05", "")
