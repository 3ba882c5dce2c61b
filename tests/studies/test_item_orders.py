"""Counter-balanced orders: which there are, and that they stay even whoever leaves."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from math import factorial
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.entry import find_entry, join, refuse
from crowdloom.studies.errors import PlaceError
from crowdloom.studies.item_orders import balanced_orders
from crowdloom.studies.participation import leave, read_progress
from crowdloom.studies.tables import Place, Submission
from tests.studies.designs import make_design
from tests.studies.takers import Study


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 7, 12, 25])
def test_each_item_stands_at_each_place_and_follows_each_other_equally_often(number: int) -> None:
    """In all orders of up to four items, and in a Williams design of more."""
    orders = balanced_orders(number)
    assert len(set(orders)) == len(orders)
    assert len(orders) == (factorial(number) if number <= 4 else number if number % 2 == 0 else 2 * number)
    assert all(sorted(order) == list(range(number)) for order in orders)
    places = Counter((place, item) for order in orders for place, item in enumerate(order))
    assert len(places) == number**2
    assert len(set(places.values())) == 1
    after = Counter(pair for order in orders for pair in pairwise(order))
    assert len(after) == number * (number - 1)
    assert len(set(after.values())) <= 1


def test_items_are_not_shown_again_in_a_balanced_order() -> None:
    """Where repeats would stand is said by no design of orders."""
    batches = {"size": 2, "responses_per_item": 2, "order": "counterbalanced", "repeats": [1]}
    with pytest.raises(ValidationError, match="leave out repeats"):
        make_design(batches=batches)


def balanced(store: Store, folder: Path, size: int, places: int, **changes: Any) -> Study:
    """A study of one batch, counter-balanced."""
    batches = {"size": size, "responses_per_item": places, "order": "counterbalanced"}
    return Study(store, folder, size, batches=batches, **changes)


def used(study: Study, state: str = "filled") -> Counter[tuple[int, ...]]:
    """How often each order is used by those whose place is in a state."""
    with study.store.read() as connection:
        orders = connection.scalars(
            select(Submission.item_order).join(Place, Place.submission_id == Submission.id).where(Place.state == state)
        ).all()
    return Counter(tuple(item for item, _ in order) for order in orders)


def spread(counts: Counter[tuple[int, ...]], orders: int) -> int:
    """The largest difference between two orders' uses."""
    values = [*counts.values(), *([0] * (orders - len(counts)))]
    return max(values) - min(values)


@pytest.mark.parametrize(("size", "places", "orders"), [(2, 7, 2), (3, 16, 6), (5, 14, 10)])
def test_the_orders_stay_even_whoever_drops_out(
    store: Store, tmp_path: Path, size: int, places: int, orders: int
) -> None:
    """People come, leave, let their time pass and finish in any mixture; a full batch has even orders."""
    study = balanced(store, tmp_path, size, places)
    rng = random.Random(places)
    under_way: list[str] = []
    number = 0
    while sum(used(study).values()) < places:
        for _ in range(rng.randint(1, 4)):
            number += 1
            try:
                under_way.append(study.arrive(f"person-{number}"))
            except PlaceError:
                break
        rng.shuffle(under_way)
        if under_way:
            token = under_way.pop()
            what = rng.choice(("leaves", "vanishes", "finishes", "finishes"))
            if what == "leaves":
                with store.write() as connection:
                    leave(connection, read_progress(connection, token))
            elif what == "vanishes":
                study.let_time_pass(token)
            else:
                study.answer(token)
    assert number > places
    assert spread(used(study), orders) <= 1


def test_people_who_come_at_once_get_different_orders(store: Store, tmp_path: Path) -> None:
    """Each sees what the one before was given, on both databases."""
    study = balanced(store, tmp_path, 3, 12)

    def come(number: int) -> None:
        with store.write() as connection:
            join(connection, find_entry(connection, study.posting), f"person-{number}")

    with ThreadPoolExecutor(6) as executor:
        list(executor.map(come, range(12)))
    assert sorted(used(study, "held").values()) == [2] * 6


def test_who_refused_and_begins_after_all_gets_the_free_order(sqlite_store: Store, tmp_path: Path) -> None:
    """As somebody new does."""
    study = balanced(sqlite_store, tmp_path, 2, 2)
    with sqlite_store.write() as connection:
        refuse(connection, find_entry(connection, study.posting), "ann")
    study.arrive("ben")
    study.arrive("ann")
    assert sorted(used(study, "held").values()) == [1, 1]


def test_a_design_that_does_not_ask_for_it_says_nothing_of_orders() -> None:
    """It is the same JSON as before there were any."""
    assert "order" not in make_design().dump()["batches"]
    asked = make_design(batches={"size": 2, "responses_per_item": 2, "order": "counterbalanced"})
    assert asked.dump()["batches"]["order"] == "counterbalanced"
