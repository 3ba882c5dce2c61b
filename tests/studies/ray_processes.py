"""Ray for the tests: its folder, and what runs there."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.conftest import missing


@contextmanager
def ray_of_its_own(patch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where Ray has its files, whose paths must be short; at the end nothing of it may be left running."""
    if importlib.util.find_spec("ray") is None:
        missing("Ray is not installed")
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as temporary:
        patch.setenv("RAY_TMPDIR", temporary)
        # What is only in the tests must be found in its processes, too.
        patch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]))
        patch.delenv("RAY_ADDRESS", raising=False)
        yield Path(temporary)
        of_ray = [one for one in psutil.process_iter(["cmdline"]) if temporary in " ".join(one.info["cmdline"] or [])]
        _, left = psutil.wait_procs(of_ray, timeout=20)
        assert not left


def steps_of(worker: int) -> list[psutil.Process]:
    """The processes in which the steps of a worker run, here or below its actors, the busiest first."""
    found = [
        child for child in psutil.Process(worker).children(recursive=True) if "spawn_main" in " ".join(child.cmdline())
    ]
    return sorted(found, key=lambda step: -step.cpu_times().user)
