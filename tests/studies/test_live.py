"""Live steps over real HTTP: gunicorn with threads, a real worker, server-sent events."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from sqlalchemy import select

from crowdloom.studies import server as server_module
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.errors import LiveStepError, OptionError
from crowdloom.studies.live import check_steps
from crowdloom.studies.tables import Event
from crowdloom.studies.web import create_app
from crowdloom.studies.worker import run_worker

sys.path.insert(0, str(Path(__file__).parent))
import tiny_live
from live_processes import eventually, new_submission, server, worker

pytestmark = pytest.mark.slow


class Site(NamedTuple):
    """A store, its address, and a client for it."""

    store: Store
    client: httpx.Client


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One gunicorn worker with four threads and one crowdloom worker, in a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("a site")
    store = open_store(str(folder / "my store.db"))
    with (
        worker(store, folder / "scratch"),
        server(store, folder / "scratch", workers=1, threads=4) as (address, _),
        httpx.Client(base_url=address, timeout=10) as client,
    ):
        yield Site(store, client)
    store.close()


@pytest.fixture
def base(site: Site) -> str:
    """The live address of a new submission."""
    return live(site)


def live(site: Site, state: str = "started") -> str:
    """The live address of a new submission in a state."""
    return f"/take/{new_submission(site.store, state)[0]}/live"


def stream(client: httpx.Client, url: str, **headers: str) -> list[dict[str, str]]:
    """Read an event stream to its end: the fields of every event."""
    with client.stream("GET", url, headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        blocks = "".join(response.iter_text()).split("\n\n")
    fields = [[line.partition(": ")[::2] for line in block.splitlines() if line[0] != ":"] for block in blocks]
    return [dict(pairs) for pairs in fields if pairs]


def test_an_inline_step_answers_at_once(site: Site, base: str) -> None:
    """The output comes with the answer, and input and output are kept as an event of the submission."""
    answer = site.client.post(f"{base}/add", json={"left": 1, "right": 2.5})
    assert (answer.status_code, answer.json()) == (200, {"output": {"total": 3.5}})
    assert answer.headers["cache-control"] == "no-store"
    with site.store.read() as connection:
        kind, values = connection.execute(select(Event.kind, Event.values).order_by(Event.id.desc()).limit(1)).one()
    assert kind == "live_step"
    assert values["ms"] >= 0
    assert values | {"ms": 0} == {"step": "add", "input": {"left": 1, "right": 2.5}, "output": {"total": 3.5}, "ms": 0}


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (b'{"left": -1, "right": "two"}', {"left": "greater than or equal to 0.", "right": "valid number"}),
        (b'{"left": 1}', {"right": "required"}),
        (b'{"left": 1, "right": 1e999}', {"input": "a number that JSON does not have"}),
        (b"not json", {"input": "Invalid JSON"}),
        (b"", {"input": "Invalid JSON"}),
        (b"[]", {"input": "object"}),
    ],
)
def test_wrong_input_is_told_by_field(site: Site, base: str, body: bytes, errors: dict[str, str]) -> None:
    """Every wrong field gets one sentence, and nothing is run."""
    answer = site.client.post(f"{base}/add", content=body)
    assert answer.status_code == 422
    said = answer.json()["errors"]
    assert said.keys() == errors.keys()
    for field, part in errors.items():
        assert part in said[field]


@pytest.mark.parametrize(
    ("left", "status", "sentence"),
    [
        (13, 422, "Thirteen is not added here."),
        (
            98,
            500,
            "This did not work, which is our fault. Please try again in a moment; if it happens again, write to the "
            "researcher.",
        ),
        (99, 504, "add took longer than its limit of 0.5 s"),
    ],
)
def test_an_inline_step_that_goes_wrong(site: Site, base: str, left: int, status: int, sentence: str) -> None:
    """A refusal is shown, a bug is not, and a slow step is given up at its limit."""
    began = time.monotonic()
    answer = site.client.post(f"{base}/add", json={"left": left, "right": 1})
    assert (answer.status_code, answer.json()) == (status, {"error": sentence})
    assert time.monotonic() - began < 2
    assert site.client.post(f"{base}/add", json={"left": 1, "right": 1}).status_code == 200


def test_what_is_not_there(site: Site, base: str) -> None:
    """Unknown submissions, steps and jobs, and the jobs of others, are 404; submissions that are over 409."""
    ask = {"left": 1, "right": 2}
    job = site.client.post(f"{base}/count", json={"to": 1}).json()["job"]
    missing = [
        site.client.post("/take/nobody/live/add", json=ask),
        site.client.get("/take/nobody/live/count"),
        site.client.post(f"{base}/subtract", json=ask),
        site.client.get(f"{base}/subtract"),
        site.client.get(f"{base}/jobs/nothing"),
        site.client.get(f"{live(site)}/jobs/{job}"),
        site.client.get(f"{live(site)}/jobs/{job}/events"),
        site.client.post(f"{live(site)}/jobs/{job}/cancel"),
    ]
    assert {answer.status_code for answer in missing} == {404}
    assert all(answer.json()["error"] for answer in missing)
    over = site.client.post(f"{live(site, 'completed')}/add", json=ask)
    assert over.status_code == 409
    assert "completed" in over.json()["error"]
    large = site.client.post(f"{base}/add", content=b'{"left": ' + b"1" * 5_000_000 + b"}")
    assert large.status_code == 413
    assert large.json()["error"] == "this is more than the server takes at once, 4 MiB; reload the page"


def test_a_long_step_streams_its_progress(site: Site, base: str) -> None:
    """A worker's step is a job whose states arrive as events, the last one with the output; a reload finds it."""
    assert site.client.get(f"{base}/count").status_code == 204
    asked = site.client.post(f"{base}/count", json={"to": 12, "seconds_each": 0.15})
    assert asked.status_code == 202
    job = asked.json()["job"]
    assert asked.json().keys() >= {"job", "state", "ahead", "wait_s"}
    again = site.client.post(f"{base}/count", json={"to": 12, "seconds_each": 0.15})
    assert (again.status_code, again.json()["job"]) == (202, job)
    other = site.client.post(f"{base}/count", json={"to": 13})
    assert other.status_code == 409
    assert site.client.get(f"{base}/count").json()["job"] == job  # as a page does that was loaded again

    retry, *events = stream(site.client, f"{base}/jobs/{job}/events")
    assert retry == {"retry": "2000"}
    states = [json.loads(event["data"]) for event in events]
    assert [event["event"] for event in events] == ["progress"] * (len(events) - 1) + ["end"]
    running = [state for state in states if state["state"] == "running"]
    fractions = [state["progress"] for state in running]
    assert len(set(fractions)) >= 3
    assert fractions == sorted(fractions)
    assert running[-1]["message"].startswith("counted to ")
    assert states[-1]["state"] == "done"
    assert states[-1]["output"]["to"] == 12
    assert len({event["id"] for event in events}) == len(events)

    # A browser that missed the end is told again; one that has heard it is told to stop asking.
    assert stream(site.client, f"{base}/jobs/{job}/events")[-1] == events[-1]
    assert stream(site.client, f"{base}/jobs/{job}/events", **{"Last-Event-ID": events[0]["id"]})[-1] == events[-1]
    told = site.client.get(f"{base}/jobs/{job}/events", headers={"Last-Event-ID": events[-1]["id"]})
    assert told.status_code == 204
    assert site.client.get(f"{base}/count").json() == states[-1]


def test_cancelling_over_http(site: Site, base: str) -> None:
    """A running job ends soon after it is cancelled, its stream says so, and a new one may follow."""
    job = site.client.post(f"{base}/count", json={"to": 1000, "seconds_each": 0.05}).json()["job"]
    eventually(lambda: site.client.get(f"{base}/jobs/{job}").json()["state"] == "running")
    waiting = live(site)
    queued = site.client.post(f"{waiting}/count", json={"to": 2}).json()
    assert (queued["state"], queued["ahead"]) == ("queued", 0)
    assert site.client.post(f"{waiting}/jobs/{queued['job']}/cancel").json()["state"] == "cancelled"

    assert site.client.post(f"{base}/jobs/{job}/cancel").json()["cancel_asked"]
    end = stream(site.client, f"{base}/jobs/{job}/events")[-1]
    assert (end["event"], json.loads(end["data"])["state"]) == ("end", "cancelled")
    assert site.client.post(f"{base}/count", json={"to": 1}).json()["job"] != job


def test_streams_do_not_block_the_pages(site: Site) -> None:
    """While both stream places are taken, requests are answered at once, and further streams become polls."""
    bases = [live(site) for _ in range(3)]
    jobs = [site.client.post(f"{base}/count", json={"to": 1000, "seconds_each": 0.05}).json()["job"] for base in bases]
    urls = [f"{base}/jobs/{job}/events" for base, job in zip(bases, jobs, strict=True)]
    with ExitStack() as opened:
        for url in urls[:2]:
            lines = opened.enter_context(site.client.stream("GET", url)).iter_lines()
            while not next(lines).startswith("data:"):
                pass
        began = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            answers = list(
                pool.map(lambda n: site.client.post(f"{bases[0]}/add", json={"left": n, "right": 0}), range(12))
            )
        assert {answer.status_code for answer in answers} == {200}
        polled = stream(site.client, urls[2])
        assert [event.get("event") for event in polled] == [None, "progress"]
        assert time.monotonic() - began < 3
    for base, job in zip(bases, jobs, strict=True):
        site.client.post(f"{base}/jobs/{job}/cancel")
    # The places come back once the server notices that nobody reads: at its next heartbeat.
    eventually(lambda: stream(site.client, urls[2])[-1]["event"] == "end")


def test_a_stopping_server_ends_its_streams(sqlite_store: Store, tmp_path: Path) -> None:
    """SIGTERM does not wait for the streams: they end in order, and the browser comes back to the next server."""
    token, _ = new_submission(sqlite_store)
    with server(sqlite_store, tmp_path, workers=1, threads=4) as (address, process):
        base = f"{address}/take/{token}/live"
        job = httpx.post(f"{base}/count", json={"to": 1}).json()["job"]  # no worker: it waits
        with httpx.stream("GET", f"{base}/jobs/{job}/events") as response:
            lines = response.iter_lines()
            while not next(lines).startswith("data:"):
                pass
            process.terminate()
            rest = "".join(lines)
        assert "event: end" not in rest
        assert process.wait(12) == 0  # gunicorn would wait for 15 seconds


def test_a_page_waits_for_no_thread_of_numpys(sqlite_store: Store, tmp_path: Path) -> None:
    """Threads that wait for each other at small products take many times as long where all processors are busy."""
    with server(sqlite_store, tmp_path, workers=1, threads=4) as (address, _):
        assert set(httpx.get(f"{address}/blas-threads").json()) == {1}


def test_an_address_that_cannot_be_had(site: Site) -> None:
    """A port in use is said in one sentence, before anything is started."""
    port = site.client.base_url.port
    assert port is not None
    with pytest.raises(OptionError, match=f"port {port}"):
        server_module.serve(site.store.url, port=port)
    with pytest.raises(OptionError, match="two threads"):
        server_module.serve(site.store.url, port=0, threads=1)


def test_what_nobody_foresaw_is_json_too(sqlite_store: Store) -> None:
    """A page's script gets a sentence that it can show, and no HTML, whatever breaks."""
    token, _ = new_submission(sqlite_store)
    with sqlite_store.write() as connection:
        connection.exec_driver_sql("DROP TABLE job")
    tiny_live.register()
    try:
        answer = create_app(sqlite_store).test_client().get(f"/take/{token}/live/count", headers={"Accept": "*/*"})
    finally:
        tiny_live.unregister()
    assert (answer.status_code, answer.mimetype) == (500, "application/json")
    assert answer.json is not None
    assert answer.json.keys() == {"error"}
    assert "job" not in answer.json["error"]


def test_every_step_is_bound(sqlite_store: Store) -> None:
    """Neither server nor worker starts where a step has no implementation, or an implementation no step."""
    check_steps()
    tiny_live.register()
    try:
        check_steps()
        removed: Any = tiny_live.IMPLEMENTATIONS.pop(("tiny-live", "add"))
        for start in (check_steps, lambda: run_worker(sqlite_store.url), lambda: server_module.serve(sqlite_store.url)):
            with pytest.raises(LiveStepError, match="the task tiny-live declares the live step add, and nothing"):
                start()
        tiny_live.IMPLEMENTATIONS["tiny-live", "add"] = removed
        tiny_live.IMPLEMENTATIONS["tiny-live", "subtract"] = removed
        with pytest.raises(LiveStepError, match="the live step subtract of the task tiny-live, which declares none"):
            check_steps()
        del tiny_live.IMPLEMENTATIONS["tiny-live", "subtract"]
    finally:
        tiny_live.unregister()
