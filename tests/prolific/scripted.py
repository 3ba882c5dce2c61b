"""A server that answers as it is told, for what no good server does: torn answers, silence, links to elsewhere."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """An answer: `torn` leaves the end of the body out; `silence` waits so many seconds before it."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    torn: bool = False
    silence: float = 0.0


@dataclass
class Scripted:
    """Such a server; `requests` are the heads of those that came, in their order."""

    url: str
    requests: list[str] = field(default_factory=list)


@contextmanager
def scripted(replies: Sequence[Reply]) -> Iterator[Scripted]:
    """A server that gives these answers one after the other, and the last one ever after."""
    queue = list(replies)

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = self.rfile.readline()
                if not line:
                    return
                head += line
            length = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            self.rfile.read(int(length[0].split(b":")[1]) if length else 0)
            server.requests.append(head.decode())
            reply = queue.pop(0) if len(queue) > 1 else queue[0]
            time.sleep(reply.silence)
            content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            lines = [f"HTTP/1.1 {reply.status} -", f"Content-Length: {len(content)}", "Connection: close"]
            lines += [f"{name}: {value}" for name, value in reply.headers.items()]
            self.wfile.write("\r\n".join(lines).encode() + b"\r\n\r\n" + (content[:-1] if reply.torn else content))

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Clients that went away are what it is for."""

    with Server(("127.0.0.1", 0), Handler) as listening:
        server = Scripted(f"http://127.0.0.1:{listening.server_address[1]}")
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
