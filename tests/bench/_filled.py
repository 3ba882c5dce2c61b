"""A SQLite store with a study of soft labels that many people took: what benchmarks of whole studies begin with."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from crowdloom.analysis.plan import plan_hash
from crowdloom.studies.database import Store, new_token, now
from crowdloom.studies.design import Design
from crowdloom.studies.loading import add_batch, add_condition, add_design, take_study
from crowdloom.studies.tables import Event, Item, Participant, Place, Posting, Response, Submission
from crowdloom.tasks.columns import pack
from crowdloom.tasks.soft_label import CIFAR10, SoftLabel
from tests.bench.label_building import simulated

PER_BATCH = 25
RIGHT = 0.9
"""How often an answer is drawn from those that name the item's reference class; the others are any answer."""

SAME = 0.8
"""How often a repeat is the first answer again, word for word."""


def soft_label_design(places: int, repeats: tuple[int, ...] = (), **further: Any) -> Design:
    """A design of batches of 25 CIFAR-10 items, each for so many people, who see some of them again."""
    said = {
        "name": "bench",
        "title": "Bench",
        "task": "soft-label",
        "classes": CIFAR10,
        "consent": "-",
        "instructions": ["-"],
        "items": {"source": "import", "path": "bench"},
        "batches": {"size": PER_BATCH, "responses_per_item": places, "repeats": repeats},
        "people": {"minutes": 9, "hold_minutes": 60},
    }
    return Design.model_validate(said | further)


def fill(store: Store, design: Design, batches: int) -> None:
    """Load a design with so many batches, whose places are all filled by people who answered everything.

    An item's key is its number from 0, its attribute `sharp` 0 or 1 by turns; where the design asks a first debrief
    question, everybody chose one of its options.
    """
    rng = random.Random(1)
    people = batches * design.batches.responses_per_item
    with store.write() as connection:
        study = take_study(connection, design.name)
        design_id, _ = add_design(connection, study, design, "", "0" * 64)
        condition = add_condition(connection, design_id, "default", {})
        items = _add_items(connection, study, batches * PER_BATCH)
        ids = [add_batch(connection, condition, n, items[n * PER_BATCH :][:PER_BATCH]) for n in range(batches)]
        _add_people(connection, _add_posting(connection, design_id, design), ids, people, rng)
        if design.debrief:
            asked = design.debrief[0]
            event = {"kind": "debrief", "at": now()}
            said = [{asked.question: rng.choice(asked.options)} for _ in range(people)]
            connection.execute(
                insert(Event), [event | {"submission_id": n, "values": one} for n, one in enumerate(said, 1)]
            )
        order = [(n, 0) for n in range(PER_BATCH)] + [(n - 1, 1) for n in design.batches.repeats]
        _add_responses(connection, items, people, batches, order, rng)


def _add_items(connection: Connection, study: int, number: int) -> list[int]:
    item = {"study_id": study, "content_sha256": ""}
    connection.execute(
        insert(Item),
        [
            item
            | {"key": str(n), "token": new_token(), "reference": CIFAR10[n % 10], "attributes": {"sharp": n // 10 % 2}}
            for n in range(number)
        ],
    )
    return list(connection.scalars(select(Item.id).order_by(Item.id)))


def _add_posting(connection: Connection, design_id: int, design: Design) -> int:
    values = {} if design.plan is None else {"plan": plan_hash(design.plan)}
    posting = {"design_id": design_id, "platform": "link", "token": "t", "state": "closed", "values": values}
    connection.execute(insert(Posting), posting | {"created_at": now()})
    return connection.scalars(select(Posting.id)).one()


def _add_people(connection: Connection, posting: int, batches: list[int], people: int, rng: random.Random) -> None:
    """Participants, each with a submission and its place; the n-th takes the batch n modulo their number."""
    began = now() - timedelta(days=1)
    person = {"platform": "link", "created_at": began}
    connection.execute(insert(Participant), [person | {"pseudonym": f"p{n}"} for n in range(people)])
    submission = {
        "posting_id": posting,
        "state": "completed",
        "item_order": [],
        "class_order": [],
        "stage": "done",
        "started_at": began,
    }
    connection.execute(
        insert(Submission),
        [
            submission
            | {
                "token": f"t{n}",
                "pseudonym": f"s{n}",
                "participant_id": n + 1,
                "batch_id": batches[n % len(batches)],
                "completed_at": began + timedelta(minutes=rng.uniform(5, 15)),
            }
            for n in range(people)
        ],
    )
    place = {"state": "filled"}
    connection.execute(
        insert(Place),
        [
            place | {"batch_id": batches[n % len(batches)], "number": n // len(batches), "submission_id": n + 1}
            for n in range(people)
        ],
    )


def _add_responses(
    connection: Connection,
    items: list[int],
    people: int,
    batches: int,
    order: list[tuple[int, int]],
    rng: random.Random,
) -> None:
    """Everybody's answers to the items at these positions of their batch, with how often each was shown before."""
    task = SoftLabel()
    ready = [(answer, pack(task.columns, task.typed(answer, CIFAR10), CIFAR10)) for answer in simulated(5_000)]
    by_class = defaultdict(list)
    for one in ready:
        by_class[one[0]["top1"]].append(one)
    at = now()
    for start in range(0, people, 1000):
        rows = []
        for n in range(start, min(start + 1000, people)):
            first = n % batches * PER_BATCH
            pace, said = rng.uniform(0.5, 2), {}
            for position, (number, repeat_index) in enumerate(order):
                if number not in said or rng.random() > SAME:
                    reference = CIFAR10[(first + number) % 10]
                    said[number] = rng.choice(by_class[reference] if rng.random() < RIGHT else ready)
                answer, packed = said[number]
                rows.append(
                    {
                        "submission_id": n + 1,
                        "item_id": items[first + number],
                        "repeat_index": repeat_index,
                        "position": position,
                        "answer": answer,
                        "packed": packed,
                        "rt_ms": int(pace * rng.lognormvariate(9.5, 0.5)),
                        "answered_at": at,
                    }
                )
        connection.execute(insert(Response), rows)
