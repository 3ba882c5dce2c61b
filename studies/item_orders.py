"""Counter-balanced orders: which there are for a batch, and which a new participant gets.

With up to four items all orders are used; with more those of a Williams design, in which each item stands equally
often at each place and follows each other item equally often (E. J. Williams, *Experimental designs balanced for the
estimation of residual effects of treatments*, 1949): n orders for an even number n of items, 2 n for an odd one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import permutations

from sqlalchemy import Connection, select

from crowdloom.studies.tables import Place, Submission

ALL_UP_TO = 4
"""So many items are shown in all their orders."""


def balanced_orders(number: int) -> list[tuple[int, ...]]:
    """The orders of so many items, as their positions in the batch.

    >>> balanced_orders(2)
    [(0, 1), (1, 0)]
    >>> len(balanced_orders(4)), len(balanced_orders(5)), balanced_orders(6)[1]
    (24, 10, (1, 2, 0, 3, 5, 4))
    """
    if number <= ALL_UP_TO:
        return list(permutations(range(number)))
    # 0, 1, n - 1, 2, n - 2, ...: the steps between neighbours are all different, in both directions.
    first = [0] + [(place + 1) // 2 if place % 2 else number - place // 2 for place in range(1, number)]
    rows = [tuple((item + shift) % number for item in first) for shift in range(number)]
    return rows if number % 2 == 0 else rows + [row[::-1] for row in rows]


def next_order(connection: Connection, batch_id: int, items: Sequence[int], rng: random.Random) -> list[list[int]]:
    """The order of a batch's items that is used least by the submissions that hold or fill its places.

    Each trial is [item, repeat index]. Whoever lost their place does not count, so that their order is free again.
    With places given one after the other (see `allocation.lock_design`), the orders of a full batch differ by one
    use at most, unless somebody who had lost their place came back with the order that they have.
    """
    held = select(Submission.item_order).join(Place, Place.submission_id == Submission.id)
    orders = connection.scalars(held.where(Place.batch_id == batch_id))
    used = Counter(tuple(item for item, _ in order) for order in orders)
    there = [tuple(items[place] for place in order) for order in balanced_orders(len(items))]
    least = min(used[order] for order in there)
    return [[item, 0] for item in rng.choice([order for order in there if used[order] == least])]
