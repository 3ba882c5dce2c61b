"""`crowdloom review`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import database_option, opened

if TYPE_CHECKING:
    from crowdloom.studies.review import ToReview


@click.command()
@click.argument("study")
@click.option("--approve", multiple=True, metavar="CODE", help="Approve this submission; can be repeated.")
@click.option("--approve-all", is_flag=True, help="Approve every submission that passes the design's checks.")
@click.option("--reject", metavar="CODE", help="Reject this submission; needs --reason, and frees its place.")
@click.option("--request-return", metavar="CODE", help="Ask its participant to return this submission, with --reason.")
@click.option("--reason", help="Why; the participant reads it.")
@click.option("--category", help="Of a rejection, where the platform wants one.")
@database_option
def command(
    study: str,
    approve: tuple[str, ...],
    approve_all: bool,
    reject: str | None,
    request_return: str | None,
    reason: str | None,
    category: str | None,
    database: str | None,
) -> None:
    """List the completed submissions of STUDY, or approve or reject some.

    CODE is the submission's code, as in exports. An approval is carried out, and the reward paid, by `crowdloom pay`;
    a rejection at once. What does not pass the design's checks waits for you; nothing is rejected by itself.
    """
    from crowdloom.studies.errors import OptionError
    from crowdloom.studies.review import approve_passing, completed, review
    from crowdloom.studies.review import reject as reject_submission
    from crowdloom.studies.review import request_return as ask_to_return

    if reject and (approve_all or reject in approve):
        raise OptionError("--reject stands beside an approval of the same submission; decide on one")
    if reason and not (reject or request_return):
        raise OptionError("--reason goes with --reject or --request-return; name the submission")
    if category and not reject:
        raise OptionError("--category goes with --reject; name the submission")
    for option, code in (("--reject", reject), ("--request-return", request_return)):
        if code and not (reason or "").strip():
            raise OptionError(f"{option} {code} needs --reason: it is kept, and the participant may ask for it")
    with opened(database) as store:
        if reject:
            reject_submission(store, study, reject, reason or "", category)
        if request_return:
            ask_to_return(store, study, request_return, reason or "")
        with store.write() as connection:
            for code in approve:
                review(connection, study, code, "approved")
            if approve_all:
                approve_passing(connection, study)
            rows = completed(connection, study)
    for row in rows:
        click.echo(_line(row))
    waiting = sum(row.review is None for row in rows)
    failing = sum(row.review is None and not row.passes for row in rows)
    click.echo(
        f"{len(rows)} completed, {waiting} not reviewed{f', {failing} of them fail a check' if failing else ''}."
    )
    if any(row.review == "approved" and row.payments.get("reward") != "confirmed" for row in rows):
        click.echo(f"Next: crowdloom pay {study}")


def _line(row: ToReview) -> str:
    when = f"{row.completed_at:%Y-%m-%d %H:%M} UTC" if row.completed_at else ""
    said = [row.review or "not reviewed"]
    said += ["surplus"] if row.surplus else []
    said += ["excluded"] if row.excluded else []
    said += [f"{row.on_platform} on {row.platform}"] if row.on_platform else []
    said += [f"{purpose.replace('_', '-')} {state}" for purpose, state in row.payments.items()]
    said += [f"CHECK: {reason}" for reason in row.reasons]
    return f"{row.code}  {when}  {'  '.join(said)}"
