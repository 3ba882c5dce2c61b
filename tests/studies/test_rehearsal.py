"""Rehearsals: the truth, the people, what the measures say, and how the command ends."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import mean, median
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from crowdloom.studies.catalogue import find_design
from crowdloom.studies.cli.rehearse import command
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.design_file import read_design
from crowdloom.studies.errors import OptionError, RehearsalError
from crowdloom.studies.participation import Designs
from crowdloom.studies.reading import read_frame
from crowdloom.studies.rehearsal import Habits, rehearse, serving, stand_ins
from crowdloom.studies.rehearsal.browser import Browser
from crowdloom.studies.rehearsal.described import describe_answers
from crowdloom.studies.rehearsal.people import draw_person, draw_submissions
from crowdloom.studies.rehearsal.truth import entropy, true_label
from crowdloom.studies.rehearsal.visit import Briefing, Visit
from crowdloom.studies.tables import Item, Media, Participant, Response, Submission
from crowdloom.tasks.protocol import Person
from crowdloom.tasks.soft_label import CIFAR10
from tests.studies.designs import load, make_design, make_images
from tests.studies.takers import Study

pytestmark = pytest.mark.slow

DESIGN = """
name = "rehearsed"
title = "Which animal is it?"
task = "soft-label"
classes = ["cat", "dog", "frog"]
consent = "It is voluntary."
instructions = ["Look at each image."]
[items]
source = "folder"
path = "images"
[batches]
size = 3
responses_per_item = 2
[people]
minutes = 2
hold_minutes = 10
"""


@pytest.mark.parametrize("difficulty", [0.0, 0.05, 0.4, 1.0, 2.0, math.log(10)])
def test_a_true_label_has_the_entropy_that_the_item_says(difficulty: float) -> None:
    """And peaks on the reference wherever it peaks at all."""
    label = true_label("deer.png", "Deer", difficulty, CIFAR10, seed=3)
    assert sum(label.values()) == pytest.approx(1)
    assert entropy(list(label.values())) == pytest.approx(difficulty, abs=1e-6)
    assert max(label.values()) == pytest.approx(label["Deer"])


@pytest.mark.parametrize(("difficulty", "cut"), [(-1.0, 0.0), (99.0, math.log(3))])
def test_a_difficulty_that_is_no_entropy_is_moved_to_the_nearer_end(difficulty: float, cut: float) -> None:
    """Design files may count difficulty as they like."""
    label = true_label("a", "cat", difficulty, ("cat", "dog", "frog"), seed=1)
    assert entropy(list(label.values())) == pytest.approx(cut, abs=1e-6)


def test_the_same_classes_are_confused_each_time() -> None:
    """The second class of an item follows from its reference, and confusion is mutual and seeded."""

    def second(reference: str, key: str, seed: int) -> str:
        label = true_label(key, reference, 0.6, CIFAR10, seed)
        return sorted(label, key=lambda name: label[name])[-2]

    for reference in CIFAR10:
        assert len({second(reference, key, 1) for key in "abcdef"}) == 1
    assert len({tuple(second(reference, "a", seed) for reference in CIFAR10) for seed in range(5)}) == 5
    two = [true_label("a", one, 0.6, (one, other), 1)[other] for one, other in (("Cat", "Dog"), ("Dog", "Cat"))]
    assert two[0] == pytest.approx(two[1])


def test_items_of_which_nothing_is_known_have_a_truth_too() -> None:
    """A distribution that depends on the seed and on the item alone."""
    labels = [true_label(key, None, None, CIFAR10, seed) for seed, key in ((1, "a"), (1, "a"), (1, "b"), (2, "a"))]
    assert all(sum(label.values()) == pytest.approx(1) for label in labels)
    assert labels[0] == labels[1]
    assert len({tuple(label.values()) for label in labels}) == 3
    unnamed = true_label("a", None, 0.3, CIFAR10, 1)
    assert entropy(list(unnamed.values())) == pytest.approx(0.3, abs=1e-6)


@pytest.mark.parametrize(
    ("attributes", "shares"),
    [
        ({"endpoint1": "Dog", "endpoint2": "Cat", "coefficient": "0.75"}, {"Dog": 0.75, "Cat": 0.25}),
        ({"endpoint1": "Dog", "endpoint2": "Cat", "coefficient": 1.0}, {"Dog": 1.0}),
        ({"endpoint1": "Dog", "endpoint2": "Cat"}, {"Dog": 0.5, "Cat": 0.5}),  # one item with all mixes
        ({"prediction": "Ship", "option1": "Ship"}, {"Ship": 1.0}),
    ],
)
def test_some_items_say_their_truth(attributes: dict[str, object], shares: dict[str, float]) -> None:
    """What was mixed, and what a classifier said, over whatever reference and difficulty they have; text or not."""
    label = true_label("a", "Bird", 1.0, CIFAR10, 1, attributes)
    assert label == {name: shares.get(name, 0.0) for name in CIFAR10}


def test_other_attributes_say_nothing_of_the_truth() -> None:
    """A soft-label study may have columns of such names for its own ends."""
    for attributes in ({"prediction": "Ship"}, {"prediction": "no class", "option1": "Ship"}, {"endpoint1": "Dog"}):
        assert true_label("a", "Bird", 1.0, CIFAR10, 1, attributes) == true_label("a", "Bird", 1.0, CIFAR10, 1)


@pytest.mark.parametrize(("people", "places", "most"), [(45, 1800, 200), (105, 2000, 200), (3, 10, 4), (50, 6, 9)])
def test_submissions_in_mind_cover_the_places(people: int, places: int, most: int) -> None:
    """1.3 times, where the people can do that many; everybody at least one, nobody more than there are."""
    drawn = draw_submissions(people, places, most, seed=1)
    assert len(drawn) == people
    assert sum(drawn) >= min(1.3 * places, people * most)
    assert sum(drawn) <= max(1.4 * places, people)
    assert min(drawn) >= 1
    assert max(drawn) <= most
    assert draw_submissions(people, places, most, seed=1) == drawn


def test_people_are_drawn_as_stated() -> None:
    """Mean skill, median time, shares of careless ones and of drop-outs, over two thousand people."""
    habits = Habits(drop_out=0.3, careless=0.2)
    people = [draw_person(number, 1, habits, pages=20) for number in range(2000)]
    assert people[:5] == [draw_person(number, 1, habits, pages=20) for number in range(5)]
    assert mean(person.skill for person in people) == pytest.approx(0.9, abs=0.01)
    assert median(person.seconds for person in people) == pytest.approx(20, rel=0.05)
    assert median(person.calibration for person in people) == pytest.approx(1, rel=0.05)
    assert mean(person.careless > 0 for person in people) == pytest.approx(0.2, abs=0.03)
    assert all(1 - (1 - person.drop_out) ** 20 == pytest.approx(0.3) for person in people)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with 6 images for `make_design`."""
    make_images(tmp_path, 6)
    return tmp_path


def test_a_rehearsal_fills_the_study_and_measures_its_labels(sqlite_store: Store, folder: Path) -> None:
    """What it says of people, places, labels and truth is what the store says, computed anew."""
    store, classes = sqlite_store, ("cat", "dog", "frog")
    load(store, folder, make_design(batches={"size": 3, "responses_per_item": 3, "repeats": [2]}))
    ended: list[int] = []
    rehearsal = rehearse(store, "pets", participants=40, seed=2, habits=Habits(drop_out=0.2), on_end=ended.append)

    assert rehearsal.full
    assert rehearsal.places == {"filled": 6, "wanted": 6}
    assert rehearsal.accepted == {"min": 3, "max": 3}
    assert ended[-1] == rehearsal.people["arrived"]
    with store.read() as connection:
        states = Counter(connection.scalars(select(Submission.state)))
        assert rehearsal.people["completed"] == states["completed"]
        assert rehearsal.people["refused"] == states["refused"]
        assert rehearsal.responses == connection.execute(select(func.count()).select_from(Response)).scalar()
        frame = read_frame(connection, "pets")
        times = connection.scalars(select(Response.rt_ms)).all()
    assert rehearsal.seconds_per_answer == pytest.approx(median(time or 0 for time in times) / 1000)

    assert set(rehearsal.truth) == set(frame["item"])
    distances, knows_nothing = [], []
    for item, truth in rehearsal.truth.items():
        assert truth == true_label(item, item.split("/")[0], None, classes, seed=2)
        votes = Counter(frame[(frame["item"] == item) & ~frame["is_repeat"]]["top1"])
        most = [name for name in classes if votes[name] == max(votes.values())]
        distances.append(sum(abs(truth[name] - (name in most) / len(most)) for name in classes) / 2)
        knows_nothing.append(sum(abs(truth[name] - 1 / 3) for name in classes) / 2)
    assert rehearsal.labels is not None
    assert rehearsal.labels.items == 6
    assert rehearsal.labels.majority == pytest.approx(mean(distances))
    assert rehearsal.labels.uniform == pytest.approx(mean(knows_nothing))
    assert 0 < rehearsal.labels.soft < rehearsal.labels.uniform
    assert "6 places" in rehearsal.sentence()


def test_a_second_rehearsal_brings_other_people(sqlite_store: Store, folder: Path) -> None:
    """Too few people leave places open, and the report says how many it takes; others then go on."""
    load(sqlite_store, folder, make_design(batches={"size": 6, "responses_per_item": 5}))
    none = Habits(drop_out=0, restless=0)
    with serving(sqlite_store.url) as address:
        first = rehearse(sqlite_store, "pets", participants=2, habits=none, address=address)
        second = rehearse(sqlite_store, "pets", participants=2, habits=none, address=address)
    assert (first.places, second.places) == ({"filled": 2, "wanted": 5}, {"filled": 4, "wanted": 5})
    assert first.people["arrived"] == first.people["completed"] == 2
    assert "2 people like these fill 2 of the 5 places of this design; it takes about 5" in first.sentence()
    assert (first.responses, second.responses) == (12, 12)
    assert first.truth == second.truth


def test_simulated_answers_are_not_mixed_with_real_ones(sqlite_store: Store, folder: Path) -> None:
    """Where real people have taken part nothing begins."""
    study = Study(sqlite_store, folder)
    study.arrive("somebody")
    with pytest.raises(RehearsalError, match="real people have taken part"):
        rehearse(sqlite_store, "pets", participants=2)
    with sqlite_store.read() as connection:
        assert connection.execute(select(func.count()).select_from(Participant)).scalar() == 1


@pytest.mark.parametrize(
    ("participants", "habits", "says"),
    [
        (0, Habits(), "--participants 0"),
        (5, Habits(drop_out=1.0), "--drop-out 1.0"),
        (5, Habits(careless=-0.1), "--careless -0.1"),
    ],
)
def test_shares_that_are_none_are_refused(
    sqlite_store: Store, folder: Path, participants: int, habits: Habits, says: str
) -> None:
    """With the option's name."""
    load(sqlite_store, folder)
    with pytest.raises(OptionError, match=says):
        rehearse(sqlite_store, "pets", participants=participants, habits=habits)


def test_a_page_that_is_wrong_ends_the_rehearsal(sqlite_store: Store, folder: Path) -> None:
    """An image whose bytes are not those that its address names is noticed."""
    load(sqlite_store, folder)
    with sqlite_store.write() as connection:
        connection.execute(Media.__table__.update().values(content=b"not the image"))
    with pytest.raises(RehearsalError, match="not the one that its address names"):
        rehearse(sqlite_store, "pets", participants=4, habits=Habits(drop_out=0))


@pytest.mark.parametrize(
    ("doctor", "says"),
    [
        (lambda page, other: re.sub(r"/media/[0-9a-f]{64}", f"/media/{other}", page), "not its item's"),
        (lambda page, other: page.replace("<main", f'<main><img src="/media/{other}" alt=""></main><main', 1), "pictu"),
        (lambda page, other: re.sub(r'name="trial" value="[^"]*"', 'name="trial" value="x.0"', page), "not this sub"),
        (lambda page, other: page.replace('value="cat"', 'value="DOG"').replace('value="dog"', 'value="cat"')
         .replace('value="DOG"', 'value="dog"'), "another order"),
    ],
    ids=["image", "picture", "trial", "order"],
)  # fmt: skip
def test_a_page_that_shows_another_trial_ends_the_visit(
    sqlite_store: Store, folder: Path, doctor: Callable[[str, str], str], says: str
) -> None:
    """What the page shows is compared with what the server has in the store."""
    study = Study(sqlite_store, folder)
    token = study.arrive("rehearsal-somebody")
    with sqlite_store.read() as connection:
        shown = dict(connection.execute(select(Item.token, Item.shown)).all())

    class Doctored(Browser):
        def _ask(self, method: str, url: str, **options: Any) -> httpx.Response:
            response = super()._ask(method, url, **options)
            if "/take/" not in str(response.url):
                return response
            trial = re.search(r'name="trial" value="([^".]*)', response.text)
            assert trial is not None
            other = next(media for item, media in shown.items() if item != trial[1])
            return httpx.Response(200, text=doctor(response.text, str(other)), request=response.request)

    with serving(sqlite_store.url, workers=1) as address, closing(Doctored(address, 2)) as browser:
        briefing = Briefing(study.design, Designs(sqlite_store), {item: {"cat": 1.0} for item in shown}, 0)
        visit = Visit(Person(), f"/take/{token}", briefing, browser, "somebody")
        with pytest.raises(RehearsalError, match=says):
            visit.come()
    assert visit.answers == 0


@pytest.mark.parametrize("name", ["wrong-label-1", "mixing-coefficients", "mixed-soft-labels", "digits"])
def test_nothing_is_described_where_nobody_answered(sqlite_store: Store, tmp_path: Path, name: str) -> None:
    """Whatever the task; that is no error."""
    design, _ = read_design(find_design(name))
    loaded = load(sqlite_store, tmp_path, design, items=stand_ins(design))
    with sqlite_store.read() as connection:
        assert describe_answers(connection, design.name, loaded.version) is None


def test_the_command_reports_and_leaves_nothing_behind(folder: Path) -> None:
    """As JSON, from a temporary database."""
    design = folder / "study.toml"
    design.write_text(DESIGN)
    before = set(folder.rglob("*"))
    result = CliRunner().invoke(command, [str(design), "--participants", "8", "--drop-out", "0", "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.output)
    assert report["places"] == {"filled": 4, "wanted": 4}
    assert len(report["truth"]) == 6
    assert set(folder.rglob("*")) == before


def test_the_command_writes_to_a_named_database(folder: Path) -> None:
    """And says that its answers are simulated ones."""
    design, database = folder / "study.toml", folder / "named.db"
    design.write_text(DESIGN)
    result = CliRunner().invoke(command, [str(design), "--participants", "8", "--database", str(database)])
    assert result.exit_code == 0, result.output
    assert re.search(r"places filled +4/4 ", result.output)
    assert "collect real answers elsewhere" in result.output
    store = open_store(str(database), create=False)
    with store.read() as connection:
        names = connection.scalars(select(Participant.platform_id)).all()
    store.close()
    assert names
    assert all(str(name).startswith("rehearsal-") for name in names)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_can_be_stopped(folder: Path, number: signal.Signals) -> None:
    """One sentence, no server left, no temporary file left."""
    design = folder / "study.toml"
    design.write_text(DESIGN.replace("responses_per_item = 2", "responses_per_item = 500"))
    temporary = folder / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "crowdloom.studies.cli", "rehearse", str(design), "--participants", "1000"],
        env=os.environ | {"TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 60
        while not (servers := _servers(process.pid)) and time.monotonic() < until:
            time.sleep(0.1)
        assert servers, "the server did not start"
        time.sleep(1)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert said.startswith("The rehearsal was stopped before its end")
    assert len(said.splitlines()) == 1
    assert not [server for server in servers if Path(f"/proc/{server}").exists()]
    assert list(temporary.iterdir()) == []


def _servers(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(child) for child in children.read_text().split()] if children.exists() else []
