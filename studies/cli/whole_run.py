"""What the commands that run a whole study say while they are at it, and how they are stopped."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

from crowdloom.studies.cli.options import doing

Say = Callable[[str], None]


@contextmanager
def watching(stays: str) -> Iterator[tuple[Say, Say]]:
    """What tells each step in a line, and what shows how far it is on a terminal.

    Ctrl-C and SIGTERM end the block and the command, with a sentence that says what `stays`.
    """
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with doing() as show:

            def say(step: str) -> None:
                show("")
                click.echo(step)

            yield say, show
    except KeyboardInterrupt:
        click.echo(f"Stopped before the end; what ran is ended, and {stays}.", err=True)
        sys.exit(130)
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: object) -> NoReturn:
    """End on SIGTERM as on Ctrl-C, so that no server and no worker is left behind."""
    raise KeyboardInterrupt
