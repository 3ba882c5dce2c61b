"""The frame of a study's items."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crowdloom.studies.database import Store
from crowdloom.studies.errors import StudyError
from crowdloom.studies.items import read_items as read_source
from crowdloom.studies.reading_items import read_items
from tests.studies.coded import STUDY, code_all, items, load_coded
from tests.studies.designs import load, make_design, make_images
from tests.studies.test_mixed_items import arrays_design
from tests.studies.test_views import make_construction


def test_a_row_for_each_item(store: Store, tmp_path: Path) -> None:
    """Its key, reference and difficulty, then what its source says of it, whichever of them says it."""
    make_images(tmp_path, count=3)
    (tmp_path / "images" / "items.csv").write_text(
        "key,image,reference,difficulty,place\na,cat/0.png,cat,0.25,field\nb,dog/1.png,,,\nc,frog/2.png,frog,1,pond\n"
    )
    design = make_design(
        items={"source": "csv", "path": "images/items.csv", "sample": 2}, batches={"size": 1, "responses_per_item": 1}
    )
    load(store, tmp_path, make_design(name="other"))
    load(store, tmp_path, design.model_copy(update={"items": design.items.model_copy(update={"sample": None})}))
    with store.read() as connection:
        frame = read_items(connection, "pets")
    assert list(frame.columns) == ["item", "reference", "difficulty", "place"]
    assert frame["item"].tolist() == ["a", "b", "c"]
    assert frame["reference"].tolist() == ["cat", None, "frog"]
    assert frame["difficulty"].dtype == float
    assert frame["difficulty"].tolist()[::2] == [0.25, 1.0]
    assert np.isnan(frame["difficulty"][1])
    assert frame["place"].tolist() == ["field", "", "pond"]

    load(store, tmp_path, design)
    with store.read() as connection:
        assert len(read_items(connection, "pets")) == 3
        assert len(read_items(connection, "pets", version=2)) == 2
        for study, version in (("pets", 3), ("nothing", None)):
            with pytest.raises(StudyError):
                read_items(connection, study, version)


def test_mixed_items_say_what_they_are_mixed_of(store: Store, tmp_path: Path) -> None:
    """Endpoints, coefficient, sources and entropies as drawn; a pair with all its mixes has no coefficient."""
    design = arrays_design(tmp_path)
    load(store, tmp_path, design)
    load(store, tmp_path, make_construction())
    with store.read() as connection:
        mixed, halves = read_items(connection, "pets"), read_items(connection, "halves")
    said = ["endpoint1", "endpoint2", "coefficient", "source1", "source2", "entropy1", "entropy2"]
    assert sorted(mixed.columns) == sorted(["item", "reference", "difficulty", *said])
    drawn = {item.key: item.attributes for item in read_source(design, tmp_path)}
    assert mixed.set_index("item")[said].to_dict("index") == drawn
    assert sorted(halves.columns) == ["difficulty", "endpoint1", "endpoint2", "item", "reference", "source1", "source2"]
    assert len(halves) == 4


def test_the_newest_row_of_an_item_counts(store: Store, tmp_path: Path) -> None:
    """An item whose picture and words changed between versions stands there once, as it is now."""
    make_images(tmp_path, count=3)
    table = tmp_path / "images" / "items.csv"
    table.write_text("key,image,place\na,cat/0.png,field\n")
    design = make_design(
        items={"source": "csv", "path": "images/items.csv"}, batches={"size": 1, "responses_per_item": 1}
    )
    load(store, tmp_path, design)
    table.write_text("key,image,weather\na,dog/1.png,rain\n")
    load(store, tmp_path, design)
    with store.read() as connection:
        now, before = read_items(connection, "pets"), read_items(connection, "pets", version=1)
    assert now[["item", "weather"]].to_numpy().tolist() == [["a", "rain"]]
    assert "place" not in now.columns
    assert before[["item", "place"]].to_numpy().tolist() == [["a", "field"]]


def test_coded_items_have_their_final_category(store: Store, tmp_path: Path) -> None:
    """Where both coders agree; it stands in place of what the source said; views are left out."""
    load_coded(store, tmp_path)
    with store.read() as connection:
        assert read_items(connection, STUDY)["category"].tolist() == ["C9"] * 6
    code_all(store, {"Ann": "123123", "Ben": "121113"})
    with store.read() as connection:
        frame = read_items(connection, STUDY)
    assert frame["item"].tolist() == [item.key for item in items(store)]
    assert frame["category"].tolist() == ["C1", "C2", "C9", "C1", "C9", "C3"]
    assert "views" not in frame.columns
    assert set(frame["confidence"]) == {0.75}
