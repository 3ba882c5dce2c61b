"""A trial with the coach that no network took part in, for simulated people without a server.

The person writes a distorted shape of the class, is read, and writes again. Whether a drawing is recognised is drawn:
with the strength s of the distortion (see `coach_people`) its chance is 1 - s / 2. What is proposed is the shape
without any distortion, recognised for sure, and whoever adopts it moves so much of the way there. A scribble is
recognised by chance alone. None of it says anything of real networks or people.

A plan is tried on some hundred thousand of such trials, so of each class there are only a few drawings of each
strength, which are made once.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from crowdloom.tasks.coach_drawing import render
from crowdloom.tasks.coach_people import CoachBehaviour, blended, distorted, drawn, scribble
from crowdloom.tasks.coach_records import Attempt, Proposal, Reading, Writing, packed
from crowdloom.tasks.coach_written import Way, timed, written_shape

NOBODY = "nobody:0"
"""The coach of a writing that no network read."""

_VARIANTS = 8  # drawings of a class with the same strength of distortion
_WORDS = "Write it more like the picture in the middle."
_SURE = (0.5, 0.99)  # of the class that is read


class _Drawn(NamedTuple):
    """Ways of the pen with their picture in base64."""

    ways: list[Way]
    picture: str


def imagine_writing(
    asked: str, classes: Sequence[str], coached: bool, behaviour: CoachBehaviour, careless: bool, rng: random.Random
) -> Writing:
    """Both attempts of somebody who is asked to write a class, as the module says."""
    strength, left = round(behaviour.perturbation, 1), 1 - behaviour.practice
    variant = rng.randrange(_VARIANTS)
    missed = 1 - 1 / len(classes) if careless else behaviour.perturbation / 2
    first = _scribbled(rng) if careless else _variant(asked, strength, variant)
    proposal = _proposal(asked, classes, rng) if coached else None
    attempts = [_attempt(first, missed, asked, classes, proposal, rng)]
    if careless:
        second = _scribbled(rng)
    elif coached:
        second, missed = _adopted(asked, strength, variant, behaviour.adopt), missed * (1 - behaviour.adopt)
    else:
        second, missed = _variant(asked, round(strength * left, 1), rng.randrange(_VARIANTS)), missed * left
    attempts.append(_attempt(second, missed, asked, classes, None, rng))
    return Writing(asked=asked, coached=coached, coach=NOBODY, attempts=attempts)


def _pictured(ways: list[Way]) -> _Drawn:
    return _Drawn(ways, packed(render(timed(ways, 0.0))))


def _scribbled(rng: random.Random) -> _Drawn:
    return _pictured(scribble(rng))


@lru_cache(maxsize=10_000)
def _variant(asked: str, strength: float, number: int) -> _Drawn:
    """One of the drawings of a class with a strength of distortion; without any, they are all the same."""
    rng = random.Random(f"{asked} {strength} {number}")  # noqa: S311 - the same for everybody
    return _pictured(distorted([list(stroke) for stroke in written_shape(asked)], strength, rng))


@lru_cache(maxsize=10_000)
def _adopted(asked: str, strength: float, number: int, share: float) -> _Drawn:
    """The drawing after this share of the proposal was adopted."""
    return _pictured(blended(_variant(asked, strength, number).ways, _variant(asked, 0.0, 0).ways, share))


def _attempt(
    written: _Drawn, missed: float, asked: str, classes: Sequence[str], proposal: Proposal | None, rng: random.Random
) -> Attempt:
    """A drawing that is misread with the chance `missed`."""
    others = [name for name in classes if name != asked]
    read = rng.choice(others) if rng.random() < missed else asked
    reading = Reading(picture=written.picture, read=read, probabilities=_probabilities(read, classes, rng))
    return Attempt(drawing=drawn(written.ways, rng), reading=reading, proposal=proposal)


def _proposal(asked: str, classes: Sequence[str], rng: random.Random) -> Proposal:
    probabilities = _probabilities(asked, classes, rng)
    return Proposal(picture=_variant(asked, 0.0, 0).picture, read=asked, probabilities=probabilities, words=_WORDS)


def _probabilities(read: str, classes: Sequence[str], rng: random.Random) -> list[float]:
    """Probabilities of which that of the class `read` is the largest."""
    sure = rng.uniform(*_SURE)
    shares = {name: rng.random() for name in classes if name != read}
    scale = (1 - sure) / sum(shares.values())
    return [sure if name == read else shares[name] * scale for name in classes]
