"""What all pages share: the store of their app, and the names in their addresses."""

from __future__ import annotations

from flask import current_app
from werkzeug.routing import BaseConverter

from crowdloom.studies.database import Store


class Token(BaseConverter):
    """A token or a digest in an address: whatever else stands there is no page of ours, nor asked of the database."""

    regex = "[0-9A-Za-z_-]{1,64}"


def current_store() -> Store:
    """The store of the app that answers this request."""
    store: Store = current_app.extensions["crowdloom_store"]
    return store
