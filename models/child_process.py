"""What a process that we start needs: not to outlive us, and not to hear a Ctrl-C that is ours to answer."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """What a thread of a process does so that the process ends with the one that started it, however that ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "this runs in a spawned process"
    wait([parent.sentinel])
    os._exit(1)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A process started here never gets Ctrl-C, which is the leading process's to answer; ours arrives afterwards."""
    resource_tracker.ensure_running()  # first: Python unblocks Ctrl-C when it has started that process of its own
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
