"""Many runs at once, here or on a Ray cluster: each is done once, and what breaks is tried again, then told."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.files import whole_file
from crowdloom.models.errors import ArgumentError, first_line
from crowdloom.models.runs import Run, RunResult, digest_of
from crowdloom.models.sweep_book import Book, Progress, silent

ENGINES = ("local", "ray")


def sweep(
    images: npt.NDArray[np.uint8],
    runs: Sequence[Run],
    folder: Path,
    engine: str = "local",
    *,
    workers: int | None = None,
    threads: int = 1,
    device: str | None = None,
    on_progress: Callable[[Progress], None] = silent,
) -> list[RunResult]:
    """The results of all runs, in their order.

    images     uint8 [N, C, H, W], which the runs' positions are of
    folder     each run has a folder there, named by its digest. A run that it holds the numbers of is not done again,
               and one that was under way goes on after its last checkpoint, with the same result. Calls that share the
               folder, also on machines that share it, share the work
    engine     `local`: processes on this machine. `ray`: tasks of a Ray cluster, the one at $RAY_ADDRESS or else one
               that is started here for the call; all its nodes must see `folder` under the same path
    workers    how many runs at once; None for as many as there are processors, or for one on a graphics card. A cluster
               that runs already has its own
    threads    of each run. Sums in another order differ in their last digits, so that results agree to the last digit
               only with the same number of threads, on machines of one kind
    device     as `computing_of` takes it; None for what is best

    A run that raises an error, or whose process dies, is begun again, on Ray perhaps on another node, and goes on after
    its last checkpoint; if that breaks too, its result says `failed` and why, and so does its record. A loss that is
    not finite, a full disk and settings that cannot be trained with are not tried again. The next call tries all failed
    runs again. After Ctrl-C everything stops within seconds, and the next call goes on.

    Raises ArgumentError for an unknown engine, Ray where it is not installed or not to be reached, a folder that cannot
    be written to, and images that are no such array or do not have the runs' positions.
    """
    if engine not in ENGINES:
        raise ArgumentError(f"there is no engine {engine!r}; choose {' or '.join(ENGINES)}", "engine")
    if threads < 1 or (workers is not None and workers < 1):
        raise ArgumentError("a sweep needs at least one worker with one thread", "workers")
    _check_images(images, runs)
    # What cards there are, a cluster's nodes know and this machine does not.
    usual = workers_for(len(runs), workers, threads, "cpu" if engine == "ray" else device)
    folder = _usable(folder)
    images_digest = digest_of(images)
    digests = [run.digest(images_digest) for run in runs]
    book = Book(dict(zip(digests, runs, strict=True)), images_digest, folder, engine, on_progress)
    workers = min(usual, max(1, len(book.tasks)))
    if book.open:
        if engine == "ray":
            from crowdloom.models.sweep_ray import sweep_on_ray

            sweep_on_ray(book, images, workers=workers, threads=threads, device=device)
        else:
            from crowdloom.models.sweep_local import sweep_here

            shared = _shared_images(images, images_digest, folder)
            sweep_here(book, shared, workers=workers, threads=threads, device=device)
    return [
        replace(book.results[digest], experiment=run.experiment, row=run.row)
        for digest, run in zip(digests, runs, strict=True)
    ]


def _check_images(images: npt.NDArray[Any], runs: Sequence[Run]) -> None:
    if images.ndim != 4 or images.dtype != np.uint8:
        raise ArgumentError(
            f"images must be uint8 [images, channels, height, width], these are {images.dtype} {list(images.shape)}",
            "images",
        )
    for run in runs:
        for index in (run.index, *(evaluation.index for evaluation in run.evaluations)):
            if len(index) and (index.min() < 0 or index.max() >= len(images)):
                raise ArgumentError(f"{run.title} asks for image {index.max()}, there are {len(images)}", "images")


def _usable(folder: Path) -> Path:
    """The folder, made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(folder / ".writable") as part:
            part.touch()
        (folder / ".writable").unlink(missing_ok=True)
    except OSError as error:
        raise ArgumentError(
            f"{folder} cannot be written to ({error.strerror or first_line(error)}); give another folder", "folder"
        ) from error
    return folder.resolve()


def _shared_images(images: npt.NDArray[np.uint8], digest: str, folder: Path) -> Path:
    """The images as a file that all processes map into their memory, which holds them once."""
    path = folder / f"images-{digest[:16]}.npy"
    try:
        if digest_of(np.lib.format.open_memmap(path, mode="r")) == digest:
            return path
    except (OSError, ValueError):
        pass  # not there yet, or damaged
    try:
        with whole_file(path) as part, part.open("wb") as file:
            np.save(file, images)
    except OSError as error:
        raise ArgumentError(
            f"{path} cannot be written ({error.strerror or first_line(error)}); give another folder", "folder"
        ) from error
    return path


def workers_for(runs: int, workers: int | None, threads: int, device: str | None = None) -> int:
    """How many of these runs are under way at once on this machine; one on a graphics card, where they take turns.

    Raises ModelError for a device that is not there.
    """
    from crowdloom.models.precision import computing_of

    usual = max(1, _processors() // threads) if computing_of(device).device == "cpu" else 1
    return min(workers or usual, max(1, runs))


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
