"""Plans that their items cannot fit are refused before they can be frozen, by `validate` and by loading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crowdloom.studies.cli import cli
from crowdloom.studies.database import Store
from crowdloom.studies.errors import DesignError
from tests.studies.designs import load, make_design, make_images
from tests.studies.studies_for_tests import DESIGN

SIDES = {"outcome": "seconds", "test": "welch", "by": "colour", "levels": ["red", "blue"]}
ALL = {"outcome": "seconds", "test": "one-sample", "against": 2.0}
CODING = {
    "question": "What is it?",
    "categories": [{"name": name, "title": name, "meaning": name} for name in ("C1", "C2")],
}
TABLE = """key,image,reference,difficulty,colour,size,blank
a,images/cat/0.png,cat,0.1,red,1,
b,images/dog/1.png,dog,0.9,blue,2.0,
c,images/frog/2.png,,0.05,blue,x,
d,images/cat/3.png,cat,,blue,2,
"""


def study(folder: Path, *hypotheses: dict[str, Any], **changes: Any) -> Any:
    """A design on a table of four items, with a plan of these hypotheses."""
    make_images(folder)
    (folder / "items.csv").write_text(changes.pop("table", TABLE), encoding="utf-8")
    said = [{"name": f"H{n}", "claim": "It is so."} | one for n, one in enumerate(hypotheses, 1)]
    plan = {"stopping": "Once.", "hypotheses": said, "exclusions": changes.pop("exclusions", {})}
    items = changes.pop("items", {"source": "csv", "path": "items.csv"})
    return make_design(plan=plan, items=items, **changes)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"by": "beauty"}, "1.by: no item has the attribute 'beauty'; there are: item, reference, difficulty, colour"),
        ({"by": "key"}, "1.by: no item has the attribute 'key'"),
        ({"by": "category", "levels": ["C1", "C2"]}, "1.by: no item has the attribute 'category'"),
        ({"by": "reference", "levels": ["dog", "3"]}, "1.levels: no item's reference is '3'; there are: cat, dog"),
        ({"by": "size", "levels": ["1", "3"]}, "1.levels: no item's size is '3'; there are: 1, 2.0, x, 2"),
        ({"where": {"nope": "3"}}, "1.where: no item has the attribute 'nope'"),
        ({"where": {"reference": "frog"}}, "1.where: no item's reference is 'frog'; there are: cat, dog"),
        (
            {"where": {"colour": "red", "reference": "dog"}},
            "1.where: no item's reference is 'dog' where colour is red; there are: cat",
        ),
        (
            {"where": {"reference": "dog"}},
            "1.levels: no item's colour is 'red' where reference is dog; there are: blue",
        ),
        ({"outcome": "mass_elsewhere"}, "1.outcome: mass_elsewhere needs mixed items"),
        ({"test": "pearson", "by": "colour", "levels": []}, "1.by: the items' colour is never two different numbers"),
        (
            {"test": "pearson", "by": "size", "levels": [], "where": {"size": "2"}},
            "1.by: the items' size is never two different numbers where size is 2",
        ),
    ],
)
def test_what_no_item_has(sqlite_store: Store, tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    """The place in the design, what is missing, and what is there; nothing is stored."""
    with pytest.raises(DesignError) as refused:
        load(sqlite_store, tmp_path, study(tmp_path, SIDES | changes))
    assert f"plan.hypotheses.{says}" in str(refused.value)
    assert load(sqlite_store, tmp_path, study(tmp_path, SIDES)).version == 1


def test_an_outcome_that_needs_a_reference(sqlite_store: Store, tmp_path: Path) -> None:
    """No item has one; a later hypothesis is named by its number."""
    table = TABLE.replace(",cat,", ",,").replace(",dog,", ",,")
    with pytest.raises(DesignError, match=r"^plan\.hypotheses\.2\.outcome: top2_accuracy needs items with a reference"):
        load(sqlite_store, tmp_path, study(tmp_path, ALL, ALL | {"outcome": "top2_accuracy"}, table=table))


def test_an_item_that_is_half_mixed(sqlite_store: Store, tmp_path: Path) -> None:
    """What analysis would say of it is said before."""
    table = "key,image,endpoint1,endpoint2\na,images/cat/0.png,cat,\nb,images/dog/1.png,cat,dog\n"
    with pytest.raises(DesignError) as refused:
        load(sqlite_store, tmp_path, study(tmp_path, ALL | {"outcome": "mass_elsewhere"}, table=table))
    assert "plan.hypotheses.1.outcome: mass_elsewhere needs mixed items, and the item 'a' names" in str(refused.value)


def test_attention_without_easy_items(sqlite_store: Store, tmp_path: Path) -> None:
    """The only one so easy has no reference, so nobody could be right about it."""
    design = study(tmp_path, ALL, exclusions={"attention": True}, checks={"easy_at_most": 0.06, "easy_right": 1})
    with pytest.raises(DesignError, match=r"^plan\.exclusions\.attention: no item .* difficulty of at most 0\.06"):
        load(sqlite_store, tmp_path, design)
    easier = {"easy_at_most": 0.1, "easy_right": 1}
    load(sqlite_store, tmp_path, study(tmp_path, ALL, exclusions={"attention": True}, checks=easier))


@pytest.mark.parametrize(
    "changes",
    [
        {"by": "size", "levels": ["1.0", "02"]},
        {"by": "reference", "levels": ["cat", "dog"], "where": {"size": "2"}, "test": "one-sample"},
        {"test": "spearman", "by": "difficulty", "levels": []},
        {"by": "category", "levels": ["C1", "C2"], "where": {"category": "C1"}},
    ],
)
def test_what_fits(sqlite_store: Store, tmp_path: Path, changes: dict[str, Any]) -> None:
    """Numbers by their value; and categories that researchers will code."""
    said = SIDES | changes
    if said["test"] == "one-sample":
        said |= {"levels": ["dog"], "against": 1.0}
    load(sqlite_store, tmp_path, study(tmp_path, said, coding=CODING))


def test_categories_that_nobody_can_code(sqlite_store: Store, tmp_path: Path) -> None:
    """What coders do not have to choose from, no item gets."""
    said = SIDES | {"by": "category", "levels": ["C1", "C3"]}
    with pytest.raises(DesignError, match=r"levels: no item's category is 'C3'; there are: C1, C2"):
        load(sqlite_store, tmp_path, study(tmp_path, said, coding=CODING))


def test_mass_elsewhere_of_mixes(sqlite_store: Store, tmp_path: Path) -> None:
    """Mixed items have what it needs."""
    make_images(tmp_path, count=6)
    mixed = {"source": "folder", "path": "images", "mixed": {"pairs": 1, "coefficients": [[0.25], [0.75]]}}
    hypothesis = {"outcome": "mass_elsewhere", "test": "welch", "by": "coefficient", "levels": ["0.25", "0.750"]}
    load(sqlite_store, tmp_path, study(tmp_path, hypothesis, items=mixed))


@pytest.mark.parametrize("command", ["validate", "load"])
def test_both_commands_name_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """File, line and field."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{tmp_path / 'store.db'}")
    source = DESIGN + (
        '\n[plan]\nstopping = "Once."\n[[plan.hypotheses]]\nname = "H1"\nclaim = "So."\noutcome = "seconds"\n'
        'test = "welch"\nby = "reference"\nlevels = ["7", "cat"]\n'
    )
    (tmp_path / "s.toml").write_text(source, encoding="utf-8")
    refused = CliRunner().invoke(cli, [command, "s.toml"])
    line = source.splitlines().index('levels = ["7", "cat"]') + 1
    assert refused.exit_code != 0
    assert f"s.toml:{line}: plan.hypotheses.1.levels: no item's reference is 'cat'" in str(refused.exception)


MIXING = {
    "task": "mixing-coefficient",
    "items": {"source": "folder", "path": "images", "mixed": {"pairs": 1, "steps": 3}},
    "options": {"question": "choose"},
}

TWO = {"conditions": [{"name": "plain"}, {"name": "shown"}]}
PAIRS = {"outcome": "seconds", "test": "paired", "levels": ["plain", "shown"]}
AGAIN = {"minutes": 2, "hold_minutes": 10, "submissions_per_participant": 2}


@pytest.mark.parametrize(
    ("hypothesis", "changes", "says"),
    [
        (ALL, {"exclusions": {"comprehension": 5}}, "plan.exclusions.comprehension: the design has no"),
        (
            ALL,
            {"exclusions": {"comprehension": 1}, "comprehension": 2},
            "plan.exclusions.comprehension: [comprehension] ends after 2 failed attempts, so nobody who completes "
            "the study has failed it more than 1 times",
        ),
        (ALL, {"exclusions": {"attention": True}}, "plan.exclusions.attention: [checks] has no easy items"),
        (ALL, {"exclusions": {"consistency": 0.5}}, "plan.exclusions.consistency: no item is shown again"),
        (ALL | {"by": "colour"}, {}, "by: names no side without levels"),
        (
            PAIRS,
            TWO | {"batches": {"size": 2, "responses_per_item": 2, "split_items": True}},
            "plan.hypotheses.0.unit: with batches.split_items no item is shown in two conditions",
        ),
        (
            PAIRS | {"unit": "participant"},
            TWO,
            "plan.hypotheses.0.unit: nobody takes part in two conditions; see people.submissions_per_participant",
        ),
        (
            PAIRS | {"unit": "participant"},
            TWO | {"people": AGAIN | {"one_condition": True}},
            "plan.hypotheses.0.unit: nobody takes part in two conditions; see people.one_condition",
        ),
        (
            ALL | {"outcome": "inferred"},
            MIXING,
            "plan.hypotheses.0.outcome: inferred is what the question infer asks for, which the design does not ask",
        ),
    ],
)
def test_what_the_design_alone_tells(
    tmp_path: Path, hypothesis: dict[str, Any], changes: dict[str, Any], says: str
) -> None:
    """Before any item is read."""
    if "comprehension" in changes:
        question = {"question": "What?", "options": ["a", "b"], "correct": "a"}
        changes = changes | {"comprehension": {"attempts": changes["comprehension"], "questions": [question]}}
    with pytest.raises(ValueError, match="validation error") as refused:
        study(tmp_path, hypothesis, **changes)
    assert says in str(refused.value)


def test_pairs_that_there_are(tmp_path: Path) -> None:
    """Items in both conditions; people who come again, in either."""
    study(tmp_path, PAIRS, **TWO)
    study(tmp_path, PAIRS | {"unit": "participant"}, **TWO, people=AGAIN)
    by_colour = {"outcome": "seconds", "test": "paired", "by": "colour", "levels": ["red", "blue"]}
    study(tmp_path, by_colour | {"unit": "participant"})


def test_a_rule_that_leaves_somebody_out(tmp_path: Path) -> None:
    """Of three attempts two can fail."""
    check = {"attempts": 3, "questions": [{"question": "What?", "options": ["a", "b"], "correct": "a"}]}
    design = study(tmp_path, ALL, exclusions={"comprehension": 1}, comprehension=check)
    assert design.plan.exclusions.comprehension == 1
