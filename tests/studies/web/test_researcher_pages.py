"""The researcher's pages through the test client: who may press a button, what it does, and that twice is once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from crowdloom.studies.access import new_access
from crowdloom.studies.database import Store, now
from crowdloom.studies.review import completed
from crowdloom.studies.tables import Job, Payment, Posting, Submission
from crowdloom.studies.web import create_app
from tests.studies.conftest import Publish
from tests.studies.published import REWARD, OnLink
from tests.studies.web.researching import Researcher

BONUS = {"rule": "agreement", "amount": "0.41 USD", "share": 0.5}
ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
"""For what has nothing to do with the database."""
FLOOR = REWARD | {"hourly_floor": "9 USD"}


@pytest.fixture
def study(store: Store, tmp_path: Path) -> OnLink:
    """A study that is loaded and not published."""
    return OnLink(store, tmp_path, items=2, put=False, batches={"size": 2, "responses_per_item": 4})


@pytest.fixture
def researcher(app: Flask, store: Store, study: OnLink) -> Researcher:
    """Somebody on its pages."""
    return Researcher(app, store, study.design.name)


def number_of(store: Store, table: type) -> int:
    """How many rows a table has."""
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def payment_states(store: Store) -> list[str]:
    """The states of all payments."""
    with store.read() as connection:
        return list(connection.scalars(select(Payment.state).order_by(Payment.id)))


def test_every_button_needs_the_sessions_token(app: Flask, store: Store, researcher: Researcher) -> None:
    """Without it, or with another session's, each POST is answered 403 in a sentence; a stranger gets no further."""
    other = Researcher(app, store, "pets")
    foreign = other.form("publish", "Publish").fields["csrf"]
    addresses = [
        re.sub(r"<any\((\w+).*?>", r"\1", rule.rule).replace("<token:token>", researcher.token).replace("<token:", "<")
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("researcher.") and "POST" in (rule.methods or ())
    ]
    assert len(addresses) >= 15
    for address in (re.sub(r"<\w+>", "x", address) for address in addresses):
        for token in (None, "", foreign):
            answer = researcher.client.post(address, data={} if token is None else {"csrf": token, "expected": "0"})
            assert (answer.status_code, "Nothing was done" in answer.text) == (403, True), address
        assert app.test_client().post(address, data={"csrf": foreign}).status_code == 403
    assert number_of(store, Job) == number_of(store, Posting) == 0


@ON_SQLITE
def test_the_cookie_is_closed_to_scripts_and_other_sites(app: Flask, store: Store) -> None:
    """HttpOnly and SameSite always, Secure where the request came by https."""
    for scheme in ("http", "https"):
        with store.write() as connection:
            access = new_access(connection)
        answer = app.test_client().get(f"/researcher/enter/{access}", base_url=f"{scheme}://lab.example")
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) == (scheme == "https")


def test_the_round_by_link(store: Store, study: OnLink, researcher: Researcher) -> None:
    """Publish, pause, resume, review, pay by hand and close, all at once and without a worker."""
    assert "Publish for at most 4.80 USD" in researcher.page("publish")
    assert "MTurk" in researcher.page("publish")
    job = researcher.press("publish", "Publish for at most", address="https://lab.example")
    assert "https://lab.example/join/" in researcher.page(job)
    with store.read() as connection:
        study.posting = connection.execute(select(Posting.token)).scalar_one()
    for person in ("ann", "ben", "cem"):
        study.take(person)
    assert "link, version 1, is paused" in researcher.page(researcher.press("", "Pause"))
    assert "link, version 1, is open" in researcher.page(researcher.press("", "Resume"))
    assert "<strong>3</strong>" in researcher.page("")
    with store.read() as connection:
        codes = [row.code for row in completed(connection, "pets")]
    assert researcher.press("review", "Approve the chosen", code=codes[0]).endswith("show=waiting")
    assert "1 submission approved." in researcher.page("review")
    assert "Nothing was chosen" in researcher.page(researcher.press("review", "Approve the chosen"))
    assert "2 submissions approved." in researcher.page(researcher.press("review", "Approve all that pass (2)"))
    assert payment_states(store) == ["pending"] * 3
    record = researcher.form("payments", "Record 3.60 USD as paid")
    assert researcher.send(record).status_code == 303
    assert researcher.send(record).status_code == 303
    assert "recorded already" in researcher.page("payments")
    assert payment_states(store) == ["confirmed"] * 3
    assert "is closed" in researcher.page(researcher.press("", "Close the study"))
    assert study.posted.state == "closed"
    assert "ann" not in "".join(map(researcher.page, ("", "review", "payments", "reconcile", f"review/{codes[0]}")))


def test_the_list_is_the_one_place_with_ids(store: Store, study: OnLink, researcher: Researcher) -> None:
    """It is a file that no cache keeps, by POST only; what changed since then cannot be recorded as paid."""
    study.publish()
    study.take("ann-of-the-panel")
    researcher.press("review", "Approve all that pass")
    form = researcher.form("payments", "Download the list")
    answer = researcher.send(form)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.mimetype == "text/csv"
    assert "ann-of-the-panel,reward,1.20,USD" in answer.text
    assert researcher.client.get(form.action).status_code == 405
    record = researcher.form("payments", "Record 1.20 USD as paid")
    study.take("ben")
    researcher.press("review", "Approve all that pass")
    answer = researcher.send(record)
    assert answer.status_code == 409
    assert "would now come to 2.40 USD, and the button said 1.20 USD" in answer.text
    assert payment_states(store) == ["pending", "pending"]


def test_a_second_click_changes_nothing(store: Store, study: OnLink, researcher: Researcher) -> None:
    """The same form twice is one job, even after its end; an amount that was changed publishes nothing."""
    form = researcher.form("publish", "Publish for at most")
    wrong = researcher.send(form, expected="1", once="anothername")
    assert wrong.status_code == 409
    assert "could now cost 4.80 USD, and the button said 0.01 USD" in wrong.text
    assert number_of(store, Posting) == 0
    assert researcher.send(form).location == researcher.send(form).location
    assert (number_of(store, Posting), number_of(store, Job)) == (1, 1)
    for changes in ({"once": "short"}, {"once": None}, {"expected": "much"}, {"expected": "-1"}, {"address": "lab"}):
        assert researcher.send(form, **({"once": "yetanothername"} | changes)).status_code == 400
    assert (number_of(store, Posting), number_of(store, Job)) == (1, 1)


def test_what_asks_a_platform_is_a_job(app: Flask, store: Store, on_mturk: Publish) -> None:
    """Paying waits for a worker, and says so; its row has no secret and no id; it can be taken back, once."""
    study = on_mturk(store, people=FLOOR)
    comer = study.take()
    study.poll()
    researcher = Researcher(app, store, "pets")
    researcher.press("review", "Approve all that pass")
    form = researcher.form("payments", "Pay 1.20 USD now")
    job = researcher.send(form).location
    assert researcher.send(form, once="fromanothertab").location == job
    assert researcher.send(form, once="fromathirdtab", expected="7").status_code == 409
    assert "waits for a worker" in researcher.page(job)
    with store.write() as connection:
        rows = connection.execute(select(Job.__table__)).all()
        connection.execute(update(Job).values(created_at=now().replace(year=2020)))
    assert "No worker is running: start one with <code>crowdloom worker</code>" in researcher.page(job)
    assert len(rows) == 1
    said = json.dumps([str(value) for value in rows[0]])
    for secret in ("nobody-is-to-see-this", study.address, comer.person, comer.remote, "sqlite", "postgres"):
        assert secret not in said
    assert comer.person not in researcher.page("payments") + researcher.page("review") + researcher.page("reconcile")
    assert "was taken back" in researcher.page(researcher.press(job, "Take it back"))
    assert study.paid(comer) == []


@ON_SQLITE
def test_a_rejection_is_checked_beside_its_field(app: Flask, store: Store, on_prolific: Publish) -> None:
    """Too short a reason or no category comes back with its sentence; a good one becomes a job."""
    study = on_prolific(store)
    study.take()
    study.poll()
    researcher = Researcher(app, store, "pets")
    with store.read() as connection:
        code = completed(connection, "pets")[0].code
    form = researcher.form(f"review/{code}", "Reject")
    answer = researcher.send(form, reason="Too quick.")
    assert answer.status_code == 422
    assert "Write at least 100 characters: it has 10" in answer.text
    assert ">Too quick.</textarea>" in answer.text
    assert "Choose what it is about" in answer.text
    assert researcher.send(form, reason="x" * 3000, category="OTHER").status_code == 422
    assert number_of(store, Job) == 0
    category = re.search(r'<option value="([^"]+)"', researcher.page(f"review/{code}"))
    assert category
    assert researcher.send(form, reason="x" * 120, category=category[1]).status_code == 303
    empty = researcher.send(researcher.form(f"review/{code}", "Ask to return"), **{"return-reason": " "})
    assert empty.status_code == 422
    assert number_of(store, Job) == 1
    assert researcher.client.get(f"{researcher.base}/review/nobody").status_code == 404


@ON_SQLITE
def test_more_answers_are_priced_before_they_are_wanted(app: Flask, store: Store, on_mturk: Publish) -> None:
    """Looking at the price of more responses changes nothing; nonsense is answered beside the field."""
    on_mturk(store)
    researcher = Researcher(app, store, "pets")
    assert "It has all the places that it needs" in researcher.page("places")
    assert "Add them for at most 4.32 USD" in researcher.page("places?responses=5")
    assert "It has all the places that it needs" in researcher.page("places")
    assert "Write a number from 1 to 10,000" in researcher.page("places?responses=many")
    answer = researcher.client.get(researcher.press("places?responses=5", "Add them"))
    assert "Add places" in answer.text


@ON_SQLITE
def test_filters_and_pages(store: Store, study: OnLink, researcher: Researcher) -> None:
    """What fails a check stands apart and is not approved with the others; strange addresses do no harm."""
    study.publish()
    for person in "abcd":
        study.take(person)
    with store.write() as connection:
        one = connection.scalars(select(Submission.id)).first()
        connection.execute(update(Submission).where(Submission.id == one).values(review="rejected"))
    assert researcher.page("review").count('name="code"') == 3
    assert researcher.page("review?show=all&page=99").count('name="code"') == 4
    assert "Nothing that waits fails a check" in researcher.page("review?show=failing")
    assert researcher.page("review?show=strange&page=x").count('name="code"') == 3
    assert researcher.client.get("/researcher/study/nowhere/payments").status_code == 404
    assert researcher.client.get(f"{researcher.base}/jobs/nothing").status_code == 404


@ON_SQLITE
def test_differences_lead_to_what_mends_them(store: Store, study: OnLink, researcher: Researcher) -> None:
    """What is owed is a difference whose command is a link to the payments page."""
    study.publish()
    study.take("ann")
    researcher.press("review", "Approve all that pass")
    researcher.press("reconcile", "Look again")
    page = researcher.page("reconcile")
    assert "is owed 1.20 USD (reward)" in page
    assert f'<a href="{researcher.base}/payments"><code>crowdloom pay pets</code></a>' in page
    assert "1</strong> difference when the platforms were last asked" in researcher.page("")


@ON_SQLITE
def test_what_was_approved_elsewhere_is_written_down(store: Store, study: OnLink, researcher: Researcher) -> None:
    """Approvals of the command line stand as not in the ledger until somebody presses the button."""
    study.publish()
    study.take("ann")
    study.approve_all()
    assert "1 approved submission is not in the ledger yet" in researcher.page("payments")
    assert payment_states(store) == []
    researcher.press("payments", "Write down what they are owed")
    assert payment_states(store) == ["pending"]


def test_people_below_the_floor(app: Flask, store: Store, tmp_path: Path) -> None:
    """The study's page says it; on the direct link the addition is written to the ledger at once, and once."""
    study = OnLink(store, tmp_path, people=FLOOR)
    token = study.take("ann").token
    with store.write() as connection:
        done = connection.execute(select(Submission.completed_at).where(Submission.token == token)).scalar_one()
        connection.execute(update(Submission).values(started_at=done.replace(year=done.year - 1)))
    researcher = Researcher(app, store, "pets")
    assert "Below the floor of 9.00 USD an hour" in researcher.page("")
    form = researcher.form("payments", "Add ")
    assert researcher.send(form, once="wrongamount", expected="5").status_code == 409
    assert payment_states(store) == []
    for once in ("first-tab", "secondtab"):
        researcher.send(form, once=once.replace("-", ""))
    assert payment_states(store) == ["pending"]


@ON_SQLITE
def test_bonus_rule_is_worked_out_by_a_worker(app: Flask, store: Store, tmp_path: Path) -> None:
    """The button makes a job, since comparing many answers takes long; an imported study offers nothing to publish."""
    study = OnLink(store, tmp_path, bonus=BONUS)
    study.take("ann")
    researcher = Researcher(app, store, "pets")
    job = researcher.press("payments", "Work out who gets it")
    assert "queued" in researcher.page(job)
    assert "Work out the bonuses" in researcher.page("payments")


def test_loading_the_pages_loads_no_numpy() -> None:
    """The web process stays small: what computes is imported by the worker."""
    import subprocess
    import sys

    code = "import sys, crowdloom.studies.web; print([m for m in ('numpy', 'pandas', 'torch') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip() == "[]"
    )


@ON_SQLITE
def test_create_app_twice_shares_no_session(store: Store) -> None:
    """A cookie of one server is nothing to another with a key of its own."""
    first, second = create_app(store, "one"), create_app(store, "two")
    with store.write() as connection:
        access = new_access(connection)
    client = first.test_client()
    client.get(f"/researcher/enter/{access}")
    cookie = client.get_cookie("session")
    assert cookie is not None
    stranger = second.test_client()
    stranger.set_cookie("session", cookie.value)
    assert stranger.get("/researcher/").status_code == 403
