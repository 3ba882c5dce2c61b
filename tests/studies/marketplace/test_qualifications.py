"""Who may see, preview and accept what."""

from __future__ import annotations

from typing import Any

import pytest

from crowdloom.studies.errors import OptionError
from crowdloom.studies.marketplace.errors import WorkError
from crowdloom.studies.marketplace.requirements import Held, is_met
from crowdloom.studies.marketplace.system_qualifications import LOCALE, MASTERS
from crowdloom.studies.marketplace.workers import find_worker, held_by
from tests.studies.marketplace.conftest import Running


@pytest.mark.parametrize(
    ("comparator", "values", "met_by"),
    [
        ("LessThan", [5], {4}),
        ("LessThanOrEqualTo", [5], {4, 5}),
        ("GreaterThan", [5], {6}),
        ("GreaterThanOrEqualTo", [5], {5, 6}),
        ("EqualTo", [5], {5}),
        ("NotEqualTo", [5], {4, 6}),
        ("In", [4, 6], {4, 6}),
        ("NotIn", [4, 6], {5}),
        ("Exists", [], {4, 5, 6}),
        ("DoesNotExist", [], {None}),
    ],
)
def test_numbers(comparator: str, values: list[int], met_by: set[int | None]) -> None:
    """Each comparator, for a worker without the qualification (None) and with 4, 5 and 6."""
    requirement = {"QualificationTypeId": "3X", "Comparator": comparator, "IntegerValues": values}
    held = {None: None, 4: Held(4), 5: Held(5), 6: Held(6)}
    assert {number for number, what in held.items() if is_met(requirement, what)} == met_by


@pytest.mark.parametrize(
    ("comparator", "places", "met_by"),
    [
        ("EqualTo", ["US"], {"US-WA", "US-NY"}),
        ("EqualTo", ["US-WA"], {"US-WA"}),
        ("NotEqualTo", ["US"], {"CA"}),
        ("In", ["US-NY", "CA"], {"US-NY", "CA"}),
        ("NotIn", ["US-NY", "CA"], {"US-WA"}),
    ],
)
def test_places(comparator: str, places: list[str], met_by: set[str]) -> None:
    """A country takes all of it, a subdivision only itself."""
    values = [dict(zip(("Country", "Subdivision"), place.split("-"), strict=False)) for place in places]
    requirement = {"QualificationTypeId": LOCALE, "Comparator": comparator, "LocaleValues": values}
    held = {"US-WA": Held(None, "US", "WA"), "US-NY": Held(None, "US", "NY"), "CA": Held(None, "CA")}
    assert {place for place, what in held.items() if is_met(requirement, what)} == met_by


@pytest.mark.parametrize(
    ("worker", "may"),
    [
        ({"approved": 3000, "percent": 99}, True),
        ({"approved": 2999, "percent": 99}, False),
        ({"approved": 3000, "percent": 97}, False),
        ({"approved": 3000, "percent": 99, "country": "CA"}, False),
        ({"approved": 3000, "percent": 99, "adult": False}, False),
    ],
)
def test_the_papers_requirements(shop: Running, worker: dict[str, Any], may: bool) -> None:
    """US, at least 98 % of at least 3000 approved, adult: each of them keeps out who lacks it."""
    requirements = [
        {"QualificationTypeId": LOCALE, "Comparator": "EqualTo", "LocaleValues": [{"Country": "US"}]},
        {"QualificationTypeId": "000000000000000000L0", "Comparator": "GreaterThanOrEqualTo", "IntegerValues": [98]},
        {"QualificationTypeId": "00000000000000000040", "Comparator": "GreaterThanOrEqualTo", "IntegerValues": [3000]},
        {"QualificationTypeId": "00000000000000000060", "Comparator": "EqualTo", "IntegerValues": [1]},
    ]
    hit = shop.hit(QualificationRequirements=requirements)
    token, _ = shop.market.add_worker(**worker)
    if may:
        assert shop.market.accept(hit, token)
    else:
        with pytest.raises(WorkError, match="You do not qualify"):
            shop.market.accept(hit, token)


def test_reviews_count(shop: Running) -> None:
    """What a worker is approved and rejected for here changes what they hold; the history stays below it."""
    hits = [shop.hit(MaxAssignments=1) for _ in range(4)]
    token, _ = shop.market.add_worker(approved=9, percent=90)
    for number, hit in enumerate(hits):
        assignment = shop.market.accept(hit, token)
        shop.market.submit(assignment, {"digit": "7"})
        if number < 3:
            shop.client.reject_assignment(AssignmentId=assignment, RequesterFeedback="empty")
        else:
            shop.client.approve_assignment(AssignmentId=assignment)
    with shop.market.store.read() as connection:
        held = held_by(connection, find_worker(connection, token))
    assert held["00000000000000000040"].value == 10
    assert held["000000000000000000L0"].value == 100 * 10 // 14
    assert MASTERS not in held


def test_exclusive_conditions(both: Running) -> None:
    """A custom qualification, granted while another HIT is open, keeps its holder out from then on."""
    client, market = both.client, both.market
    kind = client.create_qualification_type(Name="In A", Description="d", QualificationTypeStatus="Active")
    kind = kind["QualificationType"]["QualificationTypeId"]
    hit = both.hit(QualificationRequirements=[{"QualificationTypeId": kind, "Comparator": "DoesNotExist"}])
    one, other = (market.add_worker()[0] for _ in range(2))
    client.associate_qualification_with_worker(QualificationTypeId=kind, WorkerId=one)
    with pytest.raises(WorkError, match="In A has not been granted"):
        market.accept(hit, one)
    assert market.accept(hit, other)
    client.disassociate_qualification_from_worker(QualificationTypeId=kind, WorkerId=one)
    assert market.accept(hit, one)


def test_blocked(shop: Running) -> None:
    """A blocked worker accepts nothing of the requester who blocked them, until that ends."""
    hit = shop.hit()
    worker, _ = shop.market.add_worker()
    shop.client.create_worker_block(WorkerId=worker, Reason="random")
    with pytest.raises(WorkError, match="does not take work from you"):
        shop.market.accept(hit, worker)
    shop.client.delete_worker_block(WorkerId=worker)
    assert shop.market.accept(hit, worker)


@pytest.mark.parametrize("options", [{"country": "USA"}, {"subdivision": "-"}, {"percent": 0}, {"approved": -1}])
def test_people_that_cannot_be(shop: Running, options: dict[str, Any]) -> None:
    """A place that is none and a history that cannot be are refused, and nobody is added."""
    with pytest.raises(OptionError):
        shop.market.add_worker(**options)
    assert shop.market.count("workers") == 0
