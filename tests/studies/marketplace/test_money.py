"""Fees, the balance, and what is on hold: to the cent."""

from __future__ import annotations

import pytest

from crowdloom.studies.errors import OptionError
from crowdloom.studies.marketplace.money import bonus_fee, reward_fee, to_cents, to_dollars
from tests.studies.marketplace.conftest import Running
from tests.studies.marketplace.running import error_code, hit_values


@pytest.mark.parametrize(
    ("reward", "assignments", "fee"),
    [(334, 9, 67), (334, 10, 134), (50, 1, 10), (1, 1, 1), (1, 10, 2), (0, 1, 1), (7, 1, 1), (8, 1, 2), (100, 100, 40)],
)
def test_reward_fees(reward: int, assignments: int, fee: int) -> None:
    """20 % of the reward, 20 % more at 10 assignments, each at least a cent."""
    assert reward_fee(reward, assignments) == fee


def test_dollar_strings() -> None:
    """Every form that the model allows is read exactly, and written with two decimals."""
    read = {"1": 100, "1.": 100, "0.5": 50, "0.05": 5, "0": 0, "00.07": 7, "1000000": 100_000_000}
    assert {text: to_cents(text, "Reward") for text in read} == read
    assert [to_dollars(cents) for cents in (0, 5, 50, 334, 1_000_000)] == ["0.00", "0.05", "0.50", "3.34", "10000.00"]
    assert (bonus_fee(41), bonus_fee(1)) == (8, 1)


def test_money_is_held_paid_and_set_free(both: Running) -> None:
    """What a HIT can cost is held from its creation on; approval spends it, rejection and expiry give it back."""
    hit = both.hit(MaxAssignments=3)  # 3 x (0.50 + 0.10)
    assert both.money() == ("9998.20", "1.80")
    (first, one), (second, _) = both.submitted(hit), both.submitted(hit)
    assert both.money() == ("9998.20", "1.80")
    both.client.approve_assignment(AssignmentId=first)
    assert both.money() == ("9998.20", "1.20")
    both.client.reject_assignment(AssignmentId=second, RequesterFeedback="empty")
    assert both.money() == ("9998.80", "0.60")
    both.client.send_bonus(WorkerId=one, AssignmentId=first, BonusAmount="0.41", Reason="r")
    assert both.money() == ("9998.31", "0.60")
    both.client.approve_assignment(AssignmentId=second, OverrideRejection=True)
    assert both.money() == ("9997.71", "0.60")
    both.market.advance(86_400)
    assert both.money() == ("9998.31", "0.00")
    paid = [(payment.kind, payment.amount, payment.fee) for payment in both.market.payments()]
    assert paid == [("reward", 50, 10), ("bonus", 41, 8), ("reward", 50, 10)]
    assert sum(amount + fee for _, amount, fee in paid) == 1_000_000 - 999_831


def test_two_fees_at_ten(shop: Running) -> None:
    """A HIT with 10 assignments holds and pays both fees."""
    hit = shop.hit(MaxAssignments=10, Reward="0.05")  # 10 x (0.05 + 0.01 + 0.01)
    assert shop.money() == ("9999.30", "0.70")
    assignment, _ = shop.submitted(hit)
    shop.client.approve_assignment(AssignmentId=assignment)
    assert shop.money() == ("9999.30", "0.63")


def test_nobody_spends_what_they_do_not_have(shop: Running) -> None:
    """A HIT, an extension, a bonus and an override that cannot be paid are refused whole; a deposit helps."""
    market, client = shop.market, shop.client
    hit = shop.hit(MaxAssignments=9, Reward="925.92")  # 9 x 1111.10 of 10000.00
    assert shop.money() == ("0.10", "9999.90")
    assert error_code(client, "create_hit", **hit_values(Reward="0.09")) == "InsufficientFunds"
    (assignment, worker), (rejected, _) = shop.submitted(hit), shop.submitted(hit)
    bonus = {"WorkerId": worker, "AssignmentId": assignment, "BonusAmount": "0.10", "Reason": "r"}
    assert error_code(client, "send_bonus", **bonus, UniqueRequestToken="one") == "InsufficientFunds"
    client.reject_assignment(AssignmentId=rejected, RequesterFeedback="empty")
    client.create_hit(**hit_values(Reward="925", MaxAssignments=1, Title="Another"))
    override = error_code(client, "approve_assignment", AssignmentId=rejected, OverrideRejection=True)
    assert override == "InsufficientFunds"
    assert market.payments() == []
    market.deposit("lab", "10.5")
    client.send_bonus(**bonus, UniqueRequestToken="one")
    assert market.paid(worker) == 10, "the token of a refused bonus was not used up"
    for amount in ("0", "-1", "1.234", "many", ".5"):
        with pytest.raises(OptionError):
            market.deposit("lab", amount)
    with pytest.raises(OptionError, match="no requester"):
        market.deposit("nobody", "1")


def test_a_change_of_type_keeps_promises(shop: Running) -> None:
    """Whoever accepted is paid what they saw; those who come later get the new reward."""
    hit = shop.hit(MaxAssignments=2)
    early, one = shop.submitted(hit)
    values = hit_values(Reward="0.20")
    for name in ("LifetimeInSeconds", "MaxAssignments", "Question"):
        del values[name]
    shop.client.update_hit_type_of_hit(HITId=hit, HITTypeId=shop.client.create_hit_type(**values)["HITTypeId"])
    assert shop.money() == ("9999.16", "0.84")
    late, other = shop.submitted(hit)
    for assignment in (early, late):
        shop.client.approve_assignment(AssignmentId=assignment)
    assert (shop.market.paid(one), shop.market.paid(other)) == (50, 20)
    assert shop.money() == ("9999.16", "0.00")
