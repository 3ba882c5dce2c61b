"""The steps of a coached trial that take milliseconds: they read a drawing, propose, and keep what is done.

Whatever a page asks twice is answered the same way twice, so that a page whose connection broke can ask again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

from crowdloom.models.coach_folder import PreparedCoach, Weights, is_ready, prepared_coach
from crowdloom.models.coach_kept import KeptWriting, kept_writing
from crowdloom.models.errors import ModelError
from crowdloom.models.live import Context, Refused
from crowdloom.tasks.coach_coaching import is_coached
from crowdloom.tasks.coach_drawing import render
from crowdloom.tasks.coach_options import SELF_PREPARED, CoachOptions
from crowdloom.tasks.coach_records import (
    ATTEMPTS,
    MOST_POINTS,
    Attempt,
    Drawing,
    Given,
    GivenInput,
    Nothing,
    Proposal,
    Read,
    Reading,
    ReadInput,
    State,
    Strokes,
    Writing,
    packed,
    unpacked,
)
from crowdloom.tasks.coach_words import Advice, a, advice
from crowdloom.tasks.protocol import Trial

CHOICES = 12
"""Given drawings to choose from in an attempt."""
MOST_LOOKS = 300
"""Unfinished drawings that are read in a trial: each is kept with what was read."""
NOT_READY = "This part of the study is not ready, which is our fault; please write to the researcher."

_ORDINALS = ("first", "second")
_DIGITS = 6  # of a probability that is kept


def state(given: Nothing, context: Context) -> State:
    """The trial as it stands.

    Raises Refused where its file is damaged, where the coach that it began with cannot be used any more, or where it is
    one that no worker prepares.
    """
    trial, options = asked_trial(context)
    kept = kept_writing(context)
    writing = kept.read()
    if writing is not None and len(writing.attempts) == ATTEMPTS:
        return State(ready=True, writing=writing, marks=_marks(writing))
    with of_the_coach():
        if options.coach == SELF_PREPARED and not is_ready(options.coach):
            return State(ready=False)
    begun = _begun(trial, kept, _coach_of(trial, writing), writing)
    return State(ready=True, writing=begun, marks=_marks(begun))


def given(wanted: GivenInput, context: Context) -> Given:
    """Drawings of the class asked for, in an order of the trial's own; fewer than `CHOICES` where the coach has fewer.

    Raises Refused where it has none, and as `state`.
    """
    trial, _ = asked_trial(context)
    drawings = _choices(trial, _coach_of(trial, kept_writing(context).read()), wanted.attempt)
    if not drawings:
        raise Refused(f"There are no drawings of {a(_asked(trial))} to choose from; please draw it.")
    return Given(drawings=list(drawings), pictures=[packed(render(one)) for one in drawings])


def read(given: ReadInput, context: Context) -> Read:
    """Read a drawing and, in a coached trial after the first attempt, propose a better one.

    One that is `done` is kept; the same one again changes nothing. Raises Refused for a drawing that cannot be read,
    for an attempt that is done already or not yet due, and as `state`.
    """
    trial, options = asked_trial(context)
    check_drawing(given.drawing, _asked(trial))
    kept = kept_writing(context)
    with kept.held():
        earlier = kept.read()
        if earlier is not None and given.attempt <= len(earlier.attempts):
            return _again(given, _with_looks(earlier, kept))
        coach = _coach_of(trial, earlier)
        writing = _begun(trial, kept, coach, earlier)
        check_due(given.attempt, writing)
        check_choice(given, trial, coach)
        if not given.done and kept.looks >= MOST_LOOKS:
            raise Refused("Unfinished drawings were read very often here; say that this one is done.")
        attempt = _attempt(given, trial, options, coach)
        if given.done:
            writing = kept.add(writing, attempt)
        else:
            kept.look()
    return _answer(attempt, _asked(trial), writing if given.done else None)


def asked_trial(context: Context) -> tuple[Trial, CoachOptions]:
    """The trial whose page asks, and its options. Raises Refused where the page named none that asks for a class."""
    trial = context.trial
    if trial is None or context.trial_id is None or not isinstance(trial.options, CoachOptions) or not trial.reference:
        raise Refused("This page did not say which part of the study it belongs to; reload it.")
    return trial, trial.options


def check_drawing(drawing: Drawing, asked: str) -> None:
    """Raises Refused where nothing is drawn, or more than can be read."""
    points = sum(map(len, drawing.strokes))
    if not points:
        raise Refused(f"The canvas is empty; write the {asked} first.")
    if points > MOST_POINTS:
        raise Refused(
            f"This drawing has {points:,} points, and {MOST_POINTS:,} can be read; start again with fewer strokes."
        )


def check_due(attempt: int, writing: Writing) -> None:
    """Raises Refused for an attempt that is not the next one."""
    due = len(writing.attempts) + 1
    if attempt != due:
        raise Refused(f"The {_ORDINALS[due - 1]} attempt comes before the {_ORDINALS[attempt - 1]}; reload the page.")


def check_choice(given: ReadInput, trial: Trial, coach: PreparedCoach) -> None:
    """Raises Refused where a chosen drawing is none of those that this attempt can choose from."""
    number = given.drawing.given
    if number is None:
        return
    drawings = _choices(trial, coach, given.attempt)
    if number >= len(drawings):
        raise Refused(f"There is no drawing {number + 1} to choose; there are {len(drawings)}. Reload the page.")
    if given.drawing.strokes != drawings[number]:
        raise Refused("This is not the drawing that was there to choose; reload the page and choose again.")


@contextmanager
def of_the_coach() -> Iterator[None]:
    """Within it, a coach that is not prepared here, or cannot be used, is Refused; the ModelError is its cause."""
    try:
        yield
    except ModelError as error:
        raise Refused(NOT_READY) from error


def _asked(trial: Trial) -> str:
    return str(trial.reference)


def _coach_of(trial: Trial, writing: Writing | None) -> PreparedCoach:
    """The coach that the trial began with, or the prepared one; its classes are those of the design."""
    options: CoachOptions = trial.options
    digest = writing.coach.rpartition(":")[2] if writing else None
    with of_the_coach():
        coach = prepared_coach(options.coach, digest)
        if set(coach.classes) != set(trial.classes) or _asked(trial) not in coach.classes:
            raise ModelError(
                f"the coach {coach.name} reads the classes {', '.join(coach.classes)}, and the design asks for "
                f"{_asked(trial)} of {', '.join(trial.classes)}; give the design the coach's classes"
            )
    return coach


def _begun(trial: Trial, kept: KeptWriting, coach: PreparedCoach, writing: Writing | None) -> Writing:
    """The trial as it stands, or as it begins."""
    if writing is None:
        begun_with = f"{coach.name}:{coach.digest}"
        writing = Writing(asked=_asked(trial), coached=is_coached(trial), coach=begun_with, attempts=[])
    return _with_looks(writing, kept)


def _with_looks(writing: Writing, kept: KeptWriting) -> Writing:
    """With the looks up to now; once all attempts are done they are what they were then."""
    return writing if len(writing.attempts) == ATTEMPTS else writing.model_copy(update={"looks": kept.looks})


def _again(given: ReadInput, writing: Writing) -> Read:
    """The answer to a drawing that was done before. Raises Refused for any other in an attempt that is done."""
    attempt = writing.attempts[given.attempt - 1]
    same = attempt.drawing.strokes == given.drawing.strokes and attempt.drawing.given == given.drawing.given
    if not given.done or not same:  # the seconds may differ where the page was loaded again
        raise Refused(
            f"The {_ORDINALS[given.attempt - 1]} attempt is done already, perhaps in another window; "
            "reload the page to go on."
        )
    return _answer(attempt, writing.asked, writing)


def _answer(attempt: Attempt, asked: str, writing: Writing | None) -> Read:
    proposal = attempt.proposal
    marks = _advised(attempt.reading, proposal, asked) if proposal else None
    return Read(reading=attempt.reading, proposal=proposal, marks=marks, writing=writing)


def _marks(writing: Writing) -> str | None:
    """Those of the proposal that was made in a trial; None before there is one, and in an uncoached trial."""
    made = next(((one.reading, one.proposal) for one in writing.attempts if one.proposal), None)
    return _advised(*made, writing.asked) if made else None


def _advised(reading: Reading, proposal: Proposal, asked: str) -> str:
    pictures = unpacked(reading.picture), unpacked(proposal.picture)
    return packed(_advice(*pictures, asked, reading.read, proposal.read).marks)


@lru_cache(maxsize=256)  # the words are wanted first, and the marks a moment later
def _advice(picture: bytes, proposed: bytes, asked: str, read: str, proposed_read: str) -> Advice:
    return advice(picture, proposed, asked=asked, read=read, proposed_read=proposed_read)


def _attempt(given: ReadInput, trial: Trial, options: CoachOptions, coach: PreparedCoach) -> Attempt:
    picture = render(given.drawing.strokes)
    reading = _reading(picture, trial, coach)
    proposal = None
    if given.attempt < ATTEMPTS and is_coached(trial):
        proposal = _proposal(picture, reading.read, trial, options, coach)
    return Attempt(drawing=given.drawing, reading=reading, proposal=proposal)


def _reading(picture: bytes, trial: Trial, coach: PreparedCoach) -> Reading:
    """What the recogniser makes of a picture, in the design's classes."""
    by_class = dict(zip(coach.classes, coach.probabilities(picture), strict=True))
    return Reading(
        picture=packed(picture),
        read=max(trial.classes, key=by_class.__getitem__),
        probabilities=[round(by_class[one], _DIGITS) for one in trial.classes],
    )


def _proposal(picture: bytes, read: str, trial: Trial, options: CoachOptions, coach: PreparedCoach) -> Proposal:
    weights = Weights(options.classification, options.efficiency, options.discriminator)
    with of_the_coach():
        proposed = coach.propose(picture, _asked(trial), weights)
    reading = _reading(proposed, trial, coach)
    return Proposal(**reading.model_dump(), words=_advice(picture, proposed, _asked(trial), read, reading.read).words)


def _choices(trial: Trial, coach: PreparedCoach, attempt: int) -> Sequence[Strokes]:
    return _chosen(coach.name, coach.digest, _asked(trial), f"{trial.seed} {attempt}")


@lru_cache(maxsize=256)
def _chosen(name: str, digest: str, asked: str, seed: str) -> Sequence[Strokes]:
    """Some of the coach's drawings of a class, in an order that depends on the seed alone."""
    with of_the_coach():
        drawings = prepared_coach(name, digest).drawings(asked)
    return random.Random(seed).sample(list(drawings), min(CHOICES, len(drawings)))  # noqa: S311 - the same at a reload
