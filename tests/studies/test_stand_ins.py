"""Made-up items: as many and of such a kind as a design asks for, and for rehearsals alone."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from crowdloom.models.latent_scenarios import Scenario, ScenarioData
from crowdloom.studies.batches import deal_to_conditions
from crowdloom.studies.catalogue import find_design
from crowdloom.studies.cli import cli
from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.design_file import read_design
from crowdloom.studies.errors import DesignError, ItemError, RehearsalError
from crowdloom.studies.items import SourceItem
from crowdloom.studies.rehearsal import missing, stand_ins, unprepared
from tests.studies.designs import load, make_design

pytestmark = pytest.mark.slow


def design_of(name: str) -> Design:
    """A design of the catalogue."""
    return read_design(find_design(name))[0]


def dealt(design: Design, items: list[SourceItem]) -> list[list[list[int]]]:
    """The batches of each condition, as loading deals them."""
    difficulties = [item.difficulty for item in items]
    return deal_to_conditions(difficulties, design.batches, design.seed, design.items.sample, len(design.arms()))


@pytest.mark.parametrize("name", ["cifar10s", "mixing-coefficients", "wrong-label-2"])
def test_the_same_design_gets_the_same_items(name: str) -> None:
    """Pictures, views and all that is said; another seed gives others, and no two pictures are the same."""
    design = design_of(name)
    once, twice = stand_ins(design), stand_ins(design)
    assert [said_of(item) for item in once] == [said_of(item) for item in twice]
    other = stand_ins(design.model_copy(update={"seed": design.seed + 1}))
    assert said_of(other[0]) != said_of(once[0])
    assert len({item.image() for item in once}) == len(once)


def said_of(item: SourceItem) -> tuple[Any, ...]:
    """All of an item, its pictures included."""
    pictures = {name: view() for name, view in item.views.items()}
    return item.key, item.image(), item.reference, item.difficulty, item.attributes, pictures


def test_a_sample_has_balanced_references_and_satisfies_the_mix() -> None:
    """CIFAR-10S: 1,000 small colour images, 100 of each class, three easy ones in each of 40 batches."""
    design = design_of("cifar10s")
    items = stand_ins(design)
    assert Counter(item.reference for item in items) == dict.fromkeys(design.classes, 100)
    assert {item.array.shape for item in items} == {(32, 32, 3)}
    (batches,) = dealt(design, items)
    assert len(batches) == 40
    for batch in batches:
        difficulties = [items[position].difficulty or 0.0 for position in batch]
        assert sum(difficulty <= 0.1 for difficulty in difficulties) == 3
        assert sum(difficulty > 0.25 for difficulty in difficulties) == 22
    assert all(0 <= (item.difficulty or 0) <= np.log(10) for item in items)


@pytest.mark.parametrize(
    "mix",
    [
        [{"count": 1, "at_most": 0.0}, {"count": 1, "above": 0.0}],
        [{"count": 1, "above": 0.2}, {"count": 1, "at_most": 0.5}],  # they overlap, and the first is dealt first
        [{"count": 1, "above": 5.0}, {"count": 1, "at_most": 3.0, "above": 2.0}],
    ],
)
def test_any_mix_that_can_be_had_is_had(mix: list[dict[str, float]]) -> None:
    """Open ranges, ranges that overlap, and difficulties that are no entropies."""
    design = make_design(
        items={"source": "folder", "path": "none", "sample": 20},
        batches={"size": 2, "responses_per_item": 1, "mix": mix},
    )
    (batches,) = dealt(design, stand_ins(design))
    assert len(batches) == 10


def test_a_mix_that_cannot_be_had_is_refused_as_with_real_items() -> None:
    """The first part takes all that the second one wants."""
    mix = [{"count": 1, "at_most": 1.0}, {"count": 1, "at_most": 0.5}]
    design = make_design(
        items={"source": "folder", "path": "none", "sample": 20},
        batches={"size": 2, "responses_per_item": 1, "mix": mix},
    )
    with pytest.raises(DesignError, match="mix"):
        stand_ins(design)


def test_a_source_that_is_used_whole_gets_full_batches() -> None:
    """At least 200 items, shared equally by conditions that have items of their own; difficulties only where wanted."""
    batches = {"size": 7, "responses_per_item": 1}
    folder = {"source": "folder", "path": "none"}
    assert len(stand_ins(make_design(items=folder, batches=batches))) == 203
    split = make_design(
        items=folder, batches=batches | {"split_items": True}, conditions=[{"name": "a"}, {"name": "b"}]
    )
    assert len(stand_ins(split)) == 210
    assert {item.difficulty for item in stand_ins(split)} == {None}
    easy = make_design(items=folder, checks={"easy_at_most": 0.1, "easy_right": 1})
    assert all(item.difficulty is not None for item in stand_ins(easy))


def test_mixes_are_made_by_the_real_code() -> None:
    """H-Mix: 810 of them, with pairs of images that are both ambiguous and pairs that are both clear."""
    items = stand_ins(design_of("mixing-coefficients"))
    assert len(items) == 810
    said = [item.attributes for item in items]
    assert Counter(one["coefficient"] for one in said)[0.5] == 270
    assert {one["coefficient"] for one in said} == {0.1, 0.25, 0.5, 0.75, 0.9}
    assert len({(one["endpoint1"], one["endpoint2"]) for one in said}) == 45
    both = [(one["entropy1"], one["entropy2"]) for one in said]
    assert sum(min(pair) >= 0.5 for pair in both) > 100
    assert sum(max(pair) <= 0.1 for pair in both) > 100


def test_pairs_with_all_their_mixes_are_made_too() -> None:
    """For the questions that ask for the midpoint."""
    design = make_design(
        task="mixing-coefficient",
        options={"question": "choose"},
        items={"source": "arrays", "path": "none.npz", "mixed": {"pairs": 2, "steps": 5}},
    )
    items = stand_ins(design)
    assert len(items) == 6
    assert all(list(item.views) == ["0.0", "0.25", "0.5", "0.75", "1.0"] for item in items)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        (
            "wrong-label-1",
            [
                {"C1": 29, "C2": 23, "C3": 28, "C4": 15, "C5": 5},
                {"C1": 25, "C2": 10, "C3": 47, "C4": 12, "C5": 6},
            ],
        ),
        ("wrong-label-2", [{"C1": 44, "C2": 20, "C3": 112, "C4": 18, "C5": 6}] * 2),
    ],
)
def test_categories_are_dealt_to_the_conditions_as_stated(name: str, counts: list[dict[str, int]]) -> None:
    """The task makes up what each condition needs: its categories, options without the reference, and its views."""
    design = design_of(name)
    items = stand_ins(design)
    in_arms = [[items[position] for batch in batches for position in batch] for batches in dealt(design, items)]
    assert [Counter(item.attributes["category"] for item in shown) for shown in in_arms] == counts
    for item in items:
        options = {item.attributes[f"option{number}"] for number in range(1, 6)}
        assert len(options) == 5
        assert item.attributes["prediction"] in options
        assert item.reference not in options
    assert all(len(item.views) == 5 for item in in_arms[0])
    assert bool(in_arms[1][0].views) == (name == "wrong-label-2")  # there both conditions show the same items


def test_an_item_has_to_fit_the_conditions_alone_in_which_it_is_shown(sqlite_store: Store, tmp_path: Path) -> None:
    """With items of their own, those of the condition without interpretations need no views; else all need them."""
    design = design_of("wrong-label-1")
    items = stand_ins(design)
    loaded = load(sqlite_store, tmp_path, design, items=items)
    assert (loaded.items, loaded.batches, loaded.places) == (200, 200, 1800)
    shared = design.model_copy(update={"batches": design.batches.model_copy(update={"split_items": False})})
    with pytest.raises(ItemError, match="it has no views"):
        load(sqlite_store, tmp_path, shared, items=items)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    """The file or the folder, as the design names it; nothing for the source that needs none."""
    arrays = make_design(items={"source": "arrays", "path": "a.npz", "counts": "counts.npy"})
    assert missing(arrays, tmp_path) == "a.npz"
    (tmp_path / "a.npz").touch()
    assert missing(arrays, tmp_path) == "counts.npy"
    (tmp_path / "counts.npy").touch()
    assert missing(arrays, tmp_path) is None
    folder = make_design(items={"source": "folder", "path": "pictures"})
    assert missing(folder, tmp_path) == "pictures"
    (tmp_path / "pictures").mkdir()
    assert missing(folder, tmp_path) is None
    assert missing(design_of("digits"), tmp_path) is None


def test_only_rehearsals_make_items_up(sqlite_store: Store, tmp_path: Path) -> None:
    """To load and to validate, the files have to be there; and a rehearsal says what it made up."""
    design = make_design(items={"source": "folder", "path": "pictures", "sample": 6})
    with pytest.raises(ItemError, match="pictures is not a folder"):
        load(sqlite_store, tmp_path, design)
    file = tmp_path / "study.toml"
    write(file, "pictures")
    for arguments in (["load", str(file), "--database", str(tmp_path / "x.db")], ["validate", str(file)]):
        with pytest.raises(ItemError, match="pictures is not a folder"):
            CliRunner().invoke(cli, arguments, catch_exceptions=False)
    result = CliRunner().invoke(cli, ["rehearse", str(file), "--participants", "3", "--drop-out", "0"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("pictures is not here: 6 made-up items take its place.\n")
    assert re.search(r"places filled +3/3 ", result.output)


def test_scenarios_that_are_not_prepared(tmp_path: Path, scenarios: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a rehearsal, and there alone, others take their place under their names; a broken one is an error."""
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(scenarios))
    design = read_design(find_design("hill"))[0]
    assert unprepared(design) == "cifar10"
    assert unprepared(read_design(find_design("hill-demo"))[0]) is None
    assert [(item.key, item.attributes, item.image) for item in stand_ins(design)] == [
        ("cifar10", {"scenario": "digits"}, None),
        ("pamap2", {"scenario": "signals"}, None),
    ]
    text = find_design("hill").read_text(encoding="utf-8").replace("\ninteractions = 4", "\ninteractions = 1")
    file = tmp_path / "hill.toml"
    file.write_text(text, encoding="utf-8")
    arguments = ["rehearse", str(file), "--participants", "1", "--drop-out", "0", "--careless", "0"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("The scenario cifar10 is not prepared here: scenarios that need no data take")
    assert re.search(r"\npamap2 +1 ", result.output)
    file.write_text(text.replace('"cifar10", "pamap2"', '"digits", "json:loads"'), encoding="utf-8")
    with pytest.raises(ItemError, match="json:loads raised TypeError"):
        CliRunner().invoke(cli, arguments, catch_exceptions=False)
    text = re.sub(r"\nclasses = \[.*?\]", f"\nclasses = {[*'0123456789ab']}", text, flags=re.DOTALL)
    file.write_text(text.replace('"cifar10", "pamap2"', '"digits", "tests.studies.test_stand_ins:broken"'))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    with pytest.raises(
        RehearsalError, match=r"the live step open failed: crowdloom\.models\.errors\.ModelError: .* one class"
    ):
        CliRunner().invoke(cli, arguments, catch_exceptions=False)


def broken() -> Scenario:
    """A scenario in whose data nothing can be told apart."""

    def load(path: Path | None) -> ScenarioData:
        x, labels = torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64)
        return ScenarioData(x, labels, x, labels, np.zeros((4, 2, 2), np.uint8))

    return Scenario("broken", "Broken", "image", ("a", "b"), lambda: torch.nn.Linear(3, 2), load)


def test_what_is_there_and_broken_is_an_error(tmp_path: Path) -> None:
    """An empty folder is no reason to make items up."""
    (tmp_path / "pictures").mkdir()
    write(tmp_path / "study.toml", "pictures")
    with pytest.raises(ItemError, match="holds no items"):
        CliRunner().invoke(cli, ["rehearse", str(tmp_path / "study.toml")], catch_exceptions=False)


def write(file: Path, path: str) -> None:
    """A small design on the images of a folder."""
    file.write_text(f"""
name = "made-up"
title = "Which animal is it?"
task = "soft-label"
classes = ["cat", "dog", "frog"]
consent = "It is voluntary."
instructions = ["Look at each image."]
[items]
source = "folder"
path = "{path}"
sample = 6
[batches]
size = 2
responses_per_item = 1
[people]
minutes = 2
hold_minutes = 10
""")
