"""What the pages need of the MTurk protocol: who arrives, the way back, fees, and which designs it takes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from crowdloom.studies.errors import OptionError, PlaceError
from crowdloom.studies.platforms.mturk import PREVIEW, MTurk
from crowdloom.studies.platforms.protocol import Arrival, Ending
from tests.studies.designs import make_design

OWN = "https://market.example:8443"
WHERE = {"endpoint": OWN, "submit_to": [OWN, "http://127.0.0.1:8001"]}
QUERY = {"assignmentId": "3AB12", "hitId": "3HIT", "workerId": "A1WORKER", "turkSubmitTo": OWN}
PAID = {"minutes": 2, "hold_minutes": 10, "reward": "0.60 USD"}
HTML = {"mturk": {"delivery": "html"}}
BALANCED = {"size": 2, "responses_per_item": 2, "order": "counterbalanced"}


def paid_design(**changes: Any) -> Any:
    """The small design with a reward in dollars."""
    return make_design(**{"people": PAID, **changes})


def test_an_endpoint_of_ones_own() -> None:
    """Its origin takes answers too, with further ones where they are named; no credential is kept."""
    environ = {
        "AWS_ENDPOINT_URL_MTURK": "https://Market.example:443/",
        "CROWDLOOM_MTURK_SUBMIT_TO": "https://workers.example, http://localhost:8001/",
        "AWS_SECRET_ACCESS_KEY": "hidden",
    }
    assert MTurk().where(environ) == {
        "endpoint": "https://market.example",
        "submit_to": ["https://market.example", "https://workers.example", "http://localhost:8001"],
    }


@pytest.mark.parametrize(
    ("public", "submit_to"),
    [("production", "https://www.mturk.com"), ("sandbox", "https://workersandbox.mturk.com")],
)
def test_the_public_service(public: str, submit_to: str) -> None:
    """By its name or by its address, with the origins that it had."""
    where = MTurk().where({"CROWDLOOM_MTURK": public})
    assert where["submit_to"] == [submit_to]
    assert MTurk().where({"AWS_ENDPOINT_URL_MTURK": where["endpoint"]}) == where
    assert submit_to in MTurk().frame_ancestors(where)


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({}, "closed the public one on 2026-09-30"),
        ({"CROWDLOOM_MTURK": "live"}, "set it to sandbox or production"),
        ({"CROWDLOOM_MTURK": "sandbox", "AWS_ENDPOINT_URL_MTURK": OWN}, "unset one of them"),
        ({"AWS_ENDPOINT_URL_MTURK": "https://key:hunter2@market.example"}, "no plain address"),
        ({"AWS_ENDPOINT_URL_MTURK": "market.example"}, "no plain address"),
        ({"AWS_ENDPOINT_URL_MTURK": OWN, "CROWDLOOM_MTURK_SUBMIT_TO": "https://a:hunter2@b.example"}, "an origin"),
    ],
)
def test_what_names_no_marketplace(environ: dict[str, str], sentence: str) -> None:
    """One sentence says what to set; a password in an address is not repeated."""
    with pytest.raises(OptionError, match=sentence) as error:
        MTurk().where(environ)
    assert "hunter2" not in str(error.value)


def test_who_arrives() -> None:
    """The four fields of the query string."""
    assert MTurk().arrive(QUERY, WHERE) == Arrival("A1WORKER", "3AB12", "3HIT", return_to=OWN)


@pytest.mark.parametrize("query", [QUERY | {"assignmentId": PREVIEW}, {"hitId": "3HIT"}, {"assignmentId": PREVIEW}])
def test_a_preview(query: dict[str, str]) -> None:
    """Without an assignment or a worker it is a preview, whatever else is said."""
    arrival = MTurk().arrive(query, WHERE)
    assert arrival.preview
    assert arrival.participant is arrival.return_to is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("workerId", "B1WORKER"),
        ("workerId", "A1worker"),
        ("workerId", "A" + "1" * 64),
        ("workerId", "A１"),
        ("workerId", "A1\n"),
        ("assignmentId", "3AB'--"),
        ("assignmentId", ""),
        ("hitId", "../3HIT"),
    ],
)
def test_ids_that_mturk_never_gives(field: str, value: str) -> None:
    """They are refused with the name of the field."""
    with pytest.raises(PlaceError, match=field):
        MTurk().arrive(QUERY | {field: value}, WHERE)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://evil.example",
        "http://market.example:8443",
        "https://market.example",
        "https://market.example:8444",
        "https://market.example:8443.evil.example",
        "https://market.example:8443@evil.example",
        "https://user@market.example:8443",
        "https://market.example:8443/",
        "https://market.example:8443/path",
        "https://market.example:8443?x",
        "https://market.example:8443#x",
        "https://market.example:8443\\@evil.example",
        "//market.example:8443",
        "https:market.example:8443",
        "https:///market.example:8443",
        "https://market.example.:8443",
        "https://xmarket.example:8443",
        "https://market.example:8443\n",
        " https://market.example:8443",
        "https://m\u0430rket.example:8443",
        "https://mar\u212aet.example:8443",
        "https://market。example:8443",
        "https://market.example：8443",
        "https://market.example:８443",
        "https://market.example%00:8443",
        "https://market.example:99999",
        "javascript:alert(1)",
        "data:text/html,x",
        "http://127.1:8001",
        "http://2130706433:8001",
        "http://localhost.evil.example:8001",
        "https://localhost:8001",
        "http://localhost:8002",
    ],
)
def test_answers_are_handed_in_nowhere_else(address: str) -> None:
    """An address that is not exactly an allowed origin is refused, in whatever disguise."""
    with pytest.raises(PlaceError, match="open the HIT there again"):
        MTurk().arrive(QUERY | {"turkSubmitTo": address}, WHERE)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("HTTPS://MARKET.example:8443", OWN),
        ("https://market.example:08443", OWN),
        ("http://localhost:8001", "http://localhost:8001"),
        ("http://[::1]:8001", "http://[::1]:8001"),
    ],
)
def test_the_same_origin_in_other_words(address: str, kept: str) -> None:
    """Case does not matter, and the names of this machine count as one; the one that was given is kept."""
    assert MTurk().arrive(QUERY | {"turkSubmitTo": address}, WHERE).return_to == kept


def test_who_may_frame_our_pages() -> None:
    """The marketplace, on this machine by both of its names."""
    assert MTurk().frame_ancestors(WHERE) == (OWN, "http://localhost:8001", "http://127.0.0.1:8001")


def test_the_way_back() -> None:
    """Who finished posts to the marketplace; who did not take part, or has no way back, returns the HIT there."""
    arrival = MTurk().arrive(QUERY, WHERE)
    back = MTurk().hand_back(Ending("completed", arrival, paid_design(), "CODE", "sub"), WHERE)
    assert back is not None
    assert back.url == f"{OWN}/mturk/externalSubmit"
    fields = {"assignmentId": "3AB12", "submission": "sub", "outcome": "completed", "code": "CODE"}
    assert back.fields == fields
    assert MTurk().hand_back(Ending("no_consent", arrival, paid_design(), "C"), WHERE) is None
    assert MTurk().hand_back(Ending("screened_out", arrival, paid_design(), "C"), WHERE) is None
    assert MTurk().hand_back(Ending("completed", Arrival("A1", "3AB12"), paid_design(), "C"), WHERE) is None


@pytest.mark.parametrize(
    ("reward", "places", "fee"),
    [
        ("1.00 USD", [3], 3 * 20),
        ("1.00 USD", [9], 9 * 20),
        ("1.00 USD", [10], 10 * 40),
        ("1.00 USD", [3, 12], 3 * 20 + 12 * 40),
        ("0.01 USD", [2], 2 * 1),
        ("0.01 USD", [10], 10 * 2),
        ("3.34 USD", [1], 67),
        ("0.07 USD", [1], 1),
        ("0.08 USD", [1], 2),
    ],
)
def test_the_fee_on_rewards(reward: str, places: list[int], fee: int) -> None:
    """20 %, or 40 % from 10 places on, to the cent, and 1 cent at least for each."""
    design = paid_design(people=PAID | {"reward": reward})
    assert MTurk().fee(places, 0, design).on_rewards == fee


def test_the_fee_on_bonuses() -> None:
    """Each of the design's bonuses costs its own fee; other sums cost a fifth."""
    plain = paid_design()
    assert MTurk().fee([], 0, plain).on_bonuses == 0
    assert MTurk().fee([], 41, plain).on_bonuses == 8
    small = paid_design(bonus={"rule": "agreement", "amount": "0.02 USD", "share": 0.5})
    assert MTurk().fee([], 20, small).on_bonuses == 10
    assert "20 %" in MTurk().fee([], 20, small).sentence


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"people": {"minutes": 2, "hold_minutes": 10}}, "people.reward is missing"),
        ({"people": PAID | {"reward": "1.00 GBP"}}, "people.reward is 1.00 GBP"),
        ({"people": PAID | {"submissions_per_participant": 2}}, 'mturk.delivery = "batches"'),
        ({"title": "x" * 129}, "title has 129 characters"),
        ({"mturk": {"description": "x" * 2001}}, "mturk.description has 2,001"),
        ({"mturk": {"qualifications": {"locale": ["US"] * 31}}}, "names 31"),
        ({"eligibility": {"exclude_studies": [f"study{n}" for n in range(11)]}}, "come to 11"),
        (HTML | {"background": [{"question": "Who?"}]}, "background questions are asked by our own pages alone"),
        (HTML | {"questionnaires": [{"instrument": "nasa-tlx", "after": "item"}]}, "questionnaires after each item"),
        (HTML | {"batches": BALANCED}, "a counterbalanced order"),
    ],
)
def test_designs_that_mturk_cannot_take(changes: dict[str, Any], sentence: str) -> None:
    """One sentence says which field, and what to do."""
    assert sentence in str(MTurk().check_design(paid_design(**changes)))


def test_designs_that_it_takes() -> None:
    """With batches as HITs a person may come again; ten requirements are not too many."""
    assert MTurk().check_design(paid_design()) is None
    assert MTurk().check_design(paid_design(background=[{"question": "Who?"}], batches=BALANCED)) is None
    again = {"people": PAID | {"submissions_per_participant": 2}, "mturk": {"delivery": "batches"}}
    assert MTurk().check_design(paid_design(**again)) is None
    assert MTurk().check_design(paid_design(eligibility={"exclude_studies": [f"s{n}" for n in range(10)]})) is None


def test_no_vendor_library_is_loaded_before_it_is_needed() -> None:
    """Importing the platforms loads neither boto3 nor an XML parser."""
    program = (
        "import sys, crowdloom.studies.platforms; "
        "print([name for name in ('boto3', 'botocore', 'lxml') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
