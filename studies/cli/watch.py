"""`crowdloom watch`."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime

import click

from crowdloom.studies.cli.options import database_option, opened, platform_option


@click.command()
@click.argument("study")
@click.option("--every", type=click.IntRange(5, 86_400), default=60, show_default=True, help="Seconds between looks.")
@click.option("--once", is_flag=True, help="Look once, and end.")
@platform_option
@database_option
def command(study: str, every: int, once: bool, platform: str | None, database: str | None) -> None:
    """Reconcile STUDY with its platforms on a timer, until Ctrl-C, and say what is new.

    A platform that cannot be reached is said so, and asked again the next time. Nobody is paid.
    """
    from crowdloom.studies.watching import Watch

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    click.echo(f"Watching {study}  (Ctrl-C ends it)")
    with opened(database) as store:
        watch = Watch(store, study, platform)
        while not stop.is_set():
            for line in watch.look():
                click.echo(f"{datetime.now(UTC):%H:%M:%S}  {line}")
            if once:
                return
            stop.wait(every)
