"""The answers of a release: the long frame, with release pseudonyms, and durations instead of times."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection

from crowdloom.analysis.frame import frame_from_records
from crowdloom.studies.reading import Answers, fetch_columns
from crowdloom.studies.releasing import submissions as subs
from crowdloom.studies.releasing.pseudonyms import Pseudonyms
from crowdloom.studies.releasing.submissions import Pass, seconds_known
from crowdloom.studies.releasing.tables import Column, Kind, Table, TableWriter
from crowdloom.tasks import TASKS
from crowdloom.tasks.columns import Column as TaskColumn

if TYPE_CHECKING:
    import pandas as pd

ROWS_AT_A_TIME = 50_000
_MOST_CLASSES = 100
_KINDS: dict[str, Kind] = {"class": "text", "number": "number", "classes": "texts"}
_FIELDS = ("item_id", "position", "repeat_index", "rt_ms", "answered_at", "packed", "timing")


def response_columns(columns: Sequence[TaskColumn], classes: Sequence[str]) -> list[Column]:
    """The columns of the table `responses`: those of every task, then those of the task's answers."""
    return [
        Column("study", "text", "the study's name"),
        subs.VERSION,
        subs.CONDITION,
        subs.BATCH,
        Column("item", "text", "the item that was shown; see the table items", listed=False),
        subs.PARTICIPANT,
        subs.SUBMISSION,
        subs.STANDING,
        Column("position", "whole", "its place in the order in which this submission was shown its items, from 0"),
        Column("is_repeat", "truth", "whether the item had been shown before in this submission"),
        Column("repeat_index", "whole", "0 for the first answer to the item, 1, 2, … for repeats"),
        Column("rt_ms", "whole", "time taken for the answer; empty where unknown", unit="ms"),
        Column("reference", "text", "the class that the item's source gives it", values=class_values(classes)),
        Column("answered_s", "number", "from the submission's start to the answer; empty where unknown", unit="s"),
        *(
            Column(
                column.name,
                _KINDS[column.kind],
                column.meaning,
                values="" if column.kind == "number" else class_values(classes, several=column.kind == "classes"),
            )
            for column in columns
        ),
    ]


def class_values(classes: Sequence[str], *, several: bool = False) -> str:
    """What the codebook says of a column of classes.

    >>> class_values(["cat", "dog"], several=True)
    'any of: cat, dog'
    """
    if len(classes) > _MOST_CLASSES:
        return f"{'any' if several else 'one'} of the {len(classes)} classes in release.json"
    return f"{'any' if several else 'one'} of: {', '.join(classes)}"


def write_responses(
    connection: Connection,
    answers: Answers,
    passes: Sequence[Pass],
    names: Pseudonyms,
    release: Path,
    progress: Callable[[int], None],
) -> Table:
    """Write the table `responses`; the answers pass through memory some at a time. `progress` hears of each lot."""
    columns = response_columns(answers.columns, answers.classes)
    summary = TASKS[answers.task].summary.rstrip(".")
    with TableWriter(release, "responses", f"one row for each answer: {summary[0].lower()}{summary[1:]}", columns) as w:
        for frame in _frames(connection, answers, passes, names):
            w.write({column.name: frame[column.name].tolist() for column in columns})
            progress(len(frame))
    return w.table()


def _frames(
    connection: Connection, answers: Answers, passes: Sequence[Pass], names: Pseudonyms
) -> Iterator[pd.DataFrame]:
    about: dict[str, Any] = {
        "submission": _texts([names.submission(one.origin.submission) for one in passes]),
        "participant": _texts([names.participant(one.origin.participant) for one in passes]),
        "condition": _texts([one.origin.condition for one in passes]),
        "standing": _texts([one.origin.standing for one in passes]),
        "batch": np.array([one.origin.batch for one in passes]),
        "version": np.array([one.origin.version for one in passes]),
    }
    started = np.array(
        [None if one.started_at is None else one.started_at.replace(tzinfo=None) for one in passes],
        dtype="datetime64[us]",
    )
    items, references = _texts(answers.items), _texts(answers.references)
    for which, fields in _lots(connection, answers):
        item = answers.item_index[fields["item_id"]]
        frame = frame_from_records(
            np.frombuffer(b"".join(fields["packed"]), dtype=answers.dtype),
            {
                "study": np.full(len(which), answers.study, dtype=object),
                "item": items[item],
                "reference": references[item],
                **{name: about[name][which] for name in ("submission", "participant", "condition", "batch")},
                **{name: fields[name] for name in ("position", "repeat_index", "rt_ms", "answered_at")},
            },
            answers.columns,
            answers.classes,
        )
        for name in ("standing", "version"):
            frame[name] = about[name][which]
        at = frame["answered_at"].dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        seconds = ((at - started[which]) / np.timedelta64(1, "ms")).round() / 1000
        frame["answered_s"] = [
            _elapsed(timing) if one != one else seconds_known(one)  # noqa: PLR0124 - NaN where there is no clock
            for one, timing in zip(seconds.tolist(), fields["timing"], strict=True)
        ]
        yield frame


def _lots(connection: Connection, answers: Answers) -> Iterator[tuple[Any, dict[str, list[Any]]]]:
    """Rows in lots of some size, however few each submission has."""
    which: list[Any] = []
    fields: dict[str, list[Any]] = {name: [] for name in _FIELDS}
    for submission, values in fetch_columns(connection, answers, ", ".join(_FIELDS)):
        which.append(submission)
        for name, part in zip(_FIELDS, values, strict=True):
            fields[name].extend(part)
        if len(fields["packed"]) >= ROWS_AT_A_TIME:
            yield np.concatenate(which), fields
            which, fields = [], {name: [] for name in _FIELDS}
    if which:
        yield np.concatenate(which), fields


def _elapsed(timing: Any) -> float | None:
    """The seconds since the session began that an imported file says."""
    said = json.loads(timing) if isinstance(timing, str) else timing
    elapsed = said.get("elapsed_ms") if isinstance(said, dict) else None
    return None if elapsed is None else elapsed / 1000


def _texts(values: Sequence[str | None]) -> Any:
    return np.array(values, dtype=object)
