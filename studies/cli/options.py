"""Options that several commands share."""

from __future__ import annotations

import click

database_option = click.option(
    "--database",
    metavar="URL",
    help="A SQLAlchemy URL, or the path of a SQLite file; else $CROWDLOOM_DATABASE, or a file in your data folder.",
)
