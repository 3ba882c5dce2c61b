"""From a SQLite store with a million responses to aggregated labels, against ORM rows and a label at a time.

    python -m tests.bench.store_to_labels [RESPONSES]

Both start at the database and end with the mean T2-clamp label of each item; the same numbers are
checked, and the exit status is 1 where they differ. Beside the ratio stands the peak memory that our
way adds, for all and for a quarter of the responses: it must not grow with their number.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from crowdloom.studies.database import Store, open_store
from crowdloom.studies.label_recipes import Recipe
from crowdloom.studies.labelling import build_label_set
from crowdloom.studies.tables import Item, Place, Response
from crowdloom.tasks.soft_label import CIFAR10
from tests.bench._filled import PER_BATCH, fill, soft_label_design
from tests.bench.label_building import one_by_one

RESPONSES = 1_000_000
TARGET = 10
BATCHES = 40
"""Of 25 items each."""


def through_the_orm(store: Store) -> dict[str, list[float]]:
    """ORM rows, a label at a time, means in dictionaries: as one would write it first."""
    sums: dict[int, list[float]] = {}
    counts: dict[int, int] = {}
    with Session(store.engine) as session:
        names = {item.id: item.key for item in session.scalars(select(Item))}
        accepted = (
            select(Response)
            .join(Place, Place.submission_id == Response.submission_id)
            .where(Place.state == "filled", Response.repeat_index == 0)
            .execution_options(yield_per=1000)
        )
        for response in session.scalars(accepted):
            (label,) = one_by_one([response.answer], CIFAR10, 0.1)
            if label is not None:
                total = sums.setdefault(response.item_id, [0.0] * len(CIFAR10))
                sums[response.item_id] = [a + b for a, b in zip(total, label, strict=True)]
                counts[response.item_id] = counts.get(response.item_id, 0) + 1
    return {names[item]: [value / counts[item] for value in total] for item, total in sums.items()}


def ours(store: Store) -> dict[str, list[float]]:
    """What `crowdloom labels --aggregate mean` does."""
    with store.read() as connection:
        table = build_label_set(connection, "bench", Recipe(aggregate="mean")).table
    return dict(zip(table.item, table.labels.tolist(), strict=True))


def timed(function: Callable[[Store], Any], store: Store) -> tuple[float, Any]:
    """Seconds, and what the function returned."""
    start = time.perf_counter()
    result = function(store)
    return time.perf_counter() - start, result


def peak_memory(url: str) -> float:
    """MiB that building the labels adds to a fresh process at its peak."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_grow, (url,))


def _grow(url: str) -> float:
    store = open_store(url)
    with store.read() as connection:
        connection.execute(select(Item.id).limit(1)).all()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # Linux: forget the peak so far
    before = _resident("VmRSS")
    ours(store)
    return (_resident("VmHWM") - before) / 1024


def _resident(field: str) -> int:
    """A line of /proc/self/status, in KiB: what is resident now (VmRSS) or was at most (VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith(field)).split()[1])


def main() -> int:
    """Print the ratio; 1 where the two differ."""
    responses = int(sys.argv[1]) if len(sys.argv) > 1 else RESPONSES
    with tempfile.TemporaryDirectory() as folder:
        urls = {}
        for count in (responses, responses // 4):
            urls[count] = f"sqlite:///{Path(folder) / f'{count}.db'}"
            store = open_store(urls[count])
            fill(store, soft_label_design(count // PER_BATCH // BATCHES), BATCHES)
            store.close()
        memory = {count: peak_memory(url) for count, url in urls.items()}
        store = open_store(urls[responses])
        fast, labels = min((timed(ours, store) for _ in range(3)), key=lambda result: result[0])
        slow, expected = timed(through_the_orm, store)
        store.close()
    same = labels.keys() == expected.keys() and all(
        np.allclose(labels[item], expected[item], rtol=0, atol=1e-9) for item in expected
    )
    ratio = slow / fast
    print(
        f"store to labels: {responses} responses, ORM rows {slow:.1f} s, streamed {fast:.2f} s, ratio {ratio:.1f} "
        f"(target {TARGET}{'' if ratio >= TARGET else ', missed'}); peak memory added "
        f"{memory[responses]:.0f} MiB, with a quarter of the responses {memory[responses // 4]:.0f} MiB"
    )
    if not same:
        print("store to labels: the two do not give the same numbers")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
