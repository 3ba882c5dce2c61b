"""The door to answers about mixed images: each response with what its image was mixed of.

An item is the mix x = lambda_f x1 + (1 - lambda_f) x2 of two images; lambda_f, the generating coefficient, is
the share of endpoint1, and lambda_h the one that a person inferred. Source: K. M. Collins, *Improving Machine
Learning Systems by Eliciting and Incorporating Additional Human Knowledge* (MPhil thesis, Cambridge, 2022),
section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from crowdloom.analysis.elicited import Floats
from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.labels import entropy

ENDPOINTS = ("endpoint1", "endpoint2")
ENTROPIES = ("entropy1", "entropy2")

_GIVEN = ("item", "participant", "submission", "condition", "is_repeat", "repeat_index", "rt_ms")
_ANSWERS = {"inferred": ("lambda_h", 1.0), "confidence": ("confidence", 100.0), "midpoint": ("midpoint", 1.0)}


def mixed_items(items: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """The mixed ones among the items, with their numbers as numbers; indexed by item.

    endpoint1, endpoint2   str, the classes of the two images
    pair                   str, both classes in the order of `classes`, whatever the order in the item
    swapped                bool, whether the item names them the other way round
    lambda_f               float in [0, 1], the share of endpoint1; NaN where the item has none
    entropy1, entropy2     float, nats; NaN where unknown

    Items without endpoints are left out. Raises FrameError for an item that stands there twice, has one
    endpoint only, one that is no class or twice the same, or a number that is none or out of range.

    >>> items = pd.DataFrame({"item": ["x"], "endpoint1": ["dog"], "endpoint2": ["cat"], "coefficient": ["0.25"]})
    >>> mixed_items(items, ["cat", "dog"])[["pair", "swapped", "lambda_f"]].to_dict("records")
    [{'pair': 'cat–dog', 'swapped': True, 'lambda_f': 0.25}]
    """
    twice = items["item"][items["item"].duplicated()]
    if len(twice):
        raise FrameError(f"the item {twice.iloc[0]!r} stands twice among the items; give one row for each")
    ends = pd.DataFrame({name: _texts(items, name) for name in ENDPOINTS})
    has = ends.notna()
    _refuse(items, has.any(axis=1) & ~has.all(axis=1), "names one endpoint only; name the classes of both images")
    mixed, ends = items[has.all(axis=1)], ends[has.all(axis=1)]
    position = {name: number for number, name in enumerate(classes)}
    for name in ENDPOINTS:
        _refuse(mixed, ~ends[name].isin(position), f"has an {name} that is none of the classes {', '.join(classes)}")
    _refuse(mixed, ends["endpoint1"] == ends["endpoint2"], "has the same class at both endpoints")
    swapped = ends["endpoint1"].map(position).astype(int) > ends["endpoint2"].map(position).astype(int)
    first = ends["endpoint1"].where(~swapped, ends["endpoint2"])
    second = ends["endpoint2"].where(~swapped, ends["endpoint1"])
    return pd.DataFrame(
        {
            **{name: ends[name] for name in ENDPOINTS},
            "pair": [f"{one}–{other}" for one, other in zip(first, second, strict=True)],
            "swapped": swapped,
            "lambda_f": _numbers(mixed, "coefficient", 1.0).round(6),
            **{name: _numbers(mixed, name, np.inf) for name in ENTROPIES},
        }
    ).set_axis(pd.Index(mixed["item"].tolist(), name="item", dtype=object))


def mixed_responses(frame: pd.DataFrame, items: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """The answers to the task mixing-coefficient, one row each, with what `mixed_items` says of the item.

    Beside that: item, participant, submission, condition, is_repeat, repeat_index, rt_ms; lambda_h in [0, 1],
    confidence from 0 to 100, midpoint and start in [0, 1], NaN for what was not asked. The frame has been
    checked at the door. Raises FrameError as `mixed_items` does, for an answer to an item that is not mixed or
    not there, and for an answered number that is out of range or, for lambda_h, has no lambda_f to go with it.
    """
    mixed = mixed_items(items, classes)
    unknown = frame["item"][~frame["item"].isin(mixed.index)]
    if len(unknown):
        raise FrameError(f"the item {unknown.iloc[0]!r} was answered, but its two endpoints are not known")
    told = mixed.reindex(frame["item"].tolist()).reset_index(drop=True)
    given = frame[list(_GIVEN)].reset_index(drop=True)
    answers = {}
    for name, (called, highest) in {**_ANSWERS, "start": ("start", 1.0)}.items():
        answers[called] = frame[name].reset_index(drop=True)
        outside = ~answers[called].between(0, highest) & answers[called].notna()
        _refuse(given, outside, f"has an answer whose {name} does not lie between 0 and {highest:g}")
    lacking = answers["lambda_h"].notna() & told["lambda_f"].isna()
    _refuse(given, lacking, "has an inferred coefficient, but the item does not say with which it was mixed")
    return pd.concat([given, told, pd.DataFrame(answers)], axis=1)


def oriented(responses: pd.DataFrame, name: str) -> Floats:
    """A column of shares (lambda_f, lambda_h, midpoint, start) as shares of the pair's first class, [N]."""
    values = responses[name].to_numpy(dtype=np.float64)
    shares: Floats = np.where(responses["swapped"], 1 - values, values).round(6)
    return shares


def read_counts(path: Path) -> npt.NDArray[Any]:
    """How many annotators chose each class, [rows, K], from an .npy file. Raises ValueError in one sentence."""
    try:
        counts: npt.NDArray[Any] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        why = " (there is no such file)" if isinstance(error, FileNotFoundError) else ""
        raise ValueError(f"{path} cannot be read as an .npy array of annotator counts{why}") from error
    if not isinstance(counts, np.ndarray) or counts.ndim != 2 or counts.dtype.kind not in "iuf":
        raise ValueError(f"{path} must hold one array of annotator counts, a row for each source and a column a class")
    if not (np.isfinite(counts).all() and (counts >= 0).all()):
        raise ValueError(f"{path} holds a count that is negative or no number")
    return counts


def with_entropies(items: pd.DataFrame, counts: npt.NDArray[Any]) -> pd.DataFrame:
    """The items with entropy1 and entropy2, in nats, of their two images' annotator counts [rows, K].

    source1 and source2 are row numbers from 0; an entropy that an item has already stays. Raises FrameError where
    no item says its sources, or one is no row of the counts or a row that nobody annotated.

    >>> items = pd.DataFrame({"item": ["x"], "source1": ["1"], "source2": [0]})
    >>> with_entropies(items, np.array([[50, 0], [25, 25]]))[["entropy1", "entropy2"]].round(3).values.tolist()
    [[0.693, 0.0]]
    """
    sources = [name for name in ("source1", "source2") if name in items and items[name].notna().any()]
    if not sources:
        raise FrameError("no item says the sources of its two images (source1, source2); the counts have no use")
    told = items.copy()
    for source, name in zip(("source1", "source2"), ENTROPIES, strict=True):
        given, known = _texts(items, source), _numbers(items, name, np.inf)
        wanted = given.notna() & known.isna()
        number = pd.to_numeric(given.where(wanted), errors="coerce")
        fits = number.between(0, len(counts) - 1) & (number % 1 == 0)
        _refuse(items, wanted & ~fits, f"has a {source} that is no row of the counts, 0 to {len(counts) - 1}")
        rows = counts[number[wanted].astype(int)].astype(np.float64)
        totals = rows.sum(axis=1, keepdims=True)
        empty = pd.Series(False, index=items.index)
        empty[wanted] = totals[:, 0] == 0
        _refuse(items, empty, f"has a {source} whose row of the counts is all zeros")
        known[wanted] = entropy(rows / totals)
        told[name] = known
    return told


def _texts(items: pd.DataFrame, name: str) -> pd.Series:
    """A column as it is, None where it is empty or not there."""
    values = items[name].tolist() if name in items else [None] * len(items)
    return pd.Series([None if pd.isna(v) or v == "" else v for v in values], index=items.index, dtype=object)


def _numbers(items: pd.DataFrame, name: str, highest: float) -> pd.Series:
    """A column, possibly of texts, as floats from 0 to `highest`; NaN where it is empty or not there."""
    given = _texts(items, name)
    numbers = pd.to_numeric(given, errors="coerce").astype(float)
    wanted = "a number of nats, not below 0" if highest == np.inf else f"a number from 0 to {highest:g}"
    wrong = given.notna() & ~((numbers >= 0) & (numbers <= highest) & np.isfinite(numbers))
    _refuse(items, wrong, f"does not give its {name} as {wanted}")
    return numbers


def _refuse(rows: pd.DataFrame, bad: pd.Series, why: str) -> None:
    found = np.flatnonzero(bad.to_numpy(dtype=bool))
    if len(found):
        raise FrameError(f"the item {rows['item'].iloc[found[0]]!r} {why}")
