"""A folder that one process at a time works in."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "lock"
_WAIT = 0.2  # seconds between two looks whether another process is done


@contextmanager
def held_folder(folder: Path, progress: Callable[[float, str], None]) -> Iterator[Path]:
    """The folder, made and kept to this process; waits while another one has it.

    The lock is the system's: it ends with the process, however that ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("a", encoding="utf-8") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress(0.0, "waiting for another process that prepares it")
                time.sleep(_WAIT)
        yield folder
