"""Who comes to a rehearsal, and when it is over."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from crowdloom.studies.database import Store, now
from crowdloom.studies.rehearsal.crowd import Crowd
from crowdloom.studies.tables import Place
from tests.studies.takers import Study


def test_who_was_turned_away_too_early_is_asked_again(sqlite_store: Store, tmp_path: Path) -> None:
    """The last visit was refused just before the last place became free: it is still filled."""
    study = Study(sqlite_store, tmp_path, items=1, batches={"size": 1, "responses_per_item": 1})
    token = study.arrive("vanishing")
    overdue = threading.Event()

    def refused_late() -> str:
        """The first time they were refused; that is heard only when the place has become free meanwhile."""
        tries.append("tried")
        if len(tries) == 1:
            overdue.wait(10)
            return "turned_away"
        other = study.arrive("patient")
        study.answer(other)
        return "completed"

    def watch() -> None:
        until = time.monotonic() + 10
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


class Hashable:
    """A visit as the crowd sees it."""

    def __init__(self, visit: Any) -> None:
        self.come, self.comes_back, self.token = visit.come, visit.comes_back, visit.token
