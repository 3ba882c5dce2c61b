"""The state machines of HITs and assignments, moved by the marketplace's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crowdloom.studies.errors import OptionError
from crowdloom.studies.marketplace import open_market
from crowdloom.studies.marketplace.errors import WorkError
from tests.studies.marketplace.conftest import Running
from tests.studies.marketplace.running import error_code

DAY = 86_400


def test_a_hit_runs_out_of_time(both: Running) -> None:
    """Expiry ends an untouched HIT; a later expiry opens it again."""
    hit = both.hit(MaxAssignments=3, LifetimeInSeconds=60)
    assert (both.status(hit), both.numbers(hit)) == ("Assignable", (0, 3, 0))
    both.market.advance(60)
    assert (both.status(hit), both.numbers(hit)) == ("Reviewable", (0, 3, 0))
    worker, _ = both.market.add_worker()
    with pytest.raises(WorkError, match="Nobody can accept"):
        both.market.accept(hit, worker)
    both.client.update_hit_review_status(HITId=hit)
    assert both.status(hit) == "Reviewing"
    both.client.update_expiration_for_hit(HITId=hit, ExpireAt=both.market.now() + timedelta(hours=1))
    assert (both.status(hit), both.numbers(hit)) == ("Assignable", (0, 3, 0))
    both.client.update_expiration_for_hit(HITId=hit, ExpireAt=datetime(2000, 1, 1, tzinfo=UTC))
    assert both.status(hit) == "Reviewable", "the earlier Reviewing was over when it opened"


def test_whoever_began_may_end(both: Running) -> None:
    """Work that began before the expiry can be submitted after it; until then the HIT is Unassignable."""
    hit = both.hit(MaxAssignments=3, LifetimeInSeconds=60)
    worker, _ = both.market.add_worker()
    assignment = both.market.accept(hit, worker)
    both.market.advance(120)
    assert (both.status(hit), both.numbers(hit)) == ("Unassignable", (1, 2, 0))
    assert both.client.list_reviewable_hits()["HITs"] == []
    assert both.market.submit(assignment, {"digit": "7"})
    assert both.status(hit) == "Reviewable"


def test_an_assignment_runs_out_of_time(both: Running) -> None:
    """After its duration an assignment is abandoned, cannot be submitted, and its place is open again."""
    hit = both.hit(MaxAssignments=1, AssignmentDurationInSeconds=100)
    worker, _ = both.market.add_worker()
    assignment = both.market.accept(hit, worker)
    assert (both.status(hit), both.numbers(hit)) == ("Unassignable", (1, 0, 0))
    assert both.client.list_assignments_for_hit(HITId=hit)["Assignments"] == []
    assert error_code(both.client, "get_assignment", AssignmentId=assignment) == "InvalidAssignmentState"
    assert error_code(both.client, "approve_assignment", AssignmentId=assignment) == "InvalidAssignmentState"
    both.market.advance(100)
    assert (both.status(hit), both.numbers(hit)) == ("Assignable", (0, 1, 0))
    with pytest.raises(WorkError, match="its time is over"):
        both.market.submit(assignment, {"digit": "7"})
    assert both.market.accept(hit, worker) != assignment, "whoever was too slow may try again"


def test_automatic_approval(both: Running) -> None:
    """After the delay the reward is paid once, with the time at which it was due; a rejection stops it."""
    hit = both.hit(MaxAssignments=2, AutoApprovalDelayInSeconds=3 * DAY)
    first, one = both.submitted(hit)
    second, other = both.submitted(hit)
    both.client.reject_assignment(AssignmentId=second, RequesterFeedback="empty")
    both.market.advance(10 * DAY)
    approved = both.client.get_assignment(AssignmentId=first)["Assignment"]
    assert approved["AssignmentStatus"] == "Approved"
    assert approved["ApprovalTime"] == approved["AutoApprovalTime"]
    assert (both.market.paid(one), both.market.paid(other)) == (50, 0)
    assert error_code(both.client, "approve_assignment", AssignmentId=first) == "InvalidAssignmentState"
    assert both.market.paid(one) == 50
    assert both.numbers(hit) == (0, 0, 2)


def test_approval_at_once(shop: Running) -> None:
    """With a delay of 0 a submission is approved and paid in the moment that it comes."""
    hit = shop.hit(AutoApprovalDelayInSeconds=0)
    _, worker = shop.submitted(hit)
    assert shop.market.paid(worker) == 50


def test_a_rejection_can_be_undone_for_30_days(shop: Running) -> None:
    """Only where that is asked for, only until 30 days after the submission; and never the other way round."""
    hit = shop.hit(MaxAssignments=3)
    (early, one), (late, other), (fine, _) = (shop.submitted(hit) for _ in range(3))
    for assignment in (early, late):
        shop.client.reject_assignment(AssignmentId=assignment, RequesterFeedback="empty")
    shop.client.approve_assignment(AssignmentId=fine)
    assert error_code(shop.client, "approve_assignment", AssignmentId=early) == "InvalidAssignmentState"
    assert (
        error_code(shop.client, "reject_assignment", AssignmentId=fine, RequesterFeedback="r")
        == "InvalidAssignmentState"
    )
    shop.client.approve_assignment(AssignmentId=early, OverrideRejection=True)
    found = shop.client.get_assignment(AssignmentId=early)["Assignment"]
    assert (found["AssignmentStatus"], "RejectionTime" in found) == ("Approved", False)
    shop.market.advance(31 * DAY)
    late_try = error_code(shop.client, "approve_assignment", AssignmentId=late, OverrideRejection=True)
    assert late_try == "InvalidAssignmentState"
    assert (shop.market.paid(one), shop.market.paid(other)) == (50, 0)


def test_deleting(shop: Running) -> None:
    """A HIT can be deleted once nobody can work on it and everything is reviewed, and not twice."""
    hit = shop.hit(MaxAssignments=2)
    assert error_code(shop.client, "delete_hit", HITId=hit) == "InvalidHITState"
    assignment, _ = shop.submitted(hit)
    shop.client.update_expiration_for_hit(HITId=hit, ExpireAt=datetime(2000, 1, 1, tzinfo=UTC))
    assert error_code(shop.client, "delete_hit", HITId=hit) == "InvalidHITState", "not reviewed yet"
    shop.client.reject_assignment(AssignmentId=assignment, RequesterFeedback="empty")
    shop.client.delete_hit(HITId=hit)
    assert error_code(shop.client, "delete_hit", HITId=hit) == "InvalidHITState"
    shop.client.update_expiration_for_hit(HITId=hit, ExpireAt=0)  # as some scripts do, before they delete it again
    later = shop.market.now() + timedelta(days=1)
    assert error_code(shop.client, "update_expiration_for_hit", HITId=hit, ExpireAt=later) == "InvalidHITState"
    more = {"HITId": hit, "NumberOfAdditionalAssignments": 1}
    assert error_code(shop.client, "create_additional_assignments_for_hit", **more) == "InvalidHITState"
    override = error_code(shop.client, "approve_assignment", AssignmentId=assignment, OverrideRejection=True)
    assert override == "InvalidAssignmentState"


def test_nine_do_not_become_ten(shop: Running) -> None:
    """The fee changes at 10 assignments, so a HIT cannot grow across that; above it may."""
    small, large = shop.hit(MaxAssignments=8), shop.hit(MaxAssignments=10)
    shop.client.create_additional_assignments_for_hit(HITId=small, NumberOfAdditionalAssignments=1)
    more = {"HITId": small, "NumberOfAdditionalAssignments": 1}
    code = error_code(shop.client, "create_additional_assignments_for_hit", **more)
    assert code == "InvalidMaximumAssignmentsIncrease"
    assert shop.numbers(small) == (0, 9, 0)
    shop.client.create_additional_assignments_for_hit(HITId=large, NumberOfAdditionalAssignments=5)
    assert shop.numbers(large) == (0, 15, 0)


def test_returning(shop: Running) -> None:
    """A returned assignment opens its place and is no assignment of the requester's any more."""
    hit = shop.hit(MaxAssignments=1)
    worker, _ = shop.market.add_worker()
    assignment = shop.market.accept(hit, worker)
    assert shop.market.accept(hit, worker) == assignment, "a second click is no second assignment"
    shop.market.give_back(assignment, worker)
    shop.market.give_back(assignment, worker)
    assert shop.numbers(hit) == (0, 1, 0)
    assert error_code(shop.client, "get_assignment", AssignmentId=assignment) == "AssignmentDoesNotExist"
    with pytest.raises(WorkError, match="was returned"):
        shop.market.submit(assignment, {"digit": "7"})
    done, other = shop.submitted(hit)
    with pytest.raises(WorkError, match="submitted and cannot be returned"):
        shop.market.give_back(done, other)
    with pytest.raises(WorkError, match="each person can do a HIT once"):
        shop.market.accept(hit, other)


def test_the_clock_is_everybodys(shop: Running) -> None:
    """What one process moves on, another one sees; nobody moves it back."""
    hit = shop.hit(LifetimeInSeconds=3600)
    elsewhere = open_market(shop.market.url)
    elsewhere.advance(3600)
    elsewhere.close()
    assert shop.status(hit) == "Reviewable"
    with pytest.raises(OptionError, match="goes on only"):
        shop.market.advance(-1)
