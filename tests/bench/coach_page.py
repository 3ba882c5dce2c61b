"""From pen-up to the proposal on the page, in real Chromium, against the same by a worker's job.

    python -m tests.bench.coach_page

A real server with its store in SQLite and the digits coach, a study whose page reads at each pen-up. The clock begins
with the browser's event of the pen that is lifted, and ends when reading, proposal and difference are painted. What it
is compared with is the least that it would take as a worker's job: the page asks for one that finds the coach prepared
and has nothing to do, and hears of its end. Both take turns. The exit status is 1 where a proposal did not come.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from crowdloom.models.coach_preparing import ready_coach
from crowdloom.studies.database import open_store
from crowdloom.studies.design import Design
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import finish_instructions, read_progress
from crowdloom.studies.posting import publish
from crowdloom.studies.rehearsal.serving import serving
from crowdloom.studies.rehearsal.working import working

TARGET_MS = 150
STROKES, JOBS, IN_ONE = 32, 8, 4
"""How many are timed, and how many strokes a drawing has before it is begun anew."""

DESIGN = Design.model_validate(
    {
        "name": "bench",
        "title": "Write",
        "task": "coach",
        "options": {"reads": "at-pen-up"},
        "classes": [str(digit) for digit in range(10)],
        "consent": "It is voluntary.",
        "instructions": ["Write."],
        "items": {"source": "classes", "only": ["4"]},
        "batches": {"size": 1, "responses_per_item": 1},
        "people": {"minutes": 2, "hold_minutes": 30},
    }
)

WATCH = """() => {
    let lifted = 0;
    window.times = [];
    document.addEventListener('pointerup', (event) => (lifted = event.timeStamp), { capture: true });
    new MutationObserver(() => requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => window.times.push(performance.now() - lifted); // the frame is painted
        port2.postMessage(null);
    })).observe(document.querySelector('[data-words]'), { childList: true });
}"""

JOB = """async () => {
    const { LiveSteps } = await import('/static/live.js');
    const live = new LiveSteps(document.body.dataset.base, document.querySelector('[name=trial]').value);
    const start = performance.now();
    await live.call('open', {});
    return performance.now() - start;
}"""


def draw(page: Page, number: int) -> bool:
    """Draw a stroke, and wait for its proposal; False where none comes."""
    if number and number % IN_ONE == 0:
        page.click("[data-clear]")
    box = page.locator("[data-canvas]").bounding_box()
    assert box is not None
    left, top, side = box["x"], box["y"], box["width"]
    begin, end = 0.25 + 0.12 * (number % IN_ONE), 0.6 - 0.08 * (number % IN_ONE)
    page.mouse.move(left + begin * side, top + 0.2 * side)
    page.mouse.down()
    page.mouse.move(left + end * side, top + 0.8 * side, steps=12)
    page.mouse.up()
    for _ in range(100):
        if page.evaluate("window.times.length") > number:
            return True
        page.wait_for_timeout(20)
    return False


def measure(address: str) -> tuple[list[float], list[float]]:
    """The milliseconds of both, of as many strokes as their proposals came."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(address)
        page.wait_for_selector("[data-phase=writing]")
        page.evaluate(WATCH)
        jobs = []
        for number in range(STROKES):
            if not draw(page, number):
                break
            if number % (STROKES // JOBS) == 0:
                jobs.append(page.evaluate(JOB))
        times = page.evaluate("window.times")
        browser.close()
    return times, jobs


def main() -> int:
    """Compare them; 1 where a proposal did not come."""
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        print("coach_page: skipped, no Chromium; install Debian's package chromium")
        return 0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        os.environ |= {"CROWDLOOM_COACHES": str(folder / "coaches"), "CROWDLOOM_SCRATCH": str(folder / "scratch")}
        ready_coach("digits")
        store = open_store(f"sqlite:///{folder / 'bench.db'}")
        stack.callback(store.close)
        load_design(store, DESIGN, DESIGN.model_dump_json(), folder)
        with store.write() as connection:
            entry = find_entry(connection, publish(connection, DESIGN.name, "link").token)
            token = join(connection, entry, "somebody")
            finish_instructions(connection, read_progress(connection, token), DESIGN)
        address = stack.enter_context(serving(store.url))
        stack.enter_context(working(store.url, {}))
        ours, theirs = measure(f"{address}/take/{token}")
    if len(ours) < STROKES:
        print(f"coach_page: only {len(ours)} of {STROKES} proposals came")
        return 1
    median, job = statistics.median(ours), statistics.median(theirs)
    missed = "" if median <= TARGET_MS else ", missed"
    print(
        f"coach_page: pen-up to proposal {median:.0f} ms (longest {max(ours):.0f}, target {TARGET_MS}{missed}), "
        f"as a worker's job at least {job:.0f} ms, ratio {job / median:.1f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
