"""Questionnaires in numbers: scores of each answer, means and standard deviations by condition.

A long frame of questionnaires has a row for each item of each answer, and one for each score:

    submission, participant, condition    str
    questionnaire   int, its place among those of the design, from 1
    instrument      str, a name of `tasks.questionnaires.INSTRUMENTS`
    about           str, what its items speak of, or None
    kind            "item" or "score"
    item            str, the name of the item or of the score
    text            str, the item as it was asked; None for a score
    left, right     str, what the ends of the scale mean; None for a score
    value           float

The sources of the instruments and the formulas of their scores stand in `tasks.questionnaires`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.measures import spread_by
from crowdloom.analysis.summary import Table
from crowdloom.tasks.questionnaires import INSTRUMENTS, score

COLUMNS = (
    "submission",
    "participant",
    "condition",
    "questionnaire",
    "instrument",
    "about",
    "kind",
    "item",
    "text",
    "left",
    "right",
    "value",
)

SCORES = {"sus_parity": "SUS parity (22.9 to 87.9)", "total": "total (0 to 120)"}
"""What tables call the scores."""

AFTER = "after_item"
"""The column, where a frame has it, that names the item after which a questionnaire was asked; else None."""

MOST_ITEMS = 8
"""Tables of a questionnaire that is asked after each item go by item where there are no more of them."""

_ANSWER = ["submission", "questionnaire", "instrument"]
_ASKED = ["questionnaire", "instrument", "about"]


def check_questionnaires(frame: pd.DataFrame) -> None:
    """Raise FrameError where a frame is no long frame of questionnaires, for the first thing that is wrong."""
    if missing := [name for name in COLUMNS if name not in frame]:
        raise FrameError(f"the frame lacks the column{'s' * (len(missing) > 1)} {', '.join(missing)}; add them")
    if strange := sorted(set(frame["instrument"]) - set(INSTRUMENTS)):
        raise FrameError(f"column instrument: no instrument is called {strange[0]!r}")
    if not pd.api.types.is_numeric_dtype(frame["value"]) or frame["value"].isna().any():
        raise FrameError("column value: every row needs a number; leave out what was not answered")
    if frame.duplicated([*_answer(frame), "kind", "item"]).any():
        raise FrameError("column item: it stands there twice for one submission and questionnaire; keep one of them")


def with_scores(items: pd.DataFrame) -> pd.DataFrame:
    """The rows of kind item, and after those of each answer its scores, as they follow from `tasks.questionnaires`.

    An answer in which an item is missing has no score. Raises FrameError as `check_questionnaires` does.
    """
    check_questionnaires(items)
    answers: dict[tuple[Any, ...], list[dict[Any, Any]]] = {}
    of_answer = _answer(items)
    for row in items[items["kind"] == "item"].to_dict("records"):
        key = tuple(None if pd.isna(row[name]) else row[name] for name in of_answer)  # NaN equals no NaN
        answers.setdefault(key, []).append(row)
    found = []
    for rows in answers.values():
        known = score(rows[0]["instrument"], {row["item"]: row["value"] for row in rows})
        own = rows[0] | {"kind": "score", "text": None, "left": None, "right": None}
        found += [*rows, *(own | {"item": name, "value": value} for name, value in known.items())]
    return pd.DataFrame(found, columns=items.columns).astype(items.dtypes) if found else items.iloc[:0]


def _answer(frame: pd.DataFrame) -> list[str]:
    """The columns that tell one answer to a questionnaire from another."""
    return [*_ANSWER, *([AFTER] if AFTER in frame else [])]


def scores(frame: pd.DataFrame) -> pd.DataFrame:
    """The score of each answer: submission, participant, condition, questionnaire, instrument, about, score, value.

    `after_item` stands before the score where the frame has it. Worked out from the items, whatever scores the frame
    has. Raises FrameError as `check_questionnaires` does.
    """
    found = with_scores(frame)
    found = found[found["kind"] == "score"].rename(columns={"item": "score"})
    names = ["submission", "participant", "condition", "questionnaire", "instrument", "about"]
    names += [*([AFTER] if AFTER in found else []), "score", "value"]
    return found[names].reset_index(drop=True)


def questionnaires_of(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each questionnaire that somebody answered, in the design's order: what it is in words, and its rows with scores.

    Of one that is asked after each item all answers stand together; `by_item` takes them apart.
    Beside `COLUMNS` they have `title`, what tables and figures call the item: subscales by their name, statements in
    full. Raises FrameError as `check_questionnaires` does.
    """
    found = with_scores(frame)
    found = found.assign(title=[_title(*row) for row in found[["instrument", "kind", "item", "text"]].to_numpy()])
    for (number, instrument, about), rows in found.groupby(_ASKED, sort=True, dropna=False):
        scale = INSTRUMENTS[str(instrument)]
        speaks_of = f" about {about}" if isinstance(about, str) else ""
        yield f"Questionnaire {number}, {instrument}{speaks_of}, {scale.low} to {scale.high}", rows


def conditions_of(rows: pd.DataFrame) -> list[str]:
    """The conditions of these rows by name, or in their own order where the column is categorical."""
    found = rows["condition"].drop_duplicates()
    return found.sort_values().tolist()


def ratings_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Of one questionnaire's rows: n, mean and standard deviation (by n - 1) by condition, a row for each title.

    The columns are called `n A`, `mean A`, `sd A` for a condition A, and n, mean, sd where there is one condition; sd
    is NaN for fewer than two answers. n counts submissions.
    """
    spread = spread_by(rows, "value", ["condition", "title"])
    conditions = conditions_of(rows)
    rows = rows.assign(condition=rows["condition"].astype(object))
    titles = pd.Index(dict.fromkeys(rows["title"]), name="item")
    columns = {}
    for condition in conditions:
        found = spread.loc[condition].reindex(titles)
        also = "" if len(conditions) == 1 else f" {condition}"
        columns[f"n{also}"] = found["n"].fillna(0).astype(int)
        columns |= {f"{name}{also}": found[name] for name in ("mean", "sd")}
    return pd.DataFrame(columns, index=titles)


def questionnaire_tables(frame: pd.DataFrame) -> list[Table]:
    """A `Table` of `ratings_table` for each questionnaire that somebody answered, in the design's order.

    Raises FrameError as `check_questionnaires` does.
    """
    return [
        Table(f"{name}: n {_counted(rows)}, mean and standard deviation by condition", ratings_table(rows))
        for whole, asked in questionnaires_of(frame)
        for name, rows in by_item(whole, asked)
    ]


def by_item(name: str, rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """A questionnaire's answers by the item after which they were given, items by their names; all where it is none.

    Those of more than `MOST_ITEMS` items stay together.
    """
    items = sorted(rows[AFTER].dropna().unique()) if AFTER in rows else []
    if not 1 <= len(items) <= MOST_ITEMS:
        yield name, rows
        return
    asked, _, scale = name.rpartition(", ")
    for item in items:
        yield f"{asked}, after {item}, {scale}", rows[rows[AFTER] == item]


def _counted(rows: pd.DataFrame) -> str:
    """What n counts: people, submissions where some people filled it in more than once in a condition, or answers."""
    if AFTER in rows and rows[AFTER].nunique() > 1:
        return "answers, one after each item"
    given = rows.groupby("condition", observed=True)[["submission", "participant"]].nunique()
    if given["submission"].equals(given["participant"]):
        return "people"
    return f"submissions (by {rows['participant'].nunique():,} people)"


def _title(instrument: str, kind: str, item: str, text: str) -> str:
    if kind == "score":
        return SCORES[item]
    own = {one.name: one.title for one in INSTRUMENTS[instrument].items}
    return own[item] if instrument == "nasa-tlx" else f"{item}: {text}"
