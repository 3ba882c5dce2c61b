"""The app and a browser without JavaScript, for the tests of pages."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crowdloom.studies.database import Store
from crowdloom.studies.web import create_app


@pytest.fixture
def app(store: Store) -> Flask:
    """The app over a fresh store, on SQLite and on PostgreSQL."""
    return create_app(store)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript."""
    return app.test_client()
