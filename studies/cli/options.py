"""What several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from crowdloom.studies.database import Store
    from crowdloom.studies.posted import Posted

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


def analysis_options(command: Command) -> Command:
    """The study, and `--out`: the folder of an analysis of its own."""
    command = click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        required=True,
        metavar="DIR",
        help="A folder for tables, figures and summary.md; it is made if it is not there.",
    )(command)
    return click.argument("study")(command)


def platform_option(command: Command) -> Command:
    """`--on`: only the postings on one platform."""
    return click.option("--on", "platform", metavar="PLATFORM", help="Only on this platform: link, prolific or mturk.")(
        command
    )


yes_option = click.option("--yes", is_flag=True, help="Do not ask, just do it.")


def postings_of(store: Store, study: str, platform: str | None, *states: str) -> list[Posted]:
    """The postings of a study, in these states (all without any), on one platform or on all.

    Raises StudyError where there is none, OptionError for an unknown platform.
    """
    from crowdloom.studies.errors import OptionError, StudyError
    from crowdloom.studies.platforms import PLATFORMS
    from crowdloom.studies.posted import find_postings

    if platform is not None and platform not in PLATFORMS:
        raise OptionError(f"--on {platform}: there is no such platform; there are: {', '.join(PLATFORMS)}")
    with store.read() as connection:
        found = find_postings(connection, study, platform)
    chosen = [posted for posted in found if not states or posted.state in states]
    if not chosen:
        on = f" on {platform}" if platform else ""
        what = f"{study} is published{on}, but {' and '.join(sorted({posted.state for posted in found}))}"
        if not found:
            what = f"{study} is not published{on} yet; see `crowdloom publish --help`"
        raise StudyError(what)
    return chosen


def posting_of(store: Store, study: str, code: str) -> Posted:
    """The posting of a submission. Raises StudyError for an unknown code, OptionError for one without a platform."""
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.platforms import PLATFORMS
    from crowdloom.studies.review import posted_of

    with store.read() as connection:
        posted = posted_of(connection, study, code)
    if posted is None or not PLATFORMS[posted.platform].capabilities.identifies:
        raise OptionError(f"{code} did not come from a platform on which anything is handed in")
    return posted


def confirmed(question: str, yes: bool) -> bool:
    """Ask, unless `--yes` was given; where nobody can be asked, the answer is no, with a sentence."""
    if yes:
        return True
    if not sys.stdin.isatty():
        from crowdloom.studies.errors import OptionError

        raise OptionError(f"{question} Nobody can be asked here; repeat the command with --yes. Nothing was done")
    return click.confirm(question, err=True)


def progress(label: str, length: int) -> Any:
    """A progress bar on standard error, where that is a terminal; use it in a `with`."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty(), show_pos=True)


@contextmanager
def doing() -> Iterator[Callable[[str], None]]:
    """A line on standard error, where that is a terminal; call what comes with what is being done now.

    The line is gone at the end of the block.
    """
    shown = sys.stderr.isatty()

    def say(what: str) -> None:
        if shown:
            click.echo(f"\r\x1b[K{what} …" if what else "\r\x1b[K", nl=False, err=True)

    try:
        yield say
    finally:
        say("")


@contextmanager
def counting(label: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar for work whose amount shows as it goes; call what comes with how much is done, of how much."""
    with progress(label, 1) as bar:

        def show(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield show


def check_folder(path: Path, option: str = "--out") -> None:
    """Refuse early, before long work, to write to a folder that does not exist."""
    from crowdloom.studies.errors import OptionError

    if not path.absolute().parent.is_dir():
        raise OptionError(f"{option} {path}: there is no folder {path.parent}; create it first")


def check_apart(paths: Mapping[str, Path | None]) -> None:
    """Refuse, before anything is read, to write over what is read, or two things to one file.

    `paths` by what they are called on the command line, those that are read first.
    """
    from crowdloom.studies.errors import OptionError

    seen: dict[Path, str] = {}
    for name, path in paths.items():
        if path is None:
            continue
        first = seen.setdefault(path.resolve(), name)
        if first != name:
            raise OptionError(f"{name} {path} is the same file as {first}; give another name")


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


def wipe(store: Store) -> None:
    """Let no trace stay in the database's files of what was erased; where that cannot be now, say so."""
    from crowdloom.studies.errors import StoreError

    try:
        store.wipe()
    except StoreError:
        click.echo(
            "Traces may still be in the database's files, which somebody else holds; repeat it when nobody does."
        )
