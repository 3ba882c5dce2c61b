"""Whether a design's plan fits its items, so that nothing that can never be tested is frozen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from crowdloom.analysis.levels import IsLevel
from crowdloom.analysis.plan import TESTS, Hypothesis
from crowdloom.studies.design import Design
from crowdloom.studies.errors import DesignError
from crowdloom.studies.reading_items import items_frame, said_of

_MOST_SHOWN = 10
"""Of the values that there are."""

Said = Mapping[str, Any]
"""What is said of an item: an attribute's name and value."""


def check_plan(design: Design, items: Iterable[Mapping[str, Any]]) -> None:
    """Raise DesignError where no answer to these items can ever be what a hypothesis, or a rule, of the plan needs.

    `items` are the rows of those in batches: key, reference, difficulty and attributes. Categories that researchers
    are still to code (`[coding]`) are known to come. A design without a plan fits any items.
    """
    plan = design.plan
    if plan is None:
        return
    said = [said_of(row["key"], row["reference"], row["difficulty"], row["attributes"]) for row in items]
    for number, hypothesis in enumerate(plan.hypotheses, 1):
        if problem := _Fit(design, hypothesis, said).problem():
            raise DesignError(f"plan.hypotheses.{number}.{problem}")
    limit = design.checks.easy_at_most
    if plan.exclusions.attention and limit is not None and not any(_is_easy(one, limit) for one in said):
        raise DesignError(
            f"plan.exclusions.attention: no item has a reference and a difficulty of at most {limit:g} (see [checks])"
        )


def _is_easy(said: Said, limit: float) -> bool:
    """As `analysis.leaving_out.failed_attention` has it."""
    return said["reference"] is not None and said["difficulty"] is not None and said["difficulty"] <= limit


class _Fit:
    """A hypothesis beside the items: first its outcome, then `where`, then what tells the sides apart."""

    def __init__(self, design: Design, hypothesis: Hypothesis, said: Sequence[Said]) -> None:
        self.design, self.hypothesis, self.said = design, hypothesis, said
        self.names = dict.fromkeys(name for one in said for name in one)
        self.coded = [category.name for category in design.coding.categories] if design.coding else []
        self.among = ""

    def problem(self) -> str | None:
        """The field and what no item has; None where it fits."""
        return self._outcome() or self._where() or self._sides()

    def _outcome(self) -> str | None:
        name = self.hypothesis.outcome
        if name in ("top1_accuracy", "top2_accuracy"):
            return self._keep(lambda one: one["reference"] is not None, f"outcome: {name} needs items with a reference")
        if name == "mass_elsewhere":
            try:
                mixed = _mixed(self.said, self.design.classes)
            except ValueError as error:
                return f"outcome: {name} needs mixed items, and {error}"
            return self._keep(
                lambda one: one["item"] in mixed,
                f"outcome: {name} needs mixed items, with the attributes endpoint1 and endpoint2",
            )
        return None

    def _where(self) -> str | None:
        for name, level in self.hypothesis.where.items():
            if problem := self._lacks(name) or self._has_not(name, level):
                return f"where: {problem}"
            self.said = [one for one in self.said if self._is(one, name, level)]
            self.among += f"{' and' if self.among else ' where'} {name} is {level}"
        return None

    def _sides(self) -> str | None:
        by = self.hypothesis.by
        if by == "condition":
            return None
        if problem := self._lacks(by):
            return f"by: {problem}"
        for level in self.hypothesis.levels:
            if problem := self._has_not(by, level):
                return f"levels: {problem}"
        if TESTS[self.hypothesis.test].needs == "a number" and not _is_number(self._values(by)):
            return f"by: the items' {by} is never two different numbers{self.among}"
        return None

    def _keep(self, fits: Callable[[Said], bool], lacking: str) -> str | None:
        self.said = [one for one in self.said if fits(one)]
        return None if self.said else f"{lacking}, and there is none"

    def _lacks(self, name: str) -> str | None:
        if name in self.names or self._to_code(name):
            return None
        return f"no item has the attribute {name!r}; there are: {', '.join(self.names)}"

    def _has_not(self, name: str, level: str) -> str | None:
        if any(self._is(one, name, level) for one in self.said):
            return None
        there_are = list(dict.fromkeys(map(str, self._values(name))))
        more = f" and {len(there_are) - _MOST_SHOWN} more" if len(there_are) > _MOST_SHOWN else ""
        shown = ", ".join(there_are[:_MOST_SHOWN]) or "none"
        return f"no item's {name} is {level!r}{self.among}; there are: {shown}{more}"

    def _is(self, one: Said, name: str, level: str) -> bool:
        is_level = IsLevel(level)
        return is_level(one.get(name)) or any(is_level(value) for value in self._to_code(name))

    def _values(self, name: str) -> list[Any]:
        found = [one[name] for one in self.said if one.get(name) is not None and one[name] != ""]
        return found + list(self._to_code(name))

    def _to_code(self, name: str) -> Collection[str]:
        """The values that researchers may yet give an attribute."""
        return self.coded if name == "category" else ()


def _mixed(said: Sequence[Said], classes: Sequence[str]) -> Collection[str]:
    """The keys of mixed items, as analysis tells them. Raises FrameError (a ValueError) for one that is wrong."""
    from crowdloom.analysis.mixing import mixed_items

    return set(mixed_items(items_frame(said), classes).index)


def _is_number(values: Sequence[Any]) -> bool:
    """Whether there are two different numbers, read as `analysis.planned` reads them."""
    import numpy as np
    import pandas as pd

    numbers = pd.to_numeric(pd.Series(values, dtype=object), errors="coerce").astype(float)
    return numbers[np.isfinite(numbers)].nunique() > 1
