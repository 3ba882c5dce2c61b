"""Small studies of digits, of every task, that people have answered; and what the store calls these people."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.design_file import parse_design
from crowdloom.studies.entry import find_entry, join, refuse
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import (
    Designs,
    answer_check,
    finish_instructions,
    leave,
    read_progress,
    save_answer,
    save_debrief,
    save_questionnaire,
    trial_at,
)
from crowdloom.studies.posted import find_postings
from crowdloom.studies.posting import publish
from crowdloom.studies.rehearsal import stand_ins
from crowdloom.studies.review import exclude
from crowdloom.studies.tables import Submission, Table
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import Person

BASE = """
name = "{name}"
title = "What digit is this?"
task = "{task}"
seed = 1
classes = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
consent = "We study digits."
instructions = ["Look at each image. Questions go to lab@university.example.", "Then say what it is."]
contact = "head.of.lab@university.example"
thanks = "Ask the office at office@university.example."
[people]
minutes = 5
hold_minutes = 20
reward = "1.50 USD"
[batches]
size = 4
responses_per_item = 2
{rest}
"""
DIGITS = """
repeats = [2]
[items]
source = "digits"
sample = 8
[comprehension]
attempts = 1
[[comprehension.questions]]
question = "What do you see?"
options = ["digits", "letters"]
correct = "digits"
[[questionnaires]]
instrument = "umux-lite"
system = "the page"
[[debrief]]
question = "How hard was it?"
options = ["easy", "hard"]
[[debrief]]
question = "Anything else? (You can write to us.)"
[link]
completion_code = "DONE-4711-CODE"
"""
MIXES = """
repeats = [1]
[items]
source = "digits"
sample = 8
[items.mixed]
pairs = 1
coefficients = [[0.25], [0.75]]
"""
MIDPOINTS = """
repeats = [1]
[options]
question = "construct"
[items]
source = "digits"
sample = 8
[items.mixed]
pairs = 1
steps = 5
"""
MISTAKES = """
[items]
source = "csv"
path = "not-there.csv"
sample = 8
[[conditions]]
name = "shown"
options = { interpretations = true }
[[conditions]]
name = "hidden"
"""
STUDIES = {
    "digits": ("soft-label", DIGITS),
    "mixes": ("mixing-coefficient", MIXES),
    "midpoints": ("mixing-coefficient", MIDPOINTS),
    "mistakes": ("wrong-label", MISTAKES),
}
PEOPLE = (
    "A1B2C3D4E5F6G7",
    "5f9c0a7be1d2c3b4a5968778",
    "ann.meier@people.example",
    "A9Z8Y7X6W5V4U3",
    "64b7c1f0aa",
    "hans-w",
)
TYPED = "It was fine, says A1B2C3D4E5F6G7 (mail me: ann.meier@people.example, from 192.0.2.77)."
REASON = "5f9c0a7be1d2c3b4a5968778 told us that a child clicked"


def study(store: Store, folder: Path, name: str, **changes: str) -> DesignModel:
    """Load and publish one of `STUDIES`."""
    task, rest = STUDIES[name]
    source = BASE.format(name=name, task=task, rest=rest)
    for old, new in changes.items():
        source = source.replace(old, new)
    design = parse_design(source, f"{name}.toml")
    load_design(store, design, source, folder, items=stand_ins(design) if name == "mistakes" else None)
    with store.write() as connection:
        publish(connection, name, "link")
    return design


def answer_all(store: Store, design: DesignModel, people: tuple[str, ...], *, trials: int | None = None) -> list[str]:
    """These people take part, as the task simulates it, in `trials` trials or all; their submissions' tokens."""
    return [_take(store, design, person, trials) for person in people]


def everything(store: Store, folder: Path) -> None:
    """The study digits with people of every standing: 2 accepted, 1 excluded, 1 who left, 1 failed, 1 refused."""
    design = study(store, folder, "digits")
    ann, child, third = answer_all(store, design, PEOPLE[:3])
    gone = _take(store, design, PEOPLE[3], trials=2)
    with store.write() as connection:
        leave(connection, read_progress(connection, gone))
        entry = find_entry(connection, _posting(connection))
        failed = join(connection, entry, PEOPLE[4])
        finish_instructions(connection, read_progress(connection, failed), design)
        answer_check(connection, read_progress(connection, failed), design, ["letters"])
        refuse(connection, entry, PEOPLE[5])
        code = connection.scalars(select(Submission.pseudonym).where(Submission.token == child)).one()
        exclude(connection, "digits", code, f"{REASON}, in {code}")
        for token, hard, typed in ((ann, "easy", TYPED), (third, "hard", "")):
            save_questionnaire(connection, read_progress(connection, token), design, 0, {"capabilities": 5, "ease": 6})
            answers = {"How hard was it?": hard, "Anything else? (You can write to us.)": typed}
            save_debrief(connection, read_progress(connection, token), answers)


def identifiers(store: Store) -> set[str]:
    """Everything by which the store knows people: ids of platforms, pseudonyms, tokens, whatever table has them."""
    found: set[str] = set(PEOPLE)
    with store.read() as connection:
        for table in Table.metadata.tables.values():
            for column in table.columns:
                if column.name in ("token", "pseudonym", "platform_id", "remote_id", "code"):
                    found |= {str(value) for value in connection.scalars(select(column)) if value is not None}
    return found


def answer(store: Store, design: DesignModel, token: str, positions: Iterable[int], rng: random.Random) -> None:
    """A submission answers these trials, as the task simulates it."""
    designs, task = Designs(store), TASKS[design.task]
    for position in positions:
        progress = _progress(store, token)
        _, trial = trial_at(designs, progress, position)
        truth = {trial.reference or trial.attributes.get("endpoint1", "3"): 0.75}
        truth |= {trial.attributes["endpoint2"]: 0.25} if "endpoint2" in trial.attributes else {"7": 0.25}
        form = task.simulate(truth, Person(skill=0.7), trial, rng)
        with store.write() as connection:
            given = task.parse(form, trial)
            save_answer(connection, designs, progress, position, given, rt_ms=rng.randrange(900, 9000), timing=None)


def _take(store: Store, design: DesignModel, person: str, trials: int | None) -> str:
    rng = random.Random(person)
    with store.write() as connection:
        token = join(connection, find_entry(connection, _posting(connection, design.name)), person)
        finish_instructions(connection, read_progress(connection, token), design)
        right = [question.correct for question in design.comprehension.questions] if design.comprehension else []
        answer_check(connection, read_progress(connection, token), design, right)
    answer(store, design, token, range(len(_progress(store, token).item_order))[:trials], rng)
    return token


def _posting(connection: Any, name: str = "digits") -> str:
    return find_postings(connection, name)[-1].token


def _progress(store: Store, token: str) -> Any:
    with store.read() as connection:
        return read_progress(connection, token)
