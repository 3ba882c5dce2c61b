"""Fixtures for tests of the store and of what works on it."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, whose file's name has signs that addresses use."""
    if request.param == "sqlite":
        return str(tmp_path / "my study, 100%.db")
    return str(request.getfixturevalue("postgres_url"))
