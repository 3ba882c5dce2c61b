"""Guess the wrong label: what did a classifier take an image for that it misidentified?

A real item is the photograph of figure 1, which a classifier took for a carousel; with interpretations it has
five further pictures. A real response:

    {"choice": "Carousel"}

Source: H. Shen and T.-H. Huang, *How Useful Are the Machine-Generated Interpretations to General Users? A
Human Evaluation on Guessing the Incorrectly Predicted Labels* (HCOMP 2020), figure 1 and tables 1 and 2.
The participant sees the image and its correct label, with or without the interpretations, and chooses
among five options: the class that was wrongly predicted and four distractors, which are other classes
but the correct one. Of an item's attributes the page has option1 to option5 alone, in an order of its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field, field_validator

from crowdloom.tasks.columns import Column
from crowdloom.tasks.percent import chosen
from crowdloom.tasks.protocol import Answer, AnswerError, Form, LiveStep, Person, Settings, Trial, View

OPTIONS = ("option1", "option2", "option3", "option4", "option5")
"""The attributes with the five options."""

VIEWS = ("area20", "area40", "area50", "gradcam", "smoothgrad")
"""The interpretations: extremal perturbation with so many per cent of the image, Grad-CAM, SmoothGrad."""

OVERALL = "overall"
"""Where an accuracy by category stands for all other items."""

TABLE2_WITH = {"C1": 0.57, "C2": 0.74, "C3": 0.66, "C4": 0.41, "C5": 0.67, OVERALL: 0.63}
TABLE2_WITHOUT = {"C1": 0.52, "C2": 0.71, "C3": 0.84, "C4": 0.59, "C5": 0.77, OVERALL: 0.73}
TABLE2_IMAGES = {"C1": 44, "C2": 20, "C3": 112, "C4": 18, "C5": 6}


class WrongLabelOptions(Settings):
    """What a design can say of the question."""

    interpretations: bool = False
    """Show the item's further pictures, each with its explanation."""


class WrongLabelBehaviour(Settings):
    """How often simulated people are right, by the item's category; the defaults are table 2 (Experiment 2)."""

    with_interpretations: dict[str, float] = TABLE2_WITH
    """The accuracy where interpretations are shown: by category, `overall` for items without a stated one."""
    without_interpretations: dict[str, float] = TABLE2_WITHOUT
    """The accuracy where none are shown."""
    images_with: dict[str, int] = Field(default=TABLE2_IMAGES)
    """How many stand-in items have each category, in this order, in a condition with interpretations."""
    images_without: dict[str, int] = Field(default=TABLE2_IMAGES)
    """The same, in a condition without them."""

    @field_validator("with_interpretations", "without_interpretations")
    @classmethod
    def _accuracies(cls, value: dict[str, float]) -> dict[str, float]:
        if OVERALL not in value:
            raise ValueError(f"{OVERALL} is missing; it holds for items of any category that is not stated")
        if wrong := [f"{name} = {share}" for name, share in value.items() if not 0 <= share <= 1]:
            raise ValueError(f"expected numbers from 0 to 1, got {wrong[0]}")
        return value

    @field_validator("images_with", "images_without")
    @classmethod
    def _counts(cls, value: dict[str, int]) -> dict[str, int]:
        if wrong := [f"{name} = {count}" for name, count in value.items() if count < 0]:
            raise ValueError(f"expected numbers of images, got {wrong[0]}")
        return value


DIGITS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
_EXAMPLE = {"prediction": "3", "option1": "4", "option2": "3", "option3": "0", "option4": "6", "option5": "9"}
_EXAMPLE_VIEWS = {name: View("/media/" + str(number) * 64, (280, 240)) for number, name in enumerate(VIEWS, start=2)}


class WrongLabel:
    """The task `wrong-label`."""

    name = "wrong-label"
    template = "tasks/wrong_label.html"
    summary = "What an algorithm took a misidentified image for, with or without views of how it sees the image."
    columns = (Column("choice", "class", "the option that they think the algorithm chose"),)
    live_steps: Mapping[str, LiveStep] = {}
    options = WrongLabelOptions
    behaviour = WrongLabelBehaviour
    examples = (
        (
            Trial(
                classes=DIGITS,
                class_order=DIGITS,
                image="/media/" + "0" * 64,
                attributes=_EXAMPLE,
                options=WrongLabelOptions(),
                seed="one",
                reference="8",
            ),
            {"choice": "3"},
        ),
        (
            Trial(
                classes=DIGITS,
                class_order=DIGITS[::-1],
                image="/media/" + "1" * 64,
                attributes=_EXAMPLE | {"category": "C3"},
                views=_EXAMPLE_VIEWS,
                options=WrongLabelOptions(interpretations=True),
                seed="two",
                reference="8",
            ),
            {"choice": "6"},
        ),
    )

    def check_classes(self, classes: Sequence[str]) -> str | None:
        """The options and the correct label are different classes."""
        if len(classes) <= len(OPTIONS):
            return (
                f"fewer labels than options: {len(OPTIONS)} options and the correct label need at least "
                f"{len(OPTIONS) + 1} classes, got {len(classes)}"
            )
        return None

    def check_item(self, trial: Trial) -> str | None:
        """A correct label, a wrong prediction among five options without the correct one, and views to be shown."""
        return next(_problems(trial), None)

    def stand_in(
        self, classes: Sequence[str], options: Any, behaviour: Any, number: int, rng: random.Random
    ) -> tuple[dict[str, Any], Sequence[str]]:
        """A correct label, five others with one of them predicted, and a category as long as the counts last.

        >>> attributes, views = WrongLabel().stand_in(
        ...     DIGITS, WrongLabelOptions(), WrongLabelBehaviour(), 44, random.Random(1)
        ... )
        >>> attributes["category"], views
        ('C2', ())
        """
        reference, *others = rng.sample(list(classes), 1 + len(OPTIONS))
        attributes = dict(zip(OPTIONS, others, strict=True))
        attributes |= {"reference": reference, "prediction": rng.choice(others)}
        counts = behaviour.images_with if options.interpretations else behaviour.images_without
        categories = [name for name, count in counts.items() for _ in range(count)]
        if number < len(categories):
            attributes["category"] = categories[number]
        return attributes, VIEWS if options.interpretations else ()

    def parse(self, form: Form, trial: Trial) -> Answer:
        """The answer in a posted form: one of the five options.

        >>> trial, answer = WrongLabel.examples[0]
        >>> WrongLabel().parse({"choice": ["6"]}, trial)
        {'choice': '6'}
        """
        choice = chosen(form, "choice")
        if choice is None:
            raise AnswerError({"choice": "Choose what you think the algorithm took the image for."})
        if choice not in _options_of(trial):
            raise AnswerError({"choice": "Choose one of the options shown."})
        return {"choice": choice}

    def form(self, answer: Answer) -> dict[str, list[str]]:
        """The field of the page that would post this answer."""
        return {"choice": [answer["choice"]]}

    def typed(self, answer: Answer, classes: Sequence[str]) -> tuple[object, ...]:
        """The answer in the order of `columns`."""
        return (answer["choice"],)

    def simulate(
        self, truth: Mapping[str, float], person: Person, trial: Trial, rng: random.Random
    ) -> dict[str, list[str]]:
        """Pick the prediction as often as people of this condition do in this category.

        Who looks picks the prediction with the probability a, and each of the four distractors with
        (1 - a) / 4; a is the accuracy that the behaviour states for the item's category (`overall` where
        it has none, or one that is not stated), with or without interpretations as the trial's options
        say. A careless answer, whose chance is `person.careless`, picks each option with 1 / 5. The truth
        and the person's skill play no part: the paper reports accuracies, not abilities.
        """
        options = _options_of(trial)
        if rng.random() < person.careless:
            return {"choice": [rng.choice(options)]}
        behaviour = person.behaviour or WrongLabelBehaviour()
        shown = trial.options.interpretations
        accuracy = behaviour.with_interpretations if shown else behaviour.without_interpretations
        prediction = trial.attributes["prediction"]
        if rng.random() < accuracy.get(str(trial.attributes.get("category")), accuracy[OVERALL]):
            return {"choice": [prediction]}
        return {"choice": [rng.choice([name for name in options if name != prediction])]}


def _options_of(trial: Trial) -> list[str]:
    return [trial.attributes[name] for name in OPTIONS]


def _problems(trial: Trial) -> Iterator[str]:
    """What is wrong with an item, the first thing first; what comes after takes it for granted."""
    classes, views = trial.classes, trial.views
    said = {"reference": trial.reference} | {name: trial.attributes.get(name) for name in ("prediction", *OPTIONS)}
    for name, value in said.items():
        if not value:
            yield f"{name} is missing; this task needs the columns {', '.join(said)}"
        elif value not in classes:
            yield f"the {name} {value!r} is not one of the design's classes ({', '.join(classes)})"
    reference, prediction, *options = said.values()
    if prediction == reference:
        yield f"the prediction {prediction!r} is the reference; only images that were misidentified belong here"
    if twice := [value for value in options if options.count(value) > 1]:
        yield f"the option {twice[0]!r} stands there twice; give five different ones"
    if prediction not in options:
        yield f"the prediction {prediction!r} is none of the options ({', '.join(map(str, options))})"
    if reference in options:
        yield f"the reference {reference!r} is one of the options; all of them are to be wrong"
    if unknown := [name for name in views if name not in VIEWS]:
        yield f"no view is called {unknown[0]!r}; there are: {', '.join(VIEWS)}"
    if trial.options.interpretations and not views:
        yield f"it has no views, which options.interpretations shows; add columns such as view.{VIEWS[0]}"
