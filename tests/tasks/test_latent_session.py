"""The latent-session task: what it refuses, what it counts, and how its simulated people go through their steps."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from crowdloom.analysis.latent_frames import check_record
from crowdloom.tasks.latent_hand import shape_of
from crowdloom.tasks.latent_imagined import MOST_POINTS
from crowdloom.tasks.latent_options import LIVE_STEPS, LatentOptions
from crowdloom.tasks.latent_people import LatentBehaviour
from crowdloom.tasks.latent_records import SessionRecord
from crowdloom.tasks.latent_session import MOST_WRITTEN, SAID, LatentSession
from crowdloom.tasks.protocol import AnswerError, LiveTask, Person, Trial

TASK = LatentSession()
(TRIAL, ANSWER), (OVER, OVER_ANSWER) = TASK.examples
DIGITS = tuple("0123456789")
ON_DIGITS = Trial(classes=DIGITS, class_order=DIGITS, attributes={"scenario": "digits"}, options=LatentOptions())


def refused(session: Any, trial: Trial = TRIAL, strategy: str = "") -> dict[str, str]:
    """The errors in a form with this session."""
    with pytest.raises(AnswerError) as caught:
        TASK.parse({"session": [json.dumps(session)], "strategy": [strategy]}, trial)
    return caught.value.errors


def changed(*path: Any, to: Any) -> dict[str, Any]:
    """The example's session with one thing in it changed."""
    session: dict[str, Any] = deepcopy(ANSWER["session"])
    *most, last = path
    inner: Any = session
    for part in most:
        inner = inner[part]
    inner[last] = deepcopy(to)  # the examples are shared by all tests of a process
    return session


def test_the_columns_say_what_a_session_came_to() -> None:
    """Interactions that nobody had time for count as no interaction, and add nothing."""
    names = [column.name for column in TASK.columns]
    assert dict(zip(names, TASK.typed(ANSWER, TRIAL.classes), strict=True)) == {
        "accuracy": 0.77,
        "accuracy_before": 0.7,
        "macro_f1": 0.75,
        "interactions": 2,
        "movements": 4,
        "seconds": 61.5,
        "alpha": 0.6,
    }
    assert TASK.typed(OVER_ANSWER, OVER.classes)[3:] == (1, 3, 41.5, 0.5)
    nobody = deepcopy(OVER_ANSWER)
    nobody["session"]["interactions"][0]["without_person"] = True
    assert TASK.typed(nobody, OVER.classes)[3:] == (0, 0, 0, None)


@pytest.mark.parametrize(
    "session",
    [
        changed("classes", to=["resting", "walking"]),
        changed("classes", to=["resting", "walking", "walking"]),
        changed("interactions", 1, "number", to=3),
        changed("interactions", 1, "epoch", to=5),
        changed("curve", 4, "epoch", to=6),
        changed("curve", 4, "accuracy", to=1.5),
        changed("interactions", 0, "before", "spreads", to=[0.5]),
        changed("interactions", 0, "after", "centres", 0, to=None),
        changed("interactions", 0, "class_accuracy_after", to=[0.5, 0.5]),
        changed("interactions", 0, "wrong_after", to=121),
        changed("interactions", 0, "movements", 0, "label", to=3),
        changed("interactions", 0, "movements", 0, "point", to=120),
        changed("interactions", 0, "movements", 2, "points", to=121),
        changed("interactions", 0, "movements", 0, "kind", to="throw"),
        changed("interactions", 0, "movements", 0, "at_ms", to=1e308),
        changed("interactions", 0, "seconds", to=1e308),
        changed("interactions", 0, "after", "spreads", 0, to=1e308),
        changed("interactions", 0, "after", "spreads", 0, to=-0.1),
        changed("interactions", to=[*ANSWER["session"]["interactions"], ANSWER["session"]["interactions"][1]]),
        [],
        {},
    ],
)
def test_a_session_that_contradicts_itself_is_refused(session: Any) -> None:
    """In one sentence, beside the session."""
    assert refused(session) == {"session": "This is not the session of this page; please reload it."}


def test_a_session_of_another_scenario_is_refused() -> None:
    """The sentence names the scenario."""
    assert (
        "of the scenario signals, and not of this page"
        in refused(ANSWER["session"], replace(TRIAL, attributes={"scenario": "digits"}))["session"]
    )


def test_a_session_must_be_at_its_end() -> None:
    """All interactions are done, or the time was over and the rest was trained."""
    first = changed("interactions", to=ANSWER["session"]["interactions"][:1])
    first["curve"] = first["curve"][:4]
    assert refused(first) == {"session": "The session is not at its end: 1 of 2 trainings are left."}
    first["interactions"][0]["without_person"] = True
    assert TASK.parse({"session": [json.dumps(first)]}, TRIAL)["strategy"] == ""
    assert refused(None)["session"] == "This is not the session of this page; please reload it."
    with pytest.raises(AnswerError, match="has not begun"):
        TASK.parse({}, TRIAL)


def test_what_is_written_can_be_stored_everywhere() -> None:
    """Line breaks as one sign; no NUL and no half of a character, which PostgreSQL refuses."""
    written = TASK.parse(TASK.form({**ANSWER, "strategy": " one\r\ntwo\x00 \ud800 "}), TRIAL)["strategy"]
    assert written == "one\ntwo ?"
    said = refused(ANSWER["session"], strategy="a" * (MOST_WRITTEN + 1))
    assert said == {"strategy": "These are 5,001 characters; please write at most 5,000."}


def test_designs_are_told_what_they_lack() -> None:
    """Classes that a network can tell apart, and a scenario for each item."""
    assert TASK.check_classes(["one"]) == "at least two classes are needed, got 1"
    assert 'source = "scenarios"' in str(TASK.check_item(replace(TRIAL, attributes={})))
    made, views = TASK.stand_in(DIGITS, LatentOptions(), LatentBehaviour(), 1, random.Random(1))
    assert (made, views) == ({"scenario": "signals"}, ())


@pytest.mark.parametrize(
    ("strategies", "said"),
    [
        ({"guess": 1.0}, "no strategy is called 'guess'; there are: compactness, distance, merge, keep, change"),
        ({"keep": -1.0}, "expected shares of at least 0, got keep = -1.0"),
        ({"keep": 0.0}, "nobody has any strategy"),
    ],
)
def test_a_behaviour_names_strategies_with_shares(strategies: dict[str, float], said: str) -> None:
    """Others are refused with what there is."""
    with pytest.raises(ValueError, match=said):
        LatentBehaviour(strategies=strategies)


@pytest.mark.parametrize("points", [2, 25, 1000])
def test_an_imagined_session_is_whole(points: int) -> None:
    """What is drawn without a server passes the checks of the analysis, too, and is as long as the options say."""
    options = LatentOptions(points=points, interactions=3, epochs=2, alpha=0.4)
    form = TASK.simulate({}, Person(), replace(ON_DIGITS, options=options), random.Random(points))
    record = SessionRecord.model_validate_json(form["session"][0])
    check_record(record)
    assert record.points == min(points, MOST_POINTS)
    assert len(record.curve) == record.pretraining + 6
    assert [one.alpha for one in record.interactions] == [0.4] * 3
    assert record.curve[-1].accuracy > record.curve[0].accuracy
    for before, after in zip(record.interactions, record.interactions[1:], strict=False):
        assert after.before == before.after
        assert after.class_accuracy_before == before.class_accuracy_after
        assert after.wrong_before == before.wrong_after


def test_the_careless_move_nothing() -> None:
    """Nor do they write anything."""
    form = TASK.simulate({}, Person(careless=1), ON_DIGITS, random.Random(2))
    record = SessionRecord.model_validate_json(form["session"][0])
    assert form["strategy"] == [""]
    assert all(not one.movements and one.intended == one.before for one in record.interactions)


class Network:
    """The steps of a session whose network does just what it is told, and forgets nothing."""

    def __init__(self, interactions: int = 2, **state: Any) -> None:
        rng = random.Random(5)
        self.labels = [number % 3 for number in range(30)]
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.state: dict[str, Any] | None = None
        self.begun: dict[str, Any] = {
            "scenario": "signals",
            "title": "Signals",
            "kind": "signal",
            "classes": list(TRIAL.classes),
            "number": 1,
            "interactions": interactions,
            "epoch": 3,
            "epochs": 3 + interactions,
            "epochs_each": 1,
            "x": [rng.gauss(label, 0.5) for label in self.labels],
            "y": [rng.gauss(-label, 0.5) for label in self.labels],
            "labels": self.labels,
            "predictions": [rng.randrange(3) for _ in self.labels],
            "class_accuracy": [0.5, 0.5, None],
            "confusion": [[5, 3, 2], [3, 5, 2], [2, 3, 5]],
            "seconds_left": 100.0,
            "record": ANSWER["session"] | {"points": 30, "interactions": [], "curve": ANSWER["session"]["curve"][:3]},
        } | state

    def __call__(self, step: str, values: dict[str, Any]) -> dict[str, Any]:
        """Any step; the input is one that the step takes."""
        given = LIVE_STEPS[step].input.model_validate(values)
        self.calls.append((step, values))
        if step == "state":
            return {"state": self.state}
        if step == "open":
            self.state = self.begun
        elif step == "train":
            self._train(given)
        elif step == "keep":
            return {"movements": len(values["movements"])}
        else:
            return {"kind": "signal", "label": 0}
        assert self.state is not None
        return deepcopy(self.state)

    def _train(self, given: Any) -> None:
        state = self.state
        assert state is not None
        assert given.number == state["number"]
        record = state["record"]
        rest = state["interactions"] - given.number + 1 if given.rest else 1
        x, y = (state["x"], state["y"]) if given.resume else (given.x, given.y)
        epoch = len(record["curve"])
        record["interactions"].append(
            {
                "number": given.number,
                "epoch": epoch,
                "epochs": rest,
                "alpha": given.alpha,
                "seconds": given.seconds,
                "movements": [movement.model_dump() for movement in given.movements],
                "before": shape_of(state["x"], state["y"], self.labels, 3).model_dump(),
                "intended": shape_of(x, y, self.labels, 3).model_dump(),
                "after": shape_of(x, y, self.labels, 3).model_dump(),
                "class_accuracy_before": [0.5, 0.5, None],
                "class_accuracy_after": [0.5, 0.5, None],
                "wrong_before": 3,
                "wrong_after": 3,
                "without_person": given.rest,
            }
        )
        record["curve"] += [{"epoch": epoch + more + 1, "accuracy": 0.8, "macro_f1": 0.8} for more in range(rest)]
        state |= {"x": list(x), "y": list(y), "paused": None, "draft": None, "epoch": epoch + rest}
        state["number"] += rest

    def steps(self) -> list[str]:
        """The names of the steps that were called, in their order."""
        return [step for step, _ in self.calls]


@pytest.mark.parametrize("strategy", list(SAID))
def test_a_simulated_participant_goes_through_a_session(strategy: str) -> None:
    """They begin it, look at an item, keep, train, and so on, and post an answer that says what they did."""
    assert isinstance(TASK, LiveTask)
    network = Network()
    person = Person(behaviour=LatentBehaviour(strategies={strategy: 1}))
    answer = TASK.parse(TASK.simulate_live(network, person, TRIAL, random.Random(1)), TRIAL)
    assert network.steps() == ["state", "open", *["item", "keep", "train"] * 2]
    assert answer["strategy"] == SAID[strategy]
    for number, asked in enumerate([values for step, values in network.calls if step == "train"], 1):
        assert asked["number"] == number
        assert asked["movements"]
        assert asked["seconds"] > asked["movements"][-1]["at_ms"] / 1000
        assert asked["alpha"] == TRIAL.options.alpha


def test_who_comes_back_goes_on_where_they_stopped() -> None:
    """A paused training is taken up, then what was kept is trained, and nothing is begun twice."""
    network = Network(paused={"number": 1, "epochs_done": 0, "epochs": 1})
    network("open", {})
    kept = {"x": [1.0] * 30, "y": [2.0] * 30, "alpha": 0.5, "movements": [{"at_ms": 1, "kind": "lasso", "points": 30}]}
    train = network._train

    def and_keep(given: Any) -> None:
        train(given)
        assert network.state is not None
        if given.resume:
            network.state["draft"] = kept

    network._train = and_keep  # type: ignore[method-assign]
    answer = TASK.parse(TASK.simulate_live(network, Person(), TRIAL, random.Random(1)), TRIAL)
    assert network.steps() == ["open", "state", "train", "item", "train"]
    assert answer["session"]["interactions"][0]["movements"] == []
    last = network.calls[-1][1]
    assert (last["x"], last["y"]) == (kept["x"], kept["y"])
    assert [move["kind"] for move in last["movements"]] == ["lasso"]


def test_when_the_time_is_over_the_rest_is_trained() -> None:
    """Nobody arranges anything any more, and the answer is whole."""
    network = Network(seconds_left=0.0)
    answer = TASK.parse(TASK.simulate_live(network, Person(), TRIAL, random.Random(1)), TRIAL)
    assert network.steps() == ["state", "open", "train"]
    assert [one["without_person"] for one in answer["session"]["interactions"]] == [True]


def test_a_server_that_stands_still_ends_the_simulation() -> None:
    """A training that leads to the same interaction again is a bug of the server's, and no endless loop."""
    network = Network()
    network._train = lambda given: None  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="interaction 1 is still the next one"):
        TASK.simulate_live(network, Person(), TRIAL, random.Random(1))
