"""`static/live.js` in real Chromium, against real gunicorn and a real worker, under the app's own CSP."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page

from crowdloom.studies.database import Store

sys.path.insert(0, str(Path(__file__).parent.parent / "studies"))
from live_processes import eventually, new_submission, server, worker

OPEN = """async (base) => {
    window.live = new (await import('/static/live.js')).LiveSteps(base);
    window.seen = [];
    window.onState = (job) => seen.push(job);
}"""
CALL = """async ([step, input]) => {
    try { return { output: await live.call(step, input, { onState }) }; }
    catch (error) { return { name: error.name, message: error.message, status: error.status,
                             errors: error.errors, state: error.state }; }
}"""


def test_a_page_calls_follows_cancels_and_resumes(page: Page, sqlite_store: Store, tmp_path: Path) -> None:
    """The module returns outputs, reports progress, throws errors by field, cancels, and resumes after a reload."""
    token, _ = new_submission(sqlite_store)
    with (
        worker(sqlite_store, tmp_path),
        server(sqlite_store, tmp_path, workers=1, threads=4) as (address, _),
    ):
        page.goto(f"{address}/static/app.css")  # any address of the site will do
        page.evaluate(OPEN, f"/take/{token}")
        assert page.evaluate(CALL, ["add", {"left": 1, "right": 2}]) == {"output": {"total": 3}}

        wrong = page.evaluate(CALL, ["add", {"left": -1, "right": 2}])
        assert (wrong["name"], wrong["status"], list(wrong["errors"])) == ("LiveError", 422, ["left"])

        counted = page.evaluate(CALL, ["count", {"to": 10, "seconds_each": 0.12}])
        assert counted["output"]["to"] == 10
        assert len(set(page.evaluate("seen.map((job) => job.progress)"))) >= 3
        assert page.evaluate("seen.at(-1).state") == "done"

        # A long one is asked for, the page is loaded again, the job found, and cancelled.
        page.evaluate("() => { live.call('count', { to: 1000, seconds_each: 0.05 }, { onState }).catch(() => 0); }")
        job = eventually(lambda: page.evaluate("seen.at(-1).state === 'running' && seen.at(-1).job"))
        page.reload()
        page.evaluate(OPEN, f"/take/{token}")
        page.evaluate("() => { live.resume('count', { onState }).catch((error) => { window.end = error; }); }")
        eventually(lambda: page.evaluate("seen.length >= 2"))
        assert page.evaluate("[seen[0].job, seen.at(-1).state]") == [job, "running"]
        page.evaluate("live.cancel('count')")
        eventually(lambda: page.evaluate("window.end !== undefined"))
        assert page.evaluate("[end.name, end.state]") == ["LiveError", "cancelled"]
        assert page.evaluate("live.resume('refuse')") is None

        # A page that names its trial is told when that is not the current one.
        page.evaluate(OPEN.replace("LiveSteps(base)", "LiveSteps(base, 'another trial.0')"), f"/take/{token}")
        assert page.evaluate(CALL, ["add", {"left": 1, "right": 2}])["status"] == 409
        assert page.evaluate("live.resume('count')") is None
