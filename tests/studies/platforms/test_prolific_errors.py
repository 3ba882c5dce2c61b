"""Prolific's errors as ours, waiting, pages that lead astray, and the token, which nobody may see."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdloom.studies.errors import (
    CredentialsError,
    PlatformError,
    PlatformRefusedError,
    PlatformUnsureError,
)
from crowdloom.studies.platforms.prolific import Prolific
from crowdloom.studies.platforms.prolific_api import Api
from tests.prolific import StandIn
from tests.prolific.examples import connect, hand_in, make_notice, paid_design
from tests.prolific.scripted import Reply, scripted

TOKEN, WRONG = "s3cret-token-0123456789", "wrong-token-99"
PAGE = {"results": [{"id": "one"}], "_links": {"next": {"href": None}}}


@pytest.fixture
def prolific(test_data: Path) -> Iterator[StandIn]:
    """A stand-in with nothing on it."""
    with StandIn(test_data) as started:
        yield started


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ({"detail": "no money"}, "Prolific refused to do it: no money"),
        ({"title": "Bad", "detail": ["one", "two"]}, "Prolific refused to do it: Bad — one; two"),
        ({"detail": {"reward": ["too low"], "name": "missing"}}, "reward: too low; name: missing"),
        ({"detail": "x", "additional_information": "ask us"}, "x — ask us"),
    ],
)
@pytest.mark.parametrize("wrapped", [True, False])
def test_error_comes_with_its_code_and_words(error: dict[str, object], sentence: str, wrapped: bool) -> None:
    """An error's code and its detail, be it text, list or object, are kept, wrapped or not."""
    body = {"status": 400, "error_code": 140003, **error}
    with scripted([Reply(400, {"error": body} if wrapped else body)]) as server:
        with pytest.raises(PlatformRefusedError, match="refused to do it") as raised:
            Api(server.url, TOKEN).call("POST", "studies/", "do it", body={})
        assert len(server.requests) == 1
    assert raised.value.code == "140003"
    assert sentence in str(raised.value)


def test_error_without_words_still_says_the_status() -> None:
    """An error page that is no JSON is named by its status, and is not repeated."""
    with scripted([Reply(405, b"<html>Not allowed</html>")]) as server, pytest.raises(PlatformRefusedError) as raised:
        Api(server.url, TOKEN).call("POST", "studies/", "do it", body={})
    assert str(raised.value) == "Prolific refused to do it: status 405"


@pytest.mark.parametrize("status", [401, 403])
def test_token_that_is_not_accepted(status: int) -> None:
    """A refused token is an error of the credentials, in one sentence, after one request."""
    body = {"error": {"status": status, "error_code": 140401, "title": "Unauthorized", "detail": f"Invalid {TOKEN}"}}
    with scripted([Reply(status, body)]) as server:
        with pytest.raises(CredentialsError, match="does not accept the token in PROLIFIC_TOKEN") as raised:
            Api(server.url, TOKEN).get("users/me/", "check the token")
        assert len(server.requests) == 1
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("reply", [Reply(200, PAGE, torn=True), Reply(502, b"bad gateway"), Reply(500, {"detail": 1})])
def test_what_cannot_be_known_is_unsure(reply: Reply) -> None:
    """A torn body and a failing server leave it open; a request that changes is not sent again, a question is."""
    with scripted([reply]) as server:
        api = Api(server.url, TOKEN, pause=lambda _: None)
        with pytest.raises(PlatformUnsureError, match="nobody can know"):
            api.call("POST", "studies/", "do it", body={})
        assert len(server.requests) == 1
        with pytest.raises(PlatformUnsureError):
            api.get("studies/", "ask")
        assert len(server.requests) == 6


@pytest.mark.parametrize("body", [b'{"results": [', b"OK", b"", b"[]", b'{"results": 7}', b'{"results": ["one"]}'])
def test_answer_that_says_nothing_is_unsure_where_it_is_read(body: bytes) -> None:
    """Where only the status counts, it counts; where something is to be read, it was not answered."""
    with scripted([Reply(200, body)]) as server:
        api = Api(server.url, TOKEN)
        assert api.call("POST", "submissions/bulk-approve/", "do it", body={}).status == 200
        with pytest.raises(PlatformUnsureError, match="when asked to list"):
            list(api.pages("studies/", "list"))


def test_silence_is_unsure() -> None:
    """A request that is never answered is given up and unsure."""
    with scripted([Reply(200, {}, silence=1.5)]) as server, pytest.raises(PlatformUnsureError, match="ReadTimeout"):
        Api(server.url, TOKEN, timeout=0.3).call("POST", "studies/", "do it", body={})


def test_refusal_after_a_lost_answer_is_unsure() -> None:
    """A repeated request that is refused the second time may have been done the first time."""
    replies = [Reply(500), Reply(400, {"error": {"error_code": 7, "detail": "it is done already"}})]
    with scripted(replies) as server:
        api = Api(server.url, TOKEN, pause=lambda _: None)
        with pytest.raises(PlatformUnsureError, match="it is done already") as raised:
            api.call("POST", "submissions/1/transition/", "do it", body={}, repeat=True)
    assert raised.value.code == "7"


def test_nobody_there() -> None:
    """Where nothing listens, a change was certainly not made, and a question has no answer."""
    with scripted([Reply(200)]) as server:
        url = server.url
    api = Api(url, TOKEN, pause=lambda _: None)
    with pytest.raises(PlatformRefusedError, match="nothing was sent"):
        api.call("POST", "studies/", "do it", body={})
    with pytest.raises(PlatformUnsureError, match="ConnectError"):
        api.get("studies/", "ask")


def test_throttled_calls_wait_as_long_as_they_are_told(prolific: StandIn) -> None:
    """Retry-After is kept to; a call that was refused as one too many may be sent again even if it changes."""
    waits: list[float] = []
    account = connect(prolific, waits)
    prolific.fault("create-study", "throttle", 2)
    account.create(make_notice())
    assert waits == [1.0, 1.0]
    assert len(prolific.studies()) == 1


def test_throttled_for_good_is_refused(prolific: StandIn) -> None:
    """After five attempts it is said that Prolific is asked too often, with its code."""
    account = connect(prolific)
    prolific.fault("get-user", "throttle", 50)
    with pytest.raises(PlatformRefusedError, match="asked too often") as raised:
        account.info()
    assert raised.value.code == "140429"
    assert len(prolific.calls("get-user")) == 5


@pytest.mark.parametrize(
    ("headers", "waited"),
    [({}, [0.5, 1.0]), ({"Retry-After": "7"}, [7.0, 7.0]), ({"Retry-After": "86400"}, [60.0, 60.0])],
)
def test_waits_grow_and_are_never_longer_than_a_minute(headers: dict[str, str], waited: list[float]) -> None:
    """Without a time to wait each wait is twice the last; a day is not waited for."""
    waits: list[float] = []
    with scripted([Reply(429, {}, headers), Reply(503, {}, headers), Reply(200, {"ok": True})]) as server:
        assert Api(server.url, TOKEN, pause=waits.append).get("users/me/", "ask") == {"ok": True}
    assert waits == waited


def test_retry_after_may_be_a_date() -> None:
    """A date that has passed means at once."""
    waits: list[float] = []
    headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    with scripted([Reply(429, {}, headers), Reply(200, {})]) as server:
        Api(server.url, TOKEN, pause=waits.append).get("users/me/", "ask")
    assert waits == [0.0]


def test_page_past_the_end_is_the_end() -> None:
    """A next link that answers 404 ends the list; a first page that does is an error."""
    with scripted(
        [Reply(200, {**PAGE, "_links": {"next": {"href": "/api/v1/studies/?page=2"}}}), Reply(404)]
    ) as server:
        assert list(Api(server.url, TOKEN).pages("studies/", "list")) == [{"id": "one"}]
        with pytest.raises(PlatformRefusedError, match="refused to list"):
            list(Api(server.url, TOKEN).pages("studies/", "list"))


def test_page_that_leads_to_itself_is_the_last() -> None:
    """A next link that was followed before is not followed again."""
    with scripted([Reply(200, {**PAGE, "_links": {"next": {"href": "/api/v1/studies/?page=2"}}})]) as server:
        assert len(list(Api(server.url, TOKEN).pages("studies/", "list"))) == 2


@pytest.mark.parametrize("path", ["/api/v1/studies/?page=2", "/elsewhere/"])
def test_token_goes_to_no_other_service(path: str) -> None:
    """A next link to another host, or past the API on the same one, is an error, and that host gets no request."""
    with scripted([Reply(200, PAGE)]) as other, scripted([Reply(200)]) as known:
        target = other.url if path.startswith("/api") else known.url
        page = {**PAGE, "_links": {"next": {"href": target + path}}}
        with scripted([Reply(200, page)]) as server, pytest.raises(PlatformUnsureError, match="another service"):
            list(Api(server.url, TOKEN).pages("studies/", "list"))
        assert (other.requests, known.requests) == ([], [])


def test_redirect_is_not_followed() -> None:
    """A redirect is an error: the token does not go where it leads."""
    with scripted([Reply(200, {})]) as other:
        reply = Reply(302, b"", {"Location": other.url + "/api/v1/users/me/"})
        with scripted([reply]) as server, pytest.raises(PlatformRefusedError, match="status 302"):
            Api(server.url, TOKEN).get("users/me/", "check the token")
        assert other.requests == []


def test_token_is_in_no_message_log_or_repr(test_data: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Through a whole life with every kind of error, the token is in one header and nowhere else."""
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    with StandIn(test_data, token=TOKEN) as prolific:
        account = connect(prolific)
        study = account.create(make_notice()).remote_id
        account.open(study)
        _, session = hand_in(prolific, study)
        account.approve([session])
        for fault in ("500", "drop", "throttle", "effect-then-torn"):
            prolific.fault("get-study", fault, 20)
            shown.append(_failure(lambda: account.listing(study)))
            prolific.clear_faults()
        shown.append(_failure(lambda: account.submission("nobody")))
        shown.append(_failure(lambda: connect(prolific, token=WRONG).info()))
        shown += [
            repr(account),
            repr(vars(account)),
            repr(account.info()),
            *(str(call) for call in prolific.records("call")),
        ]
    assert "HTTP Request: GET" in caplog.text, "httpx logs its requests, so there was something to leak"
    assert len([text for text in shown if "Error" in text]) >= 6
    for text in (*shown, caplog.text):
        assert TOKEN not in text
        assert WRONG not in text


def _failure(call: object) -> str:
    """The whole traceback of a call that fails, causes and contexts included."""
    try:
        call()  # type: ignore[operator]
    except PlatformError as error:
        return "".join(traceback.format_exception(error)) + repr(error) + repr(error.__context__)
    raise AssertionError("it did not fail")


def test_connecting_needs_a_token_and_a_safe_address() -> None:
    """No token, one with a line break in it, plain http and an address with a password are refused in a sentence."""
    platform, good = Prolific(), {"PROLIFIC_TOKEN": TOKEN}
    where = platform.where({})
    assert where == {"api": "https://api.prolific.com", "app": "https://app.prolific.com"}
    with pytest.raises(CredentialsError, match="set PROLIFIC_TOKEN"):
        platform.connect(where, {})
    with pytest.raises(CredentialsError, match="is no token") as raised:
        platform.connect(where, {"PROLIFIC_TOKEN": f"{TOKEN}\r\nX-Other: 1"})
    assert TOKEN not in str(raised.value)
    with pytest.raises(CredentialsError, match="use https"):
        platform.where({"PROLIFIC_URL": "http://api.prolific.com"})
    with pytest.raises(CredentialsError, match="use https"):
        platform.connect({**where, "api": "http://192.168.0.7:8000"}, good)
    with pytest.raises(CredentialsError, match="no plain address") as raised:
        platform.where({"PROLIFIC_URL": "https://me:hunter22@api.prolific.com"})
    assert "hunter22" not in str(raised.value)
    with pytest.raises(CredentialsError, match="PROLIFIC_WORKSPACE"):
        platform.connect(where, {**good, "PROLIFIC_WORKSPACE": "../x"})


def test_connected_as_the_environment_says(prolific: StandIn) -> None:
    """The environment's token and addresses are those that are used, and its workspace's currency."""
    platform = Prolific()
    where = platform.where(prolific.environ)
    assert str(platform.connect(where, prolific.environ).info().balance).endswith("USD")
    other = {**prolific.environ, "PROLIFIC_WORKSPACE": "66aa00000000000000000002"}
    account = platform.connect(where, other)
    assert str(account.info().balance).endswith("GBP")
    with pytest.raises(PlatformRefusedError, match="name it as project"):
        account.create(make_notice(design=paid_design("0.60 GBP")))
