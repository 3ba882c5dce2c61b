"""`crowdloom add-places`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import (
    confirmed,
    database_option,
    opened,
    platform_option,
    posting_of,
    postings_of,
    yes_option,
)

if TYPE_CHECKING:
    from crowdloom.studies.database import Store
    from crowdloom.studies.posted import Posted


@click.command()
@click.argument("study")
@click.option("--for", "code", metavar="CODE", help="Only for who completed CODE and could not hand it in.")
@click.option("--responses-per-item", type=int, help="Raise the responses wanted for each item to this number first.")
@platform_option
@yes_option
@database_option
def command(
    study: str,
    code: str | None,
    responses_per_item: int | None,
    platform: str | None,
    yes: bool,
    database: str | None,
) -> None:
    """Ask the platform for as many people as STUDY still lacks, after drop-outs, rejections and surplus.

    With --responses-per-item the study wants more than its design said; the design itself stays as it is. With
    --for, one person gets a listing of their own, takes it, is led to their receipt and hands in, and can be paid.
    """
    from crowdloom.studies.adding_places import add_places, let_hand_in, plan_places, want_more
    from crowdloom.studies.platforms import PLATFORMS
    from crowdloom.studies.polling import poll
    from crowdloom.studies.words import count

    with opened(database) as store:
        if code is not None:
            posted = posting_of(store, study, code)
            reward = posted.design.people.reward
            if confirmed(f"Make a listing on {posted.platform} for the one person of {code}, {reward}?", yes):
                click.echo(
                    f"{study} on {posted.platform}: {let_hand_in(store, posted, code)} is open for {code} alone."
                )
            return
        chosen = postings_of(store, study, platform, "open", "paused")
        for posted in chosen:
            if PLATFORMS[posted.platform].capabilities.identifies:
                poll(store, posted, posted.account())
        questions = _questions(store, chosen, responses_per_item)
        if not all(confirmed(question, yes) for question in questions):
            click.echo("Nothing was added.")
            return
        if responses_per_item is not None:
            with store.write() as connection:
                added = want_more(connection, chosen[0], responses_per_item)
            click.echo(f"{study} wants {count(added, 'submission')} more.")
        for posted in chosen:
            if not PLATFORMS[posted.platform].capabilities.identifies:
                click.echo(f"{study} on {posted.platform}: whoever has the link can take what is open.")
                continue
            with store.read() as connection:
                plans = plan_places(connection, posted)
            if not plans:
                click.echo(f"{study} on {posted.platform}: it has all the places that it needs.")
            for said in add_places(store, posted, plans):
                click.echo(f"{study} on {posted.platform}: {said}")


def _questions(store: Store, chosen: list[Posted], responses_per_item: int | None) -> list[str]:
    """What is to be confirmed; nothing is changed yet. Raises PaymentError above the design's spending cap."""
    from crowdloom.studies.adding_places import cost_of_plans, plan_places, want_more
    from crowdloom.studies.cost import check_cap
    from crowdloom.studies.platforms import PLATFORMS
    from crowdloom.studies.words import count

    questions = []
    with store.write() as connection:
        trial = connection.begin_nested()
        if responses_per_item is not None:
            want_more(connection, chosen[0], responses_per_item)
        for posted in chosen:
            if not PLATFORMS[posted.platform].capabilities.identifies:
                continue
            if not (plans := plan_places(connection, posted)):
                continue
            more, whole = cost_of_plans(connection, posted, plans)
            check_cap(whole)
            what = f"Add {count(more.places, 'place')} on {posted.platform}"
            if any(plan.is_closed for plan in plans):
                what += ", opening there again what is closed,"
            questions.append(f"{what} for at most {more.money(more.total)}?")
        trial.rollback()
    return questions
