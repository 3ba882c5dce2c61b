"""The mixing coefficient as people see it: how much of each of two images is in their mix?

A real item is the pixelwise mix of the images of an airplane and a ship of CIFAR-10, 32 x 32 pixels,
x = 0.75 x1 + 0.25 x2, enlarged by nearest neighbour. A real response, typed as 30 % of the class named second:

    {"first": "Airplane", "second": "Ship", "flipped": 0, "percent": 30, "inferred": 0.7, "confidence": 80}

Source: K. M. Collins, *Improving Machine Learning Systems by Eliciting and Incorporating Additional Human
Knowledge* (MPhil thesis, Cambridge, 2022), section 4.2 and figure A.2. lambda_f is the generating coefficient,
the share of endpoint1; lambda_h the inferred one. The question has three forms:

    infer      one mix: the share of each class, and the confidence in it
    choose     all mixes of a pair, shuffled: the one that looks most like half and half
    construct  all mixes of a pair, one step after another: stop at the one that looks most like half and half

Which endpoint is named first follows the participant's order of classes. The page says in a hidden field which
it was, so an answer is read rightly wherever its page came from; numbers are always shares of endpoint1.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from crowdloom.tasks.columns import Column
from crowdloom.tasks.percent import chosen, read_percent, written_percent
from crowdloom.tasks.protocol import Answer, AnswerError, Form, LiveStep, Person, Settings, Trial, View

STARTS = (0.1, 0.9)
"""Where a construction begins: at the mix nearest to one of these, drawn by the trial's seed."""

_LONGEST_TRAIL = 10_000  # characters
_AMBIGUOUS = 0.5  # nats: the thesis's high entropy
_PURE = 0.01  # log-odds end here, at 0.01 and 0.99


class MixingOptions(Settings):
    """What a design can say of the question."""

    question: Literal["infer", "choose", "construct"] = "infer"
    """How much of each is in a mix; which of its mixes is the midpoint; or step to the midpoint."""

    def named(self, trial: Trial) -> tuple[str, str]:
        """The two endpoints, in the order in which this participant's page names them.

        >>> MixingOptions().named(MixingCoefficient.examples[0][0])
        ('Airplane', 'Ship')
        """
        one, two = _endpoints(trial)
        order = list(trial.class_order)
        return (one, two) if order.index(one) < order.index(two) else (two, one)

    def pictures(self, trial: Trial, first: str) -> list[str]:
        """The names of the views in the page's order: shuffled, or in steps from what is most `first`.

        >>> trial, _ = MixingCoefficient.examples[2]
        >>> MixingOptions(question="construct").pictures(trial, "Airplane")[:3]
        ['1.0', '0.9', '0.8']
        """
        if self.question == "choose":
            return trial.shuffled(list(trial.views))
        return sorted(trial.views, key=float, reverse=first == trial.attributes["endpoint1"])

    def start(self, trial: Trial, first: str) -> int:
        """Which of the pictures, counted from 1, a construction begins with."""
        begin = random.Random(f"{trial.seed} start").choice(STARTS)  # noqa: S311 - the same at each reload
        pictures = self.pictures(trial, first)
        return 1 + pictures.index(min(pictures, key=lambda name: (abs(float(name) - begin), name)))


class MixingBehaviour(Settings):
    """How simulated people see mixes; the formulas stand at `MixingCoefficient.simulate`."""

    slope: float = 1.0
    """The perceived log-odds of endpoint1 for one unit of those of lambda_f: above 1, categories attract."""
    noise: float = Field(default=6.0, ge=0)
    """The standard deviation of the perceived log-odds of a person of skill 0; (1 - skill) of it for others."""
    confidence: float = Field(default=85.0, ge=0, le=100)
    """The mean confidence in an answer about an image of one class alone."""
    confidence_at_half: float = Field(default=60.0, ge=0, le=100)
    """The mean confidence at lambda_f = 0.5; in between it rises in a straight line."""
    ambiguity: float = Field(default=0.0, ge=0, le=100)
    """How many points of confidence are lost where both endpoints' labels have an entropy of at least 0.5 nats."""


_CLASSES = ("Airplane", "Ship", "Cat", "Dog")
_PAIR = {"endpoint1": "Airplane", "endpoint2": "Ship"}
_STEPS = {f"{step / 10:.1f}": View("/media/" + f"{step:x}" * 64, (160, 160)) for step in range(11)}


class MixingCoefficient:
    """The task `mixing-coefficient`."""

    name = "mixing-coefficient"
    template = "tasks/mixing_coefficient.html"
    summary = "How much of each of two images is in their mix, or which mix is half and half."
    columns = (
        Column("inferred", "number", "lambda_h: the share of endpoint1 that others would say was used, 0-1"),
        Column("confidence", "number", "the confidence in it, 0-100"),
        Column("midpoint", "number", "lambda_f of the mix that looks most like half and half, 0-1"),
        Column("start", "number", "lambda_f of the mix that a construction began with, 0-1"),
        Column("flipped", "number", "1 where the page named endpoint2 first (left), else 0"),
    )
    live_steps: Mapping[str, LiveStep] = {}
    options = MixingOptions
    behaviour = MixingBehaviour
    examples = (
        (
            Trial(
                classes=_CLASSES,
                class_order=_CLASSES,
                image="/media/" + "0" * 64,
                size=(160, 160),
                attributes=_PAIR | {"coefficient": 0.75, "source1": "117", "source2": "8"},
                options=MixingOptions(),
                seed="one",
            ),
            {"first": "Airplane", "second": "Ship", "flipped": 0, "percent": 30, "inferred": 0.7, "confidence": 80},
        ),
        (
            Trial(
                classes=_CLASSES,
                class_order=_CLASSES[::-1],
                attributes=_PAIR,
                views=_STEPS,
                options=MixingOptions(question="choose"),
                seed="two",
            ),
            {"first": "Ship", "second": "Airplane", "flipped": 1, "picture": 6, "midpoint": 0.6},
        ),
        (
            Trial(
                classes=_CLASSES,
                class_order=_CLASSES,
                attributes=_PAIR,
                views=_STEPS,
                options=MixingOptions(question="construct"),
                seed="three",
            ),
            {
                "first": "Airplane",
                "second": "Ship",
                "flipped": 0,
                "picture": 5,
                "midpoint": 0.6,
                "start": 0.9,
                "trail": [2, 3, 4, 5, 6, 5],
            },
        ),
    )

    def check_classes(self, classes: Sequence[str]) -> str | None:
        """An image is mixed of two classes."""
        return None if len(classes) >= 2 else f"at least two classes are needed, got {len(classes)}"

    def check_item(self, trial: Trial) -> str | None:
        """Two different endpoints, and a coefficient or, for the midpoint, at least three mixes."""
        return next(_problems(trial), None)

    def stand_in(
        self, classes: Sequence[str], options: Any, behaviour: Any, number: int, rng: random.Random
    ) -> tuple[dict[str, Any], Sequence[str]]:
        """Nothing: the source of items mixes images of its own, with their endpoints."""
        return {}, ()

    def parse(self, form: Form, trial: Trial) -> Answer:
        """The answer in a posted form; see the module for its fields.

        >>> trial, answer = MixingCoefficient.examples[0]
        >>> form = {"first": ["Ship"], "percent": ["70"], "confidence": ["80 %"]}
        >>> MixingCoefficient().parse(form, trial)["inferred"] == answer["inferred"]
        True
        """
        errors: dict[str, str] = {}
        one, two = _endpoints(trial)
        first = chosen(form, "first") or trial.options.named(trial)[0]
        if first not in (one, two):
            errors["first"] = "This page names other categories than the image was made of; please reload it."
            first = one
        answer: Answer = {"first": first, "second": two if first == one else one, "flipped": int(first != one)}
        read = _read_share if trial.options.question == "infer" else _read_picture
        answer |= read(form, trial, first, errors)
        if errors:
            raise AnswerError(errors)
        return answer

    def form(self, answer: Answer) -> dict[str, list[str]]:
        """The fields of the page that would post this answer."""
        fields = {"first": [answer["first"]]}
        if "percent" in answer:
            return fields | {name: [written_percent(answer[name])] for name in ("percent", "confidence")}
        fields["picture"] = [f"picture {answer['picture']}"]
        if "trail" in answer:
            fields["trail"] = [" ".join(map(str, answer["trail"] or ()))]
        return fields

    def typed(self, answer: Answer, classes: Sequence[str]) -> tuple[object, ...]:
        """The answer in the order of `columns`; None for what its question did not ask."""
        return tuple(answer.get(column.name) for column in self.columns)

    def simulate(
        self, truth: Mapping[str, float], person: Person, trial: Trial, rng: random.Random
    ) -> dict[str, list[str]]:
        """See the mix with noise in its log-odds, and say what was seen, with a confidence.

        With l = lambda_f (from the truth: endpoint1's share of both endpoints), kept within 0.01 and 0.99,
        the perceived log-odds of endpoint1 are

            z = slope * log(l / (1 - l)) + noise * (1 - skill) * g,    g standard normal,

        the inferred share is 1 / (1 + exp(-z)), in whole per cent of the class named second. The
        confidence, in points, is

            c = confidence_at_half + (confidence - confidence_at_half) * |2 l - 1| - a + 50 (1 - skill) h,

        h standard normal, a = ambiguity where both endpoints have an entropy of at least 0.5 nats, else 0;
        it is kept within 0 and 100 and reported as 100 (c / 100) ^ calibration. For a midpoint the same g
        holds for all mixes of an item, and the mix whose z is nearest to 0 is taken; a construction goes
        straight from its start to it. A careless answer, whose chance is `person.careless`, has a share
        and a confidence drawn from 0 to 100, or any of the pictures.
        """
        behaviour = person.behaviour or MixingBehaviour()
        first, second = trial.options.named(trial)
        careless = rng.random() < person.careless
        shift = behaviour.noise * (1 - person.skill) * rng.gauss(0, 1)
        if trial.options.question == "infer":
            one, two = (truth.get(name, 0.0) for name in _endpoints(trial))
            share = one / (one + two) if one + two else 0.5
            seen = 1 / (1 + math.exp(-behaviour.slope * _log_odds(share) - shift))
            percent = round(100 * (seen if second == trial.attributes["endpoint1"] else 1 - seen))
            confidence = _confidence(share, behaviour, person, trial, rng)
            if careless:
                percent, confidence = rng.randint(0, 100), rng.randint(0, 100)
            return self.form({"first": first, "percent": percent, "confidence": confidence})
        pictures = trial.options.pictures(trial, first)
        best = min(pictures, key=lambda name: abs(behaviour.slope * _log_odds(float(name)) + shift))
        picture = 1 + (rng.randrange(len(pictures)) if careless else pictures.index(best))
        answer: Answer = {"first": first, "picture": picture}
        if trial.options.question == "construct":
            start = trial.options.start(trial, first)
            way = 1 if picture >= start else -1
            answer["trail"] = list(range(start, picture + way, way))
        return self.form(answer)


def _endpoints(trial: Trial) -> tuple[str, str]:
    return trial.attributes["endpoint1"], trial.attributes["endpoint2"]


def _read_share(form: Form, trial: Trial, first: str, errors: dict[str, str]) -> Answer:
    """What `infer` asks for."""
    percent = read_percent(form, "percent", errors, "a percentage")
    if percent is None and "percent" not in errors:
        errors["percent"] = "Say how much of each category was used, with a number between 0 and 100."
    confidence = read_percent(form, "confidence", errors, "a percentage")
    if confidence is None and "confidence" not in errors:
        errors["confidence"] = "Say how confident you are, with a number between 0 and 100."
    if percent is None:
        return {}
    of_first = first == trial.attributes["endpoint1"]
    inferred = round((100 - percent if of_first else percent) / 100, 12)  # no 0.7000000000000001
    return {"percent": percent, "inferred": inferred, "confidence": confidence}


def _read_picture(form: Form, trial: Trial, first: str, errors: dict[str, str]) -> Answer:
    """What `choose` and `construct` ask for."""
    pictures = trial.options.pictures(trial, first)
    offered = {f"picture {number}": number for number in range(1, len(pictures) + 1)}
    said = chosen(form, "picture")
    if said not in offered:
        errors["picture"] = (
            "Choose the picture that looks most like half and half."
            if said is None
            else "Choose one of the pictures shown."
        )
        return {}
    picture = offered[said]
    answer: Answer = {"picture": picture, "midpoint": float(pictures[picture - 1])}
    if trial.options.question == "construct":
        start = trial.options.start(trial, first)
        trail = _trail(chosen(form, "trail") or "", len(pictures))
        if trail and (trail[0], trail[-1]) != (start, picture):
            trail = None  # no page of ours sent it
        answer |= {"start": float(pictures[start - 1]) if trail else None, "trail": trail}
    return answer


def _trail(written: str, pictures: int) -> list[int] | None:
    """The pictures seen one after another; None where none were, as on a page without its script."""
    words = written[:_LONGEST_TRAIL].split()
    positions = {str(number): number for number in range(1, pictures + 1)}
    if len(written) > _LONGEST_TRAIL or not words or any(word not in positions for word in words):
        return None
    return [positions[word] for word in words]


def _log_odds(share: float) -> float:
    kept = min(max(share, _PURE), 1 - _PURE)
    return math.log(kept / (1 - kept))


def _confidence(share: float, behaviour: MixingBehaviour, person: Person, trial: Trial, rng: random.Random) -> int:
    mean = behaviour.confidence_at_half + (behaviour.confidence - behaviour.confidence_at_half) * abs(2 * share - 1)
    entropies = [float(trial.attributes.get(name) or 0) for name in ("entropy1", "entropy2")]
    if min(entropies) >= _AMBIGUOUS:
        mean -= behaviour.ambiguity
    felt: float = min(max(mean + 50 * (1 - person.skill) * rng.gauss(0, 1), 0), 100)
    return round(100 * float((felt / 100) ** person.calibration))


def _problems(trial: Trial) -> Iterator[str]:
    """What is wrong with an item, the first thing first; what comes after takes it for granted."""
    for name in ("endpoint1", "endpoint2"):
        value = trial.attributes.get(name)
        if not value:
            yield f"{name} is missing; this task needs the classes of both mixed images, endpoint1 and endpoint2"
        elif value not in trial.classes:
            yield f"the {name} {value!r} is not one of the design's classes ({', '.join(trial.classes)})"
    if trial.attributes["endpoint1"] == trial.attributes["endpoint2"]:
        yield f"both endpoints are {trial.attributes['endpoint1']!r}; mix images of two different classes"
    question = trial.options.question
    if question == "infer":
        coefficient = trial.attributes.get("coefficient")
        if coefficient is None:
            yield (
                "the coefficient is missing; the question 'infer' needs the share of endpoint1 in the mix, from 0 to "
                "1, which items.mixed.coefficients gives (and steps does not)"
            )
        elif not _is_share(coefficient):
            yield f"the coefficient {coefficient!r} is not a number from 0 to 1"
        return
    if len(trial.views) < 3:
        yield (
            f"it has {len(trial.views)} mixes, and the question {question!r} needs at least three: views named by "
            "the share of endpoint1, such as 0.0, 0.5 and 1.0, which items.mixed.steps gives (and coefficients do not)"
        )
    if strange := [name for name in trial.views if not _is_share(name)]:
        yield f"the view {strange[0]!r} is not named by the share of endpoint1 in it, a number from 0 to 1"
    if len({float(name) for name in trial.views}) < len(trial.views):
        yield "two of its views have the same share of endpoint1"


def _is_share(value: Any) -> bool:
    try:
        return 0 <= float(value) <= 1  # false for NaN too
    except (TypeError, ValueError):
        return False
