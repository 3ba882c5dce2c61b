"""`crowdloom marketplace` and what its keeper does with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from crowdloom.studies.marketplace import Market

ADDRESS = "http://127.0.0.1:8001"

database_option = click.option(
    "--database",
    metavar="URL",
    help="A SQLAlchemy URL, or the path of a SQLite file; else $CROWDLOOM_MARKETPLACE, or a file in your data folder.",
)


@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND]")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8001, show_default=True, help="The port; 0 takes a free one.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(min=1), help="Processes.")
@click.option(
    "--threads", default=8, show_default=True, type=click.IntRange(min=1), help="Requests a process answers at a time."
)
@click.option("--address", metavar="URL", help="Where people reach it, if a web server with HTTPS stands before it.")
@click.option(
    "--rate", type=click.FloatRange(min=0.01), help="API requests a second for one account; more are throttled."
)
@database_option
@click.pass_context
def command(
    context: click.Context,
    host: str,
    port: int,
    workers: int,
    threads: int,
    address: str | None,
    rate: float | None,
    database: str | None,
) -> None:
    """Serve a marketplace of your own that speaks MTurk's protocol, until Ctrl-C.

    Requesters use it with boto3 by `endpoint_url`; the people you invite work on its pages. At an address of this
    machine every access key is an account of its own, with any secret and 10,000.00 USD of play money; at any other
    address only the requesters that you add are let in. Called with a COMMAND it does not serve.
    """
    context.obj = database
    if context.invoked_subcommand is None:
        _serve(database, host, port, workers, threads, address, rate)


def _serve(
    database: str | None, host: str, port: int, workers: int, threads: int, address: str | None, rate: float | None
) -> None:
    from crowdloom.studies.marketplace import create_app, open_market
    from crowdloom.studies.marketplace.questions import is_loopback
    from crowdloom.studies.server import run_server

    check_address(address)
    # Behind a web server the loopback address is reached by everybody.
    is_local = is_loopback(host) and address is None
    with opened(database, create=True) as market:
        url = market.url

    def load() -> object:
        return create_app(open_market(url, create=False), open_accounts=is_local, address=address, rate=rate)

    def greet(ready: str) -> None:
        shown = (address or ready).rstrip("/")
        click.echo(f"Serving the marketplace at {ready}  (Ctrl-C ends it)")
        click.echo("\nRequesters: point boto3 at it, in the script or by an environment variable:")
        click.echo(f'  boto3.client("mturk", region_name="us-east-1", endpoint_url="{shown}")')
        click.echo(f"  AWS_ENDPOINT_URL_MTURK={shown}")
        click.echo(
            "  Any access key and secret will do; each key is an account of its own."
            if is_local
            else "  Only with the key of a requester whom you added: crowdloom marketplace requester NAME"
        )
        with opened(url) as market:
            _, invitation = market.add_worker()
        click.echo(f"\nA worker's invitation (more with `crowdloom marketplace invite`):\n  {shown}/enter/{invitation}")

    run_server(load, host=host, port=port, workers=workers, threads=threads, on_ready=greet)


@contextmanager
def opened(database: str | None, *, create: bool = False) -> Iterator[Market]:
    """The marketplace that a command works on, closed at the end of the block."""
    from crowdloom.studies.marketplace import open_market

    market = open_market(database, create=create)
    try:
        yield market
    finally:
        market.close()


def check_address(address: str | None) -> None:
    """Refuse what is no web address. Raises OptionError."""
    from urllib.parse import urlsplit

    from crowdloom.studies.errors import OptionError

    if address is None:
        return
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise OptionError(f"--address {address} is not an address such as https://market.example.org")


@command.command()
@click.option("--count", default=1, show_default=True, type=click.IntRange(1, 10_000), help="How many people.")
@click.option("--address", default=ADDRESS, show_default=True, help="Where they reach the marketplace.")
@click.option("--country", default="US", show_default=True, help="Where they live, by ISO 3166, for Locale.")
@click.option("--subdivision", metavar="CODE", help="The state, by ISO 3166-2, such as WA.")
@click.option("--adult/--no-adult", default=True, show_default=True, help="Whether they agreed to adult content.")
@click.option("--masters", is_flag=True, help="Whether they have the Masters qualification.")
@click.option("--approved", default=0, show_default=True, help="Approved assignments that they bring along.")
@click.option("--percent", default=100, show_default=True, help="How many percent of their reviewed ones that is.")
@database_option
@click.pass_context
def invite(
    context: click.Context,
    count: int,
    address: str,
    country: str,
    subdivision: str | None,
    adult: bool,
    masters: bool,
    approved: int,
    percent: int,
    database: str | None,
) -> None:
    """Invite workers and print their links.

    Each line has a worker's id and the link that signs them in, which is told here only.

    An example: --count 20 --country US --approved 3000 --percent 99
    """
    check_address(address)
    with opened(database or context.obj, create=True) as market:
        for _ in range(count):
            worker, invitation = market.add_worker(
                country=country.upper(),
                subdivision=subdivision.upper() if subdivision else None,
                adult=adult,
                masters=masters,
                approved=approved,
                percent=percent,
            )
            click.echo(f"{worker}  {address.rstrip('/')}/enter/{invitation}")


@command.command()
@click.argument("name")
@database_option
@click.pass_context
def requester(context: click.Context, name: str, database: str | None) -> None:
    """Add a requester and print their keys.

    They begin with 10,000.00 USD. The secret is told here only.
    """
    with opened(database or context.obj, create=True) as market:
        key, secret = market.add_requester(name)
    click.echo(f"AWS_ACCESS_KEY_ID={key}\nAWS_SECRET_ACCESS_KEY={secret}")


@command.command()
@click.argument("key")
@click.argument("amount")
@database_option
@click.pass_context
def deposit(context: click.Context, key: str, amount: str, database: str | None) -> None:
    """Add AMOUNT dollars to the account KEY.

    KEY is the requester's access key id.
    """
    with opened(database or context.obj) as market:
        market.deposit(key, amount)
    click.echo(f"Added {amount} USD to {key}.")


@command.command()
@click.argument("operation", required=False)
@click.argument("kind", required=False)
@click.option("--times", default=1, show_default=True, help="How many calls go wrong.")
@click.option("--clear", is_flag=True, help="Let nothing go wrong any more.")
@database_option
@click.pass_context
def fault(
    context: click.Context, operation: str | None, kind: str | None, times: int, clear: bool, database: str | None
) -> None:
    """Let the next calls of OPERATION go wrong.

    OPERATION is one of the API, such as SendBonus, with the KIND effect-then-500, effect-then-drop, 500, drop or
    throttle; or externalSubmit, with lost-submit besides; or accept, with reissue-assignment-id besides.
    """
    from crowdloom.studies.errors import OptionError

    if clear == (operation is not None) or (operation is None) != (kind is None):
        raise OptionError("fault takes an OPERATION and a KIND, or --clear alone")
    with opened(database or context.obj, create=True) as market:
        if operation is None or kind is None:
            click.echo(f"{market.clear_faults()} faults cleared.")
        else:
            market.add_fault(operation, kind, times)
            click.echo(f"The next {times} calls of {operation}: {kind}.")


@command.command()
@click.argument("seconds", type=int)
@database_option
@click.pass_context
def advance(context: click.Context, seconds: int, database: str | None) -> None:
    """Move the marketplace's clock on by SECONDS.

    For rehearsals: HITs expire, assignments time out, work is approved automatically.
    """
    with opened(database or context.obj) as market:
        market.advance(seconds)
        click.echo(f"It is {market.now():%Y-%m-%d %H:%M:%S} UTC in the marketplace.")
