"""Items in versions: which belong together, and that the lists are a Latin square."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from crowdloom.studies.dealing import deal_items, latin_lists, versions_of
from crowdloom.studies.design import Design
from crowdloom.studies.errors import DesignError
from crowdloom.studies.items import SourceItem
from tests.studies.designs import make_design


def item(key: str, version: object, reference: str | None = None) -> SourceItem:
    """An item with a side."""
    return SourceItem(key, f"item {key}", None, reference=reference, attributes={"side": version} if version else {})


def items(number: int, versions: Sequence[str] = ("a", "b"), classes: Sequence[str] = ("cat", "dog")) -> list[Any]:
    """So many items in all versions; their classes in turn."""
    return [
        item(f"{at}-{version}", version, classes[at % len(classes)]) for at in range(number) for version in versions
    ]


def design(size: int, **changes: Any) -> Design:
    """A design with versions by side."""
    batches = {"size": size, "responses_per_item": 1, "versions": "side"} | changes.pop("batches", {})
    return make_design(batches=batches, **changes)


@pytest.mark.parametrize(("number", "versions", "size"), [(6, "ab", 6), (7, "ab", 7), (12, "abc", 6), (8, "ab", 3)])
def test_each_item_is_in_each_version_once_and_in_each_list_at_most_once(number: int, versions: str, size: int) -> None:
    """The versions of a list differ in number by one at most."""
    there = items(number, tuple(versions))
    (dealt,) = deal_items(design(size), there)
    assert sorted(position for batch in dealt for position in batch) == list(range(len(there)))
    assert len(dealt) == -(-number // size) * len(versions)
    for batch in dealt:
        keys = [there[position].key.partition("-")[0] for position in batch]
        assert len(set(keys)) == len(keys)
        counts = Counter(str(there[position].attributes["side"]) for position in batch)
        assert max(counts.values()) - min(counts[version] for version in versions) <= 1


def test_all_items_of_a_class_are_in_one_version_in_a_list() -> None:
    """Where the classes fit the versions evenly; so nothing carries over from one item of a class to the next."""
    there = items(8, classes=("cat", "dog", "frog", "owl"))
    for batch in deal_items(design(8), there)[0]:
        sides = {(there[position].reference, there[position].attributes["side"]) for position in batch}
        assert len(sides) == 4
    odd = items(6, classes=("cat", "dog", "frog"))
    for batch in deal_items(design(6), odd)[0]:
        assert Counter(odd[position].attributes["side"] for position in batch) == {"a": 3, "b": 3}


def test_samples_and_conditions_count_items_and_not_versions() -> None:
    """A sample of four has all versions of each; what conditions share, they share with its versions."""
    there = items(9)
    sampled = design(2, items={"source": "folder", "path": "x", "sample": 4})
    assert len({position // 2 for batch in deal_items(sampled, there)[0] for position in batch}) == 4
    arms = [{"name": "one"}, {"name": "other"}]
    one, other = deal_items(design(2, conditions=arms, batches={"split_items": True}), items(8))
    first, second = ({position // 2 for batch in side for position in batch} for side in (one, other))
    assert (len(first), len(second), first & second) == (4, 4, set())
    both = deal_items(design(2, conditions=arms), items(8))
    assert both[0] == both[1]


def test_a_design_without_versions_is_dealt_as_ever() -> None:
    """An attribute of its items changes nothing."""
    plain = make_design(batches={"size": 4, "responses_per_item": 1}, seed=1)
    assert deal_items(plain, items(6)) == [[[5, 3, 9, 7], [8, 4, 11, 2], [10, 1, 0, 6]]]


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ([item("1-a", "a"), item("1-b", None)], "item 1-b has no side"),
        ([item("1-a", "a"), item("1-b", 2)], "item 1-b has no side"),
        ([item("1-a", "a"), item("1b", "b")], "its key is to end in -b, as in 1-b; it is '1b'"),
        ([item("-a", "a")], "its key is to end in -a"),
        ([item("1-a", "a"), item("2-a", "a")], r"all items have the same side \(a\)"),
        ([item("1-a", "a"), item("1-b", "b"), item("2-a", "a")], "the item '2' is not there in the version 'b'"),
    ],
)
def test_versions_that_do_not_fit(there: list[SourceItem], said: str) -> None:
    """Each has a sentence that begins with the field."""
    with pytest.raises(DesignError, match=f"^batches.versions: .*{said}"):
        versions_of(there, "side")


def test_items_without_a_class_take_turns() -> None:
    """Each is like no other."""
    lists = latin_lists([0, 1, 2, 3], [(0, 1), (2, 3), (4, 5), (6, 7)], [None] * 4)
    assert lists == [[0, 3, 4, 7], [1, 2, 5, 6]]


def test_nobody_gets_an_item_again_in_another_version() -> None:
    """Who comes again has other items, and another version is none."""
    people = {"minutes": 2, "hold_minutes": 10, "submissions_per_participant": 2}
    with pytest.raises(ValidationError, match="who comes again could have the same items in another version"):
        design(2, people=people)


def test_a_design_that_does_not_ask_for_versions_says_nothing_of_them() -> None:
    """It is the same JSON as before there were any."""
    assert "versions" not in make_design().dump()["batches"]
    assert {"rounds", "only"} & set(make_design().dump()["items"]) == set()
