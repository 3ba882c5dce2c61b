"""Small frames of mixing coefficients and of wrong labels, put together from packed answers as a store would do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from crowdloom.analysis.frame import check_frame, frame_from_records
from crowdloom.tasks import TASKS
from crowdloom.tasks.columns import pack, record_fields

CLASSES = ("ant", "bee", "cow", "dog")


def answered(submission: str, item: str, **given: Any) -> Mapping[str, Any]:
    """One response; whatever is given and is no column of the frame is the answer."""
    return {"submission": submission, "item": item, **given}


def task_frame(task: str, rows: Sequence[Mapping[str, Any]], classes: Sequence[str] = CLASSES) -> pd.DataFrame:
    """The long frame of these responses to a task, checked."""
    columns = TASKS[task].columns
    packed = b"".join(pack(columns, [_value(row, c.name, c.kind) for c in columns], classes) for row in rows)
    records = np.frombuffer(packed, dtype=np.dtype(record_fields(columns, len(classes))))
    frame = frame_from_records(
        records,
        {
            "study": ["s"] * len(rows),
            "condition": [row.get("condition", "default") for row in rows],
            "batch": [1] * len(rows),
            "item": [row["item"] for row in rows],
            "participant": [row.get("participant", row["submission"]) for row in rows],
            "submission": [row["submission"] for row in rows],
            "position": range(len(rows)),
            "repeat_index": np.array([row.get("repeat", 0) for row in rows], dtype=np.int64),
            "rt_ms": [row.get("rt_ms") for row in rows],
            "reference": [row.get("reference") for row in rows],
            "answered_at": [
                datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=number) for number in range(len(rows))
            ],
        },
        columns,
        classes,
    )
    check_frame(frame, columns, classes)
    return frame


def item_frame(*rows: Mapping[str, Any]) -> pd.DataFrame:
    """The frame of these items, as it is read from a store: every attribute in a column of objects."""
    names = dict.fromkeys(["item", "reference", "difficulty", *(name for row in rows for name in row)])
    frame = pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype=object) for name in names})
    return frame.astype({"difficulty": float})


def mix(item: str, first: str = "ant", second: str = "bee", coefficient: Any = None, **more: Any) -> Mapping[str, Any]:
    """A mixed item."""
    said = {"item": item, "endpoint1": first, "endpoint2": second, **more}
    return said if coefficient is None else said | {"coefficient": coefficient}


def _value(row: Mapping[str, Any], name: str, kind: str) -> Any:
    return row.get(name, () if kind == "classes" else None)
