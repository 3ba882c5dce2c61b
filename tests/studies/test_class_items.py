"""The source `classes`: what people are asked to write, how often, and whether they are coached."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import ValidationError
from sqlalchemy import select

from crowdloom.models.coach_folder import DESCRIPTION, FORMAT, coach_folder
from crowdloom.models.prepared_folder import CURRENT
from crowdloom.studies.catalogue import find_design
from crowdloom.studies.cli import cli
from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.design_file import parse_design, read_design
from crowdloom.studies.errors import DesignError, ItemError
from crowdloom.studies.items import read_items
from crowdloom.studies.items.classes import DIGITS, unprepared_coaches
from crowdloom.studies.participation import Designs, trial_at
from crowdloom.studies.rehearsal import missing, stand_ins, with_a_coach
from crowdloom.studies.tables import Item, Submission
from crowdloom.tasks.coach_coaching import is_coached
from tests.studies.designs import load, make_design
from tests.studies.takers import Study


@pytest.fixture(autouse=True)
def nothing_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coaches lie in an empty folder of this test."""
    monkeypatch.setenv("CROWDLOOM_COACHES", str(tmp_path / "coaches"))


def coach_design(**changes: Any) -> Design:
    """A study of the coach."""
    values = {"task": "coach", "classes": DIGITS, "items": {"source": "classes"}} | changes
    return make_design(**{"batches": {"size": 10, "responses_per_item": 2}} | values)


WITHIN: dict[str, Any] = {
    "options": {"coaching": "by-item"},
    "batches": {"size": 10, "responses_per_item": 1, "versions": "coaching"},
}


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ({"source": "classes", "path": "x"}, '"classes" takes no path'),
        ({"source": "classes", "mixed": {"pairs": 1, "steps": 3}}, "classes have no images that could be mixed"),
        ({"source": "classes", "rounds": 0}, "greater than or equal to 1"),
        ({"source": "classes", "only": []}, "at least 1"),
        ({"source": "classes", "only": ["3", "3"]}, "only: a class stands there twice"),
        ({"source": "digits", "rounds": 2}, 'rounds: belongs to source "classes", not to "digits"'),
        ({"source": "digits", "only": ["3"]}, 'only: belongs to source "classes"'),
    ],
)
def test_what_a_design_cannot_say_of_them(items: dict[str, Any], said: str) -> None:
    """Nothing that belongs to pictures, and nothing twice."""
    with pytest.raises(ValidationError, match=said):
        coach_design(items=items)


def test_each_class_is_an_item_in_each_round(tmp_path: Path) -> None:
    """Its reference is what is to be written; where classes are never coached, each item says whether it is one."""
    found = read_items(coach_design(items={"source": "classes", "rounds": 2, "only": ["4", "9"]}), tmp_path)
    assert [(one.key, one.reference, one.attributes) for one in found] == [
        ("4-1", "4", {"round": 1}),
        ("9-1", "9", {"round": 1}),
        ("4-2", "4", {"round": 2}),
        ("9-2", "9", {"round": 2}),
    ]
    never = read_items(coach_design(options={"never_coached": ["3", "8"]}), tmp_path)
    assert [one.key for one in never if one.attributes["never_coached"] == "yes"] == ["3-1", "8-1"]
    assert missing(coach_design(), tmp_path) is None


def test_versions_are_made_where_the_design_asks_for_them(tmp_path: Path) -> None:
    """Coached and control of each."""
    found = read_items(coach_design(items={"source": "classes", "only": ["4"]}, **WITHIN), tmp_path)
    assert [(one.key, one.attributes) for one in found] == [
        ("4-1-coached", {"round": 1, "coaching": "coached"}),
        ("4-1-control", {"round": 1, "coaching": "control"}),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"items": {"source": "classes", "only": ["x"]}}, "items.only: 'x' is none of the design's classes"),
        ({"options": {"coaching": "by-item"}}, 'options.coaching: no item says .* versions = "coaching"'),
        (
            {"items": {"source": "classes", "only": ["4"]}, "options": {"never_coached": ["8"]}},
            "options.never_coached: '8' is not asked for; leave it out, or name it in items.only",
        ),
        (
            {"items": {"source": "classes", "only": ["4"]}, "options": {"never_coached": ["4"]}},
            "options.never_coached: nothing that is asked for is left to be coached",
        ),
        (WITHIN | {"options": {}}, "batches.versions: they make a difference with"),
        (
            WITHIN | {"options": {"coaching": "by-item", "never_coached": ["3"]}},
            "options.never_coached: with batches.versions everybody is coached",
        ),
        (
            {"batches": {"size": 2, "responses_per_item": 1, "versions": "side"}},
            'batches.versions: the source "classes" has versions by "coaching" alone, not by "side"',
        ),
        ({"classes": [*DIGITS, "ten"]}, "classes: the coach digits cannot read ten"),
        ({"classes": DIGITS[:8]}, "classes: the coach digits has 8, 9, too; .* items.only"),
        ({"options": {"coach": "../x"}}, "options.coach: '../x' names no coach"),
    ],
)
def test_designs_that_do_not_fit(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    """The sentence begins with the field, so that `validate` says its line."""
    with pytest.raises(ItemError, match=f"^{said}"):
        read_items(coach_design(**changes), tmp_path)


def test_a_coach_of_other_classes(tmp_path: Path) -> None:
    """One that is not prepared here may have any; nothing takes its place in a rehearsal."""
    own = coach_design(classes=["a", "b"], options={"coach": "letters"})
    assert len(read_items(own, tmp_path)) == 2
    assert unprepared_coaches(own) == ["letters"]
    with pytest.raises(ItemError, match=r"options\.coach: .* run: crowdloom coach prepare letters"):
        with_a_coach(own)


def test_in_a_rehearsal_digits_take_the_place_of_a_coach_that_is_not_prepared() -> None:
    """In all conditions; a design whose coaches are there stays as it is."""
    arms = [{"name": "one", "options": {"coach": "mnist"}}, {"name": "other", "options": {"coaching": "control"}}]
    design, absent = with_a_coach(coach_design(options={"coach": "mnist-5000"}, conditions=arms))
    assert absent == "mnist"
    assert {design.task_options(arm).model_dump()["coach"] for arm in design.arms()} == {"digits"}
    plain = coach_design()
    assert with_a_coach(plain) == (plain, None)


def test_a_prepared_coach_is_there() -> None:
    """As its folder says."""
    folder = coach_folder("mnist-5000") / ("0" * 16)
    folder.mkdir(parents=True)
    (folder / DESCRIPTION).write_text(json.dumps({"format": FORMAT}))
    (folder.parent / CURRENT).write_text(json.dumps({"digest": folder.name}))
    assert unprepared_coaches(coach_design(options={"coach": "mnist-5000"})) == []


def test_what_nobody_is_coached_for_are_classes_of_the_design() -> None:
    """`validate` says file, line and field, in the design's options and in a condition's."""
    source = find_design("coach").read_text(encoding="utf-8")
    line = next(number for number, text in enumerate(source.splitlines(), 1) if text.startswith("never_coached"))
    for given, said in (
        ('["ten"]', "'ten' is none"),
        ('["3", "3"]', "stands there twice"),
        (f"{[*DIGITS]}", "nothing"),
    ):
        changed = re.sub(r"(?m)^never_coached = \[\]", f"never_coached = {given}", source)
        with pytest.raises(DesignError, match=rf"study.toml:{line}: options.never_coached: .*{said}"):
            parse_design(changed, "study.toml")
    arm = source.replace('{ coaching = "control" }', '{ coaching = "control", never_coached = ["ten"] }')
    with pytest.raises(DesignError, match=r"study.toml:\d+: conditions.2.options.never_coached: 'ten'"):
        parse_design(arm, "study.toml")


def test_everybody_has_each_class_in_one_version(sqlite_store: Store, tmp_path: Path) -> None:
    """Half of their trials are coached; between two people who come one after the other they change places."""
    study = Study(sqlite_store, tmp_path, **coach_design(**WITHIN).dump())
    coached: list[set[str | None]] = []
    designs = Designs(study.store)
    for name in ("ann", "ben"):
        submission = designs.assigned(study.arrive(name))
        trials = [trial_at(designs, submission, position)[1] for position in range(10)]
        assert sorted(str(trial.reference) for trial in trials) == list(DIGITS)
        coached.append({trial.reference for trial in trials if is_coached(trial)})
    assert [len(one) for one in coached] == [5, 5]
    assert coached[0] | coached[1] == set(DIGITS)
    with study.store.read() as connection:
        batches = connection.scalars(select(Submission.batch_id)).all()
        keys = connection.scalars(select(Item.key)).all()
    assert len(set(batches)) == 2
    assert Counter(key.rpartition("-")[2] for key in keys) == {"coached": 10, "control": 10}


@pytest.mark.parametrize(("name", "items"), [("coach", 10), ("coach-between", 20), ("coach-within", 40)])
def test_the_catalogue_has_designs_of_both_kinds(
    name: str, items: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From `new` to `status`; publishing says which coach is to be prepared."""
    monkeypatch.setenv("CROWDLOOM_DATABASE", str(tmp_path / "store.db"))
    file = tmp_path / "own.toml"
    said = {}
    for command in (["new", name, str(file)], ["validate", str(file)], ["load", str(file)]):
        result = CliRunner().invoke(cli, command)
        assert result.exit_code == 0, result.output
        said[command[0]] = result.output
    assert f"{items} of {items} items" in said["validate"]
    study = read_design(file)[0].name
    assert study == ("own" if name == "coach" else name)
    published = CliRunner().invoke(cli, ["publish", study]).output
    assert ("crowdloom coach prepare mnist-5000" in published) == (name != "coach")
    status = CliRunner().invoke(cli, ["status", study])
    assert status.exit_code == 0, status.output


def test_made_up_items_of_another_source(tmp_path: Path) -> None:
    """A rehearsal without the files of a design's items asks for its classes, and knows who is coached."""
    design = coach_design(
        items={"source": "csv", "path": "x.csv", "sample": 4},
        options={"coaching": "by-item"},
        batches=WITHIN["batches"] | {"versions": None},
    )
    assert missing(design, tmp_path) == "x.csv"
    made = stand_ins(design)
    assert Counter(one.attributes["coaching"] for one in made) == {"coached": 2, "control": 2}
    assert {one.reference for one in made} <= set(DIGITS)


def test_loading_again_changes_nothing(store: Store, tmp_path: Path) -> None:
    """On both databases; a further round is a new version."""
    design = coach_design(**WITHIN)
    assert load(store, tmp_path, design).is_new
    loaded = load(store, tmp_path, Design.model_validate(design.dump()))
    assert (loaded.is_new, loaded.items, loaded.batches, loaded.places) == (False, 20, 2, 2)
    more = coach_design(items={"source": "classes", "rounds": 2}, **WITHIN)
    assert load(store, tmp_path, more).is_new
