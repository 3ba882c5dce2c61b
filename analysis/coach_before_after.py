"""First and second attempts side by side, coached and not, as a few numbers that a terminal shows."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from crowdloom.analysis.coach_trials import MEASURES, Measure

SHOWN = ("recognised", "confidence", "ink")
_TITLES = {"recognised": "read right", "confidence": "how sure of it", "ink": "ink, pixels"}
_PAIR = 18


def before_after(found: pd.DataFrame) -> pd.DataFrame:
    """Means over people of both attempts, from trials as `coach_trials.trials` has them.

    Rows, as far as there are such trials: "coached", "not coached", and of classes that are coached for nobody "never
    coached (coached people)" and "never coached (the others)". Columns: people, trials, and NAME_before and NAME_after
    of `SHOWN`, in the units of `MEASURES`. A person counts once on each side, however many trials they wrote there.

    >>> trial = {"participant": "a", "coached": True, "never_coached": False, "arm": "coached"} | {
    ...     f"{name}_{when}": value for name in SHOWN for when, value in (("before", 0.5), ("after", 1.0))}
    >>> before_after(pd.DataFrame([trial])).loc["coached"].to_dict()  # doctest: +NORMALIZE_WHITESPACE
    {'people': 1.0, 'trials': 1.0, 'recognised_before': 50.0, 'recognised_after': 100.0, 'confidence_before': 50.0,
     'confidence_after': 100.0, 'ink_before': 0.5, 'ink_after': 1.0}
    """
    rows = {}
    for name, trials in _sides(found):
        people = trials.groupby("participant")
        rows[name] = {"people": people.ngroups, "trials": len(trials)} | {
            f"{measure.name}_{when}": people[f"{measure.name}_{when}"].mean().mean() * measure.factor
            for measure in _shown()
            for when in ("before", "after")
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def as_lines(table: pd.DataFrame) -> list[str]:
    """The table of `before_after` in text: two lines of headings, then a line for each row."""
    width = max(map(len, [*map(str, table.index), ""])) + 2
    lines = [
        f"{'':{width}}{'':>6}  {'':>6}" + "".join(f"{_TITLES[one.name]:>{_PAIR}}" for one in _shown()),
        f"{'':{width}}{'people':>6}  {'trials':>6}" + f"{'first  second':>{_PAIR}}" * len(SHOWN),
    ]
    for name, row in table.iterrows():
        cells = "".join(
            f"{_number(one, row[f'{one.name}_before'])}{_number(one, row[f'{one.name}_after']):>8}".rjust(_PAIR)
            for one in _shown()
        )
        lines.append(f"{name!s:{width}}{row['people']:>6.0f}  {row['trials']:>6.0f}{cells}")
    return lines


def _number(measure: Measure, value: float) -> str:
    return f"{value:.0f} %" if measure.unit == "%" else f"{value:.0f}"


def _shown() -> list[Measure]:
    return [measure for measure in MEASURES if measure.name in SHOWN]


def _sides(found: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    never, coached = found["never_coached"].astype(bool), found["coached"].astype(bool)
    of_coached = found["arm"] != "control"
    sides = {
        "coached": coached,
        "not coached": ~coached & ~never,
        "never coached (coached people)": never & of_coached,
        "never coached (the others)": never & ~of_coached,
    }
    yield from ((name, found[which]) for name, which in sides.items() if which.any())
