"""Sessions: they begin, train, pause, go on, are given up, and refuse what cannot be.

One long file: each test is a few steps of the same session, told with the same few helpers at its top.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crowdloom.models.latent_baseline import baseline
from crowdloom.models.latent_cache import prepared
from crowdloom.models.latent_session import begin, seed_of, train
from crowdloom.models.latent_session_files import session_folder
from crowdloom.models.latent_steps import discard, item, keep, state
from crowdloom.models.live import Cancelled, Context, Refused
from crowdloom.models.run_folder import read_tensors
from crowdloom.tasks.latent_records import ItemInput, KeepInput, Movement, Nothing, SessionState, TrainInput
from tests.models.latent_sessions import BRITTLE, context, same, spread_out


@pytest.fixture(scope="module", autouse=True)
def folder(scenarios: Path) -> Iterator[None]:
    """Where the prepared scenarios lie."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROWDLOOM_SCENARIOS", str(scenarios))
        yield


def stopping_at(message: str) -> tuple[Callable[[float, str], None], Callable[[], bool]]:
    """A participant who pauses as soon as such a message is read."""
    heard: list[str] = []
    return (lambda fraction, said: heard.append(said)), (lambda: any(said.startswith(message) for said in heard))


def pause(folder: Path, given: TrainInput, message: str, **options: Any) -> None:
    """Train until that message comes."""
    report, stopped = stopping_at(message)
    with pytest.raises(Cancelled):
        train(given, context(folder, report=report, stopped=stopped, **options))


def now(asker: Context) -> SessionState:
    """What a page that is opened again finds."""
    found = state(Nothing(), asker).state
    assert found is not None
    return found


def long_ago(asker: Context, minutes: float) -> None:
    """Let a session have begun so long ago."""
    folder = session_folder(asker)
    session = folder.read()
    assert session is not None
    at = {name: getattr(session, name) - 60 * minutes for name in ("begun_at", "shown_at")}
    folder.write(session.model_copy(update=at))


def test_a_session_from_the_first_page_to_the_last(tmp_path: Path) -> None:
    """Before it begins there is none; each interaction trains as far as the study says, and all is in the record."""
    heard: list[tuple[float, str]] = []
    asker = context(tmp_path, report=lambda fraction, said: heard.append((fraction, said)), points=60, interactions=2)
    assert state(Nothing(), asker).state is None
    first = begin(Nothing(), asker)
    assert (first.number, first.epoch, first.epochs, first.epochs_each) == (1, 25, 35, 5)
    assert len(first.x) == len(first.labels) == first.record.points == 60
    assert np.bincount(first.labels).tolist() == [6] * 10
    assert 24 * 60 < first.seconds_left <= 25 * 60
    assert begin(Nothing(), asker).model_copy(update={"seconds_left": first.seconds_left}) == first

    heard.clear()
    given = spread_out(first, alpha=0.7, seconds=12.5, movements=[Movement(at_ms=5, kind="centre", label=3, points=6)])
    second = train(given, asker)
    assert [fraction for fraction, _ in heard] == sorted(fraction for fraction, _ in heard)
    assert heard[-1][0] == 1
    reached = second.record.curve[28]
    assert (
        heard[-1][1]
        == f"epoch 30 of 30 · accuracy {100 * reached.accuracy:.1f} % · macro-F1 {100 * reached.macro_f1:.1f} %"
    )
    assert [one.epoch for one in second.record.curve] == list(range(1, 31))
    (done,) = second.record.interactions
    assert (done.number, done.epoch, done.epochs, done.alpha, done.seconds) == (1, 25, 5, 0.7, 12.5)
    assert done.movements == given.movements
    of_three = np.array([first.x, first.y]).T[np.array(first.labels) == 3]
    assert np.allclose(done.before.centres[3], of_three.mean(0))
    assert np.allclose(done.intended.centres[3], 1.5 * of_three.mean(0))
    spread = np.linalg.norm(of_three - of_three.mean(0), axis=1).mean()
    assert done.intended.spreads[3] == pytest.approx(1.5 * spread)
    assert done.class_accuracy_before == first.class_accuracy
    assert done.wrong_after == sum(a != b for a, b in zip(second.predictions, second.labels, strict=True))
    assert second.before is not None
    assert (second.before.x, second.before.intended_x) == (first.x, given.x)
    assert second.first_step_at is not None

    last = train(spread_out(second), asker)
    assert (last.number, last.epoch, len(last.record.interactions)) == (3, 35, 2)
    assert same(last, now(asker))
    assert last.record.interactions[1].before == last.record.interactions[0].after
    folder = session_folder(asker)
    for number, epoch in ((1, 25), (2, 30), (3, 35)):
        assert len(read_tensors(folder.checkpoint(number))[1]["curve"]) == epoch
    assert not folder.partial.exists()
    with pytest.raises(Refused, match="All interactions of this session are done"):
        train(spread_out(last), asker)


def test_the_person_moves_the_classes(tmp_path: Path) -> None:
    """With alpha 1 the centres come nearer to where they are wanted than the same training without a person."""
    distances = []
    for alpha in (0, 1):
        asker = context(tmp_path / str(alpha), interactions=1, epochs=10)
        given = spread_out(begin(Nothing(), asker), alpha=alpha)
        (done,) = train(given, asker).record.interactions
        distances.append(np.linalg.norm(np.subtract(done.after.centres, done.intended.centres), axis=1).mean())
    assert distances[1] < distances[0]


def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    """A job that runs twice, or two windows that ask for the same, come to one interaction."""
    asker = context(tmp_path)
    given = spread_out(begin(Nothing(), asker))
    once = train(given, asker)
    assert same(train(given, asker), once)
    assert same(train(TrainInput(number=1, x=[], y=[], resume=True), asker), once)
    with pytest.raises(Refused, match="Interaction 1 is trained already, perhaps from another window; reload"):
        train(given.model_copy(update={"alpha": 0.1}), asker)
    assert same(now(asker), once)


def test_sessions_have_their_own_numbers(tmp_path: Path) -> None:
    """The trial's seed decides; the same one gives the same numbers elsewhere."""
    ends = []
    for folder, seed in (("a", "one"), ("b", "two"), ("c", "one")):
        asker = context(tmp_path / folder, seed=seed)
        ends.append(train(spread_out(begin(Nothing(), asker)), asker))
    assert same(ends[0], ends[2])
    assert ends[0].record.curve[-1] != ends[1].record.curve[-1] or ends[0].x != ends[1].x
    assert ends[0].record.seed == seed_of("one") < 2**31


@pytest.mark.parametrize("message", ["epoch 26 of 30", "epoch 29 of 30"])
def test_a_paused_training_goes_on(tmp_path: Path, message: str) -> None:
    """It stops after the last whole epoch and comes to the same numbers as without a pause, asked to go on or again."""
    undisturbed = context(tmp_path / "undisturbed")
    given = spread_out(begin(Nothing(), undisturbed))
    end = train(given, undisturbed)
    for way in ("resume", "again"):
        asker = context(tmp_path / way)
        first = begin(Nothing(), asker)
        pause(tmp_path / way, given, message)
        found = now(asker)
        assert found.paused is not None
        epochs_done = int(message.split()[1]) - 26
        assert (found.paused.number, found.paused.epochs_done, found.paused.epochs) == (1, epochs_done, 5)
        assert found.draft is not None
        assert (found.draft.x, found.x) == (given.x, first.x)
        again = train(TrainInput(number=1, x=[], y=[], resume=True) if way == "resume" else given, asker)
        assert same(again, end)
        assert now(asker).paused is None


def test_a_paused_training_can_be_given_up(tmp_path: Path) -> None:
    """The network is as before and the arrangement stays; another one then has the numbers of a first one."""
    other = context(tmp_path / "other")
    first = begin(Nothing(), other)
    end = train(spread_out(first, alpha=0.9), other)
    asker = context(tmp_path / "here")
    begin(Nothing(), asker)
    pause(tmp_path / "here", spread_out(first), "epoch 28 of 30")
    found = discard(Nothing(), asker)
    assert found.paused is None
    assert (found.number, found.epoch, found.x) == (1, 25, first.x)
    assert found.draft is not None
    assert found.draft.x == spread_out(first).x
    assert discard(Nothing(), asker).paused is None
    with pytest.raises(Refused, match="No training is paused in this interaction"):
        train(TrainInput(number=1, x=[], y=[], resume=True), asker)
    assert same(train(spread_out(first, alpha=0.9), asker), end)


def test_another_arrangement_takes_the_place_of_a_paused_one(tmp_path: Path) -> None:
    """Its training begins where the interaction began."""
    other = context(tmp_path / "other")
    first = begin(Nothing(), other)
    end = train(spread_out(first, alpha=0.9), other)
    asker = context(tmp_path / "here")
    begin(Nothing(), asker)
    pause(tmp_path / "here", spread_out(first), "epoch 28 of 30")
    assert same(train(spread_out(first, alpha=0.9), asker), end)


def test_a_session_that_is_being_trained_is_not_paused(tmp_path: Path) -> None:
    """While a process works on it nothing is paused and nothing can be given up."""
    asker = context(tmp_path)
    given = spread_out(begin(Nothing(), asker))
    pause(tmp_path, given, "epoch 28 of 30")
    with session_folder(asker).held():
        assert now(asker).paused is None
        with pytest.raises(Refused, match="The network is being trained"):
            discard(Nothing(), asker)
    assert now(asker).paused is not None


def test_two_looks_at_once_see_the_same(tmp_path: Path) -> None:
    """Whether somebody else asks at this moment changes neither what is paused nor what can be given up."""
    asker = context(tmp_path)
    given = spread_out(begin(Nothing(), asker))
    pause(tmp_path, given, "epoch 28 of 30")
    with ThreadPoolExecutor(1) as other:
        with (session_folder(asker).path / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # as somebody who looks
            assert now(asker).paused is not None
            given_up = other.submit(discard, Nothing(), asker)
            time.sleep(0.05)
        assert given_up.result().paused is None


def test_the_progress_of_the_rest_counts_a_training_of_chosen_length(tmp_path: Path) -> None:
    """Whoever paused a longer training as the time ran out reads where it ends, and the bar never stands still."""
    asker = context(tmp_path, choose_epochs=True)
    first = begin(Nothing(), asker)
    pause(tmp_path, spread_out(first, epochs=20), "epoch 27 of 45", choose_epochs=True)
    long_ago(asker, 60)
    heard: list[tuple[float, str]] = []
    rest = context(tmp_path, choose_epochs=True, report=lambda share, said: heard.append((share, said)))
    assert train(TrainInput(number=1, x=[], y=[], rest=True), rest).epoch == 60
    shares = [share for share, _ in heard]
    assert shares == sorted(set(shares))
    assert heard[-1][0] == 1
    assert heard[-1][1].startswith("epoch 60 of 60")


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    """An arrangement with its movements, each once; missing ones are asked for, and training ends the draft."""
    asker = context(tmp_path, points=20)
    first = begin(Nothing(), asker)
    moves = [Movement(at_ms=n, kind="point", point=n, label=0, points=1, dx=1) for n in range(4)]

    def kept(number: int, begun: int, *movements: Movement, x: float = 0) -> int:
        given = KeepInput(number=number, alpha=0.4, first=begun, movements=list(movements), x=[x] * 20, y=[1] * 20)
        return keep(given, asker).movements

    assert kept(1, 0, *moves[:2]) == 2
    assert kept(1, 3, moves[3]) == 2
    assert kept(1, 2, *moves[2:]) == 4
    assert kept(1, 2, *moves[2:], x=7) == 4
    draft = now(asker).draft
    assert draft is not None
    assert (draft.movements, draft.x, draft.alpha) == (moves, [7] * 20, 0.4)
    train(spread_out(first), asker)
    assert now(asker).draft is None
    with pytest.raises(Refused, match="Interaction 1 is trained already"):
        kept(1, 0)
    assert kept(2, 0) == 0


def test_what_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    """Points, classes and interactions that are not there, and more movements than there may be."""
    asker = context(tmp_path, points=20)
    empty = KeepInput(number=1, alpha=0.5, first=0, movements=[], x=[0] * 20, y=[0] * 20)
    with pytest.raises(Refused, match="There is no session to go on with; reload"):
        keep(empty, asker)
    begin(Nothing(), asker)
    many = [Movement(at_ms=0, kind="undo")] * 5000
    for values, said in (
        ({"number": 2}, "The next interaction is 1, not 2; reload the page."),
        ({"x": [0], "y": [0]}, "The arrangement has 1 points and the session 20; reload the page."),
        ({"movements": [Movement(at_ms=0, kind="centre", label=10)]}, "There is no class 10"),
        ({"movements": [Movement(at_ms=0, kind="point", point=20)]}, "There is no point 20"),
        ({"movements": [Movement(at_ms=0, kind="lasso", points=21)]}, "A movement cannot be of 21 points"),
    ):
        with pytest.raises(Refused, match=said):
            keep(empty.model_copy(update=values), asker)
    assert keep(empty.model_copy(update={"movements": many}), asker).movements == 5000
    with pytest.raises(Refused, match="more than 5,000 movements"):
        keep(empty.model_copy(update={"first": 5000, "movements": many[:1]}), asker)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"number": 3}, r"The next interaction is 1, not 3; reload the page\."),
        ({"x": [0.0], "y": [0.0]}, r"The arrangement has 1 points and the session 100; reload the page\."),
        ({"epochs": 6}, r"This study trains 5 epochs after each interaction, not 6\."),
        ({"alpha": 0.6}, r"Alpha is 0\.5 in this study; it cannot be 0\.6\."),
        ({"movements": [Movement(at_ms=0, kind="spread", label=10)]}, r"There is no class 10; the 10 classes"),
        ({"movements": [Movement(at_ms=0, kind="point", point=100)]}, r"There is no point 100; the 100 points"),
        ({"movements": [Movement(at_ms=0, kind="lasso", points=101)]}, r"cannot be of 101 points; there are 100\."),
        ({"resume": True}, r"No training is paused in this interaction; reload the page\."),
        ({"rest": True}, r"There is time left for this session; train with an arrangement\."),
    ],
)
def test_what_cannot_be_trained_is_refused(tmp_path: Path, values: dict[str, Any], said: str) -> None:
    """In one sentence, and the session is as before."""
    asker = context(tmp_path, choose_alpha=False)
    first = begin(Nothing(), asker)
    with pytest.raises(Refused, match=said):
        train(spread_out(first, **values), asker)
    assert same(now(asker), first)


def test_a_page_without_a_trial_is_refused(tmp_path: Path) -> None:
    """No step guesses whose session is meant."""
    for step in (state, begin, discard):
        with pytest.raises(Refused, match="This page did not say which part of the study it belongs to; reload it"):
            step(Nothing(), Context(tmp_path))


def test_epochs_and_alpha_can_be_the_participants(tmp_path: Path) -> None:
    """Where the study leaves them to them; the epochs that are left are counted anew."""
    asker = context(tmp_path, choose_epochs=True)
    after = train(spread_out(begin(Nothing(), asker), epochs=2, alpha=0.25), asker)
    assert (after.epoch, after.epochs) == (27, 42)
    assert (after.record.interactions[0].epochs, after.record.interactions[0].alpha) == (2, 0.25)


def test_the_rest_is_trained_without_a_person_when_the_time_is_over(tmp_path: Path) -> None:
    """It comes to the numbers of the training without a person, paused or not; an arrangement is refused then."""
    asker = context(tmp_path)
    first = begin(Nothing(), asker)
    long_ago(asker, 26)
    assert now(asker).seconds_left == 0
    with pytest.raises(Refused, match="The time for this session is over; train the rest without an arrangement"):
        train(spread_out(first), asker)
    rest = TrainInput(number=1, x=[], y=[], rest=True)
    pause(tmp_path, rest, "epoch 33 of 45")
    assert now(asker).number == 2
    last = train(rest, asker)
    assert (last.number, last.epoch) == (5, 45)
    assert same(train(rest, asker), last)
    assert [done.without_person for done in last.record.interactions] == [True] * 4
    assert all(done.intended == done.before for done in last.record.interactions)
    heard: list[str] = []
    curve = baseline(prepared("digits"), first.record.seed, 20, lambda fraction, said: heard.append(said))
    assert curve == last.record.curve
    assert heard[-1] == "without a person: epoch 45 of 45"
    assert baseline(prepared("digits"), first.record.seed, 5, lambda *_: pytest.fail("trained again")) == curve[:30]


def test_a_click_in_time_that_waited_is_in_time(tmp_path: Path) -> None:
    """Workers that were busy cost nobody an interaction; the wait is not the participant's time."""
    asker = context(tmp_path)
    first = begin(Nothing(), asker)
    long_ago(asker, 26)
    in_time = replace(asker, asked_at=time.time() - 3 * 60)
    after = train(spread_out(first), in_time)
    assert after.number == 2
    assert 2 * 60 - 15 < after.seconds_left <= 2 * 60
    assert now(asker).seconds_left == pytest.approx(after.seconds_left, abs=5)


def test_the_clock_stands_while_it_trains(tmp_path: Path) -> None:
    """Also where the training is paused or refused; a paused one may go on after the time is over."""
    asker = context(tmp_path)
    first = begin(Nothing(), asker)
    long_ago(asker, 10)
    asked_at = time.time() - 5 * 60
    pause(tmp_path, spread_out(first), "epoch 28 of 30", asked_at=asked_at)
    assert 20 * 60 - 15 < now(asker).seconds_left <= 20 * 60
    long_ago(asker, 60)
    assert now(asker).seconds_left == 0
    assert train(TrainInput(number=1, x=[], y=[], resume=True), asker).number == 2
    with pytest.raises(Refused, match="The time for this session is over"):
        train(spread_out(now(asker)), asker)


def test_numbers_that_are_not_finite_cost_only_the_training(tmp_path: Path) -> None:
    """One sentence; the network is as before, the arrangement stays, and the next training goes well."""
    asker = context(tmp_path, scenario=BRITTLE, choose_epochs=True)
    first = begin(Nothing(), asker)
    with pytest.raises(Refused, match="numbers that are not finite, so the network was put back to what it was before"):
        train(spread_out(first), asker)
    found = now(asker)
    assert found.paused is None
    assert found.draft is not None
    assert found.draft.x == spread_out(first).x
    assert same(found.model_copy(update={"draft": None}), first)
    assert train(spread_out(first, epochs=1), asker).number == 2


def test_the_published_scale_changes_nothing(tmp_path: Path) -> None:
    """It begins at 10, and the points lie where those of the learned one lie at first."""
    learned = begin(Nothing(), context(tmp_path / "learned"))
    asker = context(tmp_path / "published", scale="as-published")
    published = begin(Nothing(), asker)
    assert (published.x, published.record.scale) == (learned.x, "as-published")
    after = train(spread_out(published), asker)
    scale = read_tensors(session_folder(asker).checkpoint(2))[0]["model.scale"].item()
    assert 9.9 < scale < 10
    assert np.abs(after.x).max() < 5 * np.abs(published.x).max()


def test_the_item_behind_a_point(tmp_path: Path) -> None:
    """It is the training example of the point's class."""
    asker = context(tmp_path, points=30)
    first = begin(Nothing(), asker)
    assert [item(ItemInput(point=point), asker).label for point in range(30)] == first.labels
    with pytest.raises(Refused, match="There is no point 30; the 30 points are counted from 0"):
        item(ItemInput(point=30), asker)


def test_the_quick_steps_do_without_pytorch(tmp_path: Path) -> None:
    """A web process that answers them never loads it."""
    asker = context(tmp_path)
    begin(Nothing(), asker)
    code = """
import json, sys
from pathlib import Path
from crowdloom.models.latent_steps import discard, item, keep, state
from crowdloom.models.live import Context
from crowdloom.tasks.latent_options import LatentOptions
from crowdloom.tasks.latent_records import ItemInput, KeepInput, Nothing
from crowdloom.tasks.protocol import Trial
trial = Trial((), (), attributes={"scenario": "digits"}, options=LatentOptions())
context = Context(Path(sys.argv[1]), trial=trial, trial_id="a-trial")
found = state(Nothing(), context).state
keep(KeepInput(number=1, alpha=0.5, first=0, movements=[], x=found.x, y=found.y), context)
discard(Nothing(), context), item(ItemInput(point=3), context)
print(json.dumps([name for name in ("torch", "pandas") if name in sys.modules]))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == []


@pytest.mark.parametrize("content", [b"", b"junk \xff", b'{"number": 1, "draft": {"x": [0.1, '])
def test_what_is_not_needed_may_be_damaged(tmp_path: Path, content: bytes) -> None:
    """Without its draft and its plan a session goes on from where the interaction began, to the same numbers."""
    other = context(tmp_path / "other")
    first = begin(Nothing(), other)
    end = train(spread_out(first), other)
    asker = context(tmp_path / "here")
    begin(Nothing(), asker)
    pause(tmp_path / "here", spread_out(first, alpha=0.9), "epoch 28 of 30")
    folder = session_folder(asker)
    for name in ("draft.json", "plan.json"):
        (folder.path / name).write_bytes(content)
    found = now(asker)
    assert (found.draft, found.paused) == (None, None)
    assert same(found, first)
    with pytest.raises(Refused, match="No training is paused in this interaction"):
        train(TrainInput(number=1, x=[], y=[], resume=True), asker)
    assert not folder.partial.exists()
    given = KeepInput(number=1, alpha=0.5, first=0, movements=[], x=first.x, y=first.y)
    assert keep(given, asker).movements == 0
    assert now(asker).draft is not None
    assert same(train(spread_out(first), asker), end)


def test_a_damaged_last_epoch_costs_the_epochs_since_the_interaction_began(tmp_path: Path) -> None:
    """What was paused goes on from the checkpoint, and its progress says so."""
    asker = context(tmp_path)
    given = spread_out(begin(Nothing(), asker))
    pause(tmp_path, given, "epoch 28 of 30")
    session_folder(asker).partial.write_bytes(b"junk")
    pause(tmp_path, given, "epoch 26 of 30")
    found = now(asker)
    assert found.paused is not None
    assert found.paused.epochs_done == 0
    assert train(TrainInput(number=1, x=[], y=[], resume=True), asker).epoch == 30


@pytest.mark.parametrize("name", ["session.json", "shown.npy", "checkpoint-1.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b'{"state": {"scenario"'])
def test_a_damaged_session_is_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    """In one sentence, and before any epoch is trained; a session that is not there begins anew."""
    heard: list[str] = []
    asker = context(tmp_path, report=lambda fraction, said: heard.append(said))
    first = begin(Nothing(), asker)
    path = session_folder(asker).path / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    heard.clear()
    refused = pytest.raises(Refused, match="This session's files are damaged, so it cannot go on; please write to the")
    if (name, content) == ("session.json", None):
        assert state(Nothing(), asker).state is None
        assert same(begin(Nothing(), asker), first)
        return
    with refused:
        train(spread_out(first), asker)
    assert heard == []
    for step, given in ((state, Nothing()), (begin, Nothing())) if name == "session.json" else ():
        with refused:
            step(given, asker)  # type: ignore[operator]
    if name == "shown.npy":
        with refused:
            item(ItemInput(point=0), asker)


def test_a_scenario_that_is_not_there_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Participants read whose fault it is; the reason, which is the researcher's, is the cause."""
    refused = pytest.raises(Refused, match="This part of the study is not ready, which is our fault; please write")
    monkeypatch.setenv("CROWDLOOM_SCENARIOS", str(tmp_path / "scenarios"))
    with refused as found:
        begin(Nothing(), context(tmp_path / "never", scenario="cifar10"))
    assert "run: crowdloom hill prepare cifar10" in str(found.value.__cause__)
    asker = context(tmp_path / "begun")
    first = begin(Nothing(), asker)
    shutil.rmtree(tmp_path / "scenarios")
    with refused:
        train(spread_out(first), asker)
    with refused:
        item(ItemInput(point=0), asker)
    assert same(now(asker), first)
