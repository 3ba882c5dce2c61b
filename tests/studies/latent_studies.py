"""A small study of sessions in a latent space, answered without a network; with think-aloud, and to be coded."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from crowdloom.studies.database import Store, new_token, now
from crowdloom.studies.design import Design
from crowdloom.studies.items import SourceItem
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import Assigned, Designs, read_progress, save_answer, trial_at
from crowdloom.studies.posting import publish
from crowdloom.studies.tables import Item, Job
from crowdloom.tasks import TASKS
from crowdloom.tasks.latent_people import LatentBehaviour
from crowdloom.tasks.protocol import Person
from tests.studies.arriving import arrive

CATEGORIES = [
    ("compactness", "Increase compactness", "Points are put closer to the centre of their class."),
    ("distance", "Maximise distance", "Classes are put farther from each other."),
    ("merge", "Merge similar classes", "Classes that are alike are put closer to each other."),
    ("keep", "Keep the arrangement", "Next to nothing is changed."),
    ("change", "Change strategy", "Something else is tried than before."),
]
CODING = {
    "question": "What did the participant try here?",
    "unit": "interaction",
    "categories": [dict(zip(("name", "title", "meaning"), said, strict=True)) for said in CATEGORIES],
}
CLASSES = ("zero", "one", "two", "three")


def latent_design(**changes: Any) -> Design:
    """Two scenarios of four classes, two interactions each, of people who think aloud; `changes` replace fields."""
    values = {
        "name": "loops",
        "title": "Teach a network",
        "task": "latent-session",
        "options": {"think_aloud": True, "interactions": 2, "points": 40},
        "classes": CLASSES,
        "consent": "It is voluntary.",
        "instructions": ["Rearrange the points."],
        "items": {"source": "scenarios", "names": ["digits", "signals"]},
        "batches": {"size": 2, "responses_per_item": 20},
        "people": {"minutes": 30, "hold_minutes": 90},
        "coding": CODING,
    }
    return Design.model_validate(values | changes)


@dataclass
class Loops:
    """The study in a store, published by the direct link."""

    store: Store
    design: Design
    posting: str

    def arrive(self, person: str) -> Assigned:
        """A new submission before its first scenario."""
        return arrive(self.store, self.design, self.posting, person)

    def trial_id(self, submission: Assigned, position: int = 0) -> str:
        """What the form of a trial carries."""
        return trial_at(Designs(self.store), submission, position)[0]

    def answer(self, submission: Assigned, strategy: str = "compactness", seed: int = 0) -> None:
        """Go through the next scenario with a strategy; nothing is trained, and all of it is drawn."""
        designs, task = Designs(self.store), TASKS[self.design.task]
        shares = {name: float(name == strategy) for name, *_ in CATEGORIES}
        behaviour = LatentBehaviour.model_validate({"strategies": shares})
        with self.store.write() as connection:
            position = read_progress(connection, submission.token).answered
            _, trial = trial_at(designs, submission, position)
            form = task.simulate({}, Person(behaviour=behaviour), trial, random.Random(seed))
            save_answer(connection, designs, submission, position, task.parse(form, trial), rt_ms=1000, timing=None)

    def trained(self, response: Any, record: dict[str, Any], step: str = "train", state: str = "done") -> None:
        """The server has this record of the session of an answer, a row of `Response`."""
        with self.store.write() as connection:
            token = connection.scalars(select(Item.token).where(Item.id == response.item_id)).one()
            connection.execute(
                insert(Job).values(
                    token=new_token(),
                    submission_id=response.submission_id,
                    task="latent-session",
                    step=step,
                    trial=f"{token}.{response.repeat_index}",
                    state=state,
                    input={},
                    output={"record": record},
                    time_limit_s=60,
                    created_at=now(),
                )
            )

    def train(self, submission: Assigned, number: int, begin: datetime, seconds: float, position: int = 0) -> None:
        """The job by which an interaction was trained, from `begin` for so many seconds."""
        end = begin + timedelta(seconds=seconds)
        with self.store.write() as connection:
            connection.execute(
                insert(Job).values(
                    token=new_token(),
                    submission_id=submission.id,
                    task="latent-session",
                    step="train",
                    trial=self.trial_id(submission, position),
                    state="done",
                    input={"number": number},
                    time_limit_s=60,
                    created_at=begin,
                    started_at=begin,
                    finished_at=end,
                )
            )


def load_loops(store: Store, design: Design, folder: Path) -> None:
    """Load it; its scenarios are taken to have its classes."""
    names = design.items.names or ()
    items = [SourceItem(key=name, name=name, image=None, attributes={"scenario": name}) for name in names]
    load_design(store, design, design.model_dump_json(), folder, items=items)


def open_loops(store: Store, folder: Path, **changes: Any) -> Loops:
    """Load and publish it."""
    design = latent_design(**changes)
    load_loops(store, design, folder)
    with store.write() as connection:
        return Loops(store, design, publish(connection, design.name, "link").token)


def rows(store: Store, table: Any) -> list[Any]:
    """All rows of a table, the first first."""
    with store.read() as connection:
        return list(connection.execute(select(table.__table__).order_by(table.id)))
