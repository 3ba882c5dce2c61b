"""A store of answered studies that tests of releases only read from, and releases of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdloom.studies.database import Store, open_store
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import release_study
from tests.studies.releasing.answered import PEOPLE, answer_all, everything, study


@pytest.fixture(scope="session")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The studies digits (with people of every standing), mixes, midpoints and mistakes; tests add releases alone."""
    folder = tmp_path_factory.mktemp("answered")
    store = open_store(str(folder / "store.db"))
    everything(store, folder)
    for name in ("mixes", "midpoints", "mistakes"):
        answer_all(store, study(store, folder, name), PEOPLE[:4])
    yield store
    store.close()


@pytest.fixture(scope="session")
def released(answered: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of digits with everything in it: free text and images; the zip stands beside it."""
    out = tmp_path_factory.mktemp("released") / "digits"
    release_study(answered, "digits", out, Options("CC-BY-4.0", True, "include", ("Meier, Eva", "The Digits Lab")))
    return out
