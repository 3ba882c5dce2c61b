"""A server with a worker beside it, until Ctrl-C: what a live study needs on one machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from crowdloom.studies.ended import end
from crowdloom.studies.ports import free_port

_LOOK_S = 0.2


def serve_with_worker(database: Path, log: Path, port: int) -> None:
    """Serve a store's pages at a port, or a free one where it is in use, with a worker that writes to `log`.

    Returns when either has ended, or on Ctrl-C or SIGTERM; then both are ended. The server says where it is.
    """
    environment = os.environ | {"CROWDLOOM_DATABASE": str(database.absolute())}
    command = [sys.executable, "-m", "crowdloom.studies.cli"]
    before = signal.signal(signal.SIGTERM, _interrupt)
    sys.stdout.flush()  # what was said before comes before what the server says
    try:
        with ExitStack() as stack, log.open("w", encoding="utf-8") as heard:
            # Ctrl-C is for us, who end them in their order.
            worker = stack.enter_context(
                subprocess.Popen(  # noqa: S603 - our own command
                    [*command, "worker"], env=environment, stdout=heard, stderr=heard, start_new_session=True
                )
            )
            stack.callback(end, worker)
            server = stack.enter_context(
                subprocess.Popen(  # noqa: S603 - our own command
                    [*command, "serve", "--port", str(free_port(port))], env=environment, start_new_session=True
                )
            )
            stack.callback(end, server)
            while server.poll() is None and worker.poll() is None:
                time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt
