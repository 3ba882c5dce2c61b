"""A small frame of soft labels, put together from packed answers as a store would do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from crowdloom.analysis.frame import frame_from_records
from crowdloom.tasks.columns import pack, record_fields
from crowdloom.tasks.soft_label import SoftLabel

CLASSES = ("ant", "bee", "cow")
COLUMNS = SoftLabel.columns

Row = Mapping[str, Any]


def response(submission: str, item: str, top1: str | None, top2: str | None = None, **given: Any) -> Row:
    """One response, certain of `top1` unless told otherwise."""
    answer = {
        "top1": top1,
        "top1_probability": given.get("p1", 100),
        "top2": top2,
        "top2_probability": given.get("p2"),
        "impossible": given.get("impossible", ()),
    }
    return {
        "submission": submission,
        "item": item,
        "participant": given.get("participant", submission),
        "repeat_index": given.get("repeat", 0),
        "rt_ms": given.get("rt_ms"),
        "reference": given.get("reference"),
        "answer": answer,
    }


def frame_of(rows: Sequence[Row], **changes: Any) -> pd.DataFrame:
    """The long frame of these responses, in this order."""
    packed = b"".join(pack(COLUMNS, list(row["answer"].values()), CLASSES) for row in rows)
    records = np.frombuffer(packed, dtype=np.dtype(record_fields(COLUMNS, len(CLASSES))))
    metadata: dict[str, Any] = {
        "study": ["s"] * len(rows),
        "condition": ["default"] * len(rows),
        "batch": [1] * len(rows),
        "position": range(len(rows)),
        "answered_at": [datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=number) for number in range(len(rows))],
    }
    for name in ("submission", "item", "participant", "repeat_index", "rt_ms", "reference"):
        metadata[name] = [row[name] for row in rows]
    return frame_from_records(records, {**metadata, **changes}, COLUMNS, CLASSES)
