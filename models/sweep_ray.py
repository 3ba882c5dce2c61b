"""The engine on a Ray cluster: each run is a task of one node, which Ray gives to another one where a node is lost.

Images are put once into the object store, which each node keeps in memory for all its tasks. Records, checkpoints and
results go to the sweep's folder, which all nodes must see under the same path (NFS, Lustre, one machine): a run goes on
elsewhere after the checkpoint that its lost node wrote there.
"""

from __future__ import annotations

from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdloom.models.errors import ArgumentError, first_line
from crowdloom.models.ray_cluster import connected
from crowdloom.models.run_folder import BusyError, RunFolder
from crowdloom.models.run_task import Outcome, do_run
from crowdloom.models.runs import Run
from crowdloom.models.sweep_board import Board
from crowdloom.models.sweep_book import ATTEMPTS, Book, Task

LOOK_SECONDS = 0.5
NODES = 3
"""On so many further nodes Ray begins a run whose node is lost, which is not the run's fault."""


def sweep_on_ray(book: Book, images: npt.NDArray[np.uint8], *, workers: int, threads: int, device: str | None) -> None:
    """Do what is open in the book. Raises ArgumentError where Ray is not installed or its cluster cannot be reached."""
    with connected(workers * threads) as ray:
        _check_nodes(ray, threads)
        shared = ray.put(np.ascontiguousarray(images))
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=True
        )
        board = ray.remote(Board).options(num_cpus=0, max_restarts=-1, scheduling_strategy=here).remote()
        graphics = 1 if device != "cpu" and ray.cluster_resources().get("GPU", 0) else 0
        begin = ray.remote(_task).options(num_cpus=threads, num_gpus=graphics, max_retries=NODES)
        under_way: dict[Any, Task] = {}
        try:
            while book.open:
                # Twice as many as fit are handed over: no node waits for us, and the store holds the data of few.
                most = 2 * max(1, int(ray.cluster_resources().get("CPU", 1) / threads))
                while len(under_way) < most and (task := book.next()) is not None:
                    given = (board, shared, task.run, book.folder, task.digest, book.images_digest, threads, device)
                    under_way[begin.remote(*given)] = task
                ended = ray.wait([*under_way], timeout=LOOK_SECONDS)[0] if under_way else []
                if not under_way:  # others do all that is left
                    sleep(LOOK_SECONDS)
                _look(ray, book, board, {task.digest for task in under_way.values()})
                for reference in ended:
                    _take(ray, book, under_way.pop(reference), reference)
        finally:
            for reference in under_way:
                ray.cancel(reference, force=True)
            ray.kill(board)


def _check_nodes(ray: Any, threads: int) -> None:
    most = max((node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]), default=0)
    if most < threads:
        raise ArgumentError(
            f"no node of the Ray cluster has {threads} processors for a run, the largest has {most:g}; give fewer",
            "threads",
        )


def _look(ray: Any, book: Book, board: Any, under_way: set[str]) -> None:
    """Pass on how many epochs are done."""
    try:
        news = ray.get(board.read.remote(), timeout=10)
    except ray.exceptions.RayError:  # it is begun again, and nothing but the display depends on it
        return
    for digest, epoch in news.items():
        if digest in under_way:
            book.tell(digest, epoch)


def _task(
    board: Any,
    images: npt.NDArray[np.uint8],
    run: Run,
    folder: Path,
    digest: str,
    images_digest: str,
    threads: int,
    device: str | None,
) -> Outcome | None:
    """What a node does; None where another process does the run."""
    import ray

    where = {"engine": "ray", "node": ray.get_runtime_context().get_node_id()}
    try:
        return do_run(
            images,
            run,
            RunFolder(folder / digest),
            digest,
            images_digest,
            where=where,
            threads=threads,
            device=device,
            tell=lambda epoch: board.tell.remote(digest, epoch),
        )
    except BusyError:
        return None


def _take(ray: Any, book: Book, task: Task, reference: Any) -> None:
    """Write down what came of a task."""
    try:
        outcome = ray.get(reference)
    except ray.exceptions.RayError as error:
        task.attempts = ATTEMPTS  # Ray has tried it again already
        book.died(task, f"was lost on the cluster ({first_line(error)})")
        return
    if outcome is None:
        book.busy(task)
    else:
        book.end(task, outcome)
