"""`crowdloom forget-identities`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import confirmed, database_option, opened, wipe, yes_option


@click.command()
@click.argument("study")
@yes_option
@database_option
def command(study: str, yes: bool, database: str | None) -> None:
    """Erase the platform ids of the participants of STUDY, once paying is over; the data stay as they are.

    What was recorded of their voices is deleted, too; `crowdloom hill audio` writes it to files before. From then on
    nobody can be paid, and nobody who comes again is recognised.
    """
    from crowdloom.studies.identities import forget_identities
    from crowdloom.studies.words import count

    with opened(database) as store:
        if not confirmed(f"Erase who took part in {study}? This cannot be undone.", yes):
            click.echo("Nothing was erased.")
            return
        with store.write() as connection:
            done = forget_identities(connection, study)
        click.echo(f"{study}: the platform ids of {count(done.people, 'participant')} are erased.")
        if done.voices:
            click.echo(f"What {count(done.voices, 'submission')} recorded of voices is deleted.")
        if done.stay:
            click.echo(f"{count(done.stay, 'participant')} are still needed by another study, and keep theirs.")
        wipe(store)
