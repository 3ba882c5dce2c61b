"""A study of soft labels about 24 small images, which three people answered, each in their own way."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.participation import Designs, read_progress, save_answer
from crowdloom.studies.tables import Item
from tests.studies.designs import CLASSES
from tests.studies.takers import Study

ITEMS, PEOPLE = 24, 3


def asked_study(store: Store, folder: Path) -> None:
    """The study `pets`: the first person is right and sure, the second less sure, the third names the next class.

    Two of a person's items come again at the end; what is said then is that all are frogs.
    """
    study = Study(store, folder, ITEMS, batches={"size": ITEMS, "responses_per_item": PEOPLE, "repeats": [1, 2]})
    with store.read() as connection:
        reference = {row.id: row.reference for row in connection.execute(select(Item.id, Item.reference))}
    designs = Designs(store)
    for person in range(PEOPLE):
        token = study.arrive(f"person-{person}")
        with store.write() as connection:
            progress = read_progress(connection, token)
            for position, (item, repeat) in enumerate(progress.item_order):
                first = 2 if repeat else (CLASSES.index(reference[item]) + (person == 2)) % 3
                answer = {
                    "top1": CLASSES[first],
                    "top1_probability": 60 if person else 100,
                    "top2": CLASSES[(first + 1) % 3] if person else None,
                    "top2_probability": 40 if person else None,
                    "impossible": [],
                }
                progress = read_progress(connection, token)
                save_answer(connection, designs, progress, position, answer, rt_ms=1000, timing=None)
