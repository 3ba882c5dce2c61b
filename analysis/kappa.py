"""Agreement of coders who put the same items into categories: Cohen's and Fleiss' kappa.

Cohen (1960), A coefficient of agreement for nominal scales; Fleiss (1971), Measuring nominal scale agreement
among many raters. kappa = (observed - by chance) / (1 - by chance): 1 where all agree, 0 where they agree just as
often as their shares of the categories would make them. What is undefined is None with a sentence, never NaN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd


@dataclass(frozen=True)
class Kappa:
    """One kappa, or why there is none."""

    kind: str
    """`Cohen` (two coders) or `Fleiss` (more)."""
    coders: tuple[str, ...]
    items: int
    """Items that all of these coders coded; it counts no others."""
    value: float | None
    low: float | None = None
    high: float | None = None
    """95 % confidence interval by the large-sample standard error, cut at -1 and 1. None for Fleiss' kappa, and
    where that standard error is 0 (all agree), so that it says nothing."""
    observed: float | None = None
    """Share of the items on which two coders agree; for more, the mean over all pairs. From 0 to 1."""
    problem: str | None = None
    """Why `value` is None."""

    @property
    def words(self) -> str | None:
        """What Landis and Koch (1977, Biometrics 33) call an agreement of this size."""
        if self.value is None:
            return None
        if self.value < 0:
            return "poor"
        return next(word for most, word in _WORDS if self.value <= most)


_WORDS = ((0.2, "slight"), (0.4, "fair"), (0.6, "moderate"), (0.8, "substantial"), (1.0, "almost perfect"))


@dataclass(frozen=True)
class CoderAgreement:
    """How far coders agree: all together, each two of them, and what each of them used."""

    overall: Kappa
    pairs: tuple[Kappa, ...]
    """Each two coders, on the items that both coded; empty for two coders, whom `overall` is about."""
    counts: pd.DataFrame
    """[coder, category] How many items each coder put into each category."""
    confusion: pd.DataFrame | None
    """[category of the first, category of the second] Numbers of items, of two coders; else None."""


def coder_agreement(frame: pd.DataFrame, categories: Sequence[str] | None = None) -> CoderAgreement:
    """The agreement in a frame with the columns item, coder and category, one row for each code.

    Coders come in the order in which they stand in the frame, categories as given, or else sorted. Raises
    ValueError where a coder has two codes for an item, or a category is none of those given.

    >>> rows = [("x", "ann", "A"), ("y", "ann", "B"), ("x", "ben", "A"), ("y", "ben", "A")]
    >>> agreement = coder_agreement(pd.DataFrame(rows, columns=["item", "coder", "category"]))
    >>> agreement.overall.value, agreement.overall.observed, agreement.overall.words
    (0.0, 0.5, 'slight')
    >>> agreement.confusion.loc["B", "A"].item()
    1
    """
    names = sorted(frame["category"].unique()) if categories is None else list(categories)
    if strange := sorted(set(frame["category"]) - set(names)):
        raise ValueError(f"{strange[0]!r} is none of the categories {', '.join(names)}")
    if frame.duplicated(["item", "coder"]).any():
        raise ValueError("a coder has two codes for one item; keep the newest")
    coders = list(dict.fromkeys(frame["coder"]))
    number = {name: position for position, name in enumerate(names)}
    table = frame.assign(category=frame["category"].map(number)).pivot(index="item", columns="coder", values="category")
    codes = table.reindex(columns=coders).to_numpy(dtype=float)
    pairs = list(combinations(range(len(coders)), 2))
    counts = np.array([[(codes[:, coder] == k).sum() for k in range(len(names))] for coder in range(len(coders))])
    return CoderAgreement(
        overall=_kappa(codes, coders, names),
        pairs=tuple(_kappa(codes[:, pair], [coders[p] for p in pair], names) for pair in pairs if len(coders) > 2),
        counts=pd.DataFrame(
            counts.reshape(len(coders), len(names)),
            index=pd.Index(coders, name="coder", dtype=object),
            columns=pd.Index(names, name="category", dtype=object),
        ),
        confusion=_confusion(codes, coders, names) if len(coders) == 2 else None,
    )


def _confusion(codes: npt.NDArray[np.float64], coders: list[str], names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        _crossed(_complete(codes), len(names)),
        index=pd.Index(names, name=coders[0], dtype=object),
        columns=pd.Index(names, name=coders[1], dtype=object),
    )


def _complete(codes: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """The items that all coded."""
    return codes[~np.isnan(codes).any(axis=1)].astype(np.intp)


def _crossed(codes: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.intp]:
    """How often each pair of categories occurs in the codes [N, 2] of two coders."""
    crossed = np.zeros((size, size), dtype=np.intp)
    np.add.at(crossed, (codes[:, 0], codes[:, 1]), 1)
    return crossed


def _kappa(codes: npt.NDArray[np.float64], coders: Sequence[str], names: Sequence[str]) -> Kappa:
    """The kappa of some coders' codes [N, coders], where NaN is an item not coded."""
    kind = "Cohen" if len(coders) <= 2 else "Fleiss"
    if len(coders) < 2:
        who = f"only {coders[0]} has coded anything" if coders else "nobody has coded anything"
        return Kappa(kind, tuple(coders), 0, None, problem=f"Agreement needs two coders; {who} so far.")
    complete = _complete(codes)
    items = len(complete)
    if items == 0:
        whom = "both coders" if len(coders) == 2 else "all coders"
        return Kappa(kind, tuple(coders), 0, None, problem=f"No item has been coded by {whom} yet.")
    same = [(complete[:, a] == complete[:, b]).mean() for a, b in combinations(range(len(coders)), 2)]
    observed = float(np.mean(same))
    used = np.unique(complete)
    if len(used) == 1:
        problem = f"All put all {items} items into {names[used[0]]}" if items > 1 else "There is only one common item"
        problem += ", so chance alone would make them agree and kappa is not defined."
        return Kappa(kind, tuple(coders), items, None, observed=observed, problem=problem)
    if kind == "Cohen":
        value, low, high = _cohen(complete, len(names))
        return Kappa(kind, tuple(coders), items, value, low, high, observed)
    return Kappa(kind, tuple(coders), items, _fleiss(complete, len(names)), observed=observed)


def _cohen(codes: npt.NDArray[np.intp], size: int) -> tuple[float, float | None, float | None]:
    from statsmodels.stats.inter_rater import cohens_kappa

    with np.errstate(divide="ignore", invalid="ignore"):  # it also tests against 0, which is not used here
        found = cohens_kappa(_crossed(codes, size))
    variance = float(found.var_kappa)
    if not variance > np.finfo(float).eps:
        return float(found.kappa), None, None
    return float(found.kappa), max(float(found.kappa_low), -1.0), min(float(found.kappa_upp), 1.0)


def _fleiss(codes: npt.NDArray[np.intp], size: int) -> float:
    from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

    counted, _ = aggregate_raters(codes, n_cat=size)
    return float(fleiss_kappa(counted))
