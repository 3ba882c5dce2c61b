"""Closing a connection without an answer, which no web framework has a word for."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from flask import request


class DroppedError(BaseException):
    """Ends a request whose connection is gone; no error handler may make an answer of it."""


def drop() -> NoReturn:
    """Close the connection of the current request."""
    server_socket: socket.socket | None = request.environ.get("gunicorn.socket") or request.environ.get(
        "werkzeug.socket"
    )
    if server_socket is not None:
        server_socket.shutdown(socket.SHUT_RDWR)
    raise DroppedError


class Dropping:
    """Around an app: after `drop` the server finds its connection closed, and an answer of no bytes to send."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Run the app; a server that did not let us close its connection gets a ConnectionAbortedError."""
        try:
            return self._app(environ, start_response)
        except DroppedError:
            if "gunicorn.socket" in environ or "werkzeug.socket" in environ:
                start_response("500 Dropped", [("Connection", "close")])
                return []
            raise ConnectionAbortedError("the connection was dropped, as was asked for") from None
