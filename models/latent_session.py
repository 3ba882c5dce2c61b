"""The steps of a session that a worker runs: it begins, and it trains towards what a participant arranged.

All that a training comes to depends on the scenario, the session's seed and the arrangements alone: wherever it was
paused or its process died, it goes on after the last whole epoch and comes to the same numbers. What a session keeps
where says `latent_session_files.py`.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from crowdloom.models.latent_cache import Prepared, prepared
from crowdloom.models.latent_evaluation import evaluate
from crowdloom.models.latent_interaction import Work, placed, write_state
from crowdloom.models.latent_refusals import of_the_scenario
from crowdloom.models.latent_session_files import (
    Plan,
    Session,
    SessionFolder,
    asked_trial,
    begun,
    check_movements,
    check_points,
    digest_of,
    session_folder,
    state_of,
    wrong_number,
)
from crowdloom.models.latent_training import LatentState
from crowdloom.models.live import Context, Refused
from crowdloom.tasks.latent_options import LatentOptions
from crowdloom.tasks.latent_records import Nothing, SessionRecord, SessionState, TrainInput

LEEWAY_S = 10.0
"""The page's clock and ours need not agree to the second, and what it asks for takes its time to come."""

WAIT_S = 30.0
"""How long a training waits for another process that works on the same session, such as one that is being ended."""


def seed_of(trial_seed: str) -> int:
    """The seed of a session, 31 bits, from that of its trial.

    >>> seed_of("somebody and something")
    1168765371
    """
    return int.from_bytes(hashlib.sha256(trial_seed.encode()).digest()[:4]) >> 1


def begin(given: Nothing, context: Context) -> SessionState:
    """Begin the session, or go on with it: the first time in a scenario the network is pretrained.

    Raises Refused where the scenario cannot be used here, or the session's files are damaged.
    """
    trial, options, scenario = asked_trial(context)
    folder = session_folder(context)
    with folder.held(WAIT_S, lambda: context.progress(0.0, "waiting for another process")):
        session = folder.read()
        if session is None:
            with of_the_scenario():
                scene = prepared(scenario, progress=context.progress)
                session = _begun(folder, scene, seed_of(trial.seed), options)
    return state_of(folder, session, options.minutes)


def train(given: TrainInput, context: Context) -> SessionState:
    """Train as the participant asked, and say how the session stands then; the same again changes nothing.

    Cancelled, it is paused after the last whole epoch. Raises Refused for what cannot be trained, where the scenario
    cannot be used here or the session's files are damaged, and where the numbers are not finite: then the network is
    as before, and so is the arrangement.
    """
    _, options, _ = asked_trial(context)
    folder = session_folder(context)
    with folder.held(WAIT_S, lambda: context.progress(0.0, "waiting for another process")):
        session = begun(folder)
        if not _is_done(session, given):
            asked_at = min(context.asked_at or time.time(), time.time())
            plan = _plan_of(folder, session, given, options, asked_at)
            with _clock_stopped(folder, max(asked_at, session.shown_at)), of_the_scenario():
                scene = prepared(session.state.scenario, session.preparation)
                now = session.state
                left = (now.interactions - now.number) * now.epochs_each if given.rest else 0
                last = now.epoch + plan.epochs + left
                work = Work(folder, scene, options, context, now.epoch, last)
                session = work.train(session, plan)
                while given.rest and session.state.number <= session.state.interactions:
                    session = work.train(session, _rest_of(session, options))
            session = begun(folder)
    return state_of(folder, session, options.minutes)


@contextmanager
def _clock_stopped(folder: SessionFolder, since: float) -> Iterator[None]:
    """However a training ends, the participant's time goes on from where they asked for it."""
    try:
        yield
    finally:
        session = begun(folder)
        folder.write(session.model_copy(update={"waited_s": session.waited_s + time.time() - since}))


def _begun(folder: SessionFolder, scene: Prepared, seed: int, options: LatentOptions) -> Session:
    """The session as it is first shown."""
    scenario, examples = scene.scenario, scene.shown(options.points)
    model, optimizer = scene.model(options.scale)
    labels = scene.data.labels[torch.from_numpy(examples)].tolist()
    points, predictions = placed(model, scene, examples)
    evaluation = evaluate(
        model, scene.data.validation_x, scene.data.validation_labels, len(scenario.classes), epoch=len(scene.curve)
    )
    record = SessionRecord(
        scenario=scenario.name,
        classes=list(scenario.classes),
        seed=seed,
        points=len(examples),
        scale=options.scale,
        pretraining=len(scene.curve),
        curve=list(scene.curve),
        interactions=[],
    )
    state = SessionState(
        scenario=scenario.name,
        title=scenario.title,
        kind=scenario.kind,
        classes=list(scenario.classes),
        number=1,
        interactions=options.interactions,
        epoch=len(scene.curve),
        epochs=len(scene.curve) + options.interactions * options.epochs,
        epochs_each=options.epochs,
        x=points[0],
        y=points[1],
        labels=labels,
        predictions=predictions,
        class_accuracy=evaluation.class_accuracy,
        confusion=evaluation.confusion,
        seconds_left=0,
        record=record,
    )
    at = time.time()
    session = Session(state=state, preparation=scene.digest, begun_at=at, shown_at=at)
    folder.write_shown(examples)
    write_state(folder.checkpoint(1), LatentState.of(model, optimizer, scene.curve))
    folder.write(session)
    return session


def _is_done(session: Session, given: TrainInput) -> bool:
    """Whether this was trained already: the job ran before, or another window asked for the same."""
    now = session.state
    if given.rest:
        return now.number > now.interactions
    return given.number == now.number - 1 and (given.resume or session.last == digest_of(given))


def _plan_of(
    folder: SessionFolder, session: Session, given: TrainInput, options: LatentOptions, asked_at: float
) -> Plan:
    """What is to be trained first: what was begun before, or what is asked for. Raises Refused for what cannot be."""
    now = session.state
    in_time = asked_at <= session.over_at(options.minutes) + (-LEEWAY_S if given.rest else LEEWAY_S)
    if given.number > now.number or (given.number < now.number and not given.rest) or now.number > now.interactions:
        raise wrong_number(given.number, now)
    plan = folder.read_plan(now.number)
    if plan is None:
        folder.drop_plan()  # of one that cannot be read, nothing is to stay
    if given.resume:
        if plan is None:
            raise Refused("No training is paused in this interaction; reload the page.")
        return plan
    if given.rest:
        if in_time:
            raise Refused("There is time left for this session; train with an arrangement.")
        return plan or _rest_of(session, options)
    if plan is not None and plan.digest == digest_of(given):
        return plan
    check_points(len(given.x), now)
    check_movements(given.movements, now)
    if given.epochs not in (None, options.epochs) and not options.choose_epochs:
        raise Refused(f"This study trains {options.epochs} epochs after each interaction, not {given.epochs}.")
    if given.alpha != options.alpha and not options.choose_alpha:
        raise Refused(f"Alpha is {options.alpha:g} in this study; it cannot be {given.alpha:g}.")
    if not in_time:
        raise Refused("The time for this session is over; train the rest without an arrangement.")
    folder.drop_plan()
    return Plan(given=given, epochs=given.epochs or options.epochs)


def _rest_of(session: Session, options: LatentOptions) -> Plan:
    """The next interaction without a person."""
    return Plan(given=TrainInput(number=session.state.number, x=[], y=[], rest=True), epochs=options.epochs)
