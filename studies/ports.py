"""Local ports to listen at."""

from __future__ import annotations

import socket


def free_port(port: int) -> int:
    """The port, or 0 (any free one) where somebody listens there."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return 0
    return port
