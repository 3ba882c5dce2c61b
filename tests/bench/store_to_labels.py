"""From a SQLite store with a million responses to aggregated labels, against ORM rows and a label at a time.

    python -m tests.bench.store_to_labels [RESPONSES]

Both start at the database and end with the mean T2-clamp label of each item; the same numbers are
checked, and the exit status is 1 where they differ. Beside the ratio stands the peak memory that our
way adds, for all and for a quarter of the responses: it must not grow with their number.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from crowdloom.studies.database import Store, new_token, now, open_store
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.label_recipes import Recipe
from crowdloom.studies.labelling import build_label_set
from crowdloom.studies.loading import add_batch, add_condition, add_design, take_study
from crowdloom.studies.tables import Item, Participant, Place, Posting, Response, Submission
from crowdloom.tasks.columns import pack
from crowdloom.tasks.soft_label import CIFAR10, SoftLabel
from tests.bench.label_building import one_by_one, simulated

RESPONSES = 1_000_000
TARGET = 10
PER_BATCH = 25
BATCHES = 40


def fill(store: Store, responses: int) -> None:
    """A study of 1,000 items in 40 batches whose submissions give so many first responses."""
    task, rng = SoftLabel(), random.Random(1)
    answers = simulated(5_000)
    ready = [(answer, pack(task.columns, task.typed(answer, CIFAR10), CIFAR10)) for answer in answers]
    people = responses // PER_BATCH
    design = DesignModel.model_validate(
        {
            "name": "bench",
            "title": "Bench",
            "task": "soft-label",
            "classes": CIFAR10,
            "consent": "-",
            "instructions": ["-"],
            "items": {"source": "import", "path": "bench"},
            "batches": {"size": PER_BATCH, "responses_per_item": people // BATCHES},
            "people": {"minutes": 1, "hold_minutes": 1},
        }
    )
    with store.write() as connection:
        study = take_study(connection, design.name)
        design_id, _ = add_design(connection, study, design, "", "0" * 64)
        condition = add_condition(connection, design_id, "default", {})
        item = {"study_id": study, "content_sha256": "", "reference": "Cat", "attributes": {}}
        connection.execute(
            insert(Item), [item | {"key": str(n), "token": new_token()} for n in range(BATCHES * PER_BATCH)]
        )
        items = list(connection.scalars(select(Item.id).order_by(Item.id)))
        batches = [
            add_batch(connection, condition, n, items[n * PER_BATCH : (n + 1) * PER_BATCH]) for n in range(BATCHES)
        ]
        posting = {"design_id": design_id, "platform": "link", "token": "t", "state": "closed", "values": {}}
        connection.execute(insert(Posting), posting | {"created_at": now()})
        posting_id = connection.scalars(select(Posting.id)).one()
        person = {"platform": "link", "created_at": now()}
        connection.execute(insert(Participant), [person | {"pseudonym": f"p{n}"} for n in range(people)])
        submission = {
            "posting_id": posting_id,
            "state": "completed",
            "item_order": [],
            "class_order": [],
            "stage": "done",
            "started_at": now(),
        }
        connection.execute(
            insert(Submission),
            [
                submission
                | {"token": f"t{n}", "pseudonym": f"s{n}", "participant_id": n + 1, "batch_id": batches[n % BATCHES]}
                for n in range(people)
            ],
        )
        connection.execute(
            insert(Place),
            [
                {"batch_id": batches[n % BATCHES], "number": n // BATCHES, "state": "filled", "submission_id": n + 1}
                for n in range(people)
            ],
        )
        for start in range(0, people, 1000):
            rows = []
            for n in range(start, min(start + 1000, people)):
                for position in range(PER_BATCH):
                    answer, packed = ready[rng.randrange(len(ready))]
                    rows.append(
                        {
                            "submission_id": n + 1,
                            "item_id": items[n % BATCHES * PER_BATCH + position],
                            "repeat_index": 0,
                            "position": position,
                            "answer": answer,
                            "packed": packed,
                            "rt_ms": 20_000,
                            "answered_at": now(),
                        }
                    )
            connection.execute(insert(Response), rows)


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
            fill(store, count)
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
