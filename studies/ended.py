"""Ending a process that we started."""

from __future__ import annotations

import subprocess
from typing import Any

PATIENCE_S = 30.0


def end(process: subprocess.Popen[Any]) -> None:
    """Ask a process to end, and kill it where it has not after `PATIENCE_S`."""
    process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
