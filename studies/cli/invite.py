"""`crowdloom invite`."""

from __future__ import annotations

from pathlib import Path

import click

from crowdloom.studies.cli.options import check_folder, database_option, opened, postings_of


@click.command()
@click.argument("study")
@click.option("--count", "number", type=click.IntRange(1, 100_000), default=1, show_default=True, help="How many.")
@click.option("--address", default="http://127.0.0.1:8000", show_default=True, help="Where the pages are reached.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write them here, one a line.")
@database_option
def command(study: str, number: int, address: str, out: Path | None, database: str | None) -> None:
    """Make personal links to STUDY, each for one person.

    With link.invited_only = true in the design these are the only way in.
    """
    from crowdloom.analysis.files import whole_file
    from crowdloom.studies.posting import invite
    from crowdloom.studies.words import count

    if out is not None:
        check_folder(out)
    with opened(database) as store:
        posted = postings_of(store, study, "link", "open", "paused")[0]
        with store.write() as connection:
            tokens = invite(connection, posted.id, number)
    links = [f"{address.rstrip('/')}/join/{posted.token}?participant={token}" for token in tokens]
    if out is None:
        click.echo("\n".join(links))
        return
    with whole_file(out) as part:
        part.write_text("".join(f"{link}\n" for link in links), encoding="utf-8")
    click.echo(f"Wrote {count(len(links), 'link')} to {out}.")
