"""`crowdloom worker`."""

from __future__ import annotations

import logging
from typing import Any

import click

from crowdloom.studies.cli.options import database_option
from crowdloom.tasks import TASKS


def _limits() -> str:
    """What the steps of live tasks may take, for the help."""
    steps = [
        f"{name} {step_name}: {_words(step.time_limit_s, step.memory_mib)}"
        for name, task in sorted(TASKS.items())
        for step_name, step in task.live_steps.items()
        if step.where == "worker"
    ]
    return "What a step may take: " + "; ".join(steps) if steps else ""


def _words(time_limit_s: float, memory_mib: int | None) -> str:
    minutes = f"{time_limit_s / 60:g} minutes"
    return minutes if memory_mib is None else f"{minutes}, {memory_mib:,} MiB of memory"


@click.command(epilog=_limits())
@click.option("--once", is_flag=True, help="End when the queue is empty, instead of waiting for more.")
@click.option(
    "--sessions",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    metavar="N",
    help="Work on so many jobs side by side; each needs a processor.",
)
@click.option(
    "--engine",
    type=click.Choice(["processes", "ray"]),
    default="processes",
    show_default=True,
    help="Where steps run: in processes of this machine, or as actors on a Ray cluster (extra: cluster).",
)
@click.option(
    "--address",
    metavar="ADDRESS",
    help="The cluster's address, such as 10.0.0.1:6379; default: $RAY_ADDRESS, or a cluster started here.",
)
@database_option
def command(once: bool, sessions: int, engine: Any, address: str | None, database: str | None) -> None:
    """Run the long steps of live tasks, and what the researcher's pages ask of platforms, until Ctrl-C.

    Start as many workers as you like, on any machine that reaches the database and shares $CROWDLOOM_SCRATCH. One that
    dies loses its jobs to another; one that is told to end gives its jobs back. Credentials of platforms come from its
    environment. A step that takes more time or memory than its task declares is ended, and the log says so.
    """
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.words import count
    from crowdloom.studies.worker import run_worker

    if address is not None and engine != "ray":
        raise OptionError("--address is that of a Ray cluster; say --engine ray, too")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        click.echo("Working on the queue  (Ctrl-C ends it)")  # echo flushes, so a pipe is told at once too
        ended = run_worker(database, once=once, sessions=sessions, engine=engine, address=address)
    except KeyboardInterrupt:  # before it listens for signals, and so before it took a job
        ended = 0
    click.echo(f"{count(ended, 'job')} done.")
