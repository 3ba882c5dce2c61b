"""The stand-in as tests hold it: started in this process, or known by its address."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.prolific.schemas import describe
from tests.prolific.server import Server
from tests.prolific.state import State

TOKEN = "a-token-that-nobody-may-see"
WORKSPACE, PROJECT = "66aa00000000000000000001", "66bb00000000000000000001"
OTHER_WORKSPACE, OTHER_PROJECT = "66aa00000000000000000002", "66bb00000000000000000002"


class Control:
    """A running stand-in, known by its address; every method is a request, so it may run in another process."""

    def __init__(self, url: str, token: str = TOKEN) -> None:
        self.url = self.app_url = url
        self.token = token
        self._client = httpx.Client(base_url=url, timeout=30, verify=False)  # plain HTTP: no certificates to read

    @property
    def environ(self) -> dict[str, str]:
        """The variables with which crowdloom finds it."""
        return {"PROLIFIC_URL": self.url, "PROLIFIC_APP_URL": self.app_url, "PROLIFIC_TOKEN": self.token}

    def add_participant(self) -> str:
        """A new participant's id."""
        return str(self._do("add_participant"))

    def arrive(self, study: str, participant: str, status: str = "ACTIVE") -> str:
        """The address at which a participant who takes a place joins. Raises NotLetInError.

        With `status="RESERVED"` the place is taken, and the participant still to open it.
        """
        return str(self._do("arrive", study=study, participant=participant, status=status))

    def start_url(self, study: str, participant: str) -> str:
        """The page on which a browser, thereby signed in as this participant, is sent on to the study."""
        return f"{self.app_url}/studies/{study}/start?participant={participant}"

    def open_page(self, url: str, participant: str) -> httpx.Response:
        """A page of the app as this participant's browser gets it; that of `HandBack.url` completes the submission."""
        return httpx.get(url, headers={"Cookie": f"participant={participant}"}, verify=False)

    def complete(self, submission: str, code: str) -> dict[str, Any]:
        """Hand a submission in, without the page."""
        return dict(self._do("complete", submission=submission, code=code))

    def give_back(self, submission: str) -> None:
        """The participant returns it."""
        self._do("leave", submission=submission, status="RETURNED")

    def time_out(self, submission: str) -> None:
        """Its time runs out."""
        self._do("leave", submission=submission, status="TIMED-OUT")

    def settle(self) -> int:
        """Carry out what was asked for and put off: bulk approvals and bonuses. How many such wishes there were."""
        return int(self._do("settle"))

    def fault(self, operation: str, kind: str, times: int = 1) -> None:
        """Let the next calls of an operation go wrong: an operation id of the description, or `complete`."""
        self._do("fault", operation=operation, kind=kind, times=times)

    def clear_faults(self) -> int:
        """Forget the faults that are still to come; how many they were."""
        return int(self._do("clear_faults"))

    def wait_for_hang(self, seconds: float = 20.0) -> None:
        """Wait until a request hangs by a fault: this is the moment to kill who asked."""
        end = time.monotonic() + seconds
        while not self._do("hanging"):
            if time.monotonic() > end:
                raise TimeoutError(f"no request hangs after {seconds} s")
            time.sleep(0.01)

    def release(self) -> None:
        """Let go of the requests that hang; their connections end without an answer."""
        self._do("release")

    def study(self, study: str) -> dict[str, Any]:
        """A study as it was sent, with its status."""
        return dict(self._do("record", kind="study", id=study))

    def studies(self) -> list[dict[str, Any]]:
        """All studies, oldest first."""
        return self.records("study")

    def submission(self, submission: str) -> dict[str, Any]:
        """A submission: participant, status, entered_code, …"""
        return dict(self._do("record", kind="submission", id=submission))

    def submissions(self, study: str) -> list[dict[str, Any]]:
        """All submissions to a study, oldest first."""
        return self.records("submission", study_id=study)

    def paid(self, participant: str) -> list[tuple[str, int]]:
        """What a participant was paid in all: "reward" or "bonus", and cents, oldest first."""
        return [(each["kind"], each["amount"]) for each in self.records("payment", participant=participant)]

    def calls(self, operation: str) -> list[dict[str, Any]]:
        """The requests of an operation that came: body, status, fault."""
        return self.records("call", operation=operation)

    def members(self, group: str) -> list[str]:
        """Who is in a participant group."""
        return list(self._do("record", kind="group", id=group)["members"])

    @property
    def messages(self) -> list[dict[str, Any]]:
        """All messages to participants: to, study_id, body."""
        return self.records("message")

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events, each with the `headers` and the `body` of the request that brings it, signed as of now."""
        return list(self._do("events"))

    def deliver(self) -> list[int]:
        """Send the events that were not sent to whoever subscribed; the statuses that came back."""
        return list(self._do("deliver"))

    def set_wallet(self, total: int, workspace: str = WORKSPACE) -> None:
        """How many cents there are to spend."""
        self.put("workspace", {**self._do("record", kind="workspace", id=workspace), "total": total})

    def records(self, kind: str, **fields: Any) -> list[dict[str, Any]]:
        """Anything that it remembers, by kind and the values of fields."""
        return list(self._do("records", kind=kind, **fields))

    def put(self, kind: str, record: dict[str, Any]) -> None:
        """Set anything that it remembers."""
        self._do("put", kind=kind, record=record)

    def close(self) -> None:
        """Give the connection up; the stand-in goes on."""
        self._client.close()

    def _do(self, verb: str, **values: Any) -> Any:
        response = self._client.post(f"/_control/{verb}", json=values)
        if response.status_code == 403:
            raise NotLetInError(response.json()["detail"])
        response.raise_for_status()
        return response.json() if response.content else None


class NotLetInError(Exception):
    """Prolific does not show this study to this participant."""


class StandIn(Control):
    """A stand-in of its own in this process, empty but for two workspaces with a project each.

    `currency` is that of the first workspace; the other one has the other currency. With `settle_after` seconds,
    what is asynchronous happens by itself; without, when `settle` is called.
    """

    def __init__(
        self,
        test_data: Path,
        path: Path | None = None,
        *,
        port: int = 0,
        token: str = TOKEN,
        currency: str = "USD",
        wallet: int = 10_000_000,
        settle_after: float | None = None,
    ) -> None:
        self._state = State(":memory:" if path is None else str(path))
        with self._state.transaction():
            if not self._state.all("workspace"):
                _furnish(self._state, currency, wallet)
        self._server = Server(port, self._state, describe(test_data / "prolific-openapi.yml"), token, settle_after)
        super().__init__(self._server.url, token)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait(self) -> None:
        """Serve until the process ends."""
        self._thread.join()

    def close(self) -> None:
        """End the server."""
        super().close()
        self._server.release.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._state.close()


def _furnish(state: State, currency: str, wallet: int) -> None:
    other = {"USD": "GBP", "GBP": "USD"}[currency]
    for workspace, project, money in ((WORKSPACE, PROJECT, currency), (OTHER_WORKSPACE, OTHER_PROJECT, other)):
        state.put("workspace", {"id": workspace, "title": f"{money} lab", "currency": money, "total": wallet})
        state.put("project", {"id": project, "title": "Studies", "workspace": workspace})
