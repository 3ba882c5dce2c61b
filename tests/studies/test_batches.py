"""Dealing items into batches, and the order in which one participant sees theirs."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from crowdloom.studies.batches import deal, deal_to_conditions, trial_order
from crowdloom.studies.design_batches import Batches
from crowdloom.studies.errors import DesignError

EASY_AND_HARD = ({"count": 1, "at_most": 0.1}, {"count": 3, "above": 0.5})


def batches(**values: Any) -> Batches:
    """Batches of 4 that one person answers, or as `values` say."""
    return Batches.model_validate({"size": 4, "responses_per_item": 1} | values)


@pytest.mark.parametrize(("count", "size", "sizes"), [(12, 4, {4: 3}), (13, 4, {4: 3, 1: 1}), (3, 4, {3: 1})])
def test_every_item_stands_in_one_batch(count: int, size: int, sizes: dict[int, int]) -> None:
    """Batches partition the items, and all but the last are full."""
    dealt = deal([None] * count, batches(size=size), seed=1)
    assert sorted(item for batch in dealt for item in batch) == list(range(count))
    assert Counter(len(batch) for batch in dealt) == sizes


def test_a_sample_is_drawn_at_random() -> None:
    """A sample has as many distinct items as asked for, from all over the source."""
    drawn = [item for batch in deal([None] * 1000, batches(), seed=1, sample=100) for item in batch]
    assert len(set(drawn)) == 100
    assert max(drawn) > 900
    assert min(drawn) < 100


def test_the_seed_fixes_the_batches() -> None:
    """The same seed deals the same batches, on every machine; another one deals others."""
    one = deal([None] * 12, batches(), seed=1)
    assert one == deal([None] * 12, batches(), seed=1)
    assert one == [[5, 3, 9, 7], [8, 4, 11, 2], [10, 1, 0, 6]]
    assert one != deal([None] * 12, batches(), seed=2)


def test_a_mix_is_the_same_in_every_batch() -> None:
    """Each batch has the asked number of each range, and no item stands in two."""
    difficulties = [number / 100 for number in range(100)]
    dealt = deal(difficulties, batches(mix=EASY_AND_HARD), seed=3)
    assert len(dealt) == 11  # as many as the eleven items at most 0.1 allow
    for batch in dealt:
        assert sum(difficulties[item] <= 0.1 for item in batch) == 1
        assert sum(difficulties[item] > 0.5 for item in batch) == 3
    used = [item for batch in dealt for item in batch]
    assert len(used) == len(set(used))
    # the easy item is not always at the same position
    assert len({[difficulties[item] <= 0.1 for item in batch].index(True) for batch in dealt}) > 1


def test_a_sample_limits_a_mix() -> None:
    """A sample of so many items makes so many full batches."""
    dealt = deal([0.05, 0.9] * 50, batches(mix=EASY_AND_HARD), seed=3, sample=20)
    assert [len(batch) for batch in dealt] == [4] * 5


def test_ranges_that_overlap_share_no_item() -> None:
    """An item that fits two parts of a mix is dealt as one of the first."""
    mix = ({"count": 2, "above": 0.0}, {"count": 2, "above": 0.5})
    with pytest.raises(DesignError, match=r"batches.mix.2: 1 batches need 2 items of this difficulty.* has 0"):
        deal([0.9] * 40, batches(mix=mix), seed=1)


@pytest.mark.parametrize(
    ("count", "changes", "sample", "message"),
    [
        (10, {}, 11, "items.sample: 11 items are asked for, the source has 10"),
        (9, {"repeats": (2,)}, None, r"batches.repeats: the last batch has only 1 items.* as a multiple of the size 4"),
        (10, {"mix": EASY_AND_HARD}, 6, "items.sample: with a mix it must be a multiple of the batch size 4"),
        (10, {"mix": EASY_AND_HARD}, None, r"batches.mix.1: 1 batches need 1 items of this difficulty.* has 0"),
        (10, {"mix": EASY_AND_HARD}, 8, r"batches.mix.1: 2 batches need 2 items of this difficulty.* has 0"),
    ],
)
def test_too_few_items_are_named(count: int, changes: dict[str, Any], sample: int | None, message: str) -> None:
    """The message names the field, what it asks for and what there is; items without a difficulty fit no mix."""
    with pytest.raises(DesignError, match=message):
        deal([None] * count, batches(**changes), seed=1, sample=sample)


def test_the_mixing_study_has_even_batches() -> None:
    """Thesis, section 4.2.1: 810 items, at most 58 a person: 14 batches of 57 or 58, whose 15th and 20th can repeat."""
    dealt = deal([None] * 810, batches(size=58, even=True, repeats=[15, 20]), seed=1)
    assert Counter(len(batch) for batch in dealt) == {58: 12, 57: 2}
    assert sorted(item for batch in dealt for item in batch) == list(range(810))
    assert dealt == deal([None] * 810, batches(size=58, even=True, repeats=[15, 20]), seed=1)
    assert dealt != deal([None] * 810, batches(size=58, even=True, repeats=[15, 20]), seed=2)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 7, 8, 9, 100, 101])
def test_even_batches_differ_by_one_at_most(count: int) -> None:
    """As few as their size allows, none larger, and every item in one of them."""
    dealt = deal([None] * count, batches(even=True), seed=3)
    sizes = {len(batch) for batch in dealt}
    assert len(dealt) == -(-count // 4)
    assert max(sizes) <= 4
    assert max(sizes) - min(sizes) <= 1
    assert sorted(item for batch in dealt for item in batch) == list(range(count))


def test_even_batches_of_a_sample() -> None:
    """The sample is dealt evenly, not the source."""
    assert sorted(len(batch) for batch in deal([None] * 50, batches(even=True), seed=3, sample=9)) == [3, 3, 3]


@pytest.mark.parametrize(
    ("count", "sample", "mix"), [(24, None, ()), (30, 24, ()), (48, 24, EASY_AND_HARD)], ids=["all", "sample", "mix"]
)
@pytest.mark.parametrize("conditions", [2, 3])
def test_conditions_share_the_items(count: int, sample: int | None, mix: Any, conditions: int) -> None:
    """Split items: disjoint, as many for each, and together what one condition would have had."""
    difficulties = [0.05 if number % 4 == 0 else 0.9 for number in range(count)]
    split = deal_to_conditions(difficulties, batches(mix=mix, split_items=True), 1, sample, conditions)
    items = [[item for batch in dealt for item in batch] for dealt in split]
    assert [len(of_condition) for of_condition in items] == [24 // conditions] * conditions
    together = [item for of_condition in items for item in of_condition]
    assert len(set(together)) == 24
    assert [batch for dealt in split for batch in dealt] == deal(difficulties, batches(mix=mix), 1, sample)
    if mix:
        assert {sum(difficulties[item] < 0.1 for item in batch) for dealt in split for batch in dealt} == {1}


def test_without_splitting_each_condition_has_all_items() -> None:
    """The same batches."""
    dealt = deal([None] * 12, batches(), seed=1)
    assert deal_to_conditions([None] * 12, batches(), 1, None, 3) == [dealt, dealt, dealt]


@pytest.mark.parametrize(
    ("count", "even", "conditions", "said"), [(12, False, 2, "3"), (14, False, 2, "4"), (14, True, 2, "4")]
)
def test_shares_that_would_differ_are_refused(count: int, even: bool, conditions: int, said: str) -> None:
    """An odd number of batches for two conditions, and batches of two sizes."""
    with pytest.raises(
        DesignError, match=rf"batches\.split_items: {said} batches cannot be shared equally by 2 .* of 8"
    ):
        deal_to_conditions([None] * count, batches(split_items=True, even=even), 1, None, conditions)


def test_even_batches_too_small_to_repeat_are_refused() -> None:
    """Where some batches are smaller than the position that is to be repeated."""
    with pytest.raises(DesignError, match=r"batches\.repeats: some batches have only 3 items, too few to repeat .* 4"):
        deal([None] * 7, batches(even=True, repeats=[4]), seed=1)


@pytest.mark.parametrize("seed", range(5))
def test_repeats_are_the_items_shown_at_their_positions(seed: int) -> None:
    """As in the crowd study: the items shown 6th and 11th come again at the end, in that order."""
    items = list(range(100, 125))
    order = trial_order(items, [6, 11], random.Random(seed))
    assert sorted(item for item, repeat in order[:25]) == items
    assert all(repeat == 0 for _, repeat in order[:25])
    assert order[25:] == [[order[5][0], 1], [order[10][0], 1]]


def test_people_see_their_own_order() -> None:
    """Over many people every item stands about equally often in first place."""
    rng = random.Random(1)
    first = Counter(trial_order([1, 2, 3, 4], [], rng)[0][0] for _ in range(2000))
    assert all(430 < first[item] < 570 for item in (1, 2, 3, 4))
