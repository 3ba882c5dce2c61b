"""Many people at once: who arrives when, who waits for a place, who comes back, and how time passes.

Nobody waits for the clock. When somebody vanishes, the time for which their place is kept is over at
once (and only theirs: a place is told by the token of the submission that holds it). Whoever is
turned away because all places are held tries again once somebody else has finished or gone.

Where people may take part several times, they come again as soon as they have completed, while new
people keep arriving until most places are filled. Who has had all that is open comes again
when somebody else has given a place up. Should places be left when all have done as much as they had in
mind, they go on beyond it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta

from sqlalchemy import select, update

from crowdloom.studies.allocation import places_left
from crowdloom.studies.database import Store, now
from crowdloom.studies.rehearsal.visit import End, Visit
from crowdloom.studies.tables import Place, Submission

COMES_BACK_AFTER = 5
"""So many people have arrived in the meantime."""

LAST_ARRIVAL = 0.9
"""The last of those who may come several times arrives when this share of the places is filled."""


class Crowd:
    """The people of one rehearsal; `ends` says how it ended for each of those who arrived.

    With `several` they may take part more than once; then it is how the last visit ended on which there was
    something for them.
    """

    def __init__(self, store: Store, design_id: int, people: Iterable[Visit], *, several: bool = False) -> None:
        self.arrived = 0
        self.came_back = 0
        self.ends: dict[Visit, End] = {}
        self._store = store
        self._design_id = design_id
        self._expected = deque(people)
        self._waiting: deque[Visit] = deque()
        self._again: deque[Visit] = deque()
        """Who has completed and wants another."""
        self._resting: list[Visit] = []
        """Who wants another, but has had everything that was open."""
        self._content: list[Visit] = []
        """Who has done as many as they had in mind, where they could do more."""
        self._several = several
        self._filled = 0
        with store.read() as connection:
            places = sum(places_left(connection, design_id).values())
        self._filled_per_arrival = LAST_ARRIVAL * places / max(len(self._expected), 1)
        self._gone: deque[tuple[int, Visit]] = deque()
        self._no_room = False
        self._full = False
        self._came_in = True
        """Whether anybody has come in since those who wait were last asked again."""

    def run(self, at_once: int, stopping: threading.Event, on_end: Callable[[int], None]) -> None:
        """Let them come, `at_once` at a time, until all have come or every place is filled.

        `on_end` is called with the number of those who are done. An error in a visit ends the rehearsal.
        """
        running: dict[Future[End], Visit] = {}
        with ThreadPoolExecutor(at_once) as executor:
            try:
                while True:
                    while len(running) < at_once and (visit := self._next()) is not None:
                        running[executor.submit(visit.come)] = visit
                    if not running and not self._has_room_after_all():
                        return
                    if not running:
                        continue
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        self._ended(running.pop(future), future.result())
                    on_end(len(self.ends))
            finally:
                stopping.set()

    def _has_room_after_all(self) -> bool:
        """Whether those who were turned away last could come in now: a place may have become free at that moment.

        They are asked once more after each time that somebody came in: whoever does may lose the place again.
        """
        if self._full or not (self._waiting or self._resting or self._content):
            return False
        with self._store.read() as connection:
            places = places_left(connection, self._design_id)
        left = places["open"] + places["held"]  # nobody is at work, so what is held is overdue
        self._no_room = not (left and self._came_in)
        self._came_in = False
        if not self._no_room:
            self._rested()
            self._again.extend(self._content)
            self._content.clear()
        return not self._no_room

    def _rested(self) -> None:
        """Those who had had everything look again."""
        self._again.extend(self._resting)
        self._resting.clear()

    def _next(self) -> Visit | None:
        if self._gone and (self._gone[0][0] <= self.arrived or not self._expected or self._full):
            self.came_back += 1
            return self._gone.popleft()[1]
        if self._no_room or self._full:
            return None
        if self._waiting:
            return self._waiting.popleft()
        if self._expected and (not self._again or self._filled >= self._filled_per_arrival * self.arrived):
            self.arrived += 1
            return self._expected.popleft()
        return self._again.popleft() if self._again else None

    def _ended(self, visit: Visit, end: End) -> None:
        self._came_in |= end not in ("turned_away", "refused")
        if end == "turned_away" and visit.completed:
            self._resting.append(visit)
        else:
            self.ends[visit] = end
            self._no_room = end == "turned_away"
            if self._no_room:
                self._waiting.append(visit)
        if end == "completed" and self._several:
            (self._again if visit.wants_more else self._content).append(visit)
        if end in ("turned_away", "completed"):
            with self._store.read() as connection:
                places = places_left(connection, self._design_id)
            self._full = not places["open"] and not places["held"]
            self._filled = places["filled"]
        if end == "vanished" and visit.token is not None:
            self._let_time_pass(visit.token)
        if end in ("left", "vanished", "failed_check"):
            self._rested()
        if visit.comes_back:
            self._gone.append((self.arrived + COMES_BACK_AFTER, visit))

    def _let_time_pass(self, token: str) -> None:
        """The time is over for which the place of this submission is kept."""
        of_them = select(Submission.id).where(Submission.token == token).scalar_subquery()
        with self._store.write() as connection:
            connection.execute(
                update(Place)
                .where(Place.submission_id == of_them, Place.state == "held")
                .values(held_until=now() - timedelta(seconds=1))
            )
