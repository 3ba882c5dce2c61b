"""Dealing a design's items into the batches of each condition; where they come in versions, as Latin-square lists.

Versions of an item are items of the source: an attribute, which the design names, says which version each is, and
their keys are the same up to that value at the end, as in `3-coached` and `3-control`. The items are dealt as if each
was there once; then each batch becomes as many lists as there are versions. Every list has every item in one version,
the versions as equally often as can be, and over the lists each item is in each version once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from crowdloom.studies.batches import deal_to_conditions
from crowdloom.studies.design import Design
from crowdloom.studies.errors import DesignError
from crowdloom.studies.items.item import SourceItem


def deal_items(design: Design, items: Sequence[SourceItem]) -> list[list[list[int]]]:
    """The batches of each condition, as positions among the items of the source.

    Raises DesignError where there are too few items, where they cannot be shared, and where versions do not fit.
    """
    attribute = design.batches.versions
    versions = [(at,) for at in range(len(items))] if attribute is None else versions_of(items, attribute)
    difficulties = [items[first].difficulty for first, *_ in versions]
    dealt = deal_to_conditions(difficulties, design.batches, design.seed, design.items.sample, len(design.arms()))
    if attribute is None:
        return dealt
    classes = [items[first].reference for first, *_ in versions]
    return [[one for batch in batches for one in latin_lists(batch, versions, classes)] for batches in dealt]


def versions_of(items: Sequence[SourceItem], attribute: str) -> list[tuple[int, ...]]:
    """The positions of each item's versions, in the order in which the versions' names first come.

    Raises DesignError for an item without the attribute, one whose key does not end in its value, and one that is not
    there in all versions, or in one alone.

    >>> items = [SourceItem(f"{n}-{side}", "", None, attributes={"side": side}) for n in "12" for side in ("a", "b")]
    >>> versions_of(items, "side")
    [(0, 1), (2, 3)]
    """
    found: dict[str, dict[str, int]] = {}
    for position, item in enumerate(items):
        version = item.attributes.get(attribute)
        if not isinstance(version, str) or not version:
            raise DesignError(f"batches.versions: {item.name} has no {attribute}; say of each item which version it is")
        base = item.key.removesuffix(f"-{version}")
        if base in ("", item.key):
            raise DesignError(
                f"batches.versions: {item.name} is the version {version!r} of an item, so its key is to end in "
                f"-{version}, as in 1-{version}; it is {item.key!r}"
            )
        found.setdefault(base, {})[version] = position
    names = list(dict.fromkeys(version for versions in found.values() for version in versions))
    if len(names) < 2:
        raise DesignError(f"batches.versions: all items have the same {attribute} ({names[0]}); there are no versions")
    for base, versions in found.items():
        if lacking := [name for name in names if name not in versions]:
            raise DesignError(f"batches.versions: the item {base!r} is not there in the version {lacking[0]!r}; add it")
    return [tuple(versions[name] for name in names) for versions in found.values()]


def latin_lists(
    batch: Sequence[int], versions: Sequence[tuple[int, ...]], classes: Sequence[str | None]
) -> list[list[int]]:
    """A batch of items as lists of their versions' positions: list l has the item at place p in version p + l.

    `batch` has positions among `versions` and `classes`. Of each class first one item comes, then the next one of each:
    so with as many classes as fit the versions evenly all items of a class are in the same version in a list.

    >>> latin_lists([1, 0, 2], [(0, 1), (2, 3), (4, 5)], [None, None, None])
    [[2, 1, 4], [3, 0, 5]]
    """
    seen: Counter[str] = Counter()
    ranks: dict[str, int] = {}
    places = []
    for item in batch:
        class_ = classes[item] or f"\0{item}"  # an item without a class is like no other
        places.append((seen[class_], ranks.setdefault(class_, len(ranks)), item))
        seen[class_] += 1
    number = len(versions[batch[0]])
    order = [item for _, _, item in sorted(places)]
    return [[versions[item][(place + shift) % number] for place, item in enumerate(order)] for shift in range(number)]
