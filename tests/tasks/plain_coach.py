"""A recogniser and a coach without any network, for tests: it reads by likeness to plain digits, and proposes those."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from crowdloom.tasks.coach_coaching import is_coached
from crowdloom.tasks.coach_drawing import render, similarity
from crowdloom.tasks.coach_records import Attempt, Given, Proposal, Read, Reading, ReadInput, State, Writing, packed
from crowdloom.tasks.coach_written import timed, written_shape
from crowdloom.tasks.protocol import Trial


@lru_cache
def plain(class_: str) -> bytes:
    """The picture of a class as nobody distorts it."""
    return render(timed([list(way) for way in written_shape(class_)], 0.0))


def reading(picture: bytes, classes: tuple[str, ...]) -> Reading:
    """The class whose plain picture is most alike."""
    alike = [similarity(picture, plain(name)) ** 2 for name in classes]
    probabilities = [one / sum(alike) for one in alike]
    read = classes[probabilities.index(max(probabilities))]
    return Reading(picture=packed(picture), read=read, probabilities=probabilities)


class Steps:
    """The live steps of one trial, called as a page calls them; `called` has their names."""

    def __init__(self, trial: Trial, ready: bool = True) -> None:
        self.trial, self.ready = trial, ready
        self.called: list[str] = []
        self.writing = Writing(asked=str(trial.reference), coached=is_coached(trial), coach="plain:0", attempts=[])

    def __call__(self, step: str, values: dict[str, Any]) -> dict[str, Any]:
        """The output of a step."""
        self.called.append(step)
        output: dict[str, Any] = getattr(self, step)(values).model_dump(mode="json")
        return output

    def state(self, values: dict[str, Any]) -> State:
        """The trial as it stands."""
        return State(ready=self.ready, writing=self.writing if self.ready else None)

    def open(self, values: dict[str, Any]) -> State:
        """Prepares the coach."""
        self.ready = True
        return self.state(values)

    def given(self, values: dict[str, Any]) -> Given:
        """One drawing, the plain one."""
        strokes = timed([list(way) for way in written_shape(self.writing.asked)], 0.0)
        return Given(drawings=[strokes], pictures=[packed(render(strokes))])

    def read(self, values: dict[str, Any]) -> Read:
        """Keeps what is done, and proposes the plain digit after the first attempt of a coached trial."""
        asked = ReadInput.model_validate(values)
        assert self.ready
        assert asked.done
        assert asked.attempt == len(self.writing.attempts) + 1
        classes = tuple(self.trial.classes)
        proposal = None
        if self.writing.coached and asked.attempt == 1:
            proposed = reading(plain(self.writing.asked), classes)
            proposal = Proposal(**proposed.model_dump(), words="Write it so.")
        attempt = Attempt(
            drawing=asked.drawing, reading=reading(render(asked.drawing.strokes), classes), proposal=proposal
        )
        self.writing = self.writing.model_copy(update={"attempts": [*self.writing.attempts, attempt]})
        return Read(reading=attempt.reading, proposal=proposal, writing=self.writing)
