"""Faults on purpose, with botocore's own retries: what a careless and a careful caller get."""

from __future__ import annotations

import httpx
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from crowdloom.studies.errors import OptionError
from crowdloom.studies.marketplace import open_market
from tests.studies.marketplace.conftest import Running
from tests.studies.marketplace.running import hit_values, requester


@pytest.mark.parametrize("kind", ["effect-then-500", "effect-then-drop"])
def test_a_bonus_whose_answer_is_lost(both: Running, kind: str) -> None:
    """botocore tries again: without a token that pays twice, with one it pays once and the answer is an error."""
    assignment, worker = both.submitted(both.hit())
    bonus = {"WorkerId": worker, "AssignmentId": assignment, "BonusAmount": "0.10", "Reason": "r"}
    both.market.add_fault("SendBonus", kind)
    both.client.send_bonus(**bonus)
    assert both.market.paid(worker) == 20
    both.market.add_fault("SendBonus", kind)
    with pytest.raises(both.client.exceptions.RequestError) as caught:
        both.client.send_bonus(**bonus, UniqueRequestToken="one")
    assert caught.value.response["TurkErrorCode"] == "AWS.MechanicalTurk.DuplicateCall"
    assert both.market.paid(worker) == 30
    assert both.market.clear_faults() == 0


@pytest.mark.parametrize("kind", ["500", "drop", "throttle"])
def test_a_failure_before_any_effect(shop: Running, kind: str) -> None:
    """One such failure is not seen by a script, which tries again; as many as it has tries are."""
    shop.market.add_fault("CreateHIT", kind)
    shop.client.create_hit(**hit_values())
    assert shop.market.count("hits") == 1
    shop.market.add_fault("CreateHIT", kind, times=2)
    impatient = requester(shop.address, retries=2)
    with pytest.raises((ClientError, ConnectionClosedError)) as caught:
        impatient.create_hit(**hit_values())
    if kind != "drop":
        wanted = {"500": "ServiceFault", "throttle": "ThrottlingException"}[kind]
        assert caught.value.response["Error"]["Code"] == wanted
    assert shop.market.count("hits") == 1


def test_faults_are_for_their_operation(shop: Running) -> None:
    """A fault waits for its operation, in the order set, and another process can set it."""
    elsewhere = open_market(shop.market.url)
    elsewhere.add_fault("GetHIT", "500")
    elsewhere.add_fault("GetHIT", "throttle")
    elsewhere.close()
    hit = shop.hit()
    once = requester(shop.address, retries=1)
    codes = []
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            once.get_hit(HITId=hit)
        codes.append(caught.value.response["Error"]["Code"])
    assert codes == ["ServiceFault", "ThrottlingException"]
    assert once.get_hit(HITId=hit)["HIT"]["HITId"] == hit


def test_a_submission_that_is_lost(shop: Running) -> None:
    """The worker sees an error page and nothing is kept; pressing the button again keeps it."""
    hit = shop.hit()
    worker, _ = shop.market.add_worker()
    form = {"assignmentId": shop.market.accept(hit, worker), "digit": "7"}
    submit = f"{shop.address}/mturk/externalSubmit"
    shop.market.add_fault("externalSubmit", "lost-submit")
    assert httpx.post(submit, data=form).status_code == 500
    assert shop.client.list_assignments_for_hit(HITId=hit)["Assignments"] == []
    shop.market.add_fault("externalSubmit", "effect-then-drop")
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(submit, data=form)
    assert shop.client.list_assignments_for_hit(HITId=hit)["NumResults"] == 1
    again = httpx.post(submit, data={**form, "digit": "8"})
    assert (again.status_code, "Your answers are kept" in again.text) == (200, True)
    (found,) = shop.client.list_assignments_for_hit(HITId=hit)["Assignments"]
    assert "<FreeText>7</FreeText>" in found["Answer"]


def test_an_assignment_id_that_comes_again(both: Running) -> None:
    """After a return the next worker gets the same id; what is sent under it is theirs."""
    hit = both.hit(MaxAssignments=1)
    first, second, third = (both.market.add_worker()[0] for _ in range(3))
    both.market.add_fault("accept", "reissue-assignment-id")
    assignment = both.market.accept(hit, first)
    both.market.give_back(assignment, first)
    assert both.market.accept(hit, second) == assignment
    both.market.submit(assignment, {"digit": "7"})
    (found,) = both.client.list_assignments_for_hit(HITId=hit)["Assignments"]
    assert (found["AssignmentId"], found["WorkerId"]) == (assignment, second)
    both.client.create_additional_assignments_for_hit(HITId=hit, NumberOfAdditionalAssignments=1)
    assert both.market.accept(hit, third) != assignment, "the fault was set for once"


def test_faults_that_are_none(shop: Running) -> None:
    """An unknown operation or kind, or no times at all, is refused with what there is."""
    for operation, kind, times in (("Pay", "500", 1), ("SendBonus", "lost-submit", 1), ("SendBonus", "500", 0)):
        with pytest.raises(OptionError):
            shop.market.add_fault(operation, kind, times)
