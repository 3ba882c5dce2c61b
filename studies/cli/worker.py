"""`crowdloom worker`."""

from __future__ import annotations

import logging

import click

from crowdloom.studies.cli.options import database_option


@click.command()
@click.option("--once", is_flag=True, help="End when the queue is empty, instead of waiting for more.")
@database_option
def command(once: bool, database: str | None) -> None:
    """Run the long steps of live tasks, and what the researcher's pages ask of platforms, until Ctrl-C.

    Start as many workers as you like, on any machine that reaches the database. One that dies loses
    its job to another; one that is told to end gives its job back. Credentials of platforms come from its environment.
    """
    from crowdloom.studies.words import count
    from crowdloom.studies.worker import run_worker

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        click.echo("Working on the queue  (Ctrl-C ends it)")  # echo flushes, so a pipe is told at once too
        ended = run_worker(database, once=once)
    except KeyboardInterrupt:  # before it listens for signals, and so before it took a job
        ended = 0
    click.echo(f"{count(ended, 'job')} done.")
