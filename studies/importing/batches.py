"""Which items each batch has: by a column that numbers the batches, or by what the sessions show."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.importing.screens import Pass


def batches_by_column(originals: Sequence[Pass], column: str, path: Path) -> dict[int, list[str]]:
    """The items of each batch, by key: those that its longest session shows.

    Raises ImportFileError where a session of the same number shows another one.
    """
    seen: dict[int, list[tuple[set[str], Pass]]] = defaultdict(list)
    for passed in originals:
        if passed.batch is not None and passed.order:
            seen[passed.batch].append((passed.items, passed))
    batches = {}
    for number, shown in sorted(seen.items()):
        items, longest = max(shown, key=lambda pair: len(pair[0]))
        for some, passed in shown:
            if not some <= items:
                raise ImportFileError(
                    f"{path}:{passed.session.rows[0].line}: {column} is {number} here and in line "
                    f"{longest.session.rows[0].line}, but they show other items (such as {min(some - items)}); "
                    "columns.batch of the mapping must name a column that tells which items were shown, or be left "
                    "out: then batches are told apart by what the sessions show"
                )
        batches[number] = _sorted(items)
    return batches


def batches_by_items(originals: Sequence[Pass]) -> dict[int, list[str]]:
    """The items of each batch, by key: those of each session that no other session goes beyond.

    They are numbered from 0, in the order in which the file has a whole one.
    """
    largest = _Sets()
    for items in sorted({frozenset(passed.items) for passed in originals if passed.order}, key=len, reverse=True):
        if not largest.around(items):
            largest.add(items)
    found = dict.fromkeys(frozenset(passed.items) for passed in originals if frozenset(passed.items) in largest.all)
    return {number: _sorted(items) for number, items in enumerate(found)}


def place_by_items(passes: Iterable[Pass], batches: dict[int, list[str]]) -> list[Pass]:
    """Give each session the first batch that has all its items; those for which there is none.

    A session that ended early may fit several; it fills a place in none of them.
    """
    sets = _Sets()
    numbers = {sets.add(frozenset(keys)): number for number, keys in sorted(batches.items(), reverse=True)}
    strange = []
    for passed in passes:
        if passed.order:
            around = [numbers[items] for items in sets.around(frozenset(passed.items))]
            passed.batch = min(around, default=None)
            if not around:
                strange.append(passed)
    return strange


class _Sets:
    """Sets of items that can be looked up by one of their items, so that thousands of sessions take no time."""

    def __init__(self) -> None:
        self.all: set[frozenset[str]] = set()
        self._with: dict[str, list[frozenset[str]]] = defaultdict(list)

    def add(self, items: frozenset[str]) -> frozenset[str]:
        self.all.add(items)
        for key in items:
            self._with[key].append(items)
        return items

    def around(self, some: frozenset[str]) -> list[frozenset[str]]:
        """The sets that have all of these items."""
        return [items for items in self._with.get(next(iter(some)), []) if some <= items]


def _sorted(keys: Iterable[str]) -> list[str]:
    return sorted(keys, key=lambda key: (int(key) if key.isdecimal() else math.inf, key))
