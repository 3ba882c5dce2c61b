"""The account on a marketplace: real boto3, real HTTP, our own marketplace behind it.

One long file, since its tests share one marketplace, the people on it and the ways to publish and hand in.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.loaders import create_loader

from crowdloom.studies.design import Design
from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import CredentialsError, PlatformError, PlatformRefusedError, PlatformUnsureError
from crowdloom.studies.marketplace import Market, open_market
from crowdloom.studies.marketplace.errors import WorkError
from crowdloom.studies.platforms import mturk_account
from crowdloom.studies.platforms.mturk import MTurk
from crowdloom.studies.platforms.mturk_account import MTurkAccount
from crowdloom.studies.platforms.mturk_hits import GROWS_TOO_FAR
from crowdloom.studies.platforms.protocol import Bonus, Notice
from tests.studies.designs import make_design
from tests.studies.marketplace.running import requester, running

SECRET = "a-secret-that-nobody-is-to-see"
DESIGN = make_design(
    people={"minutes": 2, "hold_minutes": 10, "reward": "0.60 USD"},
    mturk={
        "description": "Look at animals.",
        "keywords": ["image", "animal"],
        "qualifications": {"locale": ["US", "CA-ON"], "approval_percent": 98, "approved_hits": 3000, "adult": True},
    },
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Market, str]]:
    """One marketplace for all tests; each has an account of its own."""
    market = open_market(str(tmp_path_factory.mktemp("market") / "market.db"))
    with running(market) as address:
        yield market, address
    market.close()


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore waits for up to some seconds before it tries again; here it tries at once."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))


@pytest.fixture
def market(served: tuple[Market, str]) -> Iterator[Market]:
    """The marketplace, without faults that a test left over."""
    yield served[0]
    served[0].clear_faults()


@pytest.fixture
def key() -> str:
    """The id of an access key that nobody else has."""
    return f"AKIA{uuid.uuid4().hex[:16].upper()}"


@pytest.fixture
def account(served: tuple[Market, str], key: str) -> MTurkAccount:
    """A fresh account."""
    return connect(served[1], key)


def connect(address: str, key: str) -> MTurkAccount:
    """Connect as the command line does."""
    environ = {"AWS_ENDPOINT_URL_MTURK": address, "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": SECRET}
    return MTurk().connect(MTurk().where(environ), environ)


def notice(places: int = 2, design: Design = DESIGN, **changes: Any) -> Notice:
    """A listing to be published."""
    url = "https://lab.example/join/abc?listing=1"
    return replace(Notice(uuid.uuid4().hex, "abc", design.name, design, url, places), **changes)


def a_worker(market: Market) -> str:
    """Somebody who meets the design's qualifications."""
    return market.add_worker(country="US", approved=5000, percent=99)[0]


def hand_in(market: Market, listing: str, worker: str | None = None) -> tuple[str, str]:
    """Somebody accepts and hands in; assignment and worker."""
    worker = worker or a_worker(market)
    assignment = market.accept(listing, worker)
    market.submit(assignment, {"code": "DONE", "outcome": "completed"})
    return assignment, worker


def a_bonus(assignment: str, worker: str, cents: int = 41) -> Bonus:
    """A bonus under a token of its own."""
    amount = Money(amount=cents, currency="USD")
    return Bonus(uuid.uuid4().hex, assignment, worker, amount, "Your answers matched the others'")


def test_descriptions_of_ones_own_go_before_botocores(tmp_path: Path, key: str, served: tuple[Market, str]) -> None:
    """Those that AWS_DATA_PATH names: here one that knows nothing but the balance."""
    folder = tmp_path / "mturk" / "2099-01-01"
    folder.mkdir(parents=True)
    whole = create_loader().load_service_model("mturk", "service-2")
    (folder / "service-2.json").write_text(
        json.dumps(whole | {"operations": {"GetAccountBalance": whole["operations"]["GetAccountBalance"]}})
    )
    for name in ("endpoint-rule-set-1", "paginators-1"):
        of_all = create_loader().load_service_model("mturk", name)
        (folder / f"{name}.json").write_text(json.dumps(of_all))
    environ = {"AWS_DATA_PATH": str(tmp_path), "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": SECRET}
    account = mturk_account.connect(served[1], environ)
    assert account.info().balance is not None
    with pytest.raises(PlatformUnsureError, match="AttributeError"):
        account.create(notice())


def test_a_whole_life(market: Market, account: MTurkAccount, key: str) -> None:
    """Publish, accept, hand in, review, pay, bonus, close, delete: what we see is what the marketplace has."""
    before = account.info()
    assert before.name == f"…{key[-4:]}"
    assert before.balance == Money(amount=1_000_000, currency="USD")
    listed = account.create(notice(places=3))
    assert (listed.state, listed.vendor_state, listed.places) == ("open", "Assignable", 3)
    assert account.open(listed.remote_id) == listed
    (good, worker), (bad, _) = hand_in(market, listed.remote_id), hand_in(market, listed.remote_id)
    found = {remote.id: remote for remote in account.submissions(listed.remote_id)}
    assert set(found) == {good, bad}
    assert found[good].state == "submitted"
    assert found[good].participant == worker
    assert found[good].code == "DONE"
    assert "<FreeText>DONE</FreeText>" in str(found[good].answer)
    assert found[good].started_at <= found[good].submitted_at <= datetime.now(UTC)  # type: ignore[operator]
    account.approve([good])
    account.reject(bad, "Every answer is the same.")
    assert account.submission(good).state == "approved"
    assert account.submission(bad).state == "rejected"
    bonus = a_bonus(good, worker)
    account.pay_bonuses(account.prepare_bonuses(listed.remote_id, [bonus]), [bonus])
    (paid,) = account.bonuses(listed.remote_id, [good, bad])
    assert (paid.submission, paid.amount, paid.token) == (good, 41, bonus.token)
    assert account.bonuses(listed.remote_id, [bad]) == []
    assert market.paid(worker) == 60 + 41
    assert account.close(listed.remote_id).state == "closed"
    assert account.close(listed.remote_id).state == "closed"
    account.delete(listed.remote_id)
    account.delete(listed.remote_id)
    fee = MTurk().fee([1], 41, DESIGN)
    spent = 60 + fee.on_rewards + 41 + fee.on_bonuses
    assert account.info().balance == Money(amount=1_000_000 - spent, currency="USD")


@pytest.mark.parametrize("places", [1, 9, 10])
def test_the_fee_is_what_the_marketplace_takes(market: Market, account: MTurkAccount, places: int) -> None:
    """The estimate before publishing is to the cent what is put on hold."""
    account.create(notice(places=places))
    balance = account.info().balance
    assert balance is not None
    assert 1_000_000 - balance.amount == places * 60 + MTurk().fee([places], 0, DESIGN).on_rewards


def test_what_a_hit_says(served: tuple[Market, str], account: MTurkAccount, key: str) -> None:
    """Title, money, times and whom it lets in stand on the marketplace as the design has them."""
    group = account.ensure_group("pets, condition b")
    listed = account.create(notice(excluded_groups=[group]))
    hit = requester(served[1], key).get_hit(HITId=listed.remote_id)["HIT"]
    assert (hit["Title"], hit["Description"]) == ("Which animal is it?", "Look at animals.")
    assert (hit["Keywords"], hit["Reward"]) == ("image, animal", "0.60")
    assert (hit["AssignmentDurationInSeconds"], hit["AutoApprovalDelayInSeconds"]) == (600, 7 * 86_400)
    assert "<ExternalURL>https://lab.example/join/abc?listing=1</ExternalURL>" in hit["Question"]
    assert timedelta(days=13, hours=23) < hit["Expiration"] - datetime.now(UTC) <= timedelta(days=14)
    asked = [
        (row["QualificationTypeId"], row["Comparator"], row.get("IntegerValues"), row["ActionsGuarded"])
        for row in hit["QualificationRequirements"]
    ]
    assert asked == [
        ("00000000000000000071", "In", None, "Accept"),
        ("000000000000000000L0", "GreaterThanOrEqualTo", [98], "Accept"),
        ("00000000000000000040", "GreaterThanOrEqualTo", [3000], "Accept"),
        ("00000000000000000060", "EqualTo", [1], "PreviewAndAccept"),
        (group, "DoesNotExist", None, "DiscoverPreviewAndAccept"),
    ]
    locales = hit["QualificationRequirements"][0]["LocaleValues"]
    assert locales == [{"Country": "US"}, {"Country": "CA", "Subdivision": "ON"}]
    again = account.create(notice(excluded_groups=[group]))
    other = requester(served[1], key).get_hit(HITId=again.remote_id)["HIT"]
    assert other["HITTypeId"] == hit["HITTypeId"]


def test_a_hit_of_its_own_page(served: tuple[Market, str], account: MTurkAccount, key: str) -> None:
    """A self-contained question goes as HTML; one that is too large is refused before anything is sent."""
    listed = account.create(notice(html="<p>a ]]> b</p>"))
    question = requester(served[1], key).get_hit(HITId=listed.remote_id)["HIT"]["Question"]
    assert "HTMLQuestion.xsd" in question
    with pytest.raises(PlatformRefusedError, match="65,535"):
        account.create(notice(html="x" * 65_535))


def test_the_same_token_makes_one_hit(served: tuple[Market, str], account: MTurkAccount, key: str) -> None:
    """In the same process, in another one, and when the marketplace has forgotten the token."""
    wanted = notice()
    first = account.create(wanted)
    assert account.create(wanted) == first
    assert connect(served[1], key).create(wanted) == first
    served[0].advance(25 * 3600)
    assert connect(served[1], key).create(wanted).remote_id == first.remote_id
    assert len(requester(served[1], key).list_hits()["HITs"]) == 1


def test_two_processes_publish_at_once(served: tuple[Market, str], key: str) -> None:
    """Both looked and saw none; the token lets only one make the HIT, and the other finds it."""
    one, other = connect(served[1], key), connect(served[1], key)
    one.create(notice())
    other.create(notice())  # both know their list of HITs now
    wanted = notice()
    assert one.create(wanted).remote_id == other.create(wanted).remote_id


@pytest.mark.parametrize("fault", ["effect-then-500", "effect-then-drop"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_hit_whose_answer_is_lost(
    market: Market, account: MTurkAccount, served: tuple[Market, str], key: str, fault: str, times: int
) -> None:
    """Repeated or not, there is one HIT, and it is found."""
    market.add_fault("CreateHITWithHITType", fault, times)
    listed = account.create(notice())
    (hit,) = requester(served[1], key).list_hits()["HITs"]
    assert hit["HITId"] == listed.remote_id


def test_more_than_a_page_of_hits(served: tuple[Market, str], account: MTurkAccount, key: str) -> None:
    """A listing is found behind a hundred others."""
    wanted = notice(places=1)
    first = account.create(wanted)
    client = requester(served[1], key)
    kind = client.get_hit(HITId=first.remote_id)["HIT"]
    for _ in range(103):
        client.create_hit_with_hit_type(
            HITTypeId=kind["HITTypeId"], LifetimeInSeconds=3600, MaxAssignments=1, Question=kind["Question"]
        )
    assert connect(served[1], key).create(wanted).remote_id == first.remote_id


def test_places_grow(market: Market, account: MTurkAccount) -> None:
    """To a number in all, once however often it is asked, and not where MTurk's rule forbids it."""
    listing = account.create(notice(places=3)).remote_id
    assert account.set_places(listing, 5).places == 5
    assert account.set_places(listing, 5).places == 5
    with pytest.raises(PlatformRefusedError, match="takes none away"):
        account.set_places(listing, 4)
    with pytest.raises(PlatformRefusedError, match="publish a new listing for the other 7") as error:
        account.set_places(listing, 12)
    assert error.value.code == GROWS_TOO_FAR
    assert account.listing(listing).places == 5
    large = account.create(notice(places=10)).remote_id
    assert account.set_places(large, 25).places == 25


@pytest.mark.parametrize("fault", ["effect-then-500", "effect-then-drop", "500", "throttle"])
def test_places_are_added_once(market: Market, account: MTurkAccount, fault: str) -> None:
    """Whatever becomes of the first call."""
    listing = account.create(notice(places=3)).remote_id
    market.add_fault("CreateAdditionalAssignmentsForHIT", fault)
    assert account.set_places(listing, 5).places == 5


def test_closed_and_opened_again(market: Market, account: MTurkAccount) -> None:
    """Nobody gets in any more, who has begun hands in, and later it can be found again."""
    listing = account.create(notice()).remote_id
    worker = a_worker(market)
    begun = market.accept(listing, worker)
    assert account.close(listing).state == "closed"
    with pytest.raises(WorkError):
        market.accept(listing, a_worker(market))
    market.submit(begun, {"code": "X"})
    assert account.listing(listing).vendor_state == "Reviewable"
    assert account.open(listing, lifetime_days=3).state == "open"
    hand_in(market, listing)
    full = account.listing(listing)
    assert (full.state, full.vendor_state) == ("open", "Reviewable")
    with pytest.raises(PlatformRefusedError, match="cannot pause"):
        account.pause(listing)


def test_more_than_a_page_of_submissions(market: Market, account: MTurkAccount) -> None:
    """All of them come, each once."""
    design = make_design(people={"minutes": 2, "hold_minutes": 10, "reward": "0.01 USD"})
    listing = account.create(notice(places=120, design=design)).remote_id
    handed_in = {hand_in(market, listing)[0] for _ in range(104)}
    found = [remote.id for remote in account.submissions(listing)]
    assert len(found) == 104
    assert set(found) == handed_in


@pytest.mark.parametrize("fault", ["effect-then-500", "effect-then-drop", "500", "drop", "throttle"])
def test_an_approval_pays_once(market: Market, account: MTurkAccount, fault: str) -> None:
    """Whatever becomes of the first call, and however often it is asked."""
    listing = account.create(notice()).remote_id
    assignment, worker = hand_in(market, listing)
    market.add_fault("ApproveAssignment", fault)
    account.approve([assignment])
    account.approve([assignment])
    assert market.paid(worker) == 60


@pytest.mark.parametrize("fault", ["500", "drop"])
def test_an_approval_that_never_came_through(market: Market, account: MTurkAccount, fault: str) -> None:
    """It is unsure, and approved by the next try."""
    assignment, worker = hand_in(market, account.create(notice()).remote_id)
    market.add_fault("ApproveAssignment", fault, 3)
    with pytest.raises(PlatformUnsureError, match="nobody can know"):
        account.approve([assignment])
    account.approve([assignment])
    assert market.paid(worker) == 60


def test_reviews_do_not_turn_around_by_themselves(market: Market, account: MTurkAccount) -> None:
    """A rejection stands until it is overridden on purpose, an approval for ever; repeating either is no error."""
    listing = account.create(notice()).remote_id
    (good, _), (bad, worker) = hand_in(market, listing), hand_in(market, listing)
    account.approve([good])
    account.reject(bad, "no")
    account.reject(bad, "no")
    with pytest.raises(PlatformRefusedError) as error:
        account.reject(good, "no")
    assert error.value.code == "AWS.MechanicalTurk.InvalidAssignmentState"
    with pytest.raises(PlatformRefusedError):
        account.approve([bad])
    account.override_rejection(bad)
    account.override_rejection(bad)
    assert market.paid(worker) == 60
    with pytest.raises(PlatformRefusedError, match="approve or reject"):
        account.request_return(bad, "please")


def test_a_refusal_after_others_were_done_is_unsure(market: Market, account: MTurkAccount) -> None:
    """Something has changed by then, which "refused" would deny; the sentence says how far it came."""
    assignment, worker = hand_in(market, account.create(notice()).remote_id)
    with pytest.raises(PlatformUnsureError, match="1 of 2 were done before"):
        account.approve([assignment, "3NOSUCH"])
    assert market.paid(worker) == 60
    with pytest.raises(PlatformRefusedError):
        account.approve(["3NOSUCH"])


@pytest.mark.parametrize("fault", ["effect-then-500", "effect-then-drop", "500", "drop", "throttle"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_bonus_is_paid_once(market: Market, account: MTurkAccount, fault: str, times: int) -> None:
    """Whatever becomes of the first calls; and it is seen by its token."""
    listing = account.create(notice()).remote_id
    assignment, worker = hand_in(market, listing)
    bonus = a_bonus(assignment, worker)
    market.add_fault("SendBonus", fault, times)
    account.pay_bonuses(bonus.token, [bonus])
    assert market.paid(worker) == 41
    assert [paid.token for paid in account.bonuses(listing, [assignment])] == [bonus.token]


@pytest.mark.parametrize("later", [0, 25 * 3600])
def test_a_bonus_asked_for_again(market: Market, account: MTurkAccount, later: int) -> None:
    """It is not paid twice, even when the marketplace has forgotten its token; another one is."""
    assignment, worker = hand_in(market, account.create(notice()).remote_id)
    bonus = a_bonus(assignment, worker)
    account.pay_bonuses(bonus.token, [bonus])
    market.advance(later)
    account.pay_bonuses(bonus.token, [bonus])
    rewards = sum(payment.amount for payment in market.payments() if payment.worker_id == worker) - 41
    assert rewards in (0, 60)  # by itself, after a week
    other = a_bonus(assignment, worker, 5)
    account.pay_bonuses(other.token, [other])
    assert [p.amount for p in market.payments() if p.worker_id == worker and p.kind == "bonus"] == [41, 5]


def test_a_lost_bonus_counts_as_paid_only_if_it_is_seen(market: Market, account: MTurkAccount) -> None:
    """Every answer lost after the effect: it is seen. Every call lost before it: unsure, and nothing was paid."""
    assignment, worker = hand_in(market, account.create(notice()).remote_id)
    bonus, other = a_bonus(assignment, worker), a_bonus(assignment, worker)
    market.add_fault("SendBonus", "effect-then-500", 3)
    account.pay_bonuses(bonus.token, [bonus])
    market.add_fault("SendBonus", "500", 3)
    with pytest.raises(PlatformUnsureError):
        account.pay_bonuses(other.token, [other])
    assert market.paid(worker) == 41


def test_a_refusal_that_cannot_be_looked_up_is_unsure(market: Market, account: MTurkAccount) -> None:
    """It may be the refusal of what was done before, so it is no promise that nothing was."""
    assignment, _ = hand_in(market, account.create(notice()).remote_id)
    account.approve([assignment])
    market.add_fault("GetAssignment", "throttle", 3)
    with pytest.raises(PlatformUnsureError, match="cannot be read now") as error:
        account.approve([assignment])
    assert error.value.code == "AWS.MechanicalTurk.InvalidAssignmentState"


def test_no_funds(market: Market, account: MTurkAccount) -> None:
    """The vendor's own code says so, and nothing was paid."""
    assignment, worker = hand_in(market, account.create(notice()).remote_id)
    with pytest.raises(PlatformRefusedError, match="insufficient funds") as error:
        account.pay_bonuses("x", [a_bonus(assignment, worker, 2_000_000)])
    assert error.value.code == "AWS.MechanicalTurk.InsufficientFunds"
    assert market.paid(worker) == 0
    with pytest.raises(PlatformRefusedError, match="US dollars"):
        account.pay_bonuses("x", [replace(a_bonus(assignment, worker), amount=Money(amount=5, currency="EUR"))])


def test_groups_keep_people_out(market: Market, account: MTurkAccount) -> None:
    """A group is made once; its members cannot accept a HIT that excludes it, until they are taken out."""
    group = account.ensure_group("pets")
    assert account.ensure_group("pets") == group
    assert account.ensure_group("pets 2") != group
    inside, outside = a_worker(market), a_worker(market)
    account.add_to_group(group, [inside])
    account.add_to_group(group, [inside])
    listing = account.create(notice(places=5, excluded_groups=[group])).remote_id
    market.accept(listing, outside)
    with pytest.raises(WorkError):
        market.accept(listing, inside)
    account.remove_from_group(group, [inside])
    account.remove_from_group(group, [inside])
    assert market.accept(listing, inside)


def test_a_group_behind_a_page_of_others(market: Market, account: MTurkAccount) -> None:
    """It is found, also after a lost answer."""
    market.add_fault("CreateQualificationType", "effect-then-drop")
    first = account.ensure_group("first")
    for number in range(101):
        account._call(
            "create_qualification_type", Name=f"other {number}", Description="x", QualificationTypeStatus="Active"
        )
    assert account.ensure_group("first") == first


def test_who_did_one_batch_sees_no_other(served: tuple[Market, str], account: MTurkAccount, key: str) -> None:
    """Where each batch is a HIT and one is allowed, the study's own group is kept out too."""
    group = account.ensure_group("own")
    one_each = DESIGN.model_copy(update={"mturk": DESIGN.mturk.model_copy(update={"delivery": "batches"})})
    client = requester(served[1], key)

    def excluded(design: Design) -> bool:
        hit = client.get_hit(HITId=account.create(notice(design=design, group=group)).remote_id)["HIT"]
        return group in [row["QualificationTypeId"] for row in hit["QualificationRequirements"]]

    assert excluded(one_each)
    assert not excluded(DESIGN)


def test_messages(market: Market, account: MTurkAccount) -> None:
    """Those who worked for the account get them, a hundred at a time; the others are named."""
    listing = account.create(notice()).remote_id
    assignment, worker = hand_in(market, listing)
    account.approve([assignment])
    account.message([worker], "Thank you", "The results are out.")
    strangers = [a_worker(market) for _ in range(101)]
    with pytest.raises(PlatformError, match=f"101 of 102 workers were not written to .*{strangers[0]}"):
        account.message([worker, *strangers], "Thank you", "The results are out.")
    with pytest.raises(PlatformRefusedError, match="4,096"):
        account.message([worker], "Thank you", "x" * 4097)


def test_a_message_is_never_sent_twice(market: Market, account: MTurkAccount) -> None:
    """A lost answer is not asked for again, since the mail may be out."""
    assignment, worker = hand_in(market, account.create(notice()).remote_id)
    account.approve([assignment])
    market.add_fault("NotifyWorkers", "effect-then-500")
    with pytest.raises(PlatformUnsureError):
        account.message([worker], "Thank you", "The results are out.")


def test_refusals_keep_the_vendors_code(account: MTurkAccount) -> None:
    """Of what does not exist, of what is ill-formed, of what boto3 itself does not send."""
    with pytest.raises(PlatformRefusedError, match="refused to get hit") as error:
        account.listing("3NOSUCH")
    assert error.value.code == "AWS.MechanicalTurk.HITDoesNotExist"
    with pytest.raises(PlatformRefusedError) as error:
        account.listing("not an id")
    assert error.value.code
    with pytest.raises(PlatformRefusedError, match="its values are wrong"):
        account.listing(None)  # type: ignore[arg-type]


def test_throttling_that_does_not_end(market: Market, account: MTurkAccount) -> None:
    """It is a refusal: nothing was done."""
    listing = account.create(notice()).remote_id
    assignment, worker = hand_in(market, listing)
    market.add_fault("GetHIT", "throttle", 3)
    with pytest.raises(PlatformRefusedError, match="asked too often") as error:
        account.listing(listing)
    assert error.value.code == "ThrottlingException"
    bonus = a_bonus(assignment, worker)
    market.add_fault("SendBonus", "throttle", 3)
    with pytest.raises(PlatformRefusedError, match="asked too often"):
        account.pay_bonuses(bonus.token, [bonus])
    assert market.paid(worker) == 0


def test_a_refusal_after_a_lost_call_is_unsure(market: Market, account: MTurkAccount) -> None:
    """What the repeated call was refused does not tell what became of the first."""
    listing = account.create(notice()).remote_id
    market.add_fault("CreateHITWithHITType", "effect-then-500")
    market.add_fault("CreateHITWithHITType", "throttle", 2)
    market.add_fault("ListHITs", "500", 3)
    with pytest.raises(PlatformUnsureError) as error:
        account.create(notice())
    assert error.value.code == "ThrottlingException"
    assert account.listing(listing).state == "open"


def test_nobody_there() -> None:
    """A marketplace that cannot be reached leaves it unsure, since a call before may have come through."""
    account = connect("http://127.0.0.1:9", "AKIAABCDEFGHIJKLMNOP")
    with pytest.raises(PlatformUnsureError, match="gave no answer to get account balance"):
        account.info()


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One sentence says what to set."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    where = {"endpoint": "http://127.0.0.1:9", "submit_to": []}
    with pytest.raises(CredentialsError, match="there are no complete AWS credentials"):
        MTurk().connect(where, {})
    with pytest.raises(CredentialsError, match="cannot be used"):
        MTurk().connect(where, {"AWS_PROFILE": "nobody"})
    with pytest.raises(CredentialsError, match="there are no complete AWS credentials"):
        MTurk().connect(where, {"AWS_ACCESS_KEY_ID": "AKIA"})


def test_a_profile_in_the_vendors_file(
    served: tuple[Market, str], key: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """boto3's own files serve as well."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "credentials"
    file.write_text(f"[lab]\naws_access_key_id = {key}\naws_secret_access_key = {SECRET}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    account = MTurk().connect({"endpoint": served[1], "submit_to": []}, {"AWS_PROFILE": "lab"})
    assert account.info().name == f"…{key[-4:]}"


def test_credentials_that_are_not_accepted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence, its causes, the log and the output hold neither the secret nor the whole key id."""
    market = open_market(str(tmp_path / "closed.db"))
    caplog.set_level(logging.INFO)
    key = "AKIAABCDEFGHIJKLMNOP"
    with running(market, open_accounts=False) as address:
        account = connect(address, key)
        with pytest.raises(CredentialsError, match="does not accept the AWS credentials") as error:
            account.info()
    market.close()
    assert error.value.code == "UnrecognizedClientException"
    assert error.value.__cause__ is None
    printed = capsys.readouterr()
    said = [str(error.value), repr(account), repr(vars(account)), caplog.text, printed.out, printed.err]
    for text in said:
        assert SECRET not in text
        assert key not in text
