"""The stand-in itself: as strict as Prolific's description, and with what that does not say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT
from tests.prolific import Control, StandIn
from tests.prolific.examples import CODES, REASON, bonus, connect, hand_in, make_notice


@pytest.fixture
def prolific(test_data: Path) -> Iterator[StandIn]:
    """A stand-in with nothing on it."""
    with StandIn(test_data) as started:
        yield started


def _call(prolific: Control, method: str, path: str, **options: Any) -> httpx.Response:
    headers = {"Authorization": f"Token {prolific.token}"}
    return httpx.request(method, f"{prolific.url}/api/v1/{path}", headers=headers, **options)


def test_paying_twice_pays_twice(prolific: StandIn) -> None:
    """As Prolific warns, two requests to pay the same bonuses pay them twice."""
    account = connect(prolific)
    study = account.create(make_notice()).remote_id
    account.open(study)
    who, session = hand_in(prolific, study)
    reference = account.prepare_bonuses(study, [bonus(session, who, 30)])
    account.pay_bonuses(reference, [])
    account.pay_bonuses(reference, [])
    assert prolific.settle() == 2
    assert prolific.paid(who) == [("bonus", 30), ("bonus", 30)]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("studies/", {"name": "x"}, 140003),
        ("studies/{study}/transition/", {"action": "EXPLODE"}, 140003),
        ("studies/{study}/transition/", {"action": "START"}, 140103),
        ("studies/{study}/transition/", {"action": "PAUSE", "why": "tea"}, 140003),
        ("submissions/{session}/transition/", {"action": "REJECT", "rejection_category": "OTHER"}, 140303),
        ("submissions/{session}/transition/", {"action": "REJECT", "message": REASON}, 140304),
        (
            "submissions/{session}/transition/",
            {"action": "REJECT", "message": REASON, "rejection_category": "X"},
            140003,
        ),
        ("submissions/bonus-payments/", {"study_id": "{study}", "csv_bonuses": "5f1,0.30"}, 140211),
        ("submissions/bonus-payments/", {"study_id": "{study}", "csv_bonuses": "{session},0.301"}, 140210),
    ],
)
def test_wrong_requests_are_refused(prolific: StandIn, path: str, body: dict[str, Any], code: int) -> None:
    """Bodies that the schemas refuse, and those that only the descriptions refuse, are 400 with a code."""
    account = connect(prolific)
    study = account.create(make_notice()).remote_id
    account.open(study)
    _, session = hand_in(prolific, study)
    filled = {key: str(value).format(study=study, session=session) for key, value in body.items()}
    response = _call(prolific, "POST", path.format(study=study, session=session), json=filled)
    answer = response.json()
    assert response.status_code == 400
    assert answer.get("error", answer)["error_code"] == code


def test_published_studies_are_locked_and_places_only_go_up(prolific: StandIn) -> None:
    """Once published, a study changes its places upwards, and not its reward."""
    account = connect(prolific)
    study = account.create(make_notice(places=5)).remote_id
    assert _call(prolific, "PATCH", f"studies/{study}/", json={"reward": 70}).status_code == 200
    account.open(study)
    assert _call(prolific, "PATCH", f"studies/{study}/", json={"reward": 80}).status_code == 400
    assert _call(prolific, "PATCH", f"studies/{study}/", json={"total_available_places": 4}).status_code == 400
    assert _call(prolific, "DELETE", f"studies/{study}/").status_code == 400


def test_publishing_takes_money(prolific: StandIn) -> None:
    """A wallet that cannot pay for all places keeps the study a draft; a paid reward leaves it with its fee."""
    account = connect(prolific)
    study = account.create(make_notice(places=2)).remote_id
    prolific.set_wallet(167)
    assert _call(prolific, "POST", f"studies/{study}/transition/", json={"action": "PUBLISH"}).status_code == 400
    prolific.set_wallet(168)
    account.open(study)
    _, session = hand_in(prolific, study)
    account.approve([session])
    assert prolific.records("workspace")[0]["total"] == 84


def test_nobody_enters_with_another_token(prolific: StandIn) -> None:
    """A wrong token is 401, on every operation, before anything else is looked at."""
    response = httpx.get(f"{prolific.url}/api/v1/users/me/", headers={"Authorization": "Token other"})
    assert response.status_code == 401
    assert httpx.get(f"{prolific.url}/api/v1/studies/").status_code == 401


def test_page_past_the_end_is_404(prolific: StandIn) -> None:
    """The page after the last one does not exist, and an operation that is not known is 404, or 405 by its method."""
    connect(prolific).create(make_notice())
    assert _call(prolific, "GET", "studies/?page=1").status_code == 200
    assert _call(prolific, "GET", "studies/?page=2").status_code == 404
    assert _call(prolific, "GET", "studies/?shoe_size=2").status_code == 400
    assert _call(prolific, "GET", "nothing/").status_code == 404
    assert _call(prolific, "PUT", "studies/").status_code == 405


def test_submit_that_is_lost_leaves_the_submission_open(prolific: StandIn) -> None:
    """A completion page that fails keeps nothing; the participant may complete again, and again."""
    account = connect(prolific)
    study = account.create(make_notice()).remote_id
    account.open(study)
    participant = prolific.add_participant()
    session = prolific.arrive(study, participant).rsplit("=", 1)[1]
    url = f"{prolific.app_url}/submissions/complete?cc={CODES['completed']}"
    prolific.fault("complete", "lost-submit")
    assert prolific.open_page(url, participant).status_code == 500
    assert account.submission(session).state == "active"
    for _ in range(2):
        assert prolific.open_page(url, participant).status_code == 200
    assert account.submission(session).state == "submitted"


def test_way_in_by_the_browser(prolific: StandIn) -> None:
    """The start page signs the participant in, takes the place and leads to the study with the ids filled in."""
    account = connect(prolific)
    study = account.create(make_notice()).remote_id
    account.open(study)
    participant = prolific.add_participant()
    page = httpx.get(prolific.start_url(study, participant))
    session = prolific.submissions(study)[0]["id"]
    assert page.status_code == 302
    assert page.headers["Location"].endswith(f"PROLIFIC_PID={participant}&STUDY_ID={study}&SESSION_ID={session}")
    assert prolific.arrive(study, participant) == page.headers["Location"], "who comes back has the same submission"


def test_process_of_its_own_remembers(test_data: Path, tmp_path: Path) -> None:
    """Started as a process it says its address and settles by itself; started again it knows what was paid."""
    command = [sys.executable, "-m", "tests.prolific", "--data", str(tmp_path / "prolific.db"), "--settle-after", "0"]
    sessions: list[str] = []
    for run in range(2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        try:
            assert process.stdout is not None
            with process.stdout as lines:
                prolific = Control(lines.readline().strip())
            account = connect(prolific)
            study = account.create(make_notice(places=3)).remote_id
            account.open(study)
            who, session = hand_in(prolific, study)
            sessions.append(session)
            wanted = [bonus(session, who, 30)]
            account.pay_bonuses(account.prepare_bonuses(study, wanted), wanted)
            assert [each.amount for each in account.bonuses(study, sessions)] == [30] * (run + 1)
            prolific.close()
        finally:
            process.kill()
            process.wait()
