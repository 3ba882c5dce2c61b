"""What a design says, as pydantic models: the meaning, default and limits of every field."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, StrictBool, field_validator, model_validator

from crowdloom.analysis.plan import TESTS, Hypothesis, Plan
from crowdloom.studies.design_background import AskedQuestion, BackgroundQuestion
from crowdloom.studies.design_batches import MOST_RESPONSES, Batches
from crowdloom.studies.design_items import Items
from crowdloom.studies.design_platforms import LinkOptions, MTurkOptions, ProlificOptions
from crowdloom.studies.design_questionnaires import Questionnaire
from crowdloom.studies.design_types import Amount, ClassName, Line, Number, Part, Text, Whole, check_settings
from crowdloom.tasks import TASKS
from crowdloom.tasks.latent_session import LatentSession
from crowdloom.tasks.protocol import Settings
from crowdloom.tasks.soft_label import SoftLabel


class People(Part):
    """Who takes part, for how long and for what."""

    minutes: Whole = Field(ge=1)
    """What the consent page says it takes."""
    hold_minutes: Whole = Field(ge=1, le=60 * 24 * 365)
    """How long a place is kept for somebody who has begun."""
    reward: Amount | None = None
    """What everybody who completes is paid; absent for volunteers."""
    submissions_per_participant: Whole = Field(default=1, ge=1)
    """How often one person may take the study, with other items each time."""
    one_condition: StrictBool = False
    """Who comes again stays in the condition of their first time."""
    hourly_floor: Amount | None = None
    """What an hour is to earn at least; the pages of the researcher say when the median person earns less."""
    spending_cap: Amount | None = None
    """Publishing that could cost more than this, fees and bonuses included, is refused."""

    @model_validator(mode="after")
    def _time_enough(self) -> People:
        if self.hold_minutes < self.minutes:
            raise ValueError(f"hold_minutes: expected at least minutes ({self.minutes}), got {self.hold_minutes}")
        return self


class Trials(Part):
    """What holds for the page of every trial."""

    minimum_seconds: Number = Field(default=0, ge=0, le=600)
    """An answer can be sent after so many seconds with the item, not sooner."""


class Eligibility(Part):
    """Who may take part; checked on our server, whatever a platform checks before."""

    statements: tuple[Line, ...] = ()
    """Each must be ticked on the consent page."""
    exclude_studies: tuple[Text, ...] = ()
    """People who began one of these studies are turned away; publishing needs them all in the store."""


class Bonus(Part):
    """A bonus beyond the reward, promised on the consent page."""

    rule: Literal["agreement"]
    """`agreement`: to those whose answers best match the other annotators'."""
    amount: Amount
    share: Number = Field(gt=0, le=1)
    """Which share of the people gets it."""


class Checks(Part):
    """What a submission must pass to be approved with the others; what fails is listed, never rejected by itself."""

    seconds_per_answer: Number | None = Field(default=None, gt=0)
    """The median time for an answer is at least this."""
    same_answer: Number | None = Field(default=None, gt=0, le=1)
    """At most this share of the answers name the same class (where there are five or more)."""
    easy_at_most: Number | None = Field(default=None, ge=0)
    """Items of a difficulty of at most this are attention checks: their reference class is to be named."""
    easy_right: Whole | None = Field(default=None, ge=1)
    """How many of a batch's easy items must be right; all of them where it has fewer."""

    @model_validator(mode="after")
    def _both(self) -> Checks:
        if (self.easy_at_most is None) != (self.easy_right is None):
            raise ValueError("easy_right: belongs together with easy_at_most; give both or neither")
        return self


class Question(Part):
    """A question with its possible answers."""

    question: Text
    options: tuple[Line, ...] = Field(min_length=2)
    correct: Text

    @model_validator(mode="after")
    def _correct_is_an_option(self) -> Question:
        if self.correct not in self.options:
            raise ValueError(f"correct: {self.correct!r} is not one of the options")
        return self


class Comprehension(Part):
    """Questions after the instructions; a wrong answer sends back to them."""

    attempts: Whole = Field(default=3, ge=1)
    """How often the check may be tried before the participation ends."""
    questions: tuple[Question, ...] = Field(min_length=1)


class DebriefQuestion(AskedQuestion):
    """A question after the last trial; free text where it has no options."""


class Rehearsal(Part):
    """Whom a rehearsal sends."""

    people: Whole | None = Field(default=None, ge=1, le=100_000)
    """How many simulated people come, unless the command says otherwise."""
    behaviour: dict[str, Any] = {}
    """How they answer the task, in the task's own words."""


def _plain_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", value):
        raise ValueError(f"expected letters, digits, - and _ alone, got {value!r}")
    return value


class Category(Part):
    """One of the categories into which coders put items."""

    name: str = Field(max_length=20)
    """Short, as exports have it: letters, digits, - and _."""
    title: Line
    meaning: Text
    """What belongs to it, as coders read it."""

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        return _plain_name(value)


class Coding(Part):
    """Researchers put each unit of the study into one category, blind to each other (`crowdloom coders`)."""

    question: Text
    unit: Literal["item", "interaction"] = "item"
    """What is coded: each item, or each interaction of each session of the task latent-session."""
    categories: tuple[Category, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _names_differ(self) -> Coding:
        names = [category.name for category in self.categories]
        if len(set(names)) < len(names):
            raise ValueError("categories: a name stands there twice")
        return self


class Condition(Part):
    """An arm of the study; its own instructions, options and number of responses, where they differ."""

    name: str = Field(max_length=100)
    instructions: tuple[Text, ...] = ()
    responses_per_item: Whole | None = Field(default=None, ge=1, le=MOST_RESPONSES)
    options: dict[str, Any] = {}
    """Of the task, where they differ from the design's."""

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        return _plain_name(value)


class Design(Part):
    """One study's design, as its TOML file says it."""

    name: str = Field(max_length=100)
    """The study's name, in lower case: letters, digits, - and _."""
    title: Text
    """What participants see."""
    task: str
    options: dict[str, Any] = {}
    """Of the task, in its own words; see the task's design in the catalogue."""
    seed: Whole = 0
    """Fixes the sample of items and the batches."""
    classes: tuple[ClassName, ...] = Field(min_length=1, max_length=2**15 - 1)
    """In the order in which labels count them."""
    consent: Text
    instructions: tuple[Text, ...] = Field(min_length=1)
    """One text for each page."""
    thanks: Text = "Thank you for taking part."
    """The completion page."""
    contact: Text | None = None
    """Whom a participant can write to."""
    items: Items
    batches: Batches
    people: People
    trials: Trials = Trials()
    eligibility: Eligibility = Eligibility()
    bonus: Bonus | None = None
    checks: Checks = Checks()
    comprehension: Comprehension | None = None
    background: tuple[BackgroundQuestion, ...] = ()
    """Questions before the first trial, on one page."""
    questionnaires: tuple[Questionnaire, ...] = ()
    """Standard instruments after the last trial, before the debrief questions, or after each item."""
    debrief: tuple[DebriefQuestion, ...] = ()
    conditions: tuple[Condition, ...] = ()
    coding: Coding | None = None
    plan: Plan | None = None
    """The analysis, fixed before anybody is asked."""
    rehearsal: Rehearsal = Rehearsal()
    link: LinkOptions = LinkOptions()
    prolific: ProlificOptions = ProlificOptions()
    mturk: MTurkOptions = MTurkOptions()

    @field_validator("name")
    @classmethod
    def _plain(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value):
            raise ValueError(f"expected lower-case letters, digits, - and _ alone, got {value!r}")
        return value

    @field_validator("task")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in TASKS:
            raise ValueError(f"no task is called {value!r}; there are: {', '.join(sorted(TASKS))}")
        return value

    @field_validator("background", "debrief")
    @classmethod
    def _asked_once(cls, value: tuple[AskedQuestion, ...]) -> tuple[Any, ...]:
        asked = [question.question for question in value]
        if twice := [question for question in asked if asked.count(question) > 1]:
            raise ValueError(f"the question {twice[0]!r} stands there twice")  # answers are kept by question
        return value

    @field_validator("questionnaires")
    @classmethod
    def _differ(cls, value: tuple[Questionnaire, ...]) -> tuple[Questionnaire, ...]:
        for number, questionnaire in enumerate(value):
            said = (questionnaire.asked, questionnaire.after)
            if said in [(before.asked, before.after) for before in value[:number]]:
                raise ValueError(f"{number}: the same questionnaire stands there twice")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Design:
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("classes: a class stands there twice")
        if self.coding is not None and self.coding.unit == "interaction" and self.task != LatentSession.name:
            raise ValueError(f"coding.unit: only the task {LatentSession.name} has interactions")
        names = [condition.name for condition in self.conditions]
        if len(set(names)) < len(names):
            raise ValueError("conditions: a name stands there twice")
        if self.batches.split_items and len(names) < 2:
            raise ValueError("batches.split_items: only several conditions can share the items; add [[conditions]]")
        if self.batches.versions and self.people.submissions_per_participant > 1:
            raise ValueError(
                "people.submissions_per_participant: with batches.versions who comes again could have the same items "
                "in another version; leave it out"
            )
        if self.people.one_condition and len(names) < 2:
            raise ValueError("people.one_condition: there is only one condition; add [[conditions]] or leave it out")
        if self.people.reward is not None:
            currency = self.people.reward.currency
            if self.bonus and self.bonus.amount.currency != currency:
                raise ValueError(f"bonus: expected the reward's currency {currency}")
            for name in ("hourly_floor", "spending_cap"):
                money = getattr(self.people, name)
                if money is not None and money.currency != currency:
                    raise ValueError(f"people: {name} is to be in the reward's currency {currency}")
        return self

    @model_validator(mode="after")
    def _fits_the_task(self) -> Design:
        if problem := TASKS[self.task].check_classes(self.classes):
            raise ValueError(f"classes: {problem}")
        task = TASKS[self.task]
        check_settings(task.options, self.options, "options")
        check_settings(task.behaviour, self.rehearsal.behaviour, "rehearsal.behaviour")
        for number, condition in enumerate(self.conditions):
            check_settings(task.options, self.options | condition.options, f"conditions.{number}.options")
        for number, arm in enumerate(self.arms()):
            if problem := self.task_options(arm).check_classes(self.classes):
                field = problem.partition(":")[0]
                where = f"conditions.{number}.options" if field in arm.options else "options"
                raise ValueError(f"{where}.{problem}")
        if self.bonus and not set(SoftLabel.columns) <= set(task.columns):
            raise ValueError(f"bonus.rule: agreement compares soft labels, which the task {self.task} does not ask for")
        return self

    @model_validator(mode="after")
    def _plan_fits(self) -> Design:
        plan = self.plan
        if plan is None:
            return self
        conditions = tuple(arm.name for arm in self.arms())
        questions = {getattr(self.task_options(arm), "question", "") for arm in self.arms()}
        for number, hypothesis in enumerate(plan.hypotheses):
            if problem := hypothesis.check_task(self.task, conditions, questions):
                raise ValueError(f"plan.hypotheses.{number}.{problem}")
            if problem := self._no_pairs(hypothesis):
                raise ValueError(f"plan.hypotheses.{number}.unit: {problem}")
        if problem := plan.exclusions.check_task(self.task):
            raise ValueError(f"plan.exclusions.{problem}")
        if plan.exclusions.attention and self.checks.easy_at_most is None:
            raise ValueError("plan.exclusions.attention: [checks] has no easy items to be right about")
        most, check = plan.exclusions.comprehension, self.comprehension
        if most is not None and check is None:
            raise ValueError("plan.exclusions.comprehension: the design has no [comprehension]")
        if most is not None and check is not None and most >= check.attempts - 1:
            raise ValueError(
                f"plan.exclusions.comprehension: [comprehension] ends after {check.attempts} failed attempts, so "
                f"nobody who completes the study has failed it more than {most} times"
            )
        if plan.exclusions.consistency is not None and not self.batches.repeats:
            raise ValueError("plan.exclusions.consistency: no item is shown again; add batches.repeats")
        return self

    def _no_pairs(self, hypothesis: Hypothesis) -> str | None:
        """Why nothing is in both conditions of a test of pairs, or None."""
        if hypothesis.by != "condition" or TESTS[hypothesis.test].needs != "pairs":
            return None
        if hypothesis.unit == "item":
            split = self.batches.split_items
            return "with batches.split_items no item is shown in two conditions" if split else None
        once, stays = self.people.submissions_per_participant == 1, self.people.one_condition
        field = "submissions_per_participant" if once else "one_condition"
        return f"nobody takes part in two conditions; see people.{field}" if once or stays else None

    def arms(self) -> tuple[Condition, ...]:
        """The conditions; a design without any has one, called `default`."""
        return self.conditions or (Condition(name="default"),)

    def task_options(self, condition: Condition) -> Settings:
        """The task's options in a condition: its own over the design's, over the defaults."""
        return TASKS[self.task].options.model_validate(self.options | condition.options)

    def dump(self) -> dict[str, Any]:
        """The design as JSON, from which `Design.model_validate` makes it again."""
        values = self.model_dump(mode="json", exclude_none=True)
        # A design that says nothing of what later versions know is the same JSON as before there were any of it.
        for name in ("background", "questionnaires"):
            if not values[name]:
                del values[name]
        if self.batches.order == "random":
            del values["batches"]["order"]
        for questionnaire in values.get("questionnaires", ()):
            if questionnaire["after"] == "study":
                del questionnaire["after"]
        if values.get("coding", {}).get("unit") == "item":
            del values["coding"]["unit"]
        return values
