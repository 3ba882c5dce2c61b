"""Things that happen once, however often and at the same time they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from crowdloom.studies.marketplace.errors import WorkError
from tests.studies.marketplace.conftest import Running
from tests.studies.marketplace.running import error_code, hit_values, requester


def at_once(calls: list[Callable[[], Any]]) -> Counter[str]:
    """Make all calls at the same time; how often each outcome came."""

    def outcome(call: Callable[[], Any]) -> str:
        try:
            call()
        except WorkError:
            return "refused"
        except Exception as error:  # noqa: BLE001 - what it is, is compared
            return str(getattr(error, "response", {}).get("TurkErrorCode", repr(error)))
        return "done"

    with ThreadPoolExecutor(len(calls)) as pool:
        return Counter(pool.map(outcome, calls))


def test_a_token_makes_one_hit(both: Running) -> None:
    """12 requests at once with one UniqueRequestToken make one HIT; the others are told its id."""
    values = hit_values(UniqueRequestToken="one")
    clients = [requester(both.address) for _ in range(12)]
    outcomes = at_once([lambda client=client: client.create_hit(**values) for client in clients])
    assert outcomes == {"done": 1, "AWS.MechanicalTurk.HitAlreadyExists": 11}
    (hit,) = both.client.list_hits()["HITs"]
    with pytest.raises(both.client.exceptions.RequestError, match=hit["HITId"]):
        both.client.create_hit(**values)
    assert both.market.count("hits") == 1


def test_a_token_pays_one_bonus(both: Running) -> None:
    """12 requests at once with one token pay once; without a token each one pays."""
    assignment, worker = both.submitted(both.hit())
    bonus = {"WorkerId": worker, "AssignmentId": assignment, "BonusAmount": "0.10", "Reason": "r"}
    clients = [requester(both.address) for _ in range(12)]
    calls = [lambda client=client: client.send_bonus(**bonus, UniqueRequestToken="one") for client in clients]
    assert at_once(calls) == {"done": 1, "AWS.MechanicalTurk.DuplicateCall": 11}
    assert both.market.paid(worker) == 10
    assert at_once([lambda client=client: client.send_bonus(**bonus) for client in clients]) == {"done": 12}
    assert both.market.paid(worker) == 130


def test_approved_once(both: Running) -> None:
    """12 approvals at once pay one reward."""
    assignment, worker = both.submitted(both.hit())
    clients = [requester(both.address) for _ in range(12)]
    outcomes = at_once([lambda client=client: client.approve_assignment(AssignmentId=assignment) for client in clients])
    assert outcomes == {"done": 1, "AWS.MechanicalTurk.InvalidAssignmentState": 11}
    assert both.market.paid(worker) == 50


def test_no_more_than_max_assignments(both: Running) -> None:
    """20 people who accept at the same moment get the 3 assignments that there are."""
    hit = both.hit(MaxAssignments=3)
    people = [both.market.add_worker()[0] for _ in range(20)]
    outcomes = at_once([lambda person=person: both.market.accept(hit, person) for person in people])
    assert outcomes == {"done": 3, "refused": 17}
    assert both.numbers(hit) == (3, 0, 0)


def test_one_assignment_for_a_worker(both: Running) -> None:
    """A worker who clicks 10 times at once has one assignment, and submitting it 10 times keeps one answer."""
    hit = both.hit(MaxAssignments=5)
    worker, _ = both.market.add_worker()
    assert at_once([lambda: both.market.accept(hit, worker)] * 10) == {"done": 10}
    assert both.numbers(hit) == (1, 4, 0)
    assignment = both.market.accept(hit, worker)
    with ThreadPoolExecutor(10) as pool:
        kept = list(pool.map(lambda number: both.market.submit(assignment, {"n": str(number)}), range(10)))
    assert kept.count(True) == 1
    (found,) = both.client.list_assignments_for_hit(HITId=hit)["Assignments"]
    assert f"<FreeText>{kept.index(True)}</FreeText>" in found["Answer"]


def test_a_name_is_taken_once(both: Running) -> None:
    """12 qualification types of one name at once: one is made."""
    values = {"Name": "Condition A", "Description": "d", "QualificationTypeStatus": "Active"}
    clients = [requester(both.address) for _ in range(12)]
    outcomes = at_once([lambda client=client: client.create_qualification_type(**values) for client in clients])
    assert outcomes == {"done": 1, "AWS.MechanicalTurk.QualificationTypeAlreadyExists": 11}


def test_balance_survives_a_rush(both: Running) -> None:
    """HITs that together cost more than there is: as many as can be paid are made."""
    values = hit_values(Reward="1000", MaxAssignments=1)  # 1200.00 each
    clients = [requester(both.address) for _ in range(12)]
    outcomes = at_once([lambda client=client: client.create_hit(**values) for client in clients])
    assert outcomes == {"done": 8, "AWS.MechanicalTurk.InsufficientFunds": 4}
    assert both.money() == ("400.00", "9600.00")


def test_whose_token_and_how_long(shop: Running) -> None:
    """A token counts for one requester, one operation and 24 hours; after a refusal it can be used."""
    values = hit_values(UniqueRequestToken="one")
    hit = shop.client.create_hit(**values)["HIT"]
    typed = {
        "HITTypeId": hit["HITTypeId"],
        "LifetimeInSeconds": 3600,
        "Question": hit["Question"],
        "UniqueRequestToken": "one",
    }
    shop.client.create_hit_with_hit_type(**typed)
    assert error_code(shop.client, "create_hit_with_hit_type", **typed) == "HitAlreadyExists"
    requester(shop.address, "other").create_hit(**values)
    more = {"HITId": hit["HITId"], "NumberOfAdditionalAssignments": 1, "UniqueRequestToken": "one"}
    shop.client.create_additional_assignments_for_hit(**more)
    assert error_code(shop.client, "create_additional_assignments_for_hit", **more) == "DuplicateCall"
    assert shop.numbers(hit["HITId"]) == (0, 3, 0)
    shop.market.advance(86_400 - 120)  # less what the calls themselves take
    assert error_code(shop.client, "create_hit", **values) == "HitAlreadyExists"
    shop.market.advance(120)
    assert shop.client.create_hit(**values)["HIT"]["HITId"] != hit["HITId"]
