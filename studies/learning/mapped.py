"""Errors of the folders below, as those of the store's commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crowdloom.analysis.frame import FrameError
from crowdloom.models.errors import ModelError
from crowdloom.studies.errors import ItemError


@contextmanager
def mapped(what: str | None = None) -> Iterator[None]:
    """Turn what analysis and models raise about data into an ItemError that begins with `what`."""
    try:
        yield
    except (ModelError, FrameError) as error:
        raise ItemError(f"{what}: {error}" if what else str(error)) from error
