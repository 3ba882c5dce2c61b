"""Small studies of every task, whose people do odd things or do not come at all; the same steps as behind the pages."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.entry import find_entry, join
from crowdloom.studies.loading import load_design
from crowdloom.studies.participation import Designs, finish_instructions, read_progress, save_answer, trial_at
from crowdloom.studies.posting import publish
from crowdloom.studies.rehearsal import stand_ins
from crowdloom.studies.review import exclude
from crowdloom.studies.tables import Submission
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import Person, Trial

CLASSES = ("ape", "bat", "cat", "dog", "elk", "fox")
MIXED = {"source": "folder", "path": "none", "image_size": 0}


@dataclass(frozen=True)
class Kind:
    """A task in one of its forms: its design, and what a plan compares."""

    task: str
    design: dict[str, Any]
    outcome: str
    by: str
    levels: tuple[str, str]
    number: str
    """An attribute of the items that is a number."""


KINDS = {
    "soft": Kind(
        "soft-label", {"items": MIXED | {"sample": 4}}, "label_entropy", "reference", ("ape", "bat"), "weight"
    ),
    "infer": Kind(
        "mixing-coefficient",
        {"items": MIXED | {"mixed": {"pairs": 1, "coefficients": [[0.25], [0.75]]}}, "classes": CLASSES[:2]},
        "deviation",
        "coefficient",
        ("0.25", "0.75"),
        "coefficient",
    ),
    **{
        question: Kind(
            "mixing-coefficient",
            {
                "items": MIXED | {"mixed": {"pairs": 1, "steps": 3}},
                "classes": CLASSES[:3],
                "options": {"question": question},
            },
            "midpoint",
            "endpoint1",
            ("ape", "bat"),
            "weight",
        )
        for question in ("choose", "construct")
    },
    "wrong": Kind(
        "wrong-label",
        {"items": MIXED | {"sample": 4}, "conditions": [{"name": "plain"}, {"name": "shown"}]},
        "accuracy",
        "condition",
        ("plain", "shown"),
        "weight",
    ),
    "session": Kind(
        "latent-session",
        {
            "items": {"source": "scenarios", "names": ["own.study:first", "own.study:second"]},
            "conditions": [{"name": "plain"}, {"name": "shown"}],
            "options": {"interactions": 2, "points": 20},
        },
        "improvement",
        "condition",
        ("plain", "shown"),
        "weight",
    ),
    "writing": Kind(
        "coach",
        {
            "items": {"source": "classes", "only": CLASSES[:4]},
            "conditions": [{"name": "plain", "options": {"coaching": "control"}}, {"name": "shown"}],
        },
        "recognised_gain",
        "condition",
        ("plain", "shown"),
        "weight",
    ),
}
SIDED = ("student", "welch", "mann-whitney", "permutation", "paired", "wilcoxon", "paired-permutation")


def plan_of(kind: Kind, **exclusions: Any) -> dict[str, Any]:
    """A plan with every test that the task can have, of the kind's outcome."""
    sides = {"outcome": kind.outcome, "by": kind.by, "levels": kind.levels}
    hypotheses = [
        *({"name": test, "test": test, **sides, "unit": "participant"} for test in SIDED),
        {"name": "one", "test": "one-sample", "outcome": kind.outcome, "against": 0.5},
        *({"name": test, "test": test, "outcome": kind.outcome, "by": kind.number} for test in ("pearson", "spearman")),
    ]
    right = {"soft-label": "top1_accuracy", "wrong-label": "accuracy", "coach": "recognised_after"}.get(kind.task)
    if right:
        logit = {"name": "logit", "test": "clustered-logit", "unit": "response"}
        hypotheses.append(logit | sides | {"outcome": right})
    return {
        "stopping": "Once all places are filled.",
        "exclusions": exclusions,
        "hypotheses": [{"claim": "They differ."} | one for one in hypotheses],
    }


class Odd:
    """A study of one of `KINDS` in a store, loaded and published, before anybody has come."""

    def __init__(self, store: Store, name: str, kind: str, *, published: bool = True, **changes: Any) -> None:
        """`changes` replace whole fields of the design; of the items, `bare` takes away what can be missing."""
        self.store, self.kind, self.name = store, KINDS[kind], name
        bare, alike = changes.pop("bare", False), changes.pop("alike", False)
        values = {
            "name": name,
            "title": "What is it?",
            "task": self.kind.task,
            "classes": CLASSES,
            "consent": "We study images.",
            "instructions": ["Look at each image."],
            "batches": {"size": 2, "responses_per_item": 4, "repeats": [1]},
            "people": {"minutes": 2, "hold_minutes": 10, "submissions_per_participant": 4},
        }
        self.design = Design.model_validate(values | self.kind.design | changes)
        items = [
            replace(item, attributes=item.attributes | ({} if bare else {"weight": str(number)}))
            for number, item in enumerate(stand_ins(self.design))
        ]
        if bare:
            spare = {"category", "source1", "source2", "entropy1", "entropy2"}
            kept = [{k: v for k, v in item.attributes.items() if k not in spare} for item in items]
            reference = self.kind.task == "wrong-label"
            items = [
                replace(item, attributes=said, reference=item.reference if reference else None, difficulty=None)
                for item, said in zip(items, kept, strict=True)
            ]
        if alike:
            items = [replace(item, reference=self.design.classes[0]) for item in items]
        load_design(store, self.design, self.design.model_dump_json(), Path(), items=items)
        self.token = ""
        if published:
            with store.write() as connection:
                self.token = publish(connection, name, "link").token

    def come(self, *people: str, trials: int | None = None, same: bool = False, ms: int | None = None) -> list[str]:
        """These people answer all trials, or so many; as the task simulates it, or all the `same`. Their tokens."""
        return [self._come(person, trials, same, ms) for person in people]

    def exclude(self, tokens: Sequence[str], reason: str) -> None:
        """Exclude these submissions by hand."""
        with self.store.write() as connection:
            for token in tokens:
                code = connection.scalars(select(Submission.pseudonym).where(Submission.token == token)).one()
                exclude(connection, self.name, code, reason)

    def _come(self, person: str, trials: int | None, same: bool, given_ms: int | None) -> str:
        designs, task, rng = Designs(self.store), TASKS[self.kind.task], random.Random(person)
        with self.store.write() as connection:
            token = join(connection, find_entry(connection, self.token), person)
            finish_instructions(connection, read_progress(connection, token), self.design)
            number = len(read_progress(connection, token).item_order)
        for position in range(number if trials is None else trials):
            with self.store.read() as connection:
                progress = read_progress(connection, token)
            _, trial = trial_at(designs, progress, position)
            truth = {trial.reference or trial.attributes.get("endpoint1", "ape"): 0.7, "bat": 0.3}
            form = _same(self.kind.task, trial) if same else task.simulate(truth, Person(skill=0.7), trial, rng)
            with self.store.write() as connection:
                ms = given_ms or (2000 if same else rng.randrange(900, 9000))
                answer = task.parse(form, trial)
                save_answer(connection, designs, progress, position, answer, rt_ms=ms, timing=None)
        return token


def _same(task: str, trial: Trial) -> dict[str, list[str]]:
    """The answer of somebody who answers as everybody does: one class, certain; half and half; the prediction.

    Of a session: it moves nothing; of a writing: a scribble.
    """
    if task == "soft-label":
        return {"top1": [trial.classes[0]], "top1_probability": ["100"], "top2": ["no-alternative"]}
    if task == "wrong-label":
        return {"choice": [trial.attributes["prediction"]]}
    if task in ("latent-session", "coach"):
        return TASKS[task].simulate({}, Person(careless=1), trial, random.Random(0))
    first = trial.options.named(trial)[0]
    if trial.options.question == "infer":
        return {"first": [first], "percent": ["50"], "confidence": ["50"]}
    picture = 1 + trial.options.pictures(trial, first).index("0.5")
    return {"first": [first], "picture": [f"picture {picture}"]}
