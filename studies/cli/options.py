"""What several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from crowdloom.studies.database import Store

Command = TypeVar("Command", bound=Callable[..., Any])

database_option = click.option(
    "--database",
    metavar="URL",
    help="A SQLAlchemy URL, or the path of a SQLite file; else $CROWDLOOM_DATABASE, or a file in your data folder.",
)


def answers_options(command: Command) -> Command:
    """`--responses` and `--version`: which answers of a study count."""
    command = click.option("--version", type=int, help="Only this version of the design; else all of them together.")(
        command
    )
    return click.option(
        "--responses",
        type=click.Choice(["accepted", "all"]),
        default="accepted",
        show_default=True,
        help="Accepted: complete, filling a place, not excluded. All: drop-outs and surplus ones too.",
    )(command)


def progress(label: str, length: int) -> Any:
    """A progress bar on standard error, where that is a terminal; use it in a `with`."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty(), show_pos=True)


@contextmanager
def item_progress() -> Iterator[Callable[[int, int], None]]:
    """A progress bar for a design's items; call what comes with how many are done and how many there are."""
    with progress("Reading items", 1) as bar:

        def show(done: int, total: int) -> None:
            bar.length = total
            bar.update(1)

        yield show


def check_folder(path: Path) -> None:
    """Refuse early, before long work, to write to a folder that does not exist."""
    from crowdloom.studies.errors import OptionError

    if not path.absolute().parent.is_dir():
        raise OptionError(f"--out {path}: there is no folder {path.parent}; create it first")


@contextmanager
def opened(database: str | None, *, create: bool = False) -> Iterator[Store]:
    """The store that a command works on, closed at the end of the block.

    Only commands that put something in make a new one: a name with a slip must not leave an empty store.
    """
    from crowdloom.studies.database import open_store

    store = open_store(database, create=create)
    try:
        yield store
    finally:
        store.close()
