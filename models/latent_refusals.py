"""What participants read where a session cannot go on through no fault of theirs; the reason goes into the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crowdloom.models.errors import ModelError
from crowdloom.models.live import Refused

DAMAGED = (
    "This session's files are damaged, so it cannot go on; please write to the researcher. What you did before is kept."
)
NOT_READY = "This part of the study is not ready, which is our fault; please write to the researcher."


@contextmanager
def of_the_scenario() -> Iterator[None]:
    """Within it, a scenario that is not prepared here, or cannot be used, is Refused; the ModelError is its cause."""
    try:
        yield
    except ModelError as error:
        raise Refused(NOT_READY) from error
