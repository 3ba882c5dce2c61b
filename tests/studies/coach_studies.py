"""A small study of writing with a coach, answered without a network."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from crowdloom.studies.database import Store, now
from crowdloom.studies.design import Design
from crowdloom.studies.items import SourceItem
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import Assigned, Designs, read_progress, save_answer, trial_at
from crowdloom.studies.posting import publish
from crowdloom.studies.tables import Event, Item
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import Person
from tests.studies.arriving import arrive

CLASSES = ("0", "1", "2", "3")
NEVER = ("3",)


def coach_design(**changes: Any) -> Design:
    """Four digits, two rounds, coached people and control people; `changes` replace fields."""
    values = {
        "name": "writing",
        "title": "Be read",
        "task": "coach",
        "options": {"never_coached": NEVER},
        "classes": CLASSES,
        "consent": "It is voluntary.",
        "instructions": ["Write the digit."],
        "items": {"source": "classes", "rounds": 2},
        "conditions": [{"name": name, "options": {"coaching": name}} for name in ("coached", "control")],
        "batches": {"size": 8, "responses_per_item": 20},
        "people": {"minutes": 10, "hold_minutes": 45, "one_condition": True},
    }
    return Design.model_validate(values | changes)


@dataclass
class Writings:
    """The study in a store, published by the direct link."""

    store: Store
    design: Design
    posting: str

    def arrive(self, person: str) -> Assigned:
        """A new submission before its first trial."""
        return arrive(self.store, self.design, self.posting, person)

    def answer(self, submission: Assigned, seed: int = 0, trials: int = 8) -> None:
        """Write the next so many trials; nobody reads them, and all is drawn."""
        designs, task, rng = Designs(self.store), TASKS["coach"], random.Random(seed)
        for _ in range(trials):
            with self.store.write() as connection:
                position = read_progress(connection, submission.token).answered
                _, trial = trial_at(designs, submission, position)
                form = task.simulate({}, Person(), trial, rng)
                save_answer(
                    connection, designs, submission, position, task.parse(form, trial), rt_ms=9000 + seed, timing=None
                )

    def read(self, response: Any, writing: Mapping[str, Any], *, done: bool = True, error: str = "") -> None:
        """The server read a drawing of the trial of an answer, a row of `Response`, and had this writing then."""
        with self.store.write() as connection:
            token = connection.scalars(select(Item.token).where(Item.id == response.item_id)).one()
            said: dict[str, Any] = {"step": "read", "input": {"done": done}, "ms": 4.0}
            said |= {"trial": f"{token}.{response.repeat_index}"}
            said |= {"error": error} if error else {"output": {"reading": {}, "writing": writing}}
            connection.execute(
                insert(Event).values(submission_id=response.submission_id, kind="live_step", values=said, at=now())
            )


def open_writings(store: Store, folder: Path, **changes: Any) -> Writings:
    """Load and publish it."""
    design = coach_design(**changes)
    items = [
        SourceItem(
            key=f"{name}-{number}",
            name=f"class {name}",
            image=None,
            reference=name,
            attributes={"round": number, "never_coached": "yes" if name in NEVER else "no"},
        )
        for number in (1, 2)
        for name in design.classes
    ]
    load_design(store, design, design.model_dump_json(), folder, items=items)
    with store.write() as connection:
        return Writings(store, design, publish(connection, design.name, "link").token)


def finished(store: Store, folder: Path, people: int = 4, **changes: Any) -> Writings:
    """So many people wrote everything."""
    study = open_writings(store, folder, **changes)
    for number in range(people):
        study.answer(study.arrive(f"person{number}"), number)
    return study
