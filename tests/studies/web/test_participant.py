"""The participant's pages as plain forms: every stage, every way out, everything sent twice."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from crowdloom.studies.database import Store
from crowdloom.studies.tables import Event, Item, Participant, Place, Response, Submission
from crowdloom.studies.web import create_app
from tests.studies.studies_for_tests import DESIGN, answer, begin, complete, open_small, trial_id

FULL = (
    DESIGN
    + """
[eligibility]
statements = ["I am 18 or older.", "I speak English."]
[comprehension]
attempts = 2
[[comprehension.questions]]
question = "Whose judgement?"
options = ["Mine", "That of 100 workers"]
correct = "That of 100 workers"
[[debrief]]
question = "How was it?"
options = ["Easy", "Hard"]
required = true
[[debrief]]
question = "Anything else?"
"""
)


def kinds(store: Store) -> list[str]:
    """The kinds of all events, in order."""
    with store.read() as connection:
        return list(connection.scalars(select(Event.kind).order_by(Event.id)))


def test_every_stage_in_order(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Consent, instructions, check, trials, debrief, receipt; each is reached only after the one before."""
    posting = open_small(store, tmp_path, FULL)
    arrived = client.get(f"/join/{posting}")
    assert arrived.status_code == 302
    assert re.search(r"\?participant=\S{12,}", arrived.location)
    form = {"participant": "ann", "decision": "agree", "statement": ["0"]}
    refused = client.post(f"/join/{posting}", data=form)
    assert (refused.status_code, "Tick every statement" in refused.text) == (422, True)
    base = client.post(f"/join/{posting}", data=form | {"statement": ["0", "1"]}).location
    assert "First page." in client.get(base).text
    assert "Second page." in client.get(f"{base}?page=2").text
    client.post(f"{base}/instructions")
    unanswered = client.post(f"{base}/check")
    assert (unanswered.status_code, "Choose one of the answers" in unanswered.text) == (422, True)
    client.post(f"{base}/check", data={"question-0": "That of 100 workers"})
    for _ in range(4):
        assert "completion code" not in client.get(base).text
        assert answer(client, base) == 303
    debrief = client.get(base).text
    assert "How was it?" in debrief
    assert f"{base}/leave" not in debrief
    missing = client.post(f"{base}/debrief", data={"question-1": "no <b>more</b>"})
    assert missing.status_code == 422
    assert "no &lt;b&gt;more&lt;/b&gt;" in missing.text
    client.post(f"{base}/debrief", data={"question-0": "Hard", "question-1": "no"})
    assert "Your completion code" in client.get(base).text
    assert kinds(store) == ["consent_given", "instructions_read", "check_answered", "completed", "debrief"]


def test_a_wrong_check_leads_back_and_too_many_to_the_end(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """The first wrong check sends back to the instructions, the second frees the place."""
    posting = open_small(store, tmp_path, FULL)
    form = {"participant": "ann", "decision": "agree", "statement": ["0", "1"]}
    base = client.post(f"/join/{posting}", data=form).location
    for _ in range(2):
        client.post(f"{base}/instructions")
        client.post(f"{base}/check", data={"question-0": "Mine"})
    with store.read() as connection:
        assert connection.scalars(select(Submission.state)).all() == ["failed_check"]
        assert set(connection.scalars(select(Place.state))) == {"open"}
    assert kinds(store).count("place_freed") == 1
    assert client.post(f"/join/{posting}", data=form).location == base
    client.post(f"{base}/instructions")
    client.post(f"{base}/check", data={"question-0": "That of 100 workers"})
    assert trial_id(client, base) is None


def test_a_refusal_is_recorded_and_can_be_taken_back(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Who refuses holds no place, is asked nothing more, and may change their mind."""
    posting = open_small(store, tmp_path)
    for _ in range(2):
        client.post(f"/join/{posting}", data={"participant": "ann", "decision": "refuse"})
    with store.read() as connection:
        assert connection.scalars(select(Submission.state)).all() == ["refused"]
        assert set(connection.scalars(select(Place.state))) == {"open"}
    assert kinds(store) == ["consent_refused"]
    complete(client, posting, "ann")
    with store.read() as connection:
        assert connection.scalars(select(Submission.state)).all() == ["completed"]


def test_refusing_after_having_begun(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Whoever went back to the consent page and refused has left; who has completed sees the receipt instead."""
    posting = open_small(store, tmp_path)
    base = begin(client, posting, "ann")
    refusal = {"participant": "ann", "decision": "refuse"}
    assert "Your decision is recorded" in client.post(f"/join/{posting}", data=refusal).text
    assert "You have left the study" in client.get(base).text
    with store.read() as connection:
        assert set(connection.scalars(select(Place.state))) == {"open"}
    done = complete(client, posting, "ben")
    assert client.post(f"/join/{posting}", data=refusal | {"participant": "ben"}).location == done
    assert "Your completion code" in client.get(done).text


def test_an_answer_sent_twice_is_stored_once(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """The same answer again is a success; a different one becomes an event, and the first stands."""
    base = begin(client, open_small(store, tmp_path), "ann")
    first = trial_id(client, base)
    assert answer(client, base) == 303
    assert answer(client, base, trial=first) == 303
    assert kinds(store)[-1] == "instructions_read"
    assert answer(client, base, trial=first, top1="7") == 303
    with store.read() as connection:
        assert [row["top1"] for row in connection.scalars(select(Response.answer))] == ["3"]
        event = connection.execute(select(Event.kind, Event.values).order_by(Event.id.desc()).limit(1)).one()
    assert (event.kind, event.values["answer"]["top1"]) == ("second_answer", "7")


def test_scripts_get_json(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """With `Accept: application/json` the page's script gets the next address, or the errors by field."""
    base = begin(client, open_small(store, tmp_path), "ann")
    json_please = {"Accept": "application/json"}
    form = {"trial": trial_id(client, base), "top1": "3", "top1_probability": "8p", "top2": "no-alternative"}
    wrong = client.post(f"{base}/answer", data=form, headers=json_please)
    assert (wrong.status_code, list(wrong.get_json()["errors"])) == (422, ["top1_probability"])
    right = client.post(f"{base}/answer", data=form | {"top1_probability": "80"}, headers=json_please)
    assert (right.status_code, right.get_json()) == (200, {"next": base})
    unknown = client.post(f"{base}/answer", data=form | {"trial": "x.0", "top1_probability": "80"}, headers=json_please)
    assert (unknown.status_code, unknown.get_json()) == (409, {"next": base, "keep": False})


def test_an_answer_in_another_tab_than_the_leaving_is_kept(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """The script is told to keep an answer that can be stored once its participant has come back."""
    base = begin(client, open_small(store, tmp_path), "ann")
    trial = trial_id(client, base)
    client.post(f"{base}/leave")
    form = {"trial": trial, "top1": "3", "top1_probability": "80", "top2": "no-alternative"}
    refused = client.post(f"{base}/answer", data=form, headers={"Accept": "application/json"})
    assert (refused.status_code, refused.get_json()) == (409, {"next": base, "keep": True})
    client.post(f"{base}/return")
    assert client.post(f"{base}/answer", data=form, headers={"Accept": "application/json"}).status_code == 200


def test_a_trial_ahead_cannot_be_answered(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Trials are answered in their order: one that lies ahead is not stored."""
    posting = open_small(store, tmp_path)
    base = begin(client, posting, "ann")
    first = trial_id(client, base)
    answer(client, base)
    second = trial_id(client, base)
    other = begin(client, posting, "ben")
    ahead = second if trial_id(client, other) == first else first
    answer(client, other, trial=ahead)
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(Response)) in (1, 2)
        positions = connection.execute(select(Response.submission_id, Response.position)).all()
    assert all(position == 0 for _, position in positions)


def test_questions_come_after_the_instructions(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Who knows a trial's id, from somebody else, cannot answer before the instructions and the check."""
    posting = open_small(store, tmp_path)
    known = begin(client, posting, "ann")
    ids = {trial_id(client, known)}
    eager = client.post(f"/join/{posting}", data={"participant": "eve", "decision": "agree"}).location
    with store.read() as connection:
        ids |= {f"{token}.0" for token in connection.scalars(select(Item.token))}
    for one in ids:
        answer(client, eager, trial=one)
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(Response)) == 0


def test_leaving_frees_the_place_once_and_coming_back_goes_on(
    store: Store, client: FlaskClient, tmp_path: Path
) -> None:
    """Leaving twice frees once; the answers stay; who returns goes on where they stopped."""
    base = begin(client, open_small(store, tmp_path), "ann")
    answer(client, base)
    assert "Leave" in client.get(f"{base}/leave").text
    for _ in range(2):
        client.post(f"{base}/leave")
    assert kinds(store).count("place_freed") == 1
    assert answer(client, base, trial="anything") == 303
    client.post(f"{base}/return")
    assert "Image 2 of 4" in client.get(base).text
    while trial_id(client, base):
        answer(client, base)
    with store.read() as connection:
        assert connection.execute(select(Submission.state, Submission.surplus)).all() == [("completed", False)]


def test_full_closed_and_unknown_links_say_so(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Every dead end is a page with a sentence for the participant, not an error of ours."""
    posting = open_small(store, tmp_path, DESIGN.replace("sample = 6", "sample = 3"))
    begin(client, posting, "ann")
    complete(client, posting, "ben")
    held = client.get(f"/join/{posting}?participant=cem")
    assert (held.status_code, "try again a little later" in held.text) == (409, True)
    assert client.post(f"/join/{posting}", data={"participant": "cem", "decision": "agree"}).status_code == 409
    complete(client, posting, "ann")
    full = client.get(f"/join/{posting}?participant=cem")
    assert "has all the answers it needs" in full.text
    for address in ("/join/nothing?participant=x", "/take/nothing", "/nothing", "/media/nothing"):
        assert client.get(address).status_code == 404
    for start in ("/join", "/take", "/take/%00/live", "/take/x/live/jobs", "/media", "/researcher/study"):
        for end in ("%00", "a%00b", "%ED%A0%80", "x" * 65):
            assert client.get(f"{start}/{end}").status_code == 404
    assert client.get("/take/nothing", headers={"Accept": "application/json"}).get_json()["error"]


def test_taking_it_again_leads_to_the_receipt(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """The same person by the same link sees the receipt again and gets no second place."""
    posting = open_small(store, tmp_path)
    base = complete(client, posting, "ann")
    assert client.get(f"/join/{posting}?participant=ann").location == base
    assert client.post(f"/join/{posting}", data={"participant": "ann", "decision": "agree"}).location == base
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(Submission)) == 1


def test_no_cookie_and_strict_headers(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """No page of a participant sets a cookie, and each forbids inline script, framing and referrers."""
    posting = open_small(store, tmp_path)
    base = complete(client, posting, "ann")
    for page in (client.get(f"/join/{posting}?participant=x"), client.get(base), client.get(f"{base}/leave")):
        assert "Set-Cookie" not in page.headers
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("name", ["", " ", "a b", "a\x00b", "a\nb", "x" * 201])
def test_odd_participant_names_are_refused(store: Store, client: FlaskClient, tmp_path: Path, name: str) -> None:
    """A name that no panel gives is refused in a sentence and leaves nothing behind."""
    posting = open_small(store, tmp_path)
    page = client.post(f"/join/{posting}", data={"participant": name, "decision": "agree"})
    assert (page.status_code, "not valid" in page.text) == (409, True)
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(Participant)) == 0


@pytest.mark.parametrize("written", ["%00", "a%00b", "%ED%A0%80", "\xed\xa0\x80"], ids=ascii)
def test_odd_characters_are_no_error_of_ours(store: Store, client: FlaskClient, tmp_path: Path, written: str) -> None:
    """NUL and half a surrogate pair, which databases do not take as text, are answered in every field."""
    posting = open_small(store, tmp_path, FULL)

    def post(address: str, fields: str) -> int:
        body = fields.encode("latin-1")
        return client.post(address, data=body, content_type="application/x-www-form-urlencoded").status_code

    assert client.get(f"/join/{posting}?participant=a%00b").status_code == 409
    consent = "statement=0&statement=1"
    for fields in (f"participant={written}&{consent}&decision=refuse", f"participant=a&{consent}&decision={written}"):
        assert post(f"/join/{posting}", fields) < 500
    base = client.post(
        f"/join/{posting}", data={"participant": "ann", "decision": "agree", "statement": ["0", "1"]}
    ).location
    post(f"{base}/instructions", f"x={written}")
    assert post(f"{base}/check", f"question-0={written}") == 422
    client.post(f"{base}/check", data={"question-0": "That of 100 workers"})
    for field in ("trial", "top1", "top1_probability", "top2", "impossible", "shown_at", "timing"):
        trial = "" if field == "trial" else f"trial={trial_id(client, base)}&top1=3&"
        assert post(f"{base}/answer", f"{trial}{field}={written}") in (303, 422)
    while trial_id(client, base):
        answer(client, base)
    assert post(f"{base}/debrief", f"question-0={written}") == 422
    assert post(f"{base}/debrief", f"question-0=Easy&question-1={written}") in (303, 422)
    assert client.get(base).status_code == 200


def test_a_broken_form_keeps_nobody_waiting(sqlite_store: Store, tmp_path: Path) -> None:
    """A page with errors is made while somebody else writes."""
    posting = open_small(sqlite_store, tmp_path, FULL)
    client = create_app(sqlite_store).test_client()
    form = {"participant": "ann", "decision": "agree", "statement": ["0", "1"]}
    base = client.post(f"/join/{posting}", data=form).location

    def refused(address: str) -> int:
        with ThreadPoolExecutor(1) as thread, sqlite_store.write():
            return thread.submit(client.post, address).result(timeout=5).status_code

    client.post(f"{base}/instructions")
    assert refused(f"{base}/check") == 422
    client.post(f"{base}/check", data={"question-0": "That of 100 workers"})
    while trial_id(client, base):
        answer(client, base)
    assert refused(f"{base}/debrief") == 422


def test_no_token_in_the_log(sqlite_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What goes wrong is logged with its kind of page, and not with the address that lets one in."""
    client = create_app(sqlite_store).test_client()
    base = begin(client, open_small(sqlite_store, tmp_path), "ann")
    with sqlite_store.write() as connection:
        connection.execute(text("DROP TABLE place"))
    assert client.get(base).status_code == 500
    assert "/take/<" in caplog.text
    assert base.rsplit("/", 1)[1] not in caplog.text


def test_a_second_submission_or_the_receipt(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Who may take it twice sees the consent page again, or their receipt where there is nothing new for them."""
    design = DESIGN.replace("minutes = 5", "minutes = 5\nsubmissions_per_participant = 3")
    posting = open_small(store, tmp_path, design)
    address = f"/join/{posting}?participant=ann"
    first = complete(client, posting, "ann")
    assert "I agree and take part" in client.get(address).text
    second = complete(client, posting, "ann")
    assert second != first
    assert client.get(address).location == second
    agree = {"participant": "ann", "decision": "agree"}
    assert client.post(f"/join/{posting}", data=agree).location == second
    ben = begin(client, posting, "ben")
    assert client.get(f"/join/{posting}?participant=ben").location == ben


def test_images_stay_for_ever(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """The image of a trial is served immutable, as the bytes that its address names."""
    import hashlib

    base = begin(client, open_small(store, tmp_path), "ann")
    address = re.search(r'src="(/media/[0-9a-f]{64})"', client.get(base).text)
    assert address
    image = client.get(address[1])
    assert (image.mimetype, "immutable" in image.headers["Cache-Control"]) == ("image/png", True)
    assert hashlib.sha256(image.data).hexdigest() == address[1].rsplit("/", 1)[1]


def test_conditions_show_their_own_instructions(store: Store, client: FlaskClient, tmp_path: Path) -> None:
    """Arms are filled evenly, each shows its own texts, and both have the same items."""
    arms = '[[conditions]]\nname = "plain"\n[[conditions]]\nname = "other"\ninstructions = ["Only here."]\n'
    posting = open_small(store, tmp_path, DESIGN + arms)
    texts = []
    for number in range(8):
        base = client.post(f"/join/{posting}", data={"participant": f"p{number}", "decision": "agree"}).location
        texts.append("Only here." in client.get(base).text)
    assert sum(texts) == 4


def test_an_answer_may_be_large_but_not_without_limit(sqlite_store: Store, tmp_path: Path) -> None:
    """A session's record has room; what is larger than 4 MiB is refused with a sentence, and nothing is lost."""
    pages = create_app(sqlite_store, "test").test_client()
    base = begin(pages, open_small(sqlite_store, tmp_path), "ann")
    form = {"trial": trial_id(pages, base), "top1": "3", "top1_probability": "80", "top2": "no-alternative"}
    too_large = pages.post(f"{base}/answer", data=form | {"more": "x" * 4_300_000})
    assert too_large.status_code == 413
    assert "more than can be sent at once" in too_large.text
    assert trial_id(pages, base) == form["trial"]
    large = pages.post(f"{base}/answer", data=form | {"more": "x" * 4_000_000})
    assert large.status_code == 303
    assert trial_id(pages, base) != form["trial"]
    assert pages.post(f"{base}/debrief", data={"more": "x" * 1_100_000}).status_code == 413
