"""A soft label from every annotator: what others would say, with how much probability.

A real item is a CIFAR-10 photograph of a deer, 32 x 32 pixels, enlarged to 160. A real response:

    {"top1": "Deer", "top1_probability": 80, "top2": "Horse", "top2_probability": 15,
     "impossible": ["Airplane", "Automobile", "Frog", "Ship", "Truck"]}

Source: K. M. Collins, *Improving Machine Learning Systems by Eliciting and
Incorporating Additional Human Knowledge* (MPhil thesis, Cambridge, 2022), chapter 3 and figures
A.1 and A.3. The participant thinks in the third person (100 crowd workers), names the most probable
class and its probability, if they like a second class and its probability, and every class that the
image is definitely not. Probabilities lie between 0 and 100 and need not sum to 100.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from crowdloom.tasks.columns import Column
from crowdloom.tasks.percent import chosen, read_percent, written_percent
from crowdloom.tasks.protocol import Answer, AnswerError, Form, LiveStep, Person, Settings, Trial

NO_ALTERNATIVE = "no-alternative"
"""What the second question's radio button posts for "no alternative"; never the name of a class."""

CIFAR10 = ("Airplane", "Automobile", "Bird", "Cat", "Deer", "Dog", "Frog", "Horse", "Ship", "Truck")


class SoftLabelOptions(Settings):
    """What a design can say of the question."""

    combined: bool = False
    """Tell participants that each image is a combination of other images (figure A.3)."""


class SoftLabelBehaviour(Settings):
    """How simulated people answer, beyond what every person has."""

    elsewhere: float = Field(default=0.0, ge=0, le=1)
    """Of an image that was mixed of two classes: the share that they see in other classes."""


class SoftLabel:
    """The task `soft-label`."""

    name = "soft-label"
    template = "tasks/soft_label.html"
    summary = "Most probable class, an optional second one, and all classes that it is definitely not."
    columns = (
        Column("top1", "class", "the most probable class"),
        Column("top1_probability", "number", "its probability, 0-100"),
        Column("top2", "class", "the second most probable class, if any"),
        Column("top2_probability", "number", "its probability, 0-100"),
        Column("impossible", "classes", "the classes that it is definitely not"),
    )
    live_steps: Mapping[str, LiveStep] = {}
    options = SoftLabelOptions
    behaviour = SoftLabelBehaviour
    examples = (
        (
            Trial(classes=CIFAR10, class_order=CIFAR10, image="/media/" + "0" * 64, options=SoftLabelOptions()),
            {
                "top1": "Deer",
                "top1_probability": 80,
                "top2": "Horse",
                "top2_probability": 15,
                "impossible": ["Airplane", "Automobile", "Frog", "Ship", "Truck"],
            },
        ),
        (
            Trial(
                classes=CIFAR10,
                class_order=CIFAR10[::-1],
                image="/media/" + "1" * 64,
                attributes={"endpoint1": "Horse", "endpoint2": "Ship", "coefficient": 0.5},
                options=SoftLabelOptions(combined=True),
            ),
            {
                "top1": "Horse",
                "top1_probability": 55,
                "top2": None,
                "top2_probability": None,
                "impossible": [],
            },
        ),
    )

    def check_classes(self, classes: Sequence[str]) -> str | None:
        """At least two classes, none of them called like the button for "no alternative"."""
        if len(classes) < 2:
            return f"at least two classes are needed, got {len(classes)}"
        if NO_ALTERNATIVE in classes:
            return f"no class can be called {NO_ALTERNATIVE!r}, which stands for no second class"
        return None

    def check_item(self, trial: Trial) -> str | None:
        """Anything can be labelled."""
        return None

    def stand_in(
        self, classes: Sequence[str], options: Any, behaviour: Any, number: int, rng: random.Random
    ) -> tuple[dict[str, Any], Sequence[str]]:
        """A picture is all that it takes."""
        return {}, ()

    def parse(self, form: Form, trial: Trial) -> Answer:
        """The answer in a posted form; see the module for its fields.

        >>> trial, answer = SoftLabel.examples[0]
        >>> SoftLabel().parse(SoftLabel().form(answer), trial)["top2"]
        'Horse'
        """
        errors: dict[str, str] = {}
        top1 = chosen(form, "top1")
        if top1 is None:
            errors["top1"] = "Choose the most probable category."
        elif top1 not in trial.classes:
            errors["top1"] = "Choose one of the categories shown."
        top1_probability = read_percent(form, "top1_probability", errors, "a probability")
        if top1_probability is None and "top1_probability" not in errors:
            errors["top1_probability"] = "Enter a probability between 0 and 100."

        chosen2 = chosen(form, "top2")
        top2 = None if chosen2 == NO_ALTERNATIVE else chosen2
        if chosen2 is None:
            errors["top2"] = "Choose a second category, or “No alternative”."
        elif top2 is not None and top2 not in trial.classes:
            errors["top2"] = "Choose one of the categories shown, or “No alternative”."
        elif top2 is not None and top2 == top1:
            errors["top2"] = "The second category must differ from the first; choose another one or “No alternative”."
        top2_probability = read_percent(form, "top2_probability", errors, "a probability")
        if top2 is not None and top2_probability is None and "top2_probability" not in errors:
            errors["top2_probability"] = "Enter a probability between 0 and 100 for the second category."

        ticked = set(form.get("impossible", ()))
        if not ticked <= set(trial.classes):
            errors["impossible"] = "Tick only categories that are shown."
        both = [name for name in dict.fromkeys((top1, top2)) if name in ticked]
        if both:
            errors["impossible"] = (
                f"{' and '.join(both)} cannot be both probable and definitely not; "
                "untick it here or choose another above."
            )
        if errors:
            raise AnswerError(errors)
        return {
            "top1": top1,
            "top1_probability": top1_probability,
            "top2": top2,
            "top2_probability": top2_probability,
            "impossible": [name for name in trial.classes if name in ticked],
        }

    def form(self, answer: Answer) -> dict[str, list[str]]:
        """The fields of the page that would post this answer."""
        second = answer["top2_probability"]
        return {
            "top1": [answer["top1"]],
            "top1_probability": [written_percent(answer["top1_probability"])],
            "top2": [NO_ALTERNATIVE if answer["top2"] is None else answer["top2"]],
            "top2_probability": ["" if second is None else written_percent(second)],
            "impossible": list(answer["impossible"]),
        }

    def typed(self, answer: Answer, classes: Sequence[str]) -> tuple[object, ...]:
        """The answer in the order of `columns`."""
        return tuple(answer[column.name] for column in self.columns)

    def simulate(
        self, truth: Mapping[str, float], person: Person, trial: Trial, rng: random.Random
    ) -> dict[str, list[str]]:
        """Perceive the truth with noise, then report the two largest and what seems out of the question.

        With t the true label, the share of class k is perceived as proportional to
        (t_k + 0.002) exp(4 (1 - skill) g_k), g_k standard normal; a careless answer perceives a random
        distribution instead. A class perceived below 2 % is ticked as impossible, unless it is
        overlooked, with the chance 1 - skill. Of a mixed image the share `elsewhere` of t goes to two
        other classes, drawn for each answer, in random parts.
        """
        careless = rng.random() < person.careless
        elsewhere = person.behaviour.elsewhere if person.behaviour else 0.0
        if elsewhere and "endpoint1" in trial.attributes:
            truth = _partly_elsewhere(truth, elsewhere, trial, rng)
        seen = {
            name: rng.expovariate(1)
            if careless
            else (truth.get(name, 0.0) + 0.002) * math.exp(4 * (1 - person.skill) * rng.gauss(0, 1))
            for name in trial.classes
        }
        total = sum(seen.values())
        seen = {name: share / total for name, share in seen.items()}
        first, second = sorted(seen, key=lambda name: seen[name], reverse=True)[:2]
        says = {name: round(100 * seen[name] ** person.calibration) for name in (first, second)}
        alternative = says[second] >= 2
        return self.form(
            {
                "top1": first,
                "top1_probability": says[first],
                "top2": second if alternative else None,
                "top2_probability": says[second] if alternative else None,
                "impossible": [
                    name
                    for name in trial.classes
                    if name not in (first, second) and seen[name] < 0.02 and rng.random() < person.skill
                ],
            }
        )


def _partly_elsewhere(
    truth: Mapping[str, float], share: float, trial: Trial, rng: random.Random
) -> Mapping[str, float]:
    """The truth with a share of it moved to two classes that the image was not mixed of."""
    others = [name for name in trial.classes if not truth.get(name)]
    seen = {name: (1 - share) * mass for name, mass in truth.items()}
    part = rng.random()
    for name, mass in zip(rng.sample(others, min(2, len(others))), (part, 1 - part), strict=False):
        seen[name] = share * mass
    return seen
