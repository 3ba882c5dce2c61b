"""The H2AI coach: people write what a network misreads, see how it would read them better, and write again.

A real item is a class to be written, its reference: "4", with the attributes {"round": 1}. A real response:

    {"writing": {"asked": "4", "coached": true, "coach": "digits:1f0c…", "attempts": [{"drawing": {"strokes": …,
     "device": "pen", …}, "reading": {"read": "9", …}, "proposal": {…}}, {…}], "looks": 0}}

It has all fields of `coach_records.Writing`; the server's steps make it, and the page sends it back. The steps are
those of `coach_options.LIVE_STEPS`.

Source: J. Schneider, *Human-to-AI Coach: Improving Human Inputs to AI Systems* (IDA 2020), sections 2 and 6.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from crowdloom.tasks.coach_adopting import adopting
from crowdloom.tasks.coach_coaching import COACHING, VERSIONS, is_coached
from crowdloom.tasks.coach_drawing import adopted, drawing_seconds, ink, length, similarity
from crowdloom.tasks.coach_examples import examples
from crowdloom.tasks.coach_imagined import imagine_writing
from crowdloom.tasks.coach_options import LIVE_STEPS, CoachOptions
from crowdloom.tasks.coach_people import CoachBehaviour, distorted, drawn, scribble, ways_of
from crowdloom.tasks.coach_pictures import rendered
from crowdloom.tasks.coach_records import ATTEMPTS, Attempt, Given, Proposal, Read, Reading, State, Writing, unpacked
from crowdloom.tasks.columns import Column
from crowdloom.tasks.percent import chosen
from crowdloom.tasks.protocol import Answer, AnswerError, Call, Form, Person, Trial

_NOT_OURS = "This is not what was written on this page; please reload it."


class CoachTask:
    """The task `coach`."""

    name = "coach"
    template = "tasks/coach.html"
    summary = "How people write what a network is to read, before and after it coaches them."
    columns = (
        Column("coached", "number", "1 where proposals were made, 0 in the control"),
        Column("read_before", "class", "the class that the first attempt was read as"),
        Column("read_after", "class", "the class that the second attempt was read as"),
        Column("recognised_before", "number", "1 where the first attempt was read as the class asked for, else 0"),
        Column("recognised_after", "number", "1 where the second attempt was read as the class asked for, else 0"),
        Column("confidence_before", "number", "the probability of the class asked for, first attempt, 0-1"),
        Column("confidence_after", "number", "the probability of the class asked for, second attempt, 0-1"),
        Column("ink_before", "number", "the ink of the first attempt's picture: its L1 norm, in pixels full of ink"),
        Column("ink_after", "number", "the ink of the second attempt's picture, in pixels full of ink"),
        Column("length_before", "number", "the length of the first attempt's strokes, in canvas widths"),
        Column("length_after", "number", "the length of the second attempt's strokes, in canvas widths"),
        Column("seconds_before", "number", "from the first pen-down to the last pen-up, first attempt; none if chosen"),
        Column("seconds_after", "number", "from the first pen-down to the last pen-up, second attempt; none if chosen"),
        Column("similarity", "number", "ink common to both attempts' pictures in their ink, 0-1"),
        Column("adopted", "number", "the share of the proposed change that the second attempt made; none if uncoached"),
    )
    live_steps = LIVE_STEPS
    options = CoachOptions
    behaviour = CoachBehaviour

    @property
    def examples(self) -> Sequence[tuple[Trial, Answer]]:
        """A trial that was coached, and one of the control whose second drawing was chosen among given ones."""
        return examples()

    def check_classes(self, classes: Sequence[str]) -> str | None:
        """A recogniser tells at least two classes apart."""
        return None if len(classes) >= 2 else f"at least two classes are needed, got {len(classes)}"

    def check_item(self, trial: Trial) -> str | None:
        """A class to be written and, where the design leaves it to the items, whether it is coached."""
        if trial.reference is None:
            return 'the reference is missing, which is the class to be written; see items of source = "classes"'
        if trial.options.coaching == "by-item" and trial.attributes.get(COACHING) not in VERSIONS:
            return f'{COACHING} is missing; with coaching = "by-item" it is one of {", ".join(VERSIONS)} for each item'
        return None

    def stand_in(
        self, classes: Sequence[str], options: Any, behaviour: Any, number: int, rng: random.Random
    ) -> tuple[dict[str, Any], Sequence[str]]:
        """One class after the other, coached and not in turn."""
        said = {COACHING: VERSIONS[number % len(VERSIONS)]} if options.coaching == "by-item" else {}
        return {"reference": classes[number // len(VERSIONS) % len(classes)], **said}, ()

    def parse(self, form: Form, trial: Trial) -> Answer:
        """The answer in a posted form: a writing that has come to its end.

        >>> trial, answer = CoachTask().examples[0]
        >>> CoachTask().parse(CoachTask().form(answer), trial)["writing"]["attempts"][0]["reading"]["read"]
        '9'
        """
        errors: dict[str, str] = {}
        writing = _read_writing(chosen(form, "writing"), trial, errors)
        if writing is None:
            raise AnswerError(errors)
        return {"writing": writing.model_dump(mode="json")}

    def form(self, answer: Answer) -> dict[str, list[str]]:
        """The fields of the page that would post this answer."""
        return {"writing": [json.dumps(answer["writing"], separators=(",", ":"))]}

    def typed(self, answer: Answer, classes: Sequence[str]) -> tuple[object, ...]:
        """The answer in the order of `columns`."""
        writing = Writing.model_validate(answer["writing"])
        first, second = writing.attempts
        before, after = (unpacked(attempt.reading.picture) for attempt in (first, second))
        asked = list(classes).index(writing.asked)
        pairs = (
            *(attempt.reading.read for attempt in writing.attempts),
            *(int(attempt.reading.read == writing.asked) for attempt in writing.attempts),
            *(attempt.reading.probabilities[asked] for attempt in writing.attempts),
            *map(ink, (before, after)),
            *(length(attempt.drawing.strokes) for attempt in writing.attempts),
            *map(_seconds, writing.attempts),
        )
        proposed = unpacked(first.proposal.picture) if first.proposal else None
        return (int(writing.coached), *pairs, similarity(before, after), adopted(before, after, proposed))

    def simulate(
        self, truth: Mapping[str, float], person: Person, trial: Trial, rng: random.Random
    ) -> dict[str, list[str]]:
        """A writing that nobody read: what a network would say is drawn, as `coach_imagined` says.

        A careless person, whose chance is `person.careless`, scribbles. The truth and the person's skill play no part.
        Rehearsals do not use this, but `simulate_live`, where a network reads.
        """
        behaviour = person.behaviour or CoachBehaviour()
        asked, careless = trial.reference or trial.classes[0], rng.random() < person.careless
        writing = imagine_writing(asked, trial.classes, is_coached(trial), behaviour, careless, rng)
        return self.form({"writing": writing.model_dump(mode="json")})

    def simulate_live(self, call: Call, person: Person, trial: Trial, rng: random.Random) -> dict[str, list[str]]:
        """Write twice by calling the steps, as `coach_people` says; what is there from an earlier visit stays.

        What they would write without any distortion is one of the given drawings. A careless person scribbles.
        """
        behaviour = person.behaviour or CoachBehaviour()
        careless = rng.random() < person.careless
        state = State.model_validate(call("state", {}))
        if not state.ready:
            state = State.model_validate(call("open", {}))
        writing, habit = state.writing, None
        for number in range(1 + len(writing.attempts if writing else ()), ATTEMPTS + 1):
            proposal = writing.attempts[-1].proposal if writing and writing.attempts else None
            if careless:
                ways = scribble(rng)
            elif writing and proposal:
                first = writing.attempts[-1]
                pictures = unpacked(first.reading.picture), unpacked(proposal.picture)
                ways = adopting(ways_of(first.drawing.strokes), *pictures, behaviour.adopt, rng)
            else:
                if habit is None:
                    habit = rng.choice(Given.model_validate(call("given", {"attempt": number})).drawings)
                strength = behaviour.perturbation * (1 if number == 1 else 1 - behaviour.practice)
                ways = distorted(ways_of(habit), strength, rng)
            asked = {"attempt": number, "drawing": drawn(ways, rng).model_dump(mode="json"), "done": True}
            writing = Read.model_validate(call("read", asked)).writing
        if writing is None:
            raise RuntimeError("there is no writing after all attempts")
        return self.form({"writing": writing.model_dump(mode="json")})


def _seconds(attempt: Attempt) -> float | None:
    """How long the person wrote; None where they chose a drawing."""
    return drawing_seconds(attempt.drawing.strokes) if attempt.drawing.given is None else None


def _read_writing(written: str | None, trial: Trial, errors: dict[str, str]) -> Writing | None:
    """The writing in the page's hidden field; what is wrong with it adds a sentence to `errors`."""
    if written is None:
        errors["writing"] = "Nothing is written yet; write it on the canvas first."
        return None
    try:
        writing = Writing.model_validate_json(written.encode("utf-8", "replace"))
    except ValidationError:
        errors["writing"] = _NOT_OURS
        return None
    if problem := next(_problems(writing, trial), None):
        errors["writing"] = problem
        return None
    return writing


def _problems(writing: Writing, trial: Trial) -> Iterator[str]:
    """Why a writing is not the answer to this trial, the first thing first."""
    if writing.asked != trial.reference:
        yield f"This is a writing of “{writing.asked[:50]}”, and not of what this page asks for; please reload it."
    if writing.coached != is_coached(trial):
        yield _NOT_OURS
    if len(writing.attempts) < ATTEMPTS:
        yield f"You have written {len(writing.attempts)} of {ATTEMPTS} times; write it once more."
    for number, attempt in enumerate(writing.attempts, 1):
        if not _fits(attempt.reading, trial) or not _is_of(attempt.reading, attempt):
            yield _NOT_OURS
        if (attempt.proposal is not None) != (writing.coached and number < ATTEMPTS):
            yield _NOT_OURS
        if attempt.proposal is not None and not _fits(attempt.proposal, trial):
            yield _NOT_OURS


def _fits(reading: Reading | Proposal, trial: Trial) -> bool:
    """Whether it is about the classes of the study, and reads the most probable one."""
    sure = dict(zip(trial.classes, reading.probabilities, strict=False))
    return len(sure) == len(trial.classes) == len(reading.probabilities) and (
        sure.get(reading.read) == max(reading.probabilities)
    )


def _is_of(reading: Reading, attempt: Attempt) -> bool:
    """Whether the picture that was read is that of the drawing."""
    strokes = attempt.drawing.strokes
    return any(strokes) and unpacked(reading.picture) == rendered(strokes)
