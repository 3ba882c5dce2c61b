"""HILL: people rearrange the latent space of a network while it trains, and the network trains towards it.

A real item is a scenario, that is, a data set with a network: {"scenario": "digits"}. A real response:

    {"session": {"scenario": "digits", "seed": 1204319, "interactions": [...], ...}, "strategy": "I pulled ..."}

The session has all fields of `latent_records.SessionRecord`; the server's steps make it, and the page sends it back
with what the participant wrote about their strategy. The steps are those of `latent_options.LIVE_STEPS`.

Source: D. Geissler et al., *Human in the Latent Loop (HILL)*, sections 3.2, 3.3 and 4.1.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from crowdloom.tasks.columns import Column
from crowdloom.tasks.latent_examples import EXAMPLES
from crowdloom.tasks.latent_imagined import imagine_session, thinking_time
from crowdloom.tasks.latent_options import LIVE_STEPS, LatentOptions
from crowdloom.tasks.latent_people import LatentBehaviour, arrange
from crowdloom.tasks.latent_records import Interaction, SessionRecord, SessionState
from crowdloom.tasks.percent import chosen
from crowdloom.tasks.protocol import Answer, AnswerError, Call, Form, Person, Trial

MOST_WRITTEN = 5_000
"""Characters about the strategy."""

SAID: Mapping[str, str] = {
    "compactness": "I pulled the points of each class closer to its centre.",
    "distance": "I moved the classes away from each other.",
    "merge": "I moved the classes together that were taken for each other.",
    "keep": "I left most of it as it was and moved a few stray points.",
    "change": "I tried something else each time.",
}
"""What simulated people write about their strategy, by its name."""

_NOT_OURS = "This is not the session of this page; please reload it."
_BUILT_IN = ("digits", "signals")


class LatentSession:
    """The task `latent-session`."""

    name = "latent-session"
    template = "tasks/latent_session.html"
    summary = "How people rearrange what a network sees while it trains, and what that makes of it."
    columns = (
        Column("accuracy", "number", "the validation accuracy at the end, 0-1"),
        Column("accuracy_before", "number", "the validation accuracy before the first interaction, 0-1"),
        Column("macro_f1", "number", "the macro-F1 on the validation examples at the end, 0-1"),
        Column("interactions", "number", "interactions with the person, without those that ran out of time"),
        Column("movements", "number", "movements in all interactions, undone ones included"),
        Column("seconds", "number", "seconds from each arrangement to its training, summed"),
        Column("alpha", "number", "the mean share of the person in the loss, 0-1"),
    )
    live_steps = LIVE_STEPS
    options = LatentOptions
    behaviour = LatentBehaviour
    examples = EXAMPLES

    def check_classes(self, classes: Sequence[str]) -> str | None:
        """A network tells at least two classes apart."""
        return None if len(classes) >= 2 else f"at least two classes are needed, got {len(classes)}"

    def check_item(self, trial: Trial) -> str | None:
        """A scenario."""
        if trial.attributes.get("scenario"):
            return None
        return 'scenario is missing; this task needs items of source = "scenarios", with names = ["digits", …]'

    def stand_in(
        self, classes: Sequence[str], options: Any, behaviour: Any, number: int, rng: random.Random
    ) -> tuple[dict[str, Any], Sequence[str]]:
        """One of the scenarios that need no data."""
        return {"scenario": _BUILT_IN[number % len(_BUILT_IN)]}, ()

    def parse(self, form: Form, trial: Trial) -> Answer:
        """The answer in a posted form: the record of a session that has come to its end, and what was written.

        >>> trial, answer = LatentSession.examples[0]
        >>> LatentSession().parse(LatentSession().form(answer), trial)["strategy"]
        'I pulled the points of each class closer to its centre.'
        """
        errors: dict[str, str] = {}
        record = _read_record(chosen(form, "session"), trial, errors)
        written = chosen(form, "strategy") or ""
        written = written.replace("\r\n", "\n").replace("\0", "").encode("utf-8", "replace").decode().strip()
        if len(written) > MOST_WRITTEN:
            errors["strategy"] = f"These are {len(written):,} characters; please write at most {MOST_WRITTEN:,}."
        if errors or record is None:
            raise AnswerError(errors)
        return {"session": record.model_dump(mode="json"), "strategy": written}

    def form(self, answer: Answer) -> dict[str, list[str]]:
        """The fields of the page that would post this answer."""
        return {
            "session": [json.dumps(answer["session"], separators=(",", ":"))],
            "strategy": [answer["strategy"]],
        }

    def typed(self, answer: Answer, classes: Sequence[str]) -> tuple[object, ...]:
        """The answer in the order of `columns`."""
        session = answer["session"]
        end, before = session["curve"][-1], session["curve"][session["pretraining"] - 1]
        own = [one for one in session["interactions"] if not one["without_person"]]
        return (
            end["accuracy"],
            before["accuracy"],
            end["macro_f1"],
            len(own),
            sum(len(one["movements"]) for one in own),
            sum(one["seconds"] for one in own),
            sum(one["alpha"] for one in own) / len(own) if own else None,
        )

    def simulate(
        self, truth: Mapping[str, float], person: Person, trial: Trial, rng: random.Random
    ) -> dict[str, list[str]]:
        """A session that nothing was trained in: all that a network would do is drawn, as `latent_imagined` says.

        The person's strategy is drawn by the behaviour's shares, and they rearrange as `latent_people` says; a careless
        one, whose chance is `person.careless`, moves nothing and writes nothing. The scenario is taken to have all of
        the design's classes. The truth and the person's skill play no part. Rehearsals do not use this, but
        `simulate_live`, where networks are really trained.
        """
        behaviour = person.behaviour or LatentBehaviour()
        strategy, careless = behaviour.draw(rng), rng.random() < person.careless
        scenario = str(trial.attributes.get("scenario"))
        record = imagine_session(scenario, trial.classes, trial.options, strategy, behaviour.strength, careless, rng)
        return self.form({"session": record.model_dump(mode="json"), "strategy": "" if careless else SAID[strategy]})

    def simulate_live(self, call: Call, person: Person, trial: Trial, rng: random.Random) -> dict[str, list[str]]:
        """Go through a session by calling its steps: rearrange as `latent_people` says, train, and so on to its end.

        It looks at an item and keeps its arrangement as the page does, takes up what was paused or kept on an earlier
        visit, and trains the rest where the time is over. A careless person trains without moving anything.
        """
        behaviour = person.behaviour or LatentBehaviour()
        strategy, careless = behaviour.draw(rng), rng.random() < person.careless
        found = call("state", {})["state"]
        state = SessionState.model_validate(found if found is not None else call("open", {}))
        while (number := state.number) <= state.interactions:
            asked = _next_training(call, state, trial.options, strategy, 0.0 if careless else behaviour.strength, rng)
            state = SessionState.model_validate(call("train", asked))
            if state.number <= number:
                raise RuntimeError(f"the step train ended, and interaction {number} is still the next one")
        record = state.record.model_dump(mode="json")
        return self.form({"session": record, "strategy": "" if careless else SAID[strategy]})


def _next_training(
    call: Call, state: SessionState, options: LatentOptions, strategy: str, strength: float, rng: random.Random
) -> dict[str, Any]:
    """The input of `train` with which a session goes on."""
    lies = {"number": state.number, "alpha": options.alpha, "x": state.x, "y": state.y}
    if state.paused is not None:
        return lies | {"resume": True}
    if state.seconds_left <= 0:
        return lies | {"rest": True}
    call("item", {"point": rng.randrange(len(state.labels))})
    if state.draft is not None:  # from an earlier visit
        x, y, movements = state.draft.x, state.draft.y, state.draft.movements
    else:
        said = (state.labels, state.predictions, state.confusion, len(state.classes))
        x, y, movements = arrange(strategy, state.x, state.y, *said, rng, strength, state.number)
    moved = [movement.model_dump(mode="json") for movement in movements]
    lies |= {"x": x, "y": y}
    if state.draft is None:
        call("keep", lies | {"first": 0, "movements": moved})
    seconds = thinking_time(movements[-1].at_ms if movements else 0.0, rng)
    return lies | {"seconds": seconds, "movements": moved}


def _read_record(written: str | None, trial: Trial, errors: dict[str, str]) -> SessionRecord | None:
    """The session in the page's hidden field; what is wrong with it adds a sentence to `errors`."""
    if written is None:
        errors["session"] = "The session has not begun; go through it first."
        return None
    try:
        record = SessionRecord.model_validate_json(written.encode("utf-8", "replace"))
    except ValidationError:
        errors["session"] = _NOT_OURS
        return None
    if problem := next(_problems(record, trial), None):
        errors["session"] = problem
        return None
    return record


def _problems(record: SessionRecord, trial: Trial) -> Iterator[str]:
    """Why a record is not the answer to this trial, the first thing first."""
    options: LatentOptions = trial.options
    if record.scenario != trial.attributes["scenario"]:
        yield f"This session is of the scenario {record.scenario[:50]}, and not of this page; please reload it."
    if len(set(record.classes)) < len(record.classes):
        yield _NOT_OURS
    if [one.number for one in record.interactions] != list(range(1, len(record.interactions) + 1)):
        yield _NOT_OURS
    reached = record.pretraining
    for one in record.interactions:
        if one.epoch != reached:
            yield _NOT_OURS
        reached += one.epochs
    if [epoch.epoch for epoch in record.curve] != list(range(1, reached + 1)):
        yield _NOT_OURS
    if not all(_fits(one, record) for one in record.interactions):
        yield _NOT_OURS
    over = bool(record.interactions) and record.interactions[-1].without_person
    left = options.interactions - len(record.interactions)
    if left > 0 and not over:
        yield f"The session is not at its end: {left} of {options.interactions} trainings are left."
    if left < 0:
        yield _NOT_OURS


def _fits(interaction: Interaction, record: SessionRecord) -> bool:
    """Whether everything in it is about the classes and points of its session."""
    classes = len(record.classes)
    shapes = (interaction.before, interaction.intended, interaction.after)
    by_class = [part for shape in shapes for part in (shape.centres, shape.spreads)]
    by_class += [interaction.class_accuracy_before, interaction.class_accuracy_after]
    return (
        all(len(part) == classes for part in by_class)
        and all([one is None for one in shape.centres] == [one is None for one in shape.spreads] for shape in shapes)
        and max(interaction.wrong_before, interaction.wrong_after) <= record.points
        and all(
            (move.label is None or move.label < classes)
            and (move.point is None or move.point < record.points)
            and move.points <= record.points
            for move in interaction.movements
        )
    )
