"""Who comes to a rehearsal, and when it is over."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from crowdloom.studies.database import Store, now
from crowdloom.studies.rehearsal import Habits, rehearse
from crowdloom.studies.rehearsal.crowd import Crowd
from crowdloom.studies.tables import Batch, BatchItem, Condition, Place, Submission
from tests.studies.designs import load, make_design, make_images
from tests.studies.takers import Study

pytestmark = pytest.mark.slow

TWO_ARMS = [{"name": "one"}, {"name": "other"}]


def test_who_was_turned_away_too_early_is_asked_again(sqlite_store: Store, tmp_path: Path) -> None:
    """The last visit was refused just before the last place became free: it is still filled."""
    study = Study(sqlite_store, tmp_path, items=1, batches={"size": 1, "responses_per_item": 1})
    token = study.arrive("vanishing")
    overdue = threading.Event()

    def refused_late() -> str:
        """The first time they were refused; that is heard only when the place has become free meanwhile."""
        tries.append("tried")
        if len(tries) == 1:
            overdue.wait(60)
            return "turned_away"
        other = study.arrive("patient")
        study.answer(other)
        return "completed"

    def watch() -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and not overdue.is_set():
            with sqlite_store.read() as connection:
                held_until = connection.execute(select(Place.held_until)).scalar()
            if held_until is not None and held_until < now():
                overdue.set()
            time.sleep(0.01)

    tries: list[str] = []
    people: list[Any] = [
        SimpleNamespace(come=lambda: "vanished", comes_back=False, token=token),
        SimpleNamespace(come=refused_late, comes_back=False, token=None),
    ]
    watcher = threading.Thread(target=watch)
    watcher.start()
    Crowd(sqlite_store, 1, [Hashable(one) for one in people]).run(2, threading.Event(), lambda done: None)
    watcher.join()
    assert tries == ["tried", "tried"]
    assert study.place(token) is None
    with sqlite_store.read() as connection:
        assert connection.execute(select(Place.state)).scalar_one() == "filled"


def test_who_waits_is_asked_again_each_time_somebody_came_in(sqlite_store: Store, tmp_path: Path) -> None:
    """The last place is lost a second time, just after the last visit was refused: it is still filled."""
    study = Study(sqlite_store, tmp_path, items=1, batches={"size": 1, "responses_per_item": 1})
    study.let_time_pass(study.arrive("early"))
    hasty: Any = Hashable(SimpleNamespace(come=lambda: "", comes_back=False, token=None))
    overdue = threading.Event()
    first, second = itertools.count(), itertools.count()

    def loses_it() -> str:
        if next(first) == 0:
            return "turned_away"
        hasty.token = study.arrive("hasty")
        return "vanished"

    def gets_it() -> str:
        match next(second):
            case 0:
                return "turned_away"
            case 1:  # refused while the other was there, which is heard only when the other is gone
                overdue.wait(60)
                return "turned_away"
        study.answer(study.arrive("patient"))
        return "completed"

    def time_passes(token: str) -> None:
        let_time_pass(token)
        overdue.set()

    hasty.come = loses_it
    patient: Any = Hashable(SimpleNamespace(come=gets_it, comes_back=False, token=None))
    crowd = Crowd(sqlite_store, 1, [hasty, patient])
    let_time_pass = crowd._let_time_pass
    crowd._let_time_pass = time_passes  # type: ignore[method-assign]
    crowd.run(2, threading.Event(), lambda done: None)
    assert crowd.ends == {hasty: "vanished", patient: "completed"}
    with sqlite_store.read() as connection:
        assert connection.execute(select(Place.state)).scalar_one() == "filled"


def test_it_ends_where_nobody_can_take_what_is_open(sqlite_store: Store, tmp_path: Path) -> None:
    """Somebody who is turned away again and again does not keep it going."""
    Study(sqlite_store, tmp_path, items=1, batches={"size": 1, "responses_per_item": 1})
    tries: list[str] = []

    def refused() -> str:
        tries.append("tried")
        return "turned_away"

    crowd = Crowd(sqlite_store, 1, [Hashable(SimpleNamespace(come=refused, comes_back=False, token=None))])
    crowd.run(1, threading.Event(), lambda done: None)
    assert 1 <= len(tries) <= 3


class Scripted:
    """Somebody whose visits end as written; each "completed" is one submission of the so many that they want."""

    def __init__(self, wanted: int, *ends: str, filling: Callable[[str], None] = lambda name: None) -> None:
        self.completed: list[str] = []
        self.comes_back, self.token = False, None
        self.came = 0
        self._wanted, self._ends, self._filling = wanted, ends, filling

    @property
    def wants_more(self) -> bool:
        return len(self.completed) < self._wanted

    def come(self) -> str:
        end = self._ends[self.came]
        self.came += 1
        if end == "completed":
            self._filling(f"somebody-{id(self)}-{self.came}")
            self.completed.append(f"submission {self.came}")
        return end


def test_who_has_had_all_comes_again_when_somebody_gives_up(sqlite_store: Store, tmp_path: Path) -> None:
    """Who comes again and finds nothing rests, keeps nobody else out, and counts as one who completed."""
    Study(sqlite_store, tmp_path, items=4, batches={"size": 1, "responses_per_item": 2})
    order: list[str] = []
    many = Scripted(2, "completed", "turned_away", "completed", "turned_away", filling=order.append)
    gone, late = Scripted(1, "left"), Scripted(1, "completed", "turned_away", filling=order.append)
    people: list[Any] = [many, gone, late]
    crowd = Crowd(sqlite_store, 1, people, several=True)
    crowd.run(1, threading.Event(), lambda done: None)
    assert order == [f"somebody-{id(many)}-1", f"somebody-{id(many)}-3", f"somebody-{id(late)}-1"]
    assert [crowd.ends[one] for one in people] == ["completed", "left", "completed"]


def test_what_is_left_at_last_is_done_by_those_who_had_done_enough(sqlite_store: Store, tmp_path: Path) -> None:
    """Who has done what they had in mind goes on while places are left; where one may come once only, nobody does."""
    study = Study(sqlite_store, tmp_path, items=3, batches={"size": 1, "responses_per_item": 1})

    def real(name: str) -> None:
        study.answer(study.arrive(name))

    for several, comes in ((False, 1), (True, 2)):
        one: Any = Scripted(1, "completed", "completed", filling=real)
        Crowd(sqlite_store, 1, [one], several=several).run(1, threading.Event(), lambda done: None)
        assert one.came == comes


def test_it_ends_where_those_who_come_again_have_had_all(sqlite_store: Store, tmp_path: Path) -> None:
    """One person cannot fill the second places: they look once more at the end, and not for ever."""
    Study(sqlite_store, tmp_path, items=2, batches={"size": 1, "responses_per_item": 2})
    one: Any = Scripted(9, "completed", "completed", *["turned_away"] * 9)
    crowd = Crowd(sqlite_store, 1, [one], several=True)
    crowd.run(2, threading.Event(), lambda done: None)
    assert crowd.ends[one] == "completed"
    assert 3 <= one.came <= 5


@pytest.mark.parametrize("stay", [True, False], ids=["one condition", "both conditions"])
def test_people_come_again_until_all_places_are_filled(store: Store, tmp_path: Path, stay: bool) -> None:
    """Each does several single images, none twice, and who is to stay in a condition stays; everybody arrives."""
    make_images(tmp_path, 12)
    people = {"minutes": 1, "hold_minutes": 5, "submissions_per_participant": 12, "one_condition": stay}
    load(
        store,
        tmp_path,
        make_design(people=people, conditions=TWO_ARMS, batches={"size": 1, "responses_per_item": 2}),
    )
    rehearsal = rehearse(store, "pets", participants=8, seed=4, habits=Habits(drop_out=0.1))
    assert rehearsal.places == {"filled": 48, "wanted": 48}
    assert rehearsal.accepted == {"min": 2, "max": 2}
    with store.read() as connection:
        rows = connection.execute(
            select(Submission.participant_id, BatchItem.item_id, Condition.name)
            .join(BatchItem, BatchItem.batch_id == Submission.batch_id)
            .join(Batch, Batch.id == Submission.batch_id)
            .join(Condition, Condition.id == Batch.condition_id)
            .where(Submission.state == "completed")
        ).all()
    done = [(person, item) for person, item, _ in rows]
    assert len(set(done)) == len(done) == 48 + rehearsal.people["surplus"]
    by_person = {person: list(each) for person, each in itertools.groupby(sorted(done), key=lambda one: one[0])}
    numbers = [len(each) for each in by_person.values()]
    assert rehearsal.people["arrived"] == 8
    assert rehearsal.submissions == {
        "people": len(numbers),
        "completed": len(done),
        "min": min(numbers),
        "median": median(numbers),
        "max": max(numbers),
    }
    assert max(numbers) > 2 * min(numbers)
    in_both = [person for person in by_person if len({name for one, _, name in rows if one == person}) == 2]
    assert not in_both if stay else in_both


class Hashable:
    """A visit as the crowd sees it."""

    def __init__(self, visit: Any) -> None:
        self.come, self.comes_back, self.token = visit.come, visit.comes_back, visit.token
        self.completed: list[str] = []
        self.wants_more = False
