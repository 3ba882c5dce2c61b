"""Migrations: an upgraded database equals a fresh one, and one that fails leaves nothing behind."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from click.testing import CliRunner
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from crowdloom.studies.cli.upgrade import command
from crowdloom.studies.database import SCHEMA_VERSION, Store, make_engine, now, open_store
from crowdloom.studies.errors import StoreError
from crowdloom.studies.jobs import claim
from crowdloom.studies.tables import Study, Table
from crowdloom.studies.upgrading import MIGRATIONS, upgrade

COLUMNS = """
    SELECT table_name, ordinal_position, column_name, data_type, character_maximum_length, numeric_precision,
           is_nullable, column_default, is_identity
    FROM information_schema.columns WHERE table_schema = 'public'
"""
CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
TRIGGERS = """
    SELECT pg_get_triggerdef(t.oid), p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal
"""
SEQUENCES = "SELECT sequence_name, data_type, start_value, increment FROM information_schema.sequences"


def catalogue(store: Store) -> list[Any]:
    """Everything that the database itself knows of its schema, in an order that says nothing."""
    with store.read() as connection:
        if connection.dialect.name == "postgresql":
            found: list[Any] = []
            for query in (COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS, SEQUENCES):
                rows = [tuple(row) for row in connection.execute(text(query))]
                assert rows
                found += sorted(rows, key=str)
            return found
        statements = connection.execute(text("SELECT type, name, tbl_name, sql FROM sqlite_master"))
        return sorted((kind, name, table, normalised(sql)) for kind, name, table, sql in statements)


def normalised(sql: str | None) -> list[str]:
    """A statement as its parts: columns in their order, then constraints in no particular one."""
    one_line = re.sub(r"\s+", " ", sql or "").replace("( ", "(").replace(" )", ")")
    one_line = re.sub(r'^CREATE TABLE "(\w+)"', r"CREATE TABLE \1", one_line)  # so SQLite names a table built anew
    head, _, body = one_line.partition(" (")
    parts = re.split(r", (?![^()]*\))", body.removesuffix(")"))
    constraints = [part for part in parts if re.match(r"(PRIMARY KEY|UNIQUE|FOREIGN KEY|CHECK|CONSTRAINT)\b", part)]
    return [head, *(part for part in parts if part not in constraints), *sorted(constraints)]


@pytest.fixture(params=["sqlite", "postgres"])
def two_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The addresses of two empty databases of one kind."""
    if request.param == "sqlite":
        yield str(tmp_path / "fresh.db"), str(tmp_path / "upgraded.db")
        return
    first = request.getfixturevalue("postgres_url")
    admin = make_engine(first).execution_options(isolation_level="AUTOCOMMIT")
    name = f"{admin.url.database}_2"
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield first, admin.url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def test_the_newest_migration_is_the_schema_version() -> None:
    """There is one head, and it is the version that a fresh database gets."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [SCHEMA_VERSION]


def test_an_upgraded_database_equals_a_fresh_one(two_urls: tuple[str, str]) -> None:
    """Columns, constraints, indexes, triggers and sequences are the same, by the databases' own catalogues."""
    fresh = open_store(two_urls[0])
    done = upgrade(two_urls[1])
    assert (done.before, done.after) == (None, SCHEMA_VERSION)
    upgraded = open_store(two_urls[1], create=False)
    assert catalogue(upgraded) == catalogue(fresh)
    assert len(catalogue(fresh)) > 100 or fresh.engine.dialect.name == "sqlite"
    for store in (fresh, upgraded):
        with store.read() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "compare_server_default": True}
            )
            assert compare_metadata(context, Table.metadata) == []
            assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == [(SCHEMA_VERSION,)]
        store.close()


def test_the_comparison_sees_a_difference(store: Store) -> None:
    """A trigger, an index or a default that one database lacks shows in its catalogue."""
    before = catalogue(store)
    sqlite = store.engine.dialect.name == "sqlite"
    for statement in (
        "DROP INDEX ix_response_item_id",
        "DROP TRIGGER event_no_delete" if sqlite else "DROP TRIGGER event_append_only ON event",
        "ALTER TABLE study ADD COLUMN note VARCHAR(9)",
    ):
        with store.write() as connection:
            connection.execute(text(statement))
        after = catalogue(store)
        assert after != before
        before = after


def next_migration(folder: Path, body: str) -> Path:
    """The project's migrations and one more, `9999`, that does `body`."""
    migrations = folder / "migrations"
    shutil.copytree(MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    (migrations / "versions" / "9999_next.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision = '9999'\ndown_revision = {SCHEMA_VERSION!r}\n\n\ndef upgrade():\n    {body}\n"
    )
    return migrations


def with_a_study(url: str) -> Store:
    """A store with one study and one design of it."""
    store = open_store(url)
    with store.write() as connection:
        connection.execute(insert(Study).values(name="pets", token="t", created_at=now()))
        connection.execute(
            text(
                'INSERT INTO design (study_id, version, sha256, task, source, "values", created_at) '
                "VALUES (1, 1, '0', 't', '', '{}', '2024-01-01 00:00:00')"
            )
        )
    return store


def test_a_migration_that_fails_half_way_leaves_nothing(two_urls: tuple[str, str], tmp_path: Path) -> None:
    """Tables made, columns added and rows changed before the failure are all undone; the version stays."""
    store = with_a_study(two_urls[0])
    before = catalogue(store)
    steps = [
        "op.create_table('half', sa.Column('id', sa.Integer(), primary_key=True))",
        "op.add_column('study', sa.Column('note', sa.Text()))",
        "op.execute(\"UPDATE study SET name = 'changed'\")",
        "op.execute('INSERT INTO nowhere VALUES (1)')",
    ]
    with pytest.raises(StoreError, match=r"(?s)cannot be upgraded: .*nowhere.*; nothing was changed"):
        upgrade(two_urls[0], next_migration(tmp_path, "; ".join(steps)))
    assert catalogue(store) == before
    with store.read() as connection:
        assert connection.scalars(select(Study.name)).all() == ["pets"]
    store.close()
    assert upgrade(two_urls[0]).changed is False


def test_a_first_upgrade_that_fails_leaves_an_empty_database(two_urls: tuple[str, str], tmp_path: Path) -> None:
    """Even where the first migration went well, its tables are gone when the second fails."""
    with pytest.raises(StoreError, match="nothing was changed"):
        upgrade(two_urls[0], next_migration(tmp_path, "op.execute('SELECT * FROM nowhere')"))
    engine = make_engine(two_urls[0])
    with engine.connect() as connection:
        sqlite = engine.dialect.name == "sqlite"
        tables = "sqlite_master" if sqlite else "pg_tables WHERE schemaname = 'public'"
        assert connection.execute(text(f"SELECT count(*) FROM {tables}")).scalar() == 0
    engine.dispose()


def test_a_table_is_rebuilt_with_its_referrers_in_place(two_urls: tuple[str, str], tmp_path: Path) -> None:
    """A migration may change a column that SQLite can only change by building the table anew; all rows stay."""
    store = with_a_study(two_urls[0])
    body = "with op.batch_alter_table('study') as t: t.alter_column('name', type_=sa.String(300))"
    done = upgrade(two_urls[0], next_migration(tmp_path, body))
    assert (done.before, done.after) == (SCHEMA_VERSION, "9999")
    with store.read() as connection:
        assert connection.execute(text("SELECT s.name FROM design d JOIN study s ON s.id = d.study_id")).all() == [
            ("pets",)
        ]
    store.close()


def test_a_migration_may_not_leave_rows_that_refer_to_nothing(two_urls: tuple[str, str], tmp_path: Path) -> None:
    """References are checked on both databases, also where SQLite was told to look away."""
    store = with_a_study(two_urls[0])
    with pytest.raises(StoreError, match="nothing was changed"):
        upgrade(two_urls[0], next_migration(tmp_path, "op.execute('DELETE FROM study')"))
    with store.read() as connection:
        assert connection.scalars(select(Study.name)).all() == ["pets"]
    store.close()


def test_codes_live_on_and_stay_append_only(two_urls: tuple[str, str], tmp_path: Path) -> None:
    """SQLite makes the tables of codes anew for interactions: their rows, and that nobody changes them, stay."""
    older = tmp_path / "older"
    shutil.copytree(MIGRATIONS, older, ignore=shutil.ignore_patterns("__pycache__", "0006_*"))
    upgrade(two_urls[0], older)
    store = Store(make_engine(two_urls[0]))
    at = "'2024-01-01 00:00:00'"
    with store.write() as connection:
        for table, values in (
            ("study (id, name, token, created_at)", f"1, 'pets', 't', {at}"),
            ("item (id, study_id, key, content_sha256, token, attributes)", "1, 1, 'cat', '0', 't', '{}'"),
            ("coder (id, study_id, name, token, created_at)", f"1, 1, 'Ann', 't', {at}"),
            ("coding (id, item_id, coder_id, category, at)", f"7, 1, 1, 'C1', {at}"),
            ("adjudication (id, item_id, category, decided_by, at)", f"8, 1, 'C2', 'Ann', {at}"),
        ):
            connection.execute(text(f"INSERT INTO {table} VALUES ({values})"))
    store.close()
    assert (upgrade(two_urls[0]).before, upgrade(two_urls[0]).before) == ("0005", SCHEMA_VERSION)
    store = open_store(two_urls[0])
    for table, row in (("coding", (7, "C1", None, None)), ("adjudication", (8, "C2", None, None))):
        with store.read() as connection:
            kept = connection.execute(text(f"SELECT id, category, response_id, interaction FROM {table}")).all()
        assert kept == [row]
        for statement in (f"UPDATE {table} SET category = 'C3'", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match=f"{table} is append-only"), store.write() as connection:
                connection.execute(text(statement))
    store.close()


def test_upgrade_says_what_it_did(tmp_path: Path) -> None:
    """The command says from which version to which, or that there was nothing to do."""
    arguments = ["--database", str(tmp_path / "store.db")]
    first = CliRunner().invoke(command, arguments)
    assert first.output.endswith(f"store.db was empty and has the schema {SCHEMA_VERSION} now.\n")
    second = CliRunner().invoke(command, arguments)
    assert second.output.endswith(f"store.db has the schema {SCHEMA_VERSION} already; nothing to do.\n")


def test_upgrade_refuses_a_newer_database(two_urls: tuple[str, str]) -> None:
    """A database of a newer version stays as it is."""
    store = with_a_study(two_urls[0])
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    known = rf"newer crowdloom \(schema 9999, this one knows {SCHEMA_VERSION}\); update crowdloom"
    with pytest.raises(StoreError, match=known):
        upgrade(two_urls[0])
    store.close()


def test_upgrade_leaves_somebody_elses_database_alone(two_urls: tuple[str, str]) -> None:
    """A database with other tables gets none of ours."""
    engine = make_engine(two_urls[0])
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))
    with pytest.raises(StoreError, match="is a database of something else"):
        upgrade(two_urls[0])
    with pytest.raises(StoreError, match="is a database of something else"):
        open_store(two_urls[0])
    engine.dispose()


def test_jobs_of_an_older_store_belong_to_no_trial(two_urls: tuple[str, str], tmp_path: Path) -> None:
    """They stay as they are; those of a newer crowdloom name theirs."""
    older = tmp_path / "older"
    shutil.copytree(MIGRATIONS, older, ignore=shutil.ignore_patterns("__pycache__", "0006_*"))
    assert upgrade(two_urls[0], older).after == "0005"
    engine = make_engine(two_urls[0])
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO job (token, task, step, state, input, time_limit_s, created_at) "
                "VALUES ('t', 'tiny-live', 'count', 'queued', '{}', 5, '2024-01-01 00:00:00')"
            )
        )
    engine.dispose()
    assert upgrade(two_urls[0]).before == "0005"
    store = open_store(two_urls[0], create=False)
    claimed = claim(store, "a")
    assert claimed is not None
    assert (claimed.token, claimed.trial) == ("t", None)
    store.close()
