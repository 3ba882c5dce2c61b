"""The design that is written beside interpreted images."""

from __future__ import annotations

from pathlib import Path

import pytest

from crowdloom.studies.catalogue import find_design
from crowdloom.studies.database import Store
from crowdloom.studies.design_file import read_design
from crowdloom.studies.errors import DesignError
from crowdloom.studies.interpreted_design import write_interpreted_design
from crowdloom.studies.loading import load_design
from tests.studies.interpreted import DIGITS, make_interpreted


def test_it_can_be_loaded_at_once(sqlite_store: Store, tmp_path: Path) -> None:
    """Both conditions of the catalogue's design, with the folder's items and name."""
    folder = tmp_path / "Wrong Digits"
    make_interpreted(folder, 3)
    assert write_interpreted_design(folder, DIGITS) == folder / "study.toml"
    design, source = read_design(folder / "study.toml")
    assert (design.name, design.classes) == ("wrong-digits", DIGITS)
    assert [design.task_options(arm).model_dump() for arm in design.arms()] == [
        {"interpretations": True},
        {"interpretations": False},
    ]
    loaded = load_design(sqlite_store, design, source, folder)
    assert (loaded.items, loaded.batches, loaded.places) == (3, 3, 30)


def test_everything_else_is_the_catalogues(tmp_path: Path) -> None:
    """Comments included: only the name, the classes and the table of items differ."""
    make_interpreted(tmp_path)
    path = write_interpreted_design(tmp_path, DIGITS)
    assert path is not None
    ours, theirs = path.read_text().splitlines(), find_design("wrong-label").read_text().splitlines()
    changed = [line for line in ours if line not in theirs]
    assert len(changed) == 3
    assert changed[0].startswith("name = ")
    assert all("items.csv" in line or "crowdloom interpret" in line for line in changed[1:])
    assert list(tmp_path.glob(".*.part")) == []


def test_odd_names_of_classes(tmp_path: Path) -> None:
    """Quotes, brackets, other scripts, and more than fit into a line."""
    names = [f'the "{number}" class] of many' for number in range(40)] + ["Höhle\\", "犬"]
    path = write_interpreted_design(tmp_path, names)
    assert path is not None
    assert list(read_design(path)[0].classes) == names


def test_an_existing_design_stays(tmp_path: Path) -> None:
    """Somebody may have edited it."""
    (tmp_path / "study.toml").write_text("mine")
    assert write_interpreted_design(tmp_path, DIGITS) is None
    assert (tmp_path / "study.toml").read_text() == "mine"


def test_classes_that_do_not_fit_write_nothing(tmp_path: Path) -> None:
    """A classifier of five classes has too few wrong labels to choose among."""
    with pytest.raises(DesignError, match="classes: fewer labels than options"):
        write_interpreted_design(tmp_path, DIGITS[:5])
    assert list(tmp_path.iterdir()) == []
