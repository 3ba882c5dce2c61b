"""Typed columns: the compact record that holds an answer for fast reading."""

from __future__ import annotations

import numpy as np
import pytest

from crowdloom.tasks.columns import Column, pack, record_fields

CHOICE = Column("choice", "class", "what was chosen")
NUMBER = Column("number", "number", "how much")
SET = Column("set", "classes", "what was ticked")
CLASSES = [f"class {number}" for number in range(11)]


@pytest.mark.parametrize("n_classes", [1, 7, 8, 9, 16, 17, 300])
@pytest.mark.parametrize("columns", [[CHOICE], [NUMBER], [SET], [SET, CHOICE, NUMBER, SET]])
def test_a_record_is_as_long_as_its_type(columns: list[Column], n_classes: int) -> None:
    """What `pack` writes is one element of the type that `record_fields` describes, for any number of classes."""
    classes = [f"class {number}" for number in range(n_classes)]
    named = [Column(f"{column.name}{number}", column.kind, "") for number, column in enumerate(columns)]
    values = [{"class": classes[-1], "number": 0.1, "classes": classes[-1:]}[column.kind] for column in named]
    record = np.frombuffer(pack(named, values, classes), np.dtype(record_fields(named, n_classes)))
    assert record.shape == (1,)
    for column in named:
        if column.kind == "class":
            assert record[column.name][0] == n_classes - 1
        elif column.kind == "number":
            assert record[column.name][0] == 0.1
        else:
            assert np.unpackbits(record[column.name][0])[:n_classes].tolist() == [0] * (n_classes - 1) + [1]


def test_every_class_has_its_bit() -> None:
    """Most significant bit first, over several bytes, in whatever order the names come."""
    for number, name in enumerate(CLASSES):
        bits = np.unpackbits(np.frombuffer(pack([SET], [{name}], CLASSES), np.uint8))
        assert np.flatnonzero(bits).tolist() == [number]
    assert pack([SET], [CLASSES], CLASSES) == pack([SET], [reversed(CLASSES)], CLASSES) == b"\xff\xe0"
    assert pack([SET], [[]], CLASSES) == b"\x00\x00"


def test_missing_values_have_a_sign() -> None:
    """No class is -1, no number is NaN."""
    record = np.frombuffer(pack([CHOICE, NUMBER], [None, None], CLASSES), np.dtype(record_fields([CHOICE, NUMBER], 11)))
    assert record["choice"].tolist() == [-1]
    assert np.isnan(record["number"]).all()


def test_records_are_the_same_everywhere() -> None:
    """Little-endian and without gaps, so that a store can move between machines."""
    assert pack([CHOICE, NUMBER, SET], ["class 1", 1, ["class 0"]], CLASSES[:3]).hex() == "0100000000000000f03f80"


@pytest.mark.parametrize(("column", "value"), [(CHOICE, "cow"), (SET, ["class 1", "cow"])])
def test_an_unknown_class_is_named(column: Column, value: object) -> None:
    """The message says which column, which class, and which there are."""
    with pytest.raises(
        ValueError, match=rf"column {column.name}: 'cow' is not one of the design's classes \(class 0, "
    ):
        pack([column], [value], CLASSES)


def test_every_column_needs_its_value() -> None:
    """A task that returns too few values is found at once."""
    with pytest.raises(ValueError, match="zip"):
        pack([CHOICE, NUMBER], ["class 1"], CLASSES)
