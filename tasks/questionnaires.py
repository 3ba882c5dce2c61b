"""Standard instruments for the end of any study: UMUX-LITE, raw NASA-TLX, and scales with statements of its own.

A real answer to the raw NASA-TLX, whose total is 34 of 120:

    {"mental": 12, "physical": 1, "temporal": 4, "performance": 6, "effort": 9, "frustration": 2}

Sources, by instrument:

    umux-lite  J. R. Lewis, B. S. Utesch and D. E. Maher, *UMUX-LITE: when there's no time for the SUS* (CHI 2013).
               u1, u2 = 1 … 7; SUS parity = 0.65 (u1 + u2 - 2) 100 / 12 + 22.9, from 22.9 to 87.9
    nasa-tlx   S. G. Hart and L. E. Staveland, *Development of NASA-TLX* (1988); raw, that is, without weights:
               S. G. Hart, *NASA-Task Load Index (NASA-TLX); 20 years later* (2006). Six subscales in whole steps
               from 0 to 20, of which high is always the worse end: performance runs from good to poor. Total 0 … 120
    scales     visual analogue scales from 0 to 100; not summed, as nobody knows what their sum would mean

The items keep the originals' content and ends; their wording is ours.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from crowdloom.tasks.percent import chosen, written_percent
from crowdloom.tasks.protocol import AnswerError, Form, Person

Ratings = dict[str, int | float]
"""An answer to a questionnaire: a number for each item, by the item's name."""

_SHOWN = 20  # characters of a wrong number that its message repeats


@dataclass(frozen=True)
class Item:
    """One thing that is rated; `left` and `right` are what the two ends of its scale mean."""

    name: str
    """In forms, events and exports."""
    title: str
    """What messages call it."""
    text: str
    left: str
    right: str


@dataclass(frozen=True)
class Instrument:
    """A kind of questionnaire: its items, where it has its own, and how they are rated and scored."""

    name: str
    summary: str
    control: Literal["points", "slider"]
    """Whole numbers as radio buttons, or a slider above a field."""
    low: int
    high: int
    whole: bool
    lead: str
    """What its page asks for, above the items."""
    items: tuple[Item, ...] = ()
    """A {system} in their texts stands for what they speak of; empty where the design writes the statements."""
    system: str | None = None
    """What the items speak of, unless the design says it."""
    scores: Mapping[str, Callable[[Mapping[str, float]], float]] = field(default_factory=dict)


def sus_parity(answers: Mapping[str, float]) -> float:
    """The score of the two UMUX-LITE items on the scale of the SUS.

    >>> [round(sus_parity({"capabilities": u, "ease": u}), 1) for u in (1, 4, 7)]
    [22.9, 55.4, 87.9]
    """
    return 0.65 * (answers["capabilities"] + answers["ease"] - 2) * 100 / 12 + 22.9


def _agree(name: str, number: int, text: str) -> Item:
    return Item(name, f"Statement {number}", text, "strongly disagree", "strongly agree")


def _demand(name: str, title: str, text: str, left: str = "very low", right: str = "very high") -> Item:
    return Item(name, title, text, left, right)


INSTRUMENTS: dict[str, Instrument] = {
    "umux-lite": Instrument(
        name="umux-lite",
        summary="Usability in two statements, with its SUS-parity score (Lewis et al., 2013).",
        control="points",
        low=1,
        high=7,
        whole=True,
        lead="How far do you agree with each statement?",
        items=(
            _agree("capabilities", 1, "What {system} can do meets my requirements."),
            _agree("ease", 2, "{system} is easy to use."),
        ),
        system="this system",
        scores={"sus_parity": sus_parity},
    ),
    "nasa-tlx": Instrument(
        name="nasa-tlx",
        summary="Workload on six subscales, without weights (Hart and Staveland, 1988; Hart, 2006).",
        control="slider",
        low=0,
        high=20,
        whole=True,
        lead="For each question, choose the place on the scale that fits how it was for you.",
        items=(
            _demand("mental", "Mental demand", "How much did you have to think, decide or remember for {system}?"),
            _demand("physical", "Physical demand", "How much physical effort did {system} ask of you?"),
            _demand("temporal", "Temporal demand", "How hurried was the pace of {system}?"),
            _demand("performance", "Performance", "How well did you do what {system} asked of you?", "good", "poor"),
            _demand("effort", "Effort", "How hard did you have to work, in mind and body, for that result?"),
            _demand("frustration", "Frustration", "How insecure, discouraged, annoyed or stressed did you feel?"),
        ),
        system="the task",
        scores={"total": lambda answers: float(sum(answers.values()))},
    ),
    "scales": Instrument(
        name="scales",
        summary="Visual analogue scales from 0 to 100 with the study's own statements and ends.",
        control="slider",
        low=0,
        high=100,
        whole=False,
        lead="For each statement, choose the place on the scale that fits best.",
    ),
}


@dataclass(frozen=True)
class Questionnaire:
    """An instrument as a study asks it: with its items written out."""

    instrument: Instrument
    items: tuple[Item, ...]
    about: str | None
    """What its items speak of; None where the study's statements say it."""

    @property
    def heading(self) -> str:
        """What its page is called."""
        if self.about is not None:
            return f"About {self.about}"
        return "A statement" if len(self.items) == 1 else "A few statements"

    def parse(self, form: Form) -> Ratings:
        """The answer in a posted form. Raises AnswerError with a sentence for each item that has none.

        >>> questionnaire("umux-lite", system="the tool").parse({"capabilities": ["6"], "ease": ["7"]})
        {'capabilities': 6, 'ease': 7}
        """
        errors: dict[str, str] = {}
        read = _read_point if self.instrument.control == "points" else _read_number
        ratings = {item.name: read(form, item, self.instrument, errors) for item in self.items}
        if errors:
            raise AnswerError(errors)
        return {name: value for name, value in ratings.items() if value is not None}

    def form(self, ratings: Mapping[str, int | float]) -> dict[str, list[str]]:
        """The form that `parse` reads these ratings from: its inverse."""
        return {name: [written_percent(value)] for name, value in ratings.items()}

    def simulate(self, person: Person, rng: random.Random) -> dict[str, list[str]]:
        """What a simulated participant would post.

        With g, h standard normal, g one for the person and h one for each item, the place between both ends is
        clip(skill + 0.15 g + 0.1 h, 0, 1), for the workload 1 minus it; in whole steps. A careless person, whose
        chance is `person.careless`, puts every item anywhere.
        """
        careless = rng.random() < person.careless
        ease = person.skill + 0.15 * rng.gauss(0, 1)
        low, high = self.instrument.low, self.instrument.high
        ratings: Ratings = {}
        for item in self.items:
            place = rng.random() if careless else min(max(ease + 0.1 * rng.gauss(0, 1), 0), 1)
            share = 1 - place if self.instrument.name == "nasa-tlx" else place
            ratings[item.name] = low + round(share * (high - low))
        return self.form(ratings)


def questionnaire(
    instrument: str,
    *,
    system: str | None = None,
    statements: Sequence[str] = (),
    left: str = "strongly disagree",
    right: str = "strongly agree",
) -> Questionnaire:
    """An instrument with its items written out. Raises KeyError for an unknown one.

    `system` is what the items speak of; `statements`, `left` and `right` are those of scales.

    >>> questionnaire("umux-lite", system="the tool").items[1].text
    'The tool is easy to use.'
    >>> questionnaire("scales", statements=["It biased me."]).items[0].name
    'q1'
    """
    found = INSTRUMENTS[instrument]
    if not found.items:
        items = tuple(
            Item(f"q{number}", f"Statement {number}", text, left, right) for number, text in enumerate(statements, 1)
        )
        return Questionnaire(found, items, None)
    about = system or found.system or ""
    return Questionnaire(found, tuple(replace(item, text=_about(item.text, about)) for item in found.items), about)


def score(instrument: str, ratings: Mapping[str, float]) -> dict[str, float]:
    """The scores of one answer set, by name; none for scales, and none where an item is missing.

    >>> score("nasa-tlx", dict.fromkeys(("mental", "physical", "temporal", "performance", "effort", "frustration"), 6))
    {'total': 36.0}
    """
    found = INSTRUMENTS[instrument]
    if {item.name for item in found.items} - ratings.keys():
        return {}
    return {name: of(ratings) for name, of in found.scores.items()}


def _about(text: str, system: str) -> str:
    written = text.replace("{system}", system)
    return written[:1].upper() + written[1:]


def _read_point(form: Form, item: Item, instrument: Instrument, errors: dict[str, str]) -> int | None:
    said = chosen(form, item.name)
    points = {str(point): point for point in range(instrument.low, instrument.high + 1)}
    if said not in points:
        errors[item.name] = f"{item.title}: choose one of the answers from {instrument.low} to {instrument.high}."
        return None
    return points[said]


def _read_number(form: Form, item: Item, instrument: Instrument, errors: dict[str, str]) -> int | float | None:
    typed = (chosen(form, item.name) or "").strip()
    if not typed:
        errors[item.name] = f"{item.title}: set the slider, or enter a number."
        return None
    number = typed.replace(",", ".")
    # Not all that Python takes for a number: people write no 1e1, no 1_0 and no nan.
    value = float(number) if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", number) else math.nan
    if not instrument.low <= value <= instrument.high or (instrument.whole and value != int(value)):
        said = typed if len(typed) <= _SHOWN else f"{typed[:_SHOWN]}…"
        kind = "a whole number" if instrument.whole else "a number"
        errors[item.name] = (
            f"{item.title}: “{said}” is not on this scale; enter {kind} from {instrument.low} to {instrument.high}."
        )
        return None
    return int(value) if value == int(value) else value
