"""Jobs that train, several at once in processes of their own, which end with the call however it ends."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from ctypes import Array, c_double
from typing import TypeVar

from crowdloom.models.child_process import end_with_parent, undisturbed
from crowdloom.models.errors import ModelError

Job = TypeVar("Job")
_LOOK_S = 0.5


def do_all(
    work: Callable[[Job, Callable[[float], None]], None],
    jobs: Sequence[Job],
    processes: int,
    told: Callable[[int, Sequence[float]], None],
) -> None:
    """Does all jobs, so many at once; with one process, or one job, in this process.

    `work(job, tell)` says through `tell` which share of the job is done. Where there are several processes, work and
    jobs are pickled. `told(done, shares)` hears how many are done and the share of each. What a job raises ends all;
    ModelError where a process is ended from outside.
    """
    if min(processes, len(jobs)) > 1:
        _in_processes(work, jobs, processes, told)
        return
    shares = [0.0] * len(jobs)
    for place, job in enumerate(jobs):

        def tell(share: float, place: int = place) -> None:
            shares[place] = share
            told(place, shares)

        work(job, tell)
        shares[place] = 1.0
    told(len(jobs), shares)


def _in_processes(
    work: Callable[[Job, Callable[[float], None]], None],
    jobs: Sequence[Job],
    processes: int,
    told: Callable[[int, Sequence[float]], None],
) -> None:
    spawn = multiprocessing.get_context("spawn")  # PyTorch does not survive a fork
    shares = spawn.RawArray(c_double, len(jobs))
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(min(processes, len(jobs)), spawn, _begin, (shares,)) as pool:
        try:
            with undisturbed():
                waiting = {pool.submit(_one, work, place, job) for place, job in enumerate(jobs)}
            while waiting:
                done, waiting = wait(waiting, _LOOK_S)
                for one in done:
                    one.result()
                told(len(jobs) - len(waiting), list(shares))
        except BaseException as error:
            for child in set(multiprocessing.active_children()) - others:
                child.kill()
            if isinstance(error, BrokenProcessPool):
                raise ModelError(
                    "a process that trained was ended from outside, which often means that memory was short; what is "
                    "done stays, and the same again goes on from there"
                ) from error
            raise


_SHARES: list[Array[c_double]] = []
"""In a process: how far each job is."""


def _begin(shares: Array[c_double]) -> None:
    threading.Thread(target=end_with_parent, daemon=True).start()
    _SHARES.append(shares)


def _one(work: Callable[[Job, Callable[[float], None]], None], place: int, job: Job) -> None:
    (shares,) = _SHARES

    def tell(share: float) -> None:
        shares[place] = share

    work(job, tell)
    tell(1.0)
