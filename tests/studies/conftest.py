"""Fixtures for tests of the store and of what works on it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from crowdloom.studies.database import Store
from crowdloom.studies.marketplace import Market, open_market
from tests.prolific import StandIn
from tests.studies.marketplace.running import running
from tests.studies.published import OnMTurk, OnProlific, Published
from tests.studies.ray_processes import ray_of_its_own

Publish = Callable[..., Published]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, whose file's name has signs that addresses use."""
    if request.param == "sqlite":
        return str(tmp_path / "my study, 100%.db")
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="module")
def marketplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Market, str]]:
    """One marketplace over HTTP for the tests of a file; each has an account of its own there."""
    market = open_market(str(tmp_path_factory.mktemp("marketplace") / "market.db"))
    with running(market) as address:
        yield market, address
    market.close()


@pytest.fixture(scope="module")
def prolific_service(test_data: Path) -> Iterator[StandIn]:
    """One stand-in for Prolific for the tests of a file."""
    with StandIn(test_data) as prolific:
        yield prolific


@pytest.fixture
def mturk_environ(marketplace: tuple[Market, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Market, str]]:
    """The environment names the marketplace and an account of this test's own."""
    market, address = marketplace
    monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"AKIA{uuid.uuid4().hex[:16].upper()}")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nobody-is-to-see-this")
    monkeypatch.delenv("CROWDLOOM_MTURK", raising=False)
    yield marketplace
    market.clear_faults()


@pytest.fixture
def prolific_environ(prolific_service: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The environment names the stand-in."""
    for name, value in prolific_service.environ.items():
        monkeypatch.setenv(name, value)
    yield prolific_service
    prolific_service.clear_faults()


@pytest.fixture
def on_mturk(mturk_environ: tuple[Market, str], tmp_path: Path) -> Publish:
    """Publish a study on the marketplace: call it with a store and what `Published` takes."""
    OnMTurk.market, OnMTurk.address = mturk_environ
    return partial(_publish, OnMTurk, tmp_path)


@pytest.fixture
def on_prolific(prolific_environ: StandIn, tmp_path: Path) -> Publish:
    """Publish a study on Prolific's stand-in."""
    OnProlific.prolific = prolific_environ
    return partial(_publish, OnProlific, tmp_path)


@pytest.fixture(params=["mturk", "prolific"])
def on_paying(request: pytest.FixtureRequest) -> Publish:
    """Publish a study on each platform that pays."""
    publish: Publish = request.getfixturevalue(f"on_{request.param}")
    return publish


def _publish(kind: type[Published], folder: Path, store: Store, items: int = 1, **changes: Any) -> Published:
    return kind(store, folder / str(changes.get("name", "pets")), items, **changes)


@pytest.fixture
def ray_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Ray may be started, and has its files here; nothing of it is left running."""
    with ray_of_its_own(monkeypatch) as folder:
        yield folder
