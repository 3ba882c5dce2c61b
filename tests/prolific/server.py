"""The stand-in as an HTTP server: Prolific's API, its app's pages, and the tests' own control endpoints."""

from __future__ import annotations

import html
import json
import re
import threading
import time
import traceback
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.prolific import submissions
from tests.prolific.control import UNLOCKED, VERBS
from tests.prolific.faults import AFTER, BEFORE, take_fault
from tests.prolific.operations import OPERATIONS, PAGED, Call
from tests.prolific.schemas import Description
from tests.prolific.state import Record, RefusedError, State, now


class Server(ThreadingHTTPServer):
    """One stand-in on a port of this machine."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self, port: int, state: State, description: Description, token: str, settle_after: float | None = None
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.state, self.description, self.token, self.settle_after = state, description, token, settle_after
        self.hanging = 0
        self.release = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of what is tested."""


_LONGEST_HANG = 30.0  # seconds


class DroppedError(Exception):
    """The connection ends here, without an answer."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out one after the other

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Nothing is logged: tests read the calls by `calls`."""

    def do_GET(self) -> None:
        """Every method comes here."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            if parts.path.startswith("/_control/"):
                self._control(parts.path.removeprefix("/_control/"), json.loads(body or b"{}"))
            elif parts.path.startswith("/api/"):
                self._api(parts.path, query, body)
            else:
                self._app(parts.path, query)
        except DroppedError:
            self.close_connection = True
        except OSError:
            self.close_connection = True  # the client went away, which is part of what is tested
        except Exception:  # noqa: BLE001 - a test is to see it as an error of the server
            traceback.print_exc()
            self._answer(500, "the stand-in itself failed")

    do_POST = do_PATCH = do_DELETE = do_PUT = do_GET  # noqa: N815

    def _control(self, verb: str, body: Record) -> None:
        try:
            if verb in UNLOCKED:
                answer = UNLOCKED[verb](self.server, **body)
            else:
                with self.server.state.transaction():
                    answer = VERBS[verb](self.server, **body)
        except RefusedError as refusal:
            self._answer(refusal.status, refusal.body())
        else:
            self._answer(200, answer)

    def _api(self, path: str, query: dict[str, str], raw: bytes) -> None:
        server, method = self.server, self.command
        match = server.description.operation(method, path)
        if match is None or match[0] not in OPERATIONS:
            status = 405 if server.description.is_path(path) else 404
            self._answer(
                status, {"error": RefusedError(status, 140000 + status, f"no {method} {path}", "Error").body()}
            )
            return
        operation, parts = match
        call = Call(server.state, server.url, path, parts, query, None, server.settle_after)
        headers: dict[str, str] = {}
        fault = None
        try:
            if self.headers.get("Authorization") != f"Token {server.token}":
                raise RefusedError(401, 140401, "Invalid token.", "Unauthorized")
            with server.state.transaction():
                fault = take_fault(server.state, operation, BEFORE)
            if fault == "throttle":
                headers["Retry-After"] = "1"
                raise RefusedError(429, 140429, "Request was throttled.", "Too many requests")
            if fault is not None:
                status, answer = 500, None
            else:
                call.body = self._checked(operation, path, query, raw)
                with server.state.transaction():
                    submissions.run_jobs(server.state, time.time())
                    status = OPERATIONS[operation][0]
                    answer = OPERATIONS[operation][1](call)
                    fault = take_fault(server.state, operation, AFTER)
                headers = call.headers
        except RefusedError as refusal:
            status, answer = refusal.status, refusal.body()
            if server.description.is_wrapped(method, path):
                answer = {"error": answer}
        self._note(operation, parts, query, call.body, status, fault)
        if status < 500 and (problem := server.description.problem_of_response(method, path, status, answer)):
            self._answer(599, f"the stand-in's own answer is not as described: {problem}")
            return
        self._leave(fault)
        if fault == "effect-then-500":
            status, answer = 500, None
        self._answer(status, answer, headers, torn=fault == "effect-then-torn")

    def _leave(self, fault: str | None) -> None:
        """End the connection without an answer, where the fault says so."""
        if fault in ("hang", "effect-then-hang"):
            release = self.server.release
            self.server.hanging += 1
            release.wait(_LONGEST_HANG)
            self.server.hanging -= 1
        if fault in ("drop", "effect-then-drop", "hang", "effect-then-hang"):
            raise DroppedError

    def _checked(self, operation: str, path: str, query: dict[str, str], raw: bytes) -> Any:
        description, method = self.server.description, self.command
        further = {"page", "page_size"} if operation in PAGED else set()
        if problem := description.problem_of_query(method, path, query, further):
            raise RefusedError(400, 140001, problem, "Validation error")
        try:
            body = json.loads(raw) if raw else None
        except ValueError:
            raise RefusedError(400, 140002, "the body is no JSON", "Validation error") from None
        if problem := description.problem_of_request(method, path, body):
            raise RefusedError(400, 140003, [problem], "Validation error")
        return body

    def _note(self, operation: str, parts: Any, query: Any, body: Any, status: int, fault: str | None) -> None:
        call = {"operation": operation, "parts": parts, "query": query, "body": body, "status": status}
        with self.server.state.transaction():
            self.server.state.put("call", {**call, "fault": fault, "at": now()})

    def _app(self, path: str, query: dict[str, str]) -> None:
        """What a participant's browser sees: the way into a study, and the way back with a code."""
        state = self.server.state
        cookie = SimpleCookie(self.headers.get("Cookie", ""))
        signed_in = cookie["participant"].value if "participant" in cookie else None
        try:
            if match := re.fullmatch(r"/studies/(\w+)/start", path):
                participant = query.get("participant") or signed_in or ""
                with state.transaction():
                    url = submissions.join_url(state, submissions.arrive(state, match[1], participant))
                headers = {"Location": url, "Set-Cookie": f"participant={participant}; Path=/"}
                self._page(302, "The study opens.", headers)
            elif path == "/submissions/complete" and signed_in:
                self._complete(signed_in, query.get("cc", ""))
            else:
                self._page(404, "There is no such page, or nobody is signed in.")
        except RefusedError as refusal:
            self._page(refusal.status, str(refusal.detail))

    def _complete(self, participant: str, code: str) -> None:
        state = self.server.state
        with state.transaction():
            fault = take_fault(state, "complete", BEFORE)
            if fault is None:
                own = state.all("submission", participant=participant)
                open_ones = [each for each in own if each["status"] in ("RESERVED", "ACTIVE")]
                if not own:
                    raise RefusedError(404, 140404, "You take part in no study.")
                done = submissions.complete(state, (open_ones or own)[-1]["id"], code)
                fault = take_fault(state, "complete", AFTER)
        self._leave(fault)
        if fault is not None:
            self._page(500, "Something went wrong.")
        else:
            self._page(200, f"Your submission is complete: {done['status']}.")

    def _page(self, status: int, text: str, headers: Record | None = None) -> None:
        page = f"<!doctype html><html lang=en><title>Prolific</title><h1>{html.escape(text)}</h1></html>"
        self._send(status, page.encode(), "text/html; charset=utf-8", headers or {})

    def _answer(self, status: int, data: Any, headers: Record | None = None, *, torn: bool = False) -> None:
        content = b"" if status == 204 or data is None else json.dumps(data).encode()
        self._send(status, content, "application/json", headers or {}, torn=torn)

    def _send(self, status: int, content: bytes, kind: str, headers: Record, *, torn: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status != 204:
            self.send_header("Content-Length", str(len(content) + (1 if torn else 0)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        if torn:
            raise DroppedError
