"""The real server, as a process of its own, for as long as a rehearsal lasts."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager

from crowdloom.studies.ended import end
from crowdloom.studies.errors import RehearsalError

WORKERS = 2


@contextmanager
def serving(
    url: str, workers: int = WORKERS, without: Container[str] = (), also: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Serve the store at `url` on a free local port; gives the address, and ends the server afterwards.

    `without` names variables of the environment that the server is not to have, `also` gives further ones.
    Raises RehearsalError, with what the server said, where it does not start.
    """
    environ = {name: value for name, value in os.environ.items() if name not in without}
    command = [sys.executable, "-m", "crowdloom.studies.cli", "serve", "--port", "0", "--workers", str(workers)]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(  # noqa: S603 - our own module
            command,
            # The address of a database may hold a password, which a command line would show to everybody.
            env={**environ, "CROWDLOOM_DATABASE": url, **(also or {})},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C is for us; we end the server ourselves, after the people
        ) as process,
    ):
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            if not said:
                process.wait()
                log.seek(0)
                raise RehearsalError(f"the server did not start: {log.read().strip() or 'it said nothing'}")
            yield said.split()[2]  # Serving at ADDRESS
        finally:
            end(process)
