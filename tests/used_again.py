"""Databases on a PostgreSQL server that tests use one after the other, each of which finds one as if it were new.

To make one takes the server longer than most tests take.
"""

from __future__ import annotations

import uuid

from sqlalchemy import Engine, make_url, text

from crowdloom.studies.database import make_engine, open_store
from crowdloom.studies.tables import Table

SHAPE = """
    SELECT (SELECT string_agg(version_num, ' ') FROM alembic_version), (SELECT count(*) FROM pg_attribute),
           (SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace),
           (SELECT string_agg(concat(tgname, tgenabled), ' ' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal)
"""
"""Tells whether a test has changed the tables."""
OTHERS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class UsedAgain:
    """Databases with our tables, in which nothing is, on one server."""

    def __init__(self, server: str) -> None:
        self._admin = _engine(server)
        self._shapes: dict[str, object] = {}
        self._free: list[str] = []

    def take(self) -> str:
        """The address of one."""
        if self._free:
            return self._free.pop()
        name = f"crowdloom_{uuid.uuid4().hex}"
        self._do(f"CREATE DATABASE {name}")
        url = self._admin.url.set(database=name).render_as_string(hide_password=False)
        open_store(url).close()
        engine = _engine(url)
        with engine.connect() as connection:
            self._shapes[url] = connection.execute(text(SHAPE)).one()
        engine.dispose()
        return url

    def give_back(self, url: str) -> None:
        """Nobody is connected with it any longer, and it is emptied; where its tables were changed, it is dropped."""
        engine = _engine(url)
        with engine.connect() as connection:
            connection.execute(text(OTHERS))
            same = bool(connection.execute(text(SHAPE)).one() == self._shapes[url])
            if same:
                connection.execute(text("SET session_replication_role = replica"))  # no trigger forbids it
                for table in Table.metadata.sorted_tables:
                    connection.execute(table.delete())
                connection.execute(text("SELECT setval(seqrelid, seqstart, false) FROM pg_sequence"))
        engine.dispose()
        if same:
            self._free.append(url)
        else:
            self._drop(url)

    def close(self) -> None:
        """All are dropped."""
        for url in self._free:
            self._drop(url)
        self._admin.dispose()

    def _drop(self, url: str) -> None:
        self._do(f"DROP DATABASE {make_url(url).database} WITH (FORCE)")

    def _do(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


def _engine(url: str) -> Engine:
    return make_engine(url).execution_options(isolation_level="AUTOCOMMIT")
