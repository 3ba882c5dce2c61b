"""The live steps of one trial, called over HTTP as its page calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from crowdloom.studies.errors import RehearsalError
from crowdloom.studies.jobs import UNFINISHED
from crowdloom.studies.rehearsal.browser import Browser

FIRST_LOOK_S, LOOK_S = 0.05, 0.5
"""How soon a job is asked for at first, and how long at most between two looks."""


class LiveCalls:
    """Calls a step and waits for its end; see `tasks.protocol.Call`.

    `check` is called while it waits for a worker; it raises where none can come.
    """

    def __init__(self, browser: Browser, address: str, trial_id: str, check: Callable[[], None]) -> None:
        self._browser = browser
        self._check = check
        self._live = f"{address}/live"
        self._query = urlencode({"trial": trial_id})

    def __call__(self, step: str, values: dict[str, Any]) -> dict[str, Any]:
        """The step's output. Raises RehearsalError where it was refused, failed or was cancelled."""
        answer = self._ask("POST", f"{step}?{self._query}", step, values)
        if "job" in answer:
            answer = self._follow(answer, step)
        output: dict[str, Any] = answer["output"]
        return output

    def _follow(self, answer: dict[str, Any], step: str) -> dict[str, Any]:
        """A job's last state."""
        pause = FIRST_LOOK_S
        while answer["state"] in UNFINISHED:
            self._check()
            self._browser.stopping.wait(pause)
            pause = min(2 * pause, LOOK_S)
            answer = self._ask("GET", f"jobs/{answer['job']}", step)
        if answer["state"] != "done":
            raise RehearsalError(f"the live step {step} {answer['state']}: {answer['error'] or 'nobody said why'}")
        return answer

    def _ask(self, method: str, path: str, step: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        status, said = self._browser.ask_json(method, f"{self._live}/{path}", values)
        if status not in (200, 202):
            wrong = [said.get("error"), *(f"{name}: {sentence}" for name, sentence in said.get("errors", {}).items())]
            raise RehearsalError(f"the live step {step} was answered with {status}: {'; '.join(map(str, wrong))}")
        return said
