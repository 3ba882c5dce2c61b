"""Items without a picture: the source `scenarios`, on pages, in previews of coding, and in releases."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import ValidationError
from sqlalchemy import select

from crowdloom.models.latent_scenarios import SCENARIOS as SCENARIO_NAMES
from crowdloom.models.latent_scenarios import scenario
from crowdloom.studies.catalogue import find_design
from crowdloom.studies.cli import cli
from crowdloom.studies.coding import add_coder, save_code
from crowdloom.studies.coding_items import read_scheme
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.design import Design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.items import read_items
from crowdloom.studies.items.scenarios import SELF_PREPARED, not_prepared
from crowdloom.studies.participation import Designs, trial_at
from crowdloom.studies.reading import read_frame
from crowdloom.studies.reading_items import read_items as read_item_frame
from crowdloom.studies.rehearsal import missing
from crowdloom.studies.releasing.importing import import_release
from crowdloom.studies.releasing.opening import opened_release
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import release_study
from crowdloom.studies.tables import Item
from crowdloom.studies.web import create_app
from tests.studies.designs import load, make_design
from tests.studies.takers import Study

SCENARIOS = {"source": "scenarios", "names": ["digits", "signals"]}


@pytest.mark.parametrize(
    ("items", "part"),
    [
        ({"source": "scenarios"}, "needs at least one"),
        ({"source": "scenarios", "names": []}, "needs at least one"),
        ({"source": "digits", "names": ["digits"]}, "belong to source"),
        ({**SCENARIOS, "path": "x"}, "takes no path"),
        ({"source": "scenarios", "names": ["digits", "digits"]}, "stands there twice"),
        ({**SCENARIOS, "mixed": {"pairs": 1, "steps": 3}}, "no images that could be mixed"),
    ],
)
def test_a_design_names_its_scenarios(items: dict[str, object], part: str) -> None:
    """At least one, each once, and nothing that belongs to pictures."""
    with pytest.raises(ValidationError, match=part):
        make_design(items=items)


def test_each_scenario_is_an_item(store: Store, tmp_path: Path) -> None:
    """Its key and its attribute are its name; there is no picture, and loading it again changes nothing."""
    design = make_design(items=SCENARIOS)
    assert [(item.key, item.attributes, item.image) for item in read_items(design, tmp_path)] == [
        ("digits", {"scenario": "digits"}, None),
        ("signals", {"scenario": "signals"}, None),
    ]
    assert missing(design, tmp_path) is None
    first = load(store, tmp_path, design)
    assert (first.items, first.batches, first.is_new) == (2, 1, True)
    assert not load(store, tmp_path, Design.model_validate(design.dump())).is_new
    with store.read() as connection:
        rows = connection.execute(select(Item.key, Item.media, Item.shown, Item.width, Item.attributes)).all()
    assert [tuple(row) for row in rows] == [
        (name, None, None, None, {"scenario": name}) for name in ("digits", "signals")
    ]


def test_a_scenario_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """Before anybody is asked; where one of somebody's own can be imported is known to the workers alone."""
    with pytest.raises(ItemError, match="there is no scenario 'digit'; choose from digits, signals, cifar10"):
        read_items(make_design(items={"source": "scenarios", "names": ["signals", "digit"]}), tmp_path)
    own = make_design(items={"source": "scenarios", "names": ["birds.study:scenario"]})
    assert [item.key for item in read_items(own, tmp_path)] == ["birds.study:scenario"]


def session_design(names: list[str], classes: list[str]) -> Design:
    """A study of sessions."""
    return make_design(
        task="latent-session", options={}, items={"source": "scenarios", "names": names}, classes=classes
    )


@pytest.mark.parametrize(
    ("names", "classes", "said"),
    [
        (["digits"], ["0", "1"], "classes: the scenario digits has 2, 3, 4, 5, 6, 7, 8, 9, too; name all classes"),
        (
            ["signals", "digits"],
            [*"0123456789"],
            "the scenario signals has resting, holding, walking, climbing stairs,",
        ),
        (["digits"], [*"0123456789", "ten"], "classes: none of the scenarios digits has ten; leave that out"),
        (["tests.models.blobs:blobs"], ["a", "b"], "classes: the scenario tests.models.blobs:blobs has c, too"),
    ],
)
def test_the_classes_are_those_of_the_scenarios(
    tmp_path: Path, names: list[str], classes: list[str], said: str
) -> None:
    """All of them and no other, as far as the scenarios are known here; in any order."""
    with pytest.raises(ItemError, match=said):
        read_items(session_design(names, classes), tmp_path)


def test_classes_that_fit_or_are_not_known(tmp_path: Path) -> None:
    """A scenario that cannot be imported here may have any classes."""
    own = "birds.study:scenario"
    for names, classes in (
        (["digits"], [*"9876543210"]),
        ([own, "digits"], [*"0123456789", "crow"]),
        ([own, "tests.models.blobs:blobs"], ["crow", "a", "b", "c"]),
    ):
        assert [item.key for item in read_items(session_design(names, classes), tmp_path)] == names


def test_to_compare_classes_needs_no_pytorch(tmp_path: Path) -> None:
    """Of the scenarios that come with crowdloom they are known without."""
    code = """
import sys
from click.testing import CliRunner
from crowdloom.studies.catalogue import find_design
from crowdloom.studies.cli import cli
for name in ("hill", "hill-demo"):
    assert CliRunner().invoke(cli, ["validate", str(find_design(name))]).exit_code == 0
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "False\n"


def test_publishing_says_what_is_not_prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions of the paper's scenarios cannot begin before; those of scenarios without data can."""
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path / "scenarios"))
    monkeypatch.setenv("CROWDLOOM_DATABASE", str(tmp_path / "store.db"))
    said = {}
    for name in ("hill", "hill-demo"):
        assert CliRunner().invoke(cli, ["load", str(find_design(name))]).exit_code == 0
        said[name] = CliRunner().invoke(cli, ["publish", name]).output
    assert re.findall(r"hill prepare (\w+)\n", said["hill"]) == ["cifar10", "pamap2"]
    assert "prepare" not in said["hill-demo"]
    assert not_prepared(make_design(items={"source": "scenarios", "names": ["hapt"]})) == []  # no live task
    assert set(SELF_PREPARED) == {name for name in SCENARIO_NAMES if not scenario(name).needs_data}


@pytest.fixture
def study(sqlite_store: Store, tmp_path: Path) -> Study:
    """A study of two scenarios, which somebody has been through."""
    categories = [{"name": name, "title": name, "meaning": name} for name in ("one", "two")]
    found = Study(sqlite_store, tmp_path, SCENARIOS, coding={"question": "What was it?", "categories": categories})
    found.answer(found.arrive("ann"))
    return found


def test_pages_show_no_picture(study: Study) -> None:
    """And ask all the same."""
    pages = create_app(study.store, "test").test_client()
    token = study.arrive("ben")
    page = pages.get(f"/take/{token}").text
    assert re.search(r'name="trial" value="[^"]+"', page)
    assert "<img" not in page
    assert "data-next-image" not in page
    designs = Designs(study.store)
    _, trial = trial_at(designs, designs.assigned(token), 0)
    assert (trial.image, trial.size, trial.attributes["scenario"] in SCENARIOS["names"]) == (None, None, True)


def test_coders_see_what_is_said_of_them(study: Study) -> None:
    """Their attributes, and no picture; a code is kept."""
    pages = create_app(study.store, "test").test_client()
    with study.store.write() as connection:
        link = add_coder(connection, "pets", "A")
        scheme = read_scheme(connection, "pets")
        assert [(item.key, item.image) for item in scheme.items] == [("digits", None), ("signals", None)]
        assert save_code(connection, scheme, link, scheme.items[0], "one", "")
    page = pages.get(f"/code/{link.token}", follow_redirects=True).text
    assert "signals" in page
    assert "<img" not in page


def test_who_had_them_all_reads_of_parts(study: Study) -> None:
    """What cannot be seen is not called an image."""
    pages = create_app(study.store, "test").test_client()
    study.arrive("ben")
    answer = pages.post(f"/join/{study.posting}", data={"participant": "cleo", "decision": "agree"})
    assert answer.status_code == 409
    assert "image" not in answer.text.split("<main>")[1]


def test_a_release_holds_them_and_gives_them_back(study: Study, tmp_path: Path) -> None:
    """Without a table of pictures; read back, items and answers are the same."""
    release_study(study.store, "pets", tmp_path / "r", Options("MIT", images="include"))
    assert not (tmp_path / "r" / "data" / "images.csv").exists()
    again = open_store(str(tmp_path / "again.db"))
    with opened_release(tmp_path / "r") as release:
        import_release(again, release, "again")
    with study.store.read() as one, again.read() as other:
        items = [read_item_frame(connection, name) for connection, name in ((one, "pets"), (other, "again"))]
        assert [dict(zip(frame["item"], frame["scenario"], strict=True)) for frame in items] == [
            {"digits": "digits", "signals": "signals"}
        ] * 2
        answers = [read_frame(connection, name, "all") for connection, name in ((one, "pets"), (other, "again"))]
        assert [frame["item"].tolist() for frame in answers] == [answers[0]["item"].tolist()] * 2
    again.close()
