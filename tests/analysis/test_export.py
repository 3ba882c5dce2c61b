"""Labels written to files and read back."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from crowdloom.analysis.export import FORMATS, LabelTable, write_labels

CLASSES = ("ant", "bee, or wasp", "Käfer")
LABELS = np.random.default_rng(0).dirichlet(np.ones(3), size=3)
PER_RESPONSE = LabelTable(LABELS, ["9", "10", "9"], CLASSES, ["s1", "s1", "s2"], ["p", "p", "q"], np.array([0, 0, 1]))
PER_ITEM = LabelTable(LABELS[:2], ["9", "10"], CLASSES)


def read(path: Path) -> dict[str, list[Any]]:
    """A file's columns."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pydict()
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    return {name: list(values) for name, values in zip(header, zip(*rows, strict=True), strict=True)}


@pytest.mark.parametrize("table", [PER_RESPONSE, PER_ITEM], ids=["per response", "per item"])
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_tables_hold_one_row_per_label_in_full_precision(table: LabelTable, suffix: str, tmp_path: Path) -> None:
    """CSV and Parquet have item, whose label it is, and a column per class, bit for bit, in the given order."""
    path = tmp_path / f"labels.{suffix}"
    write_labels(table, path)
    columns = read(path)
    whose = ["submission", "participant", "repeat_index"] if table.per_response else []
    assert list(columns) == ["item", *whose, *CLASSES]
    assert columns["item"] == list(table.item)
    if table.per_response:
        assert [int(index) for index in columns["repeat_index"]] == [0, 0, 1]
        assert columns["participant"] == ["p", "p", "q"]
    written = np.array([[float(value) for value in columns[name]] for name in CLASSES]).T
    np.testing.assert_array_equal(written, table.labels)


def test_json_has_the_released_layout(tmp_path: Path) -> None:
    """Per response a list of labels under each item, per item one label, in the given order and to the last bit."""
    path = tmp_path / "labels.json"
    write_labels(PER_RESPONSE, path)
    found = json.loads(path.read_text())
    assert list(found) == ["9", "10"]
    assert found == {"9": LABELS[[0, 2]].tolist(), "10": LABELS[[1]].tolist()}
    write_labels(PER_ITEM, path)
    assert json.loads(path.read_text()) == {"9": LABELS[0].tolist(), "10": LABELS[1].tolist()}


@pytest.mark.parametrize("table", [PER_RESPONSE, PER_ITEM], ids=["per response", "per item"])
def test_npz_holds_arrays(table: LabelTable, tmp_path: Path) -> None:
    """NPZ opens without pickle and has labels, classes, items and whose labels they are."""
    path = tmp_path / "labels.bin"
    write_labels(table, path, "npz")
    with np.load(path, allow_pickle=False) as arrays:
        whose = {"submission", "participant", "repeat_index"} if table.per_response else set()
        assert set(arrays) == {"labels", "classes", "item"} | whose
        np.testing.assert_array_equal(arrays["labels"], table.labels)
        assert arrays["classes"].tolist() == list(CLASSES)
        assert arrays["item"].tolist() == list(table.item)


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_no_labels_make_a_file_too(suffix: str, tmp_path: Path) -> None:
    """A study without labels writes a file that says so in its own way."""
    write_labels(LabelTable(np.empty((0, 3)), [], CLASSES, [], [], []), tmp_path / f"labels.{suffix}")
    assert (tmp_path / f"labels.{suffix}").stat().st_size > 0


def test_a_full_disk_leaves_the_earlier_file(tmp_path: Path) -> None:
    """When writing fails half-way, the earlier file stands and no part of the new one is left."""
    resource = pytest.importorskip("resource")
    path = tmp_path / "labels.csv"
    path.write_text("earlier")
    large = LabelTable(np.ones((20_000, 3)) / 3, ["x"] * 20_000, CLASSES)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_labels(large, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [file.name for file in tmp_path.iterdir()] == ["labels.csv"]
    assert path.read_text() == "earlier"


@pytest.mark.parametrize(("name", "words"), [("labels.xls", "'xls' is no format"), ("labels", "has no suffix")])
def test_an_unknown_format_is_refused_with_the_choices(name: str, words: str, tmp_path: Path) -> None:
    """Another suffix, or none, is refused and nothing is written."""
    with pytest.raises(ValueError, match=f"{words}.* json, csv, parquet, npz"):
        write_labels(PER_ITEM, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_two_labels_of_one_item_are_no_aggregate(tmp_path: Path) -> None:
    """JSON with one label per item refuses a second one rather than dropping the first."""
    with pytest.raises(ValueError, match="item 9 has two labels"):
        write_labels(LabelTable(LABELS[:2], ["9", "9"], CLASSES), tmp_path / "labels.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"item": ["9"]}, "labels have shape"),
        ({"submission": ["s", "s"]}, "together, or none"),
        ({"submission": ["s"], "participant": ["p", "p"], "repeat_index": [0, 0]}, "must have 2 values each"),
        ({"classes": ("a", "b", "item")}, "a class is called 'item'"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(given: dict[str, Any], words: str) -> None:
    """Lengths that differ and classes called like a column are refused by name."""
    with pytest.raises(ValueError, match=words):
        LabelTable(**{"labels": LABELS[:2], "item": ["9", "10"], "classes": CLASSES, **given})
