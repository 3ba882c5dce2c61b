"""A real worker, as a process of its own, for a rehearsal of a task whose page calls live steps."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager

from crowdloom.models.latent_refusals import NOT_READY
from crowdloom.studies.ended import end
from crowdloom.studies.errors import RehearsalError
from crowdloom.studies.live import FAILED

_ERROR = re.compile(r"[\w.]+: ")
"""How the last line of a traceback begins, and no other line of a worker's log."""

_REASONS_IN_LOG = (f"failed: {FAILED}", f"failed: {NOT_READY}")
"""How jobs end that say nothing to a researcher."""

MOST = 4
"""So many jobs at once at most: each may hold a network in memory."""


@contextmanager
def working(
    url: str, also: Mapping[str, str], without: Container[str] = (), sessions: int | None = None
) -> Iterator[Callable[[], None]]:
    """Let a worker work on the store at `url`, on as many jobs at once as there are cores, or as `sessions` says.

    `also` are further variables of its environment, `without` those that it is not to have. What it gives raises
    RehearsalError, with what the worker said last, where it has ended before it was told to.
    """
    environ = {name: value for name, value in os.environ.items() if name not in without}
    count = min(os.cpu_count() or 1, MOST) if sessions is None else sessions
    command = [sys.executable, "-m", "crowdloom.studies.cli", "worker", "--sessions", str(count)]
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(  # noqa: S603 - our own module
            command,
            env={**environ, "CROWDLOOM_DATABASE": url, **also},
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us; we end the worker ourselves, after the people
        ) as process,
    ):

        def check() -> None:
            if process.poll() is not None:
                log.seek(0)
                said = log.read().strip().splitlines() or ["it said nothing"]
                raise RehearsalError(f"the worker ended by itself: {said[-1]}")

        try:
            yield check
        except RehearsalError as error:
            log.seek(0)
            reasons = [line for line in log.read().splitlines() if _ERROR.match(line)]
            said = next((said for said in _REASONS_IN_LOG if said in str(error)), None)
            if said is None or not reasons:
                raise
            raise RehearsalError(str(error).replace(said, f"failed: {reasons[-1]}")) from error
        finally:
            end(process)
