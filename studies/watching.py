"""Looking at a study's platforms again and again: what is new since the last look."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from sqlalchemy import func, select

from crowdloom.studies.database import Store
from crowdloom.studies.errors import PlatformError, StoreError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.posted import Posted, find_postings
from crowdloom.studies.reconciling import Difference, reconcile
from crowdloom.studies.status import study_status
from crowdloom.studies.tables import HookEvent

HOOK_S = 1.0
"""How often the webhooks' events are looked at, which costs next to nothing."""


class Watch:
    """The postings of a study (on one platform), and what was said of them last."""

    def __init__(self, store: Store, study: str, platform: str | None = None) -> None:
        self._store, self._study, self._platform = store, study, platform
        self._said: dict[int, set[Difference]] = {}
        self._places: dict[str, int] = {}
        self._hooks = 0
        with store.read() as connection:
            find_postings(connection, study, platform)  # a misspelt name is said at once

    def look(self) -> Iterator[str]:
        """A line for each thing that is new; a platform or a store that cannot be reached is one of them."""
        self._hooks = self._heard()
        try:
            with self._store.read() as connection:
                postings = find_postings(connection, self._study, self._platform)
            for posted in postings:
                yield from self._look_at(posted)
            yield from self._count()
        except StoreError as error:
            yield f"{error}"

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Wait for so long, or until a platform's webhook says that something changed, or until it is to end."""
        until = time.monotonic() + seconds
        while not stop.wait(min(HOOK_S, max(until - time.monotonic(), 0))) and time.monotonic() < until:
            if self._heard() != self._hooks:
                return

    def _heard(self) -> int:
        """How many events the webhooks have taken."""
        try:
            with self._store.read() as connection:
                return connection.execute(select(func.count()).select_from(HookEvent)).scalar_one()
        except StoreError:
            return self._hooks

    def _look_at(self, posted: Posted) -> Iterator[str]:
        try:
            account = posted.account() if PLATFORMS[posted.platform].capabilities.identifies else None
            found = reconcile(self._store, posted, account)
        except PlatformError as error:
            yield f"{posted.platform}: {error}"
            return
        if found.polled.changed:
            yield f"{posted.platform}: {found.polled.changed} submissions changed there"
        if found.confirmed:
            yield f"{posted.platform}: {found.confirmed} payments confirmed"
        before, now = self._said.get(posted.id, set()), set(found.differences)
        self._said[posted.id] = now
        for difference in sorted(now - before, key=lambda one: (one.kind, one.who)):
            yield f"{posted.platform}: {difference.kind}: {difference.who} {difference.what} -> {difference.mend}"
        for difference in sorted(before - now, key=lambda one: (one.kind, one.who)):
            yield f"{posted.platform}: mended: {difference.who} {difference.what}"

    def _count(self) -> Iterator[str]:
        with self._store.read() as connection:
            status = study_status(connection, self._study)
        places = {state: status.places(state) for state in ("filled", "held", "overdue", "open")}
        if places != self._places:
            self._places = places
            yield "places: " + ", ".join(f"{number} {state}" for state, number in places.items())
