"""Labels read back from the files that they were written to."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crowdloom.analysis.export import FORMATS, LabelTable, write_labels
from crowdloom.analysis.label_files import read_labels
from tests.conftest import missing

CLASSES = ("ant", "bee, or\nwasp", "Käfer")
LABELS = np.random.default_rng(0).dirichlet(np.ones(3), size=3)
PER_RESPONSE = LabelTable(LABELS, ["09", "", "09"], CLASSES, ["s1", "s1", "s2"], ["p", "NA", "q"], np.array([0, 0, 1]))
PER_ITEM = LabelTable(LABELS[:2], ["09", "1,0"], CLASSES)


def same(found: LabelTable, table: LabelTable) -> None:
    """Both hold the same, bit for bit."""
    np.testing.assert_array_equal(found.labels, table.labels)
    assert (list(found.item), list(found.classes)) == (list(table.item), list(table.classes))
    assert (found.submission, found.participant) == (table.submission, table.participant)
    if table.repeat_index is None:
        assert found.repeat_index is None
    else:
        assert list(found.repeat_index or []) == list(table.repeat_index)


@pytest.mark.parametrize("table", [PER_RESPONSE, PER_ITEM], ids=["per response", "per item"])
@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz"])
def test_tables_come_back_as_they_were(table: LabelTable, suffix: str, tmp_path: Path) -> None:
    """Items that look like numbers stay texts, and numbers keep every bit."""
    path = tmp_path / f"labels=1.{suffix}"
    write_labels(table, path)
    same(read_labels(path), table)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz"])
def test_classes_come_in_the_order_asked_for(suffix: str, tmp_path: Path) -> None:
    """Their columns move with them; other classes are named."""
    path = tmp_path / f"labels.{suffix}"
    write_labels(PER_ITEM, path)
    found = read_labels(path, CLASSES[::-1])
    assert list(found.classes) == list(CLASSES[::-1])
    np.testing.assert_array_equal(found.labels, PER_ITEM.labels[:, ::-1])
    with pytest.raises(ValueError, match=r"other classes \(missing: fly; unknown: ant\)"):
        read_labels(path, ["fly", *CLASSES[1:]])


def test_json_comes_back_item_by_item(tmp_path: Path) -> None:
    """With the classes that are said; whose labels they are is not in the file."""
    path = tmp_path / "labels.json"
    write_labels(PER_RESPONSE, path)
    same(read_labels(path, CLASSES), LabelTable(LABELS[[0, 2, 1]], ["09", "09", ""], CLASSES))
    write_labels(PER_ITEM, path)
    same(read_labels(path, CLASSES), PER_ITEM)
    with pytest.raises(ValueError, match="does not name the classes"):
        read_labels(path)


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_no_labels_come_back_as_none(suffix: str, tmp_path: Path) -> None:
    """A file of no labels has its classes still."""
    path = tmp_path / f"labels.{suffix}"
    write_labels(LabelTable(np.empty((0, 3)), [], CLASSES, [], [], []), path)
    found = read_labels(path, CLASSES)
    assert found.labels.shape == (0, 3)


def test_the_released_labels_are_read(test_data: Path) -> None:
    """CIFAR-10S as its authors released it: 100 images."""
    path = test_data / "cifar10s-released-100.json"
    if not path.is_file():
        missing(f"no {path}")
    found = read_labels(path, [str(number) for number in range(10)])
    assert len(set(found.item)) == 100
    assert len(found.item) == sum(map(len, json.loads(path.read_text()).values()))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("item,a,b\nx,0.5,nan\n", r"label 0 \(counted from 0\), of the item 'x', is \[0.5, nan\]"),
        ("item,a,b\nx,0.5,0.5\ny,0.5,\n", "label 1 .* of the item 'y'"),
        ("item,a,b\nx,1.5,-0.5\n", "at least 0 and 1 in sum"),
        ("item,a,b\nx,0.5,0.4\n", "at least 0 and 1 in sum"),
        ("item,a,b\nx,0.5,half\n", "'half'"),
        ("item,a,b\nx,0.5\n", "Expected 3 columns, got 2"),
        ("a,b\n0.5,0.5\n", "no column 'item'"),
        ("item,a,a\nx,0.5,0.5\n", "the column 'a' stands there twice"),
        ("item\nx\n", "no column for any class"),
        ("item,submission,a,b\nx,s,0.5,0.5\n", "submission, participant and repeat_index together"),
        ("", "no column 'item'"),
    ],
)
def test_a_broken_csv_is_named_with_its_fault(text: str, sentence: str, tmp_path: Path) -> None:
    """In one sentence that begins with the file."""
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence) as told:
        read_labels(path)
    assert str(told.value).startswith(str(path))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "an object with the labels of each item"),
        ('{"x": [0.5, NaN]}', "of the item 'x', is"),
        ('{"x": [0.5]}', "the item 'x' has a label that is not a list of 2 numbers"),
        ('{"x": []}', "the item 'x' has a label that is not"),
        ('{"x": [[0.5, 0.5], [1, "a"]]}', "the item 'x' has a label that is not"),
        ('{"x": [true, false]}', "the item 'x' has a label that is not"),
        ("{", "cannot be read as labels"),
    ],
)
def test_broken_json_is_named_with_its_fault(text: str, sentence: str, tmp_path: Path) -> None:
    """In one sentence that begins with the file."""
    path = tmp_path / "labels.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        read_labels(path, ["a", "b"])


def test_archives_that_are_torn_or_pickled_are_refused(tmp_path: Path) -> None:
    """In one sentence, without NumPy's advice to load Python objects nevertheless."""
    path = tmp_path / "labels.npz"
    np.savez_compressed(path, labels=np.tile(LABELS, (100, 1)), classes=CLASSES, item=["x"] * (100 * len(LABELS)))
    whole = path.read_bytes()
    for torn in (whole[: len(whole) // 2], whole[:60] + bytes(20) + whole[80:], pickle.dumps({"labels": 1})):
        path.write_bytes(torn)
        with pytest.raises(ValueError, match=r"labels\.npz cannot be read as labels: ") as told:
            read_labels(path)
        assert "pickle" not in str(told.value)


def test_json_that_never_ends_is_refused(tmp_path: Path) -> None:
    """Lists in lists, deeper than Python follows."""
    path = tmp_path / "labels.json"
    path.write_text("[" * 100_000)
    with pytest.raises(ValueError, match="cannot be read as labels"):
        read_labels(path, ["a"])


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A format that is none of them, a file that is not there, another's arrays, and a column of texts."""
    with pytest.raises(ValueError, match=r"\.json, \.csv, \.parquet, \.npz"):
        read_labels(tmp_path / "labels.txt")
    for suffix in FORMATS:
        with pytest.raises(ValueError, match="cannot be read as labels"):
            read_labels(tmp_path / f"nowhere.{suffix}", ["a"])
        (tmp_path / f"other.{suffix}").write_bytes(b"\x00\x01")
        with pytest.raises(ValueError, match="cannot be read as labels"):
            read_labels(tmp_path / f"other.{suffix}", ["a"])
    np.savez(tmp_path / "arrays.npz", labels=LABELS)
    with pytest.raises(ValueError, match="lacks the arrays classes, item"):
        read_labels(tmp_path / "arrays.npz")
    np.savez(tmp_path / "twice.npz", labels=[[0.5, 0.5]], classes=["a", "a"], item=["x"])
    with pytest.raises(ValueError, match=r"twice\.npz cannot be read as labels: the class 'a' stands there twice"):
        read_labels(tmp_path / "twice.npz")
    np.savez(tmp_path / "pickled.npz", labels=np.array([{}]), classes=["a"], item=["x"])
    with pytest.raises(ValueError, match="cannot be read as labels"):
        read_labels(tmp_path / "pickled.npz")
    pq.write_table(pa.table({"item": ["x"], "a": ["one"]}), tmp_path / "texts.parquet")
    with pytest.raises(ValueError, match="could not convert"):
        read_labels(tmp_path / "texts.parquet")
