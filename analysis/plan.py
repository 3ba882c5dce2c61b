"""A plan: the analysis that is fixed before anybody is asked. What a design says under `[plan]`, as pydantic models.

Nothing here loads pandas or scipy, since designs are read by web servers; `analysis.planned` carries a plan out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, Strict, StringConstraints, field_validator, model_validator

from crowdloom.tasks.protocol import Settings

Number = Annotated[float, Strict()]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Unit = Literal["item", "participant", "response"]


class OutcomeWords(NamedTuple):
    """An outcome: what one first answer says, as a number."""

    meaning: str
    unit: str
    right_or_wrong: bool = False
    """Whether it is 1 or 0 for each answer."""
    questions: tuple[str, ...] = ()
    """Where the task can ask several, which of them it is an answer to."""


_SECONDS = OutcomeWords("time taken for the answer", "s")
_INFER, _MIDPOINT = ("infer",), ("choose", "construct")

OUTCOMES: dict[str, dict[str, OutcomeWords]] = {
    "soft-label": {
        "top1_accuracy": OutcomeWords("whether the most probable class is the reference", "share", True),
        "top2_accuracy": OutcomeWords("whether the reference is one of both named classes", "share", True),
        "top1_probability": OutcomeWords("probability given to the most probable class", "%"),
        "label_entropy": OutcomeWords("entropy of the T2-clamp label", "nats"),
        "mass_elsewhere": OutcomeWords("mass on classes that are not mixed in", "share"),
        "seconds": _SECONDS,
    },
    "mixing-coefficient": {
        "inferred": OutcomeWords("inferred coefficient, of the first endpoint", "share", questions=_INFER),
        "deviation": OutcomeWords(
            "distance of the inferred from the generating coefficient", "share", questions=_INFER
        ),
        "confidence": OutcomeWords("confidence stated", "0-100", questions=_INFER),
        "midpoint": OutcomeWords("coefficient of the mix taken for half and half", "share", questions=_MIDPOINT),
        "midpoint_deviation": OutcomeWords("its distance from one half", "share", questions=_MIDPOINT),
        "seconds": _SECONDS,
    },
    "wrong-label": {
        "accuracy": OutcomeWords("whether the guess is the classifier's prediction", "share", True),
        "seconds": _SECONDS,
    },
    "latent-session": {
        "accuracy": OutcomeWords("validation accuracy of the network in the end", "share"),
        "improvement": OutcomeWords("its validation accuracy in the end less that before the session", "share"),
        "macro_f1": OutcomeWords("validation macro-F1 of the network in the end", "share"),
        "movements": OutcomeWords("movements made in the session", "movements"),
        "seconds": _SECONDS,
    },
    "coach": {
        "recognised_before": OutcomeWords("whether the first attempt was read as the class asked for", "share", True),
        "recognised_after": OutcomeWords("whether the second attempt was read as the class asked for", "share", True),
        "recognised_gain": OutcomeWords("the second attempt recognised (1 or 0) less the first", "share"),
        "confidence_before": OutcomeWords("probability of the class asked for, first attempt", "share"),
        "confidence_after": OutcomeWords("probability of the class asked for, second attempt", "share"),
        "confidence_gain": OutcomeWords("that of the second attempt less that of the first", "share"),
        "ink_change": OutcomeWords("ink of the second attempt less that of the first", "pixels"),
        "length_change": OutcomeWords("stroke length of the second attempt less that of the first", "canvas widths"),
        "seconds_change": OutcomeWords("writing time of the second attempt less that of the first", "s"),
        "similarity": OutcomeWords("similarity of the second attempt to the first", "share"),
        "adopted": OutcomeWords("share of the proposal that the second attempt took up", "share"),
        "seconds": _SECONDS,
    },
}
"""For each task, what a hypothesis can be about; `analysis.outcomes` computes them."""


class PlannedTest(NamedTuple):
    """What a test of a plan needs."""

    meaning: str
    needs: Literal["two sides", "pairs", "one side", "right or wrong", "a number"]
    """Two sides; two sides whose units are the same; one side and what it is compared with; answers that are right or
    wrong, on two sides; or a number that every item has."""


TESTS: dict[str, PlannedTest] = {
    "student": PlannedTest("Student's t-test of two sides", "two sides"),
    "welch": PlannedTest("Welch's t-test of two sides", "two sides"),
    "mann-whitney": PlannedTest("Mann-Whitney U test of two sides", "two sides"),
    "permutation": PlannedTest("permutation test of the difference of means", "two sides"),
    "paired": PlannedTest("paired t-test", "pairs"),
    "wilcoxon": PlannedTest("Wilcoxon signed-rank test of pairs", "pairs"),
    "paired-permutation": PlannedTest("permutation test of the signs of pairs' differences", "pairs"),
    "one-sample": PlannedTest("t-test of the mean against a number", "one side"),
    "clustered-logit": PlannedTest(
        "logistic regression of single answers, covariance clustered on participants and items", "right or wrong"
    ),
    "pearson": PlannedTest("Pearson's correlation with a number of the items", "a number"),
    "spearman": PlannedTest("Spearman's rank correlation with a number of the items", "a number"),
}
"""The tests that a plan can name."""


class Hypothesis(Settings):
    """One claim, with the outcome and the test that decide it."""

    name: str = Field(max_length=50)
    """Short, as tables have it: letters, digits, - and _."""
    claim: Words
    """What is expected, in a sentence."""
    outcome: str
    test: str
    unit: Unit = "item"
    """Whose means are compared: those of items, of participants, or single responses."""
    by: str = "condition"
    """What tells the two sides apart: the condition, or an attribute of the items. For correlations, the number."""
    levels: tuple[str, ...] = ()
    """The two sides; differences are the first minus the second. Of a one-sample test the one side; else empty."""
    against: Number | None = None
    """Of a one-sample test, what the mean is compared with."""
    direction: Literal["less", "greater"] | None = None
    """Where the claim says which way: the first side against the second, the mean against `against`, the correlation
    against 0. Tests are two-sided all the same; a difference the other way is not what the claim says."""
    where: dict[str, str] = {}
    """Only answers to items whose attributes have these values."""

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", value):
            raise ValueError(f"expected letters, digits, - and _ alone, got {value!r}")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Hypothesis:
        if self.test not in TESTS:
            raise ValueError(f"test: no test is called {self.test!r}; there are: {', '.join(TESTS)}")
        needs, sides = TESTS[self.test].needs, len(self.levels)
        if needs in ("two sides", "pairs", "right or wrong") and (sides != 2 or self.levels[0] == self.levels[1]):
            raise ValueError(f"levels: the test {self.test} compares two sides; name two different ones")
        if needs == "a number" and sides:
            raise ValueError(
                f"levels: the test {self.test} has no sides; leave them out, and name an attribute by `by`"
            )
        if needs == "a number" and self.by == "condition":
            raise ValueError(f"by: the test {self.test} needs an attribute of the items that is a number")
        if needs == "one side" and (sides > 1 or self.against is None):
            raise ValueError("against: a one-sample test needs the number to compare with, and one side at most")
        if needs == "one side" and self.by != "condition" and not sides:
            raise ValueError(f"by: names no side without levels; say which {self.by} in levels, or leave it out")
        if needs != "one side" and self.against is not None:
            raise ValueError(f"against: belongs to a one-sample test, not to {self.test}")
        if needs == "right or wrong" and self.unit != "response":
            raise ValueError('unit: a logistic regression is of single answers; say unit = "response"')
        if needs == "pairs" and self.unit == "response":
            raise ValueError("unit: single answers have no pairs; choose item or participant")
        if needs == "pairs" and self.unit == "item" and self.by != "condition":
            raise ValueError(f'unit: no item has two values of {self.by}; say unit = "participant" for pairs of means')
        if needs == "a number" and self.unit == "participant":
            raise ValueError("unit: a number of the items is the same for no participant; choose item or response")
        return self

    def check_task(self, task: str, conditions: tuple[str, ...], questions: Collection[str] = ()) -> str | None:
        """What does not fit a study of this task with these conditions, and these of its questions, or None."""
        outcomes = OUTCOMES.get(task, {})
        if self.outcome not in outcomes:
            there_are = ", ".join(outcomes) or "none, since it has no typed columns"
            return f"outcome: the task {task} has no outcome {self.outcome!r}; there are: {there_are}"
        answers = outcomes[self.outcome].questions
        if answers and not set(answers) & set(questions):
            asked = " or ".join(answers)
            return f"outcome: {self.outcome} is what the question {asked} asks for, which the design does not ask"
        if TESTS[self.test].needs == "right or wrong" and not outcomes[self.outcome].right_or_wrong:
            return f"test: {self.test} needs an outcome that is right or wrong, and {self.outcome} is a number"
        strange = [level for level in self.levels if level not in conditions]
        if self.by == "condition" and strange:
            return f"levels: no condition is called {strange[0]!r}; there are: {', '.join(conditions)}"
        return None


NOT_COMPARED = ("latent-session", "coach")
"""Tasks whose answers are whole sessions or drawings, of which nobody can say that two are the same."""


class PlannedExclusions(Settings):
    """Which complete submissions the planned analysis leaves out; those not complete never count."""

    comprehension: int | None = Field(default=None, ge=0)
    """Those who failed the comprehension check more often than this."""
    attention: bool = False
    """Those who failed the attention checks of `[checks]` (easy items)."""
    seconds_per_answer: Number | None = Field(default=None, gt=0)
    """Those whose median time for an answer is below this."""
    same_answer: Number | None = Field(default=None, gt=0, lt=1)
    """Those of whose answers more than this share is the same (where there are five or more)."""
    consistency: Number | None = Field(default=None, gt=0, le=1)
    """Those whose repeats agree with their first answers by less than this, on average (see `analysis.leaving_out`)."""

    def check_task(self, task: str) -> str | None:
        """What does not fit a study of this task, or None."""
        for name in ("same_answer", "consistency"):
            if getattr(self, name) is not None and task in NOT_COMPARED:
                return f"{name}: no two answers to the task {task} are the same; leave the rule out"
        return None


class Plan(Settings):
    """The hypotheses, and everything that could otherwise be decided after the answers are seen."""

    stopping: Words
    """When no more answers are collected, and whether anybody looks before."""
    hypotheses: tuple[Hypothesis, ...] = Field(min_length=1)
    exclusions: PlannedExclusions = PlannedExclusions()
    correction: Literal["holm", "bonferroni", "none"] = "holm"
    """Over the hypotheses' p values."""
    alpha: Number = Field(default=0.05, gt=0, lt=1)

    @model_validator(mode="after")
    def _names_differ(self) -> Plan:
        names = [hypothesis.name for hypothesis in self.hypotheses]
        if len(set(names)) < len(names):
            raise ValueError("hypotheses: a name stands there twice")
        return self


def plan_hash(plan: Plan) -> str:
    """The SHA-256 of a plan in its canonical form: JSON with sorted keys, without what was left at its default.

    So a plan keeps its hash when a later version of crowdloom knows more options.
    """
    said = plan.model_dump(mode="json", exclude_defaults=True)
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
