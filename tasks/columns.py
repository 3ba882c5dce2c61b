"""Typed columns of answers, and the compact record that holds them for fast reading.

Every answer's typed values are packed into a record of fixed length (little-endian, no padding),
so that a million of them are read as one NumPy array without parsing any JSON. The record depends
on the columns and on the number of classes only:

    class     int16, the position in the design's classes; -1 where none was chosen
    number    float64; NaN where none was given
    classes   one bit for each class, most significant bit first, in whole bytes
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

LABEL_COLUMNS = ("item", "submission", "participant", "repeat_index")
"""What stands before the classes in a table of labels, each of which is a column there; no class is called so."""

BETWEEN_CLASSES = "|"
"""What joins a set of classes into one text; no class contains it."""


@dataclass(frozen=True)
class Column:
    """A typed column of a task's answers: a class, a number, or a set of classes."""

    name: str
    kind: Literal["class", "number", "classes"]
    meaning: str


@lru_cache
def _packer(kinds: tuple[str, ...], n_classes: int) -> struct.Struct:
    codes = {"class": "h", "number": "d", "classes": f"{(n_classes + 7) // 8}s"}
    return struct.Struct("<" + "".join(codes[kind] for kind in kinds))


def pack(columns: Sequence[Column], values: Sequence[Any], classes: Sequence[str]) -> bytes:
    """The record of one answer.

    `values` holds for each column a class name or None, a number or None, or a collection of
    class names. Raises ValueError for a class that the design does not know.

    >>> pack([Column("top1", "class", "")], ["cat"], ["bird", "cat"]).hex()
    '0100'
    """
    index = {name: number for number, name in enumerate(classes)}
    packed: list[Any] = []
    for column, value in zip(columns, values, strict=True):
        if column.kind == "number":
            packed.append(float("nan") if value is None else float(value))
        elif column.kind == "class":
            packed.append(-1 if value is None else _position(value, index, column))
        else:
            packed.append(_bits(value, index, column))
    return _packer(tuple(column.kind for column in columns), len(classes)).pack(*packed)


def record_fields(columns: Sequence[Column], n_classes: int) -> list[tuple[Any, ...]]:
    """The record as the list that `numpy.dtype` takes.

    >>> record_fields([Column("top1", "class", ""), Column("impossible", "classes", "")], 10)
    [('top1', '<i2'), ('impossible', 'u1', (2,))]
    """
    fields: list[tuple[Any, ...]] = []
    for column in columns:
        if column.kind == "classes":
            fields.append((column.name, "u1", ((n_classes + 7) // 8,)))
        else:
            fields.append((column.name, "<i2" if column.kind == "class" else "<f8"))
    return fields


def _position(name: str, index: dict[str, int], column: Column) -> int:
    if name not in index:
        raise ValueError(f"column {column.name}: {name!r} is not one of the design's classes ({', '.join(index)})")
    return index[name]


def _bits(names: Collection[str], index: dict[str, int], column: Column) -> bytes:
    bits = bytearray((len(index) + 7) // 8)
    for name in names:
        byte, bit = divmod(_position(name, index, column), 8)
        bits[byte] |= 0x80 >> bit
    return bytes(bits)
