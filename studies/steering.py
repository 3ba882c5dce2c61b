"""A posting that is up: paused, resumed, closed, taken off its platform; here and there, in an order that a crash
leaves in a state from which the same command goes on.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, func, select

from crowdloom.studies.database import Store
from crowdloom.studies.errors import PaymentError, PlatformRefusedError
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.protocol import Account, Listed
from crowdloom.studies.posted import Posted
from crowdloom.studies.publishing import Groups, note_listing, notice_of, set_state
from crowdloom.studies.tables import Listing, Payment, Submission


def pause(store: Store, posted: Posted) -> None:
    """Let nobody new in for the time being. Raises PlatformRefusedError where the platform has no pause."""
    if not PLATFORMS[posted.platform].capabilities.pauses:
        raise PlatformRefusedError(
            f"{posted.platform} has no pause; `crowdloom close` ends it, and `publish` opens it anew"
        )
    _on_each(store, posted, lambda account, remote_id: account.pause(remote_id), ("open",))
    set_state(store, posted, "paused")


def is_paused(connection: Connection, posted: Posted) -> bool:
    """Whether a posting is paused, here or on its platform (by hand, or since resuming it was interrupted)."""
    there = select(Listing.id).where(Listing.posting_id == posted.id, Listing.state == "paused")
    return posted.state == "paused" or (posted.state == "open" and connection.execute(there).first() is not None)


def resume(store: Store, posted: Posted) -> None:
    """Let people in again after a pause."""
    set_state(store, posted, "open")
    _on_each(store, posted, lambda account, remote_id: account.open(remote_id), ("paused",))


def close(store: Store, posted: Posted) -> None:
    """Let nobody new in any more, here and on the platform; who has begun may finish."""
    _find_planned(store, posted)
    _on_each(store, posted, lambda account, remote_id: account.close(remote_id), ("draft", "open", "paused"))
    set_state(store, posted, "closed")


def _find_planned(store: Store, posted: Posted) -> None:
    """Note what a `publish` that was interrupted created without writing it down, so that it is closed, too."""
    with store.read() as connection:
        planned = connection.execute(
            select(Listing.__table__).where(Listing.posting_id == posted.id, Listing.state == "planned")
        ).all()
    account = posted.account() if planned else None
    for listing in planned:
        assert account is not None
        found = account.find(notice_of(store, posted, listing, Groups(None, [], [])))
        if found is not None:
            note_listing(store, listing.id, found)


def check_deletable(store: Store, posted: Posted) -> None:
    """Raise PaymentError while money of it is not confirmed, PlatformRefusedError where the platform keeps it."""
    if not PLATFORMS[posted.platform].capabilities.deletes:
        raise PlatformRefusedError(f"{posted.platform} keeps what was published; closing it is enough")
    with store.read() as connection:
        unpaid = connection.execute(
            select(func.count())
            .select_from(Payment)
            .join(Submission, Submission.id == Payment.submission_id)
            .where(Submission.posting_id == posted.id, Payment.state.not_in(("confirmed", "cancelled")))
        ).scalar_one()
    if unpaid:
        raise PaymentError(
            f"{posted.design.name} has {unpaid} payments that are not confirmed, which need the listings; nothing was "
            f"closed or deleted. Run `crowdloom pay {posted.design.name}` first, or reject who never handed in"
        )


def delete_listings(store: Store, posted: Posted) -> int:
    """Take a closed posting off its platform for good; how many listings that were. Raises as `check_deletable`."""
    check_deletable(store, posted)
    with store.read() as connection:
        number = connection.execute(
            select(func.count()).where(Listing.posting_id == posted.id, Listing.remote_id.is_not(None))
        ).scalar_one()
    _on_each(store, posted, lambda account, remote_id: account.delete(remote_id), ("closed",))
    return number


def _on_each(store: Store, posted: Posted, do: Callable[[Account, str], Listed], states: tuple[str, ...]) -> None:
    with store.read() as connection:
        listings = connection.execute(
            select(Listing.id, Listing.remote_id).where(
                Listing.posting_id == posted.id, Listing.state.in_(states), Listing.remote_id.is_not(None)
            )
        ).all()
    account = posted.account() if listings else None
    for listing in listings:
        assert account is not None
        note_listing(store, listing.id, do(account, listing.remote_id))
