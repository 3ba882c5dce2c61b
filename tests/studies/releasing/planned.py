"""Studies of three tasks with a plan, and people of every standing in them: what a whole analysis goes through."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.design_file import parse_design
from crowdloom.studies.entry import find_entry, join, refuse
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import (
    answer_check,
    finish_instructions,
    leave,
    read_progress,
    save_debrief,
    save_questionnaire,
)
from crowdloom.studies.posted import find_postings
from crowdloom.studies.posting import publish
from crowdloom.studies.rehearsal import stand_ins
from crowdloom.studies.review import exclude, review
from crowdloom.studies.tables import Place, Submission
from tests.studies.releasing.answered import BASE, answer

CHECK = """
[comprehension]
attempts = 2
[[comprehension.questions]]
question = "What do you see?"
options = ["digits", "letters"]
correct = "digits"
[eligibility]
statements = ["I am 18 or older.", "I can see digits."]
"""
SOFT = f"""
repeats = [2]
[items]
source = "digits"
sample = 8
{CHECK}
[[questionnaires]]
instrument = "umux-lite"
[[questionnaires]]
instrument = "nasa-tlx"
[[debrief]]
question = "How hard was it?"
options = ["easy", "hard"]
[[debrief]]
question = "Anything else?"
[checks]
easy_at_most = 9.0
easy_right = 1
[plan]
stopping = "Once all places are filled."
exclusions = {{ comprehension = 0, attention = true, consistency = 0.05 }}
[[plan.hypotheses]]
name = "H1"
claim = "People are right more often than not."
outcome = "top1_accuracy"
test = "one-sample"
unit = "participant"
against = 0.5
"""
MIXES = f"""
repeats = [1]
[items]
source = "digits"
sample = 8
[items.mixed]
pairs = 1
coefficients = [[0.25], [0.75]]
{CHECK}
[plan]
stopping = "Once all places are filled."
exclusions = {{ comprehension = 0 }}
[[plan.hypotheses]]
name = "H1"
claim = "What is inferred goes with what was mixed."
outcome = "inferred"
test = "spearman"
by = "coefficient"
"""
MISTAKES = f"""
[items]
source = "csv"
path = "not-there.csv"
sample = 8
[[conditions]]
name = "shown"
options = {{ interpretations = true }}
[[conditions]]
name = "hidden"
{CHECK}
[plan]
stopping = "Once all places are filled."
exclusions = {{ comprehension = 0, seconds_per_answer = 1.0 }}
[[plan.hypotheses]]
name = "H1"
claim = "Interpretations lower the accuracy."
outcome = "accuracy"
test = "clustered-logit"
unit = "response"
levels = ["shown", "hidden"]
[[plan.hypotheses]]
name = "H2"
claim = "They do so for people, too."
outcome = "accuracy"
test = "permutation"
unit = "participant"
levels = ["shown", "hidden"]
[[plan.hypotheses]]
name = "H3"
claim = "They take time."
outcome = "seconds"
test = "paired"
levels = ["shown", "hidden"]
"""
STUDIES = {"soft": ("soft-label", SOFT), "mixes": ("mixing-coefficient", MIXES), "mistakes": ("wrong-label", MISTAKES)}
PEOPLE = ("ok-1", "ok-2", "ok-3", "ok-4", "ok-5", "rejected", "surplus", "excluded", "odd", "wrong-once")
"""Who finishes; what becomes of them afterwards is their name."""


def everybody(store: Store, folder: Path, name: str) -> Design:
    """Publish one of `STUDIES` and let people take part who end in every way there is."""
    task, rest = STUDIES[name]
    source = BASE.format(name=name, task=task, rest=rest).replace("responses_per_item = 2", "responses_per_item = 14")
    design = parse_design(source, f"{name}.toml")
    load_design(store, design, source, folder, items=stand_ins(design) if name == "mistakes" else None)
    with store.write() as connection:
        publish(connection, name, "link")
    codes = {person: _finish(store, design, f"{name}-{person}") for person in PEOPLE}
    for person, trials in (("started", 1), ("left", 2)):
        token = _begin(store, design, f"{name}-{person}", ["digits"])
        answer(store, design, token, range(trials), random.Random(1))
        if person == "left":
            with store.write() as connection:
                leave(connection, read_progress(connection, token))
    _begin(store, design, f"{name}-failed", ["letters", "letters"])
    with store.write() as connection:
        refuse(connection, find_entry(connection, find_postings(connection, name)[-1].token), f"{name}-refused")
        review(connection, name, codes["rejected"], "rejected", "the same answer throughout")
        exclude(connection, name, codes["excluded"], "Ann Meier said that a child clicked.")
        exclude(connection, name, codes["odd"], "Ann Meier said that a child clicked.")
        surplus = connection.scalars(select(Submission.id).where(Submission.pseudonym == codes["surplus"])).one()
        lost = {"state": "open", "submission_id": None, "held_until": None}
        connection.execute(update(Place).where(Place.submission_id == surplus).values(lost))
        connection.execute(update(Submission).where(Submission.id == surplus).values(surplus=True))
    return design


def _begin(store: Store, design: Design, person: str, answers: list[str]) -> str:
    """Somebody arrives, and answers the comprehension check, so often as there are answers."""
    with store.write() as connection:
        token = join(connection, find_entry(connection, find_postings(connection, design.name)[-1].token), person)
        for said in answers:
            finish_instructions(connection, read_progress(connection, token), design)
            answer_check(connection, read_progress(connection, token), design, [said])
    return token


def _finish(store: Store, design: Design, person: str) -> str:
    """Somebody does all there is to do; their code."""
    rng = random.Random(person)
    token = _begin(store, design, person, ["letters", "digits"] if person.endswith("once") else ["digits"])
    with store.read() as connection:
        progress = read_progress(connection, token)
    answer(store, design, token, range(len(progress.item_order)), rng)
    with store.write() as connection:
        for number, questionnaire in enumerate(design.questionnaires):
            ratings: dict[str, Any] = {item.name: rng.randrange(1, 8) for item in questionnaire.asked.items}
            save_questionnaire(connection, read_progress(connection, token), design, number, ratings)
        if design.debrief:
            hard = rng.choice(design.debrief[0].options)
            save_debrief(connection, read_progress(connection, token), {"How hard was it?": hard, "Anything else?": ""})
        code = connection.scalars(select(Submission.pseudonym).where(Submission.token == token)).one()
    return str(code)
