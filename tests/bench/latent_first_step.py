"""From the click on “Train” to the first optimisation step, over HTTP, with a worker that has trained before.

    python -m tests.bench.latent_first_step

A real server with two processes, a real worker with its queue in SQLite, 2,000 points that are shown of 2,694 digits.
The clock begins before the request is sent, with the whole arrangement in it, and ends when the worker has taken the
first step. Beside it stand the milliseconds of the inline step that a page asks when it is opened again. The ratio is
300 ms to the median of eight trainings. The exit status is 1 where a training was lost.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import torch

from crowdloom.models.latent_scenarios import Scenario, ScenarioData, scenario
from crowdloom.studies.database import open_store
from crowdloom.studies.rehearsal.working import working
from tests.studies.latent_studies import open_loops

TARGET_MS, POINTS, PEOPLE, INTERACTIONS = 300, 2000, 2, 4

SERVER = """
import sys
from crowdloom.studies.server import serve
serve(sys.argv[1], port=0, workers=2, on_ready=lambda address: print(address, flush=True))
"""


def digits_twice() -> Scenario:
    """The digits, and once more with a little noise: enough for 2,000 points."""
    digits = scenario("digits")

    def load(path: Path | None) -> ScenarioData:
        data = digits.load(None)
        noise = torch.rand(data.x.shape, generator=torch.Generator().manual_seed(0)) / 10
        twice = replace(data, x=torch.cat([data.x, data.x + noise]), labels=data.labels.repeat(2))
        return replace(twice, items=np.concatenate([data.items, data.items]))

    return replace(digits, load=load)


@contextmanager
def serving(url: str) -> Iterator[str]:
    """Our server; its address."""
    with subprocess.Popen([sys.executable, "-c", SERVER, url], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class Page:
    """What a participant's page does."""

    def __init__(self, client: httpx.Client, address: str, trial_id: str) -> None:
        self.client, self.address, self.query = client, f"{address}/live", {"trial": trial_id}

    def ask(self, step: str, values: dict[str, Any]) -> Any:
        """The output of a step; of a job, when it has ended."""
        answer = self.client.post(f"{self.address}/{step}", params=self.query, json=values)
        said = answer.raise_for_status().json()
        while said.get("state") in ("queued", "running"):
            time.sleep(0.05)
            said = self.client.get(f"{self.address}/jobs/{said['job']}").raise_for_status().json()
        if said.get("state", "done") != "done":
            raise RuntimeError(said["error"])
        return said["output"]


def main() -> int:
    """Print the ratio; 1 where a training was lost."""
    waits, looks, numbers = [], [], []
    with tempfile.TemporaryDirectory() as temporary, httpx.Client(timeout=60) as client:
        folder = Path(temporary)
        os.environ |= {name: str(folder / name) for name in ("CROWDLOOM_SCRATCH", "CROWDLOOM_SCENARIOS")}
        store = open_store(str(folder / "store.db"))
        name = "tests.bench.latent_first_step:digits_twice"
        study = open_loops(
            store,
            folder,
            options={"points": POINTS, "interactions": INTERACTIONS},
            items={"source": "scenarios", "names": [name]},
            batches={"size": 1, "responses_per_item": PEOPLE},
        )
        with working(store.url, {}, sessions=1), serving(store.url) as address:
            for number in range(PEOPLE):
                person = study.arrive(f"p{number}")
                page = Page(client, f"{address}/take/{person.token}", study.trial_id(person))
                state = page.ask("open", {})
                for _ in range(INTERACTIONS):
                    wanted = {axis: [1.2 * value for value in state[axis]] for axis in ("x", "y")}
                    clicked = time.time()
                    state = page.ask("train", {"number": state["number"], "seconds": 1, **wanted})
                    waits.append(1000 * (state["first_step_at"] - clicked))
                    began = time.perf_counter()
                    page.ask("state", {})
                    looks.append(1000 * (time.perf_counter() - began))
                numbers.append(state["number"])
        store.close()
    median = statistics.median(waits)
    print(
        f"latent_first_step: {POINTS:,} points, from the click to the first step {median:.0f} ms ({min(waits):.0f} to "
        f"{max(waits):.0f}), the state over HTTP {statistics.median(looks):.0f} ms, ratio {TARGET_MS / median:.2f} "
        f"(target 1{'' if median <= TARGET_MS else ', missed'})"
    )
    return 0 if numbers == [INTERACTIONS + 1] * PEOPLE else 1


if __name__ == "__main__":
    sys.exit(main())
