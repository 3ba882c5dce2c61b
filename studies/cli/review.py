"""`crowdloom review`."""

from __future__ import annotations

import click

from crowdloom.studies.cli.options import database_option, opened


@click.command()
@click.argument("study")
@click.option("--approve", multiple=True, metavar="CODE", help="Approve this submission; can be repeated.")
@click.option("--approve-all", is_flag=True, help="Approve every completed submission that is not reviewed yet.")
@click.option("--reject", metavar="CODE", help="Reject this submission; needs --reason, and frees its place.")
@click.option("--reason", help="Why it is rejected.")
@database_option
def command(
    study: str,
    approve: tuple[str, ...],
    approve_all: bool,
    reject: str | None,
    reason: str | None,
    database: str | None,
) -> None:
    """List the completed submissions of STUDY, or approve or reject some.

    CODE is the submission's code, as on the participant's receipt and in exports.
    """
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.review import completed, review

    if reject and (approve_all or reject in approve):
        raise OptionError("--reject stands beside an approval of the same submission; decide on one")
    if reject and not (reason or "").strip():
        raise OptionError(f"--reject {reject} needs --reason: it is kept, and the participant may ask for it")
    with opened(database) as store, store.write() as connection:
        codes = list(approve)
        if approve_all:
            codes += [row.code for row in completed(connection, study) if row.review is None]
        for code in codes:
            review(connection, study, code, "approved")
        if reject:
            review(connection, study, reject, "rejected", reason)
        rows = completed(connection, study)
    for row in rows:
        when = f"{row.completed_at:%Y-%m-%d %H:%M} UTC" if row.completed_at else ""
        click.echo(f"{row.code}  {when}  {row.review or 'not reviewed'}{'  surplus' if row.surplus else ''}")
    click.echo(f"{len(rows)} completed, {sum(row.review is None for row in rows)} not reviewed.")
