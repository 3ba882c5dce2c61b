"""A drag frame of the session's page in headless Chromium against one that draws every point anew.

    python -m tests.bench.latent_page

A class of a tenth of the points is dragged over a plot of 720 x 720 pixels: 10,000 points, then 100,000. A frame is all
that the page's main thread does between a movement of the pointer and a complete picture: the points get their new
places, what has to be drawn is drawn, and a pixel of each layer is read, so that the browser cannot put work off. Both
kinds take turns and use the page's own modules: in the one the class was lifted to its own layer, in the other each
frame draws the same points by the same marks on one layer. The exit status is 1 where the two do not show the same.
"""

from __future__ import annotations

import shutil
import sys

from playwright.sync_api import Page, Route, sync_playwright

from crowdloom.studies.prose import TEMPLATES

TARGETS = {10_000: 1000 / 60, 100_000: 1000 / 15}
"""Milliseconds for a frame, for 60 and for 15 frames a second."""
FRAMES = 40
ADDRESS = "http://page.example"
PAGE = """<!doctype html><link rel="stylesheet" href="/static/latent.css">
<style>#holder { position: relative; width: 720px; height: 720px } </style>
<div id="holder" class="loop-canvases"><canvas></canvas><canvas></canvas><canvas></canvas></div>"""

MEASURE = """async ([count, frames]) => {
    const { Plot } = await import('/static/latent/plot.js');
    const classes = [...Array(10).keys()].map((label) => `class ${label}`);
    let seed = 7;
    const random = () => (seed = (16807 * seed) % 2147483647) / 2147483647;
    const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
    const labels = [...Array(count).keys()].map((i) => i % 10);
    const x = labels.map((label) => Math.cos(2.4 * label) * (0.4 + 0.1 * label) + 0.2 * normal());
    const y = labels.map((label) => Math.sin(2.4 * label) * (0.4 + 0.1 * label) + 0.2 * normal());
    const predictions = labels.map((label) => (random() < 0.8 ? label : Math.floor(10 * random())));
    const on = { moved() {}, selected() {}, elapsed: () => 0 };
    const plot = new Plot(document.querySelector('#holder'), on);
    plot.resize();
    plot.show({ x, y, labels, predictions, classes, draft: null, before: null });
    plot.canArrange = true;
    plot.select(3);
    const { painter } = plot;
    const complete = () => painter.canvases.map((one) => one.getContext('2d').getImageData(360, 360, 1, 1));
    const timed = (what) => {
        const start = performance.now();
        what();
        complete();
        return performance.now() - start;
    };
    const step = 3 / plot.view.scale; // three whole pixels
    const dragged = [], redrawn = [];
    let lifted = 0;
    for (let turn = 0; turn < 4; turn += 1) {
        lifted = timed(() => { plot.beginClass('centre', 3); painter.now(); });
        for (let i = 0; i < frames / 4; i += 1) {
            dragged.push(timed(() => { plot.shift(i * step, -i * step); painter.now(); }));
        }
        plot.abandon();
        const gesture = plot.arrangement.begin('centre', plot.arrangement.members(3), 3);
        for (let i = 0; i < frames / 4; i += 1) {
            redrawn.push(timed(() => { gesture.shift(i * step, -i * step); painter.everything(); }));
        }
        gesture.cancel();
    }
    const flat = () => {
        const canvas = new OffscreenCanvas(720, 720);
        const context = canvas.getContext('2d');
        for (const one of painter.canvases) context.drawImage(one, 0, 0);
        return context.getImageData(0, 0, 720, 720).data;
    };
    plot.beginClass('centre', 3);
    plot.shift(20 * step, -20 * step);
    painter.now();
    const moving = flat();
    plot.finish();
    painter.now();
    const resting = flat();
    let different = 0;
    for (let i = 0; i < moving.length; i += 1) different += Math.abs(moving[i] - resting[i]) > 8;
    return { dragged, redrawn, lifted, different: different / moving.length };
}"""


def serve(route: Route) -> None:
    """The page and the static files, without a server."""
    path = route.request.url.removeprefix(ADDRESS)
    if path == "/":
        route.fulfill(body=PAGE, content_type="text/html")
    else:
        route.fulfill(path=TEMPLATES / path.lstrip("/"))


def median(values: list[float]) -> float:
    """Of an even number of values the greater one of the two in the middle."""
    return sorted(values)[len(values) // 2]


def compare(page: Page, count: int) -> bool:
    """Print the times of one number of points and their ratio; False where the two do not show the same."""
    page.goto(f"{ADDRESS}/")
    found = page.evaluate(MEASURE, [count, FRAMES])
    ours, theirs = median(found["dragged"]), median(found["redrawn"])
    target = TARGETS[count]
    print(
        f"latent_page: {count:,} points, a drag frame {ours:.2f} ms (longest {max(found['dragged']):.1f}, target "
        f"{target:.1f}{'' if ours <= target else ', missed'}), with everything redrawn {theirs:.1f} ms, "
        f"ratio {theirs / ours:.1f}; lifting the class once {found['lifted']:.0f} ms"
    )
    if found["different"] > 0.001:
        print(f"the two show different pictures: {found['different']:.1%} of the values differ")
    return bool(found["different"] <= 0.001)


def main() -> int:
    """Compare both numbers of points; 1 where one of them shows the wrong picture."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        print("latent_page: skipped, no Chromium; install Debian's package chromium")
        return 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 800, "height": 800})
        page.emulate_media(reduced_motion="reduce")
        page.route("**/*", serve)
        right = [compare(page, count) for count in TARGETS]
        browser.close()
    return 0 if all(right) else 1


if __name__ == "__main__":
    sys.exit(main())
