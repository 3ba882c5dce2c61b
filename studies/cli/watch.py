"""`crowdloom watch`."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

import click

from crowdloom.studies.cli.options import database_option, opened, platform_option


@click.command()
@click.argument("study")
@click.option("--every", type=click.IntRange(5, 86_400), default=60, show_default=True, help="Seconds between looks.")
@click.option("--once", is_flag=True, help="Look once, and end.")
@click.option(
    "--webhooks", "address", metavar="URL", help="Ask Prolific to tell this server of changes; its https address."
)
@click.option("--secret-file", type=click.Path(path_type=Path), help="Where the secret of the webhooks goes.")
@platform_option
@database_option
def command(
    study: str,
    every: int,
    once: bool,
    address: str | None,
    secret_file: Path | None,
    platform: str | None,
    database: str | None,
) -> None:
    """Reconcile STUDY with its platforms on a timer, until Ctrl-C, and say what is new.

    A platform that cannot be reached is said so, and asked again the next time. Nobody is paid. With webhooks, which
    `crowdloom serve` takes at /hooks/prolific, Prolific is asked as soon as it says that something changed.
    """
    from crowdloom.studies.watching import Watch

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    click.echo(f"Watching {study}{'' if once else '  (Ctrl-C ends it)'}")
    with opened(database) as store:
        if address is not None:
            _subscribe(address, secret_file)
        watch = Watch(store, study, platform)
        while not stop.is_set():
            for line in watch.look():
                click.echo(f"{datetime.now(UTC):%H:%M:%S}  {line}")
            if once:
                return
            watch.wait(stop, every)


def _subscribe(address: str, secret_file: Path | None) -> None:
    """Ask Prolific for webhooks; the secret with which it signs goes to a file that only its owner can read."""
    import os

    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.platforms.prolific import Prolific
    from crowdloom.studies.platforms.prolific_account import ProlificAccount

    chosen = Prolific()
    account = chosen.connect(chosen.where(os.environ), os.environ)
    assert isinstance(account, ProlificAccount)
    known = os.environ.get("PROLIFIC_WEBHOOK_SECRET")
    if secret_file is None and not known:
        raise OptionError(
            "--webhooks needs --secret-file FILE: Prolific signs its events with a secret that goes there"
        )
    secret = account.subscribe(f"{address.rstrip('/')}/hooks/prolific")
    if secret_file is not None:
        handle = os.open(secret_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(f"{secret}\n")
        click.echo(f"Start `crowdloom serve` with PROLIFIC_WEBHOOK_SECRET_FILE={secret_file}")
    elif secret != known:
        raise OptionError("PROLIFIC_WEBHOOK_SECRET is not the workspace's secret; give --secret-file FILE to get it")
