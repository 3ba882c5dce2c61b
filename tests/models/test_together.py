"""Jobs in this process and in several: what they tell, and what their errors end."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from crowdloom.models.errors import ModelError
from crowdloom.models.together import do_all

JOBS = ["a", "b", "c"]


def write(folder: Path, job: str, tell: Callable[[float], None]) -> None:
    """Says that half is done, and writes which process did it; what one says of it ends this one."""
    tell(0.5)
    if job == "error":
        raise ModelError("this job cannot be done")
    if job == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    (folder / job).write_text(str(os.getpid()), encoding="utf-8")


@pytest.mark.parametrize("processes", [1, 2])
def test_all_jobs_are_done(processes: int, tmp_path: Path) -> None:
    """Here where there is one process, elsewhere where there are two."""
    heard: list[tuple[int, Sequence[float]]] = []
    do_all(partial(write, tmp_path), JOBS, processes, lambda done, shares: heard.append((done, list(shares))))
    workers = {(tmp_path / job).read_text(encoding="utf-8") for job in JOBS}
    assert (str(os.getpid()) in workers) == (processes == 1)
    assert heard[-1] == (3, [1.0, 1.0, 1.0])


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_ends_all(processes: int, tmp_path: Path) -> None:
    """As it was raised."""
    with pytest.raises(ModelError, match="this job cannot be done"):
        do_all(partial(write, tmp_path), ["error", *JOBS], processes, lambda done, shares: None)


def test_a_killed_process_is_told(tmp_path: Path) -> None:
    """With what that often means."""
    with pytest.raises(ModelError, match="ended from outside, which often means that memory was short"):
        do_all(partial(write, tmp_path), ["killed", *JOBS], 2, lambda done, shares: None)


def test_no_job_is_done_at_once(tmp_path: Path) -> None:
    """Without a process."""
    heard: list[int] = []
    do_all(partial(write, tmp_path), [], 2, lambda done, shares: heard.append(done))
    assert heard == [0]
