"""Dealing items into batches: a partition, reproducible from the design's seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

from crowdloom.studies.design_batches import Batches
from crowdloom.studies.errors import DesignError


def deal(
    difficulties: Sequence[float | None], batches: Batches, seed: int, sample: int | None = None
) -> list[list[int]]:
    """Deal items, given by their difficulties, into batches of their positions.

    Every item stands in at most one batch. Without a mix all sampled items are dealt, and the last
    batch may be smaller. With a mix every batch has the asked number of each range of difficulty,
    and as many batches are dealt as the scarcest range (or `sample`) allows.

    Raises DesignError where there are too few items.

    >>> [sorted(batch) for batch in deal([None] * 5, Batches(size=3, responses_per_item=1), seed=1)]
    [[1, 2, 4], [0, 3]]
    """
    rng = random.Random(f"{seed} batches")  # noqa: S311 - reproducible on purpose
    if sample is not None and sample > len(difficulties):
        raise DesignError(f"items.sample: {sample} items are asked for, the source has {len(difficulties)}")
    if not batches.mix:
        order = list(range(len(difficulties)))
        rng.shuffle(order)
        order = order[:sample]
        if batches.even:
            return _even(order, batches)
        last = len(order) % batches.size or batches.size
        if any(position > last for position in batches.repeats):
            raise DesignError(
                f"batches.repeats: the last batch has only {last} items, too few to repeat position "
                f"{max(batches.repeats)}; choose items.sample as a multiple of the size {batches.size}"
            )
        return [order[start : start + batches.size] for start in range(0, len(order), batches.size)]
    return _deal_mix(difficulties, batches, rng, sample)


def deal_to_conditions(
    difficulties: Sequence[float | None], batches: Batches, seed: int, sample: int | None, conditions: int
) -> list[list[list[int]]]:
    """The batches of each condition: all of `deal`'s, or with `split_items` those of an equal share of the items.

    Raises DesignError as `deal` does, and where the items cannot be shared equally.

    >>> halves = deal_to_conditions([None] * 4, Batches(size=1, responses_per_item=1, split_items=True), 1, None, 2)
    >>> [sorted(item for batch in half for item in batch) for half in halves]
    [[1, 2], [0, 3]]
    """
    dealt = deal(difficulties, batches, seed, sample)
    if not batches.split_items:
        return [dealt] * conditions
    if len(dealt) % conditions or len({len(batch) for batch in dealt}) > 1:
        raise DesignError(
            f"batches.split_items: {len(dealt)} batches cannot be shared equally by {conditions} conditions; "
            f"choose items.sample as a multiple of {batches.size * conditions}"
        )
    share = len(dealt) // conditions
    return [dealt[start : start + share] for start in range(0, len(dealt), share)]


def _even(order: list[int], batches: Batches) -> list[list[int]]:
    """As few batches as their size allows; their sizes differ by one at most."""
    count = -(-len(order) // batches.size)
    least = len(order) // count
    if any(position > least for position in batches.repeats):
        raise DesignError(
            f"batches.repeats: some batches have only {least} items, too few to repeat position {max(batches.repeats)}"
        )
    starts = [len(order) * number // count for number in range(count + 1)]
    return [order[start:end] for start, end in pairwise(starts)]


def _deal_mix(
    difficulties: Sequence[float | None], batches: Batches, rng: random.Random, sample: int | None
) -> list[list[int]]:
    if sample is not None and sample % batches.size:
        raise DesignError(f"items.sample: with a mix it must be a multiple of the batch size {batches.size}")
    pools: list[list[int]] = []
    left = list(range(len(difficulties)))
    for part in batches.mix:
        pools.append([i for i in left if part.holds(difficulties[i])])
        left = [i for i in left if not part.holds(difficulties[i])]
    possible = [len(pool) // part.count for pool, part in zip(pools, batches.mix, strict=True)]
    wanted = sample // batches.size if sample is not None else min(possible)
    for number, (pool, part) in enumerate(zip(pools, batches.mix, strict=True), start=1):
        if len(pool) < max(wanted, 1) * part.count:
            raise DesignError(
                f"batches.mix.{number}: {max(wanted, 1)} batches need {max(wanted, 1) * part.count} items of this "
                f"difficulty, the source has {len(pool)}; ask for fewer or widen the range"
            )
        rng.shuffle(pool)
    dealt = []
    for batch in range(wanted):
        members = [
            item
            for pool, part in zip(pools, batches.mix, strict=True)
            for item in pool[batch * part.count : (batch + 1) * part.count]
        ]
        rng.shuffle(members)
        dealt.append(members)
    return dealt


def trial_order(items: Sequence[int], repeats: Sequence[int], rng: random.Random) -> list[list[int]]:
    """One participant's order of a batch: shuffled, then the items at `repeats` (from 1) once more.

    Each trial is [item, repeat index].

    >>> trial_order([7, 8, 9], [2], random.Random(1))
    [[8, 0], [9, 0], [7, 0], [9, 1]]
    """
    order = list(items)
    rng.shuffle(order)
    return [[item, 0] for item in order] + [[order[position - 1], 1] for position in repeats]
