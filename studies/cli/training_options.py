"""What the commands that train networks share: their options, the progress bar, and how they stop."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from crowdloom.studies.learning.extra import INSTALL, lacking

if TYPE_CHECKING:
    from crowdloom.models.sweep_book import Progress

Command = TypeVar("Command", bound=Callable[..., Any])

NETWORKS = ("small-cnn", "resnet-34a", "resnet-50", "vgg-11", "preact-resnet-18", "preact-resnet-34")
"""Those of `models.networks`, named here as well so that `--help` needs no PyTorch."""
_STEPS = 1000


def engine_options(command: Command) -> Command:
    """`--engine`, `--workers`, `--threads`, `--device`: by what runs are done, as `learning.sweeping.Engine` has it."""
    for option in (
        click.option("--device", metavar="NAME", help="cpu, cuda, cuda:1, mps; the best that is there if not given."),
        click.option(
            "--threads",
            type=click.IntRange(min=1),
            default=1,
            show_default=True,
            help="Of each run; with another number sums differ in their last digits.",
        ),
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            metavar="N",
            help="How many runs at once; as many as there are processors if not given, or one on a graphics card.",
        ),
        click.option(
            "--engine",
            type=click.Choice(["local", "ray"]),
            default="local",
            show_default=True,
            help="local: processes on this machine. ray: a Ray cluster, the one at $RAY_ADDRESS or one started here.",
        ),
    ):
        command = option(command)
    return command


def run_options(*, network: str, seeds: str, epochs: str) -> Callable[[Command], Command]:
    """`--network` (a tuple, empty where none is named), `--seeds` and `--epochs` (None where not given).

    The words say what holds where an option is not given.
    """

    def add(command: Command) -> Command:
        for option in (
            click.option("--epochs", type=click.IntRange(min=1), metavar="N", help=f"Of training; {epochs}."),
            click.option("--seeds", type=click.IntRange(min=1), metavar="N", help=f"How many, from 0 on; {seeds}."),
            click.option(
                "--network",
                "networks",
                type=click.Choice(NETWORKS),
                multiple=True,
                metavar="NAME",
                help=f"{', '.join(NETWORKS)}; {network}. Repeat it for several, which are averaged within a seed.",
            ),
        ):
            command = option(command)
        return command

    return add


def require_training() -> None:
    """Raise OptionError where the extra `train` is not installed."""
    from crowdloom.studies.errors import OptionError

    if (said := lacking()) is not None:
        raise OptionError(f"{said}, without which no network is trained; run: {INSTALL}")


@contextmanager
def training_progress() -> Iterator[Callable[[Progress], None]]:
    """A progress bar on standard error, where that is a terminal, over the epochs of all runs of a sweep."""
    with click.progressbar(
        length=_STEPS,
        label="Training",
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
        show_pos=False,
        item_show_func=lambda said: said,
    ) as bar:

        def show(progress: Progress) -> None:
            under_way = sum(run.epoch / run.epochs for run in progress.running)
            share = (progress.done + under_way) / progress.total if progress.total else 1.0
            failed = f", {progress.failed} failed" if progress.failed else ""
            bar.update(max(0, round(_STEPS * share) - bar.pos), f"{progress.done} of {progress.total} runs{failed}")

        yield show


@contextmanager
def stoppable(folder: Path) -> Iterator[None]:
    """Ctrl-C ends the command with a sentence instead of a traceback; nothing that was done is lost."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nStopped; what is done stays in {folder}, and the same command goes on from there.", err=True)
        sys.exit(130)
