"""The one long frame that all analysis reads: one row per response, whatever store it came from.

    study          str, the study's name
    condition      str
    batch          the batch's number, or any name that tells batches apart
    item           str, the item's key
    participant    str, a pseudonym
    submission     str, one participant's pass through one batch
    position       int, the place in the order shown, from 0
    is_repeat      bool, whether the item had been shown before in this submission
    repeat_index   int, 0 for the first answer and 1, 2, … for repeats
    rt_ms          float, milliseconds; NaN where unknown
    reference      str, the class that the item's source gives it, or None
    answered_at    time with its zone (UTC); missing where nobody knows it, as in imports

Then follow the task's own columns, by kind (see `tasks.columns`): a class is a str or None, a number
a float (NaN where none was given), a set of classes a tuple of str in the design's order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crowdloom.tasks.columns import Column

COLUMNS = (
    "study",
    "condition",
    "batch",
    "item",
    "participant",
    "submission",
    "position",
    "is_repeat",
    "repeat_index",
    "rt_ms",
    "reference",
    "answered_at",
)

_NAMES = ("study", "condition", "item", "participant", "submission")


class FrameError(ValueError):
    """A frame breaks the contract; the message says which column, what is wrong and what to do."""


def check_frame(frame: pd.DataFrame, columns: Sequence[Column], classes: Sequence[str]) -> None:
    """Check once, at the door, that `frame` keeps the contract for a task with these columns.

    `columns` are the task's own, `classes` the design's. Further columns may be present. Raises
    FrameError for the first thing that is wrong.
    """
    wanted = [*COLUMNS, *(column.name for column in columns)]
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise FrameError(f"the frame lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; add them")
    for name in _NAMES:
        _demand(frame, name, frame[name].map(lambda value: isinstance(value, str) and value != ""), "a text")
    _demand(frame, "batch", frame["batch"].notna(), "a number or a name")
    if not pd.api.types.is_bool_dtype(frame["is_repeat"]):
        raise FrameError(f"column is_repeat is of type {frame['is_repeat'].dtype}; make it boolean")
    for name in ("position", "repeat_index"):
        if not pd.api.types.is_integer_dtype(frame[name]):
            raise FrameError(f"column {name} is of type {frame[name].dtype}; make it whole numbers, counted from 0")
        _demand(frame, name, frame[name] >= 0, "a number counted from 0")
    _demand(frame, "is_repeat", frame["is_repeat"] == (frame["repeat_index"] > 0), "true where repeat_index is above 0")
    _check_number(frame, "rt_ms")
    _demand(frame, "rt_ms", ~(frame["rt_ms"] < 0), "a time in milliseconds, not below 0")
    _check_class(frame, "reference", classes)
    if not isinstance(frame["answered_at"].dtype, pd.DatetimeTZDtype):
        raise FrameError("column answered_at must hold times that say their zone; convert it to UTC times")
    for column in columns:
        if column.kind == "number":
            _check_number(frame, column.name)
        elif column.kind == "class":
            _check_class(frame, column.name, classes)
        else:
            _check_classes(frame, column.name, classes)
    key = ["submission", "item", "repeat_index"]
    _demand(frame, "repeat_index", ~frame.duplicated(key), "used once for each submission and item")


def frame_from_records(
    records: npt.NDArray[np.void],
    metadata: Mapping[str, npt.ArrayLike],
    columns: Sequence[Column],
    classes: Sequence[str],
) -> pd.DataFrame:
    """The frame of N packed answers and what is known about each of them.

    records     [N], of the type `numpy.dtype(tasks.columns.record_fields(columns, len(classes)))`
    metadata    each of `COLUMNS` with N values; is_repeat may be left out and then follows from
                repeat_index. Names may be arrays of codes already turned into names; rt_ms may hold
                None; answered_at may be times without a zone, which are then UTC.

    Raises FrameError where a column is missing or not N long, or where a record names a class that
    there is not.
    """
    given = dict(metadata)
    if "is_repeat" not in given and "repeat_index" in given:
        given["is_repeat"] = np.asarray(given["repeat_index"]) > 0
    missing = [name for name in COLUMNS if name not in given]
    if missing:
        raise FrameError(f"nothing is given for the column{'s' * (len(missing) > 1)} {', '.join(missing)}")
    for name in COLUMNS:
        if (length := _length(given[name])) != len(records):
            raise FrameError(f"{length} values are given for column {name}, but there are {len(records)} answers")
    data = {name: _read_metadata(name, given[name]) for name in COLUMNS}
    for column in columns:
        if column.name not in (records.dtype.names or ()):
            raise FrameError(f"the answers have no field {column.name}, which the task's columns name")
        data[column.name] = _read_field(records[column.name], column, classes)
    return pd.DataFrame(data)


def _length(values: npt.ArrayLike) -> int:
    return len(values) if isinstance(values, Sized) else len(np.asarray(values))


def _read_metadata(name: str, values: Any) -> Any:
    if name in (*_NAMES, "reference"):
        return _objects(values)
    if name == "rt_ms":
        return np.asarray(values, dtype=np.float64)
    if name == "answered_at":
        return pd.to_datetime(pd.Series(values), utc=True)
    return np.asarray(values, dtype={"position": np.int64, "repeat_index": np.int64, "is_repeat": np.bool_}.get(name))


def _read_field(values: npt.NDArray[Any], column: Column, classes: Sequence[str]) -> Any:
    if column.kind == "number":
        return values.astype(np.float64)
    if column.kind == "class":
        return _read_class(values, column.name, classes)
    return _read_classes(values, classes)


def _objects(values: Any) -> pd.Series:
    """As Python objects, so that None stays None and texts stay str under every version of pandas."""
    return pd.Series(np.asarray(values, dtype=object), dtype=object)


def _read_class(codes: npt.NDArray[np.int16], name: str, classes: Sequence[str]) -> pd.Series:
    if len(codes) and not (codes.min() >= -1 and codes.max() < len(classes)):
        raise FrameError(f"column {name}: an answer names a class beyond the design's {len(classes)}")
    return _objects(np.array([*classes, None], dtype=object)[codes])  # -1 takes the last, None


def _read_classes(bits: npt.NDArray[np.uint8], classes: Sequence[str]) -> pd.Series:
    """One tuple per distinct set: answers repeat the same few sets, and tuples can be shared."""
    width = bits.shape[1]
    sets, which = np.unique(np.ascontiguousarray(bits).view(f"V{width}").reshape(-1), return_inverse=True)
    flags = np.unpackbits(sets.view(np.uint8).reshape(-1, width), axis=1, count=len(classes)).astype(bool)
    names = np.array(classes, dtype=object)
    tuples = np.empty(len(sets), dtype=object)
    tuples[:] = [tuple(names[row]) for row in flags]
    return _objects(tuples[which])


def _check_class(frame: pd.DataFrame, name: str, classes: Sequence[str]) -> None:
    one_of = f"one of the classes ({', '.join(classes)}) or None"
    _demand(frame, name, frame[name].isin(list(classes)) | frame[name].isna(), one_of)


def _check_number(frame: pd.DataFrame, name: str) -> None:
    if not pd.api.types.is_float_dtype(frame[name]):
        raise FrameError(f"column {name} is of type {frame[name].dtype}; make it float, with NaN where there is none")


def _check_classes(frame: pd.DataFrame, name: str, classes: Sequence[str]) -> None:
    known = set(classes)
    good = frame[name].map(lambda value: isinstance(value, tuple) and known.issuperset(value))
    _demand(frame, name, good, f"a tuple of classes ({', '.join(classes)})")


def _demand(frame: pd.DataFrame, name: str, good: pd.Series, wanted: str) -> None:
    bad = np.flatnonzero(~good.to_numpy(dtype=bool))
    if len(bad):
        value = frame[name].iloc[[bad[0]]].tolist()[0]  # as Python shows it, not as NumPy does
        raise FrameError(f"column {name}, row {bad[0]}: {value!r} found, but it must be {wanted}")
