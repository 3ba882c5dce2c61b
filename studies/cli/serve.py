"""`crowdloom serve`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import database_option, opened


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8000, show_default=True, help="The port; 0 takes a free one.")
@click.option("--workers", default=2, show_default=True, help="Processes.")
@click.option("--threads", default=16, show_default=True, help="Requests that one process answers at a time.")
@database_option
def command(host: str, port: int, workers: int, threads: int, database: str | None) -> None:
    """Serve the pages of all studies in the store, until Ctrl-C.

    Prints the links of the open studies and a one-time link to the researcher's pages. Put a web
    server with HTTPS in front of it before you let people in from outside. Several machines may serve
    one store; the researcher's pages then open only at the machine that printed their link.
    """
    from crowdloom.studies.server import serve
    from crowdloom.studies.welcome import welcome

    def greet(address: str) -> None:
        with opened(database) as store:
            click.echo(welcome(store, address))

    serve(database, host=host, port=port, workers=workers, threads=threads, on_ready=greet)
