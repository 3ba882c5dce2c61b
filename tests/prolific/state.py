"""What the stand-in remembers: records by kind and id, in an SQLite file that several processes may look at."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

Record = dict[str, Any]


class State:
    """The records; whatever belongs together happens inside one `transaction`."""

    def __init__(self, path: str) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS record "
            "(number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, id TEXT, body TEXT, UNIQUE (kind, id))"
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, one at a time."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def put(self, kind: str, record: Record) -> Record:
        """Keep a record; a new one without an id gets one as Prolific's are."""
        record.setdefault("id", secrets.token_hex(12))
        self._db.execute(
            "INSERT INTO record (kind, id, body) VALUES (?, ?, ?) "
            "ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            (kind, record["id"], json.dumps(record)),
        )
        return record

    def get(self, kind: str, record_id: str) -> Record | None:
        """A record, or None."""
        row = self._db.execute("SELECT body FROM record WHERE kind = ? AND id = ?", (kind, record_id)).fetchone()
        return None if row is None else json.loads(row[0])

    def all(self, kind: str, /, **fields: Any) -> list[Record]:
        """The records of a kind whose fields have these values, oldest first."""
        rows = self._db.execute("SELECT body FROM record WHERE kind = ? ORDER BY number", (kind,))
        found = [json.loads(row[0]) for row in rows.fetchall()]
        return [each for each in found if all(each.get(name) == value for name, value in fields.items())]

    def delete(self, kind: str, record_id: str) -> None:
        """Forget a record."""
        self._db.execute("DELETE FROM record WHERE kind = ? AND id = ?", (kind, record_id))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def now() -> str:
    """The time as Prolific writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class RefusedError(Exception):
    """The stand-in refuses: a status, an error code and what is wrong."""

    def __init__(self, status: int, code: int, detail: Any, title: str = "Bad request") -> None:
        super().__init__(str(detail))
        self.status, self.code, self.title, self.detail = status, code, title, detail

    def body(self) -> Record:
        """The error as Prolific writes it, not yet wrapped."""
        return {"status": self.status, "error_code": self.code, "title": self.title, "detail": self.detail}


def found(state: State, kind: str, record_id: str) -> Record:
    """A record that there must be. Raises RefusedError 404."""
    record = state.get(kind, record_id)
    if record is None:
        raise RefusedError(404, 140404, f"there is no {kind} {record_id}", "Not found")
    return record
