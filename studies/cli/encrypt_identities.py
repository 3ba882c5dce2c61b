"""`crowdloom encrypt-identities`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import database_option, opened, wipe


@click.command()
@click.option("--new-key", is_flag=True, help="Print a fresh key, and do nothing else.")
@database_option
def command(new_key: bool, database: str | None) -> None:
    """Seal every participant's platform id with the key in $CROWDLOOM_IDENTITY_KEY.

    Ids that come in while the key is set are sealed at once; this seals those that came before. Keep the key apart
    from the database: without it nobody can be paid, and nobody who comes again is recognised.
    """
    from crowdloom.studies.identities import encrypt_identities
    from crowdloom.studies.identities import new_key as make_key
    from crowdloom.studies.words import count

    if new_key:
        click.echo(make_key())
        return
    with opened(database) as store:
        with store.write() as connection:
            sealed = encrypt_identities(connection)
        click.echo(f"{count(sealed, 'platform id')} sealed.")
        wipe(store)
