"""A posting's life on its platform: published, paused, resumed, topped up, closed.

Every step is written here before the platform is asked, and the platform is asked in a way that may be
repeated: what a crash interrupts, the same command finishes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from crowdloom.studies.cost import Cost, check_cap, cost_of, hands_out_batches
from crowdloom.studies.database import Store, new_token, now
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import OptionError, PaymentError, PlatformRefusedError, StudyError
from crowdloom.studies.identities import reveal
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.platforms.protocol import Account, Listed, Notice
from crowdloom.studies.posted import Posted, read_posting
from crowdloom.studies.posting import Published, newest_design, publish
from crowdloom.studies.self_contained import question_for_batch
from crowdloom.studies.tables import (
    Batch,
    Condition,
    Design,
    Listing,
    Participant,
    ParticipantGroup,
    Place,
    Posting,
    Study,
    Submission,
)

Progress = Callable[[int, int], None]


LOCAL = "http://127.0.0.1:8000"
"""Where `crowdloom serve` is reached if nothing else is said."""


def plan_posting(connection: Connection, study: str, platform: str, address: str | None) -> tuple[Published, Cost]:
    """Write down a posting on a platform with its listings, before anybody is asked; and what it can cost.

    One that is not closed yet stays as it is. `address` is where participants reach us, `LOCAL` where it is None.
    Raises StudyError as `publish` does, OptionError for an address that the platform's participants cannot open or
    that is another than before, PlatformRefusedError for a design that it would refuse, and PaymentError above the
    design's spending cap.
    """
    chosen = PLATFORMS[platform]
    where = chosen.where(os.environ)
    published = publish(connection, study, platform, values={"where": where, "address": (address or LOCAL).rstrip("/")})
    posted = read_posting(connection, published.token)
    if problem := chosen.check_design(posted.design):
        raise PlatformRefusedError(f"{study} cannot be published on {platform}: {problem}")
    self_contained = platform == "mturk" and posted.design.mturk.delivery == "html"
    if chosen.capabilities.identifies and not self_contained:
        _check_address(posted)
    another = address is not None and posted.values.get("address") != address.rstrip("/")
    if not published.is_new and chosen.capabilities.identifies and another:
        raise OptionError(
            f"{study} is published on {platform} with the address {posted.values['address']}; leave --address at it, "
            "or close the study and publish it anew"
        )
    if published.is_new and chosen.capabilities.identifies:
        _plan_listings(connection, posted)
    places = connection.scalars(select(Listing.places).where(Listing.posting_id == posted.id)).all()
    cost = cost_of(posted.design, platform, places or [_open_places(connection, posted.design_id)])
    check_cap(cost)
    return published, cost


def preview_cost(connection: Connection, study: str, platform: str) -> Cost:
    """What publishing a study now, for the places that are still open, can cost.

    Raises PlatformRefusedError for a design that the platform would refuse, PaymentError above the spending cap.
    """
    design_id, _ = newest_design(connection, study)
    values = connection.execute(select(Design.values).where(Design.id == design_id)).scalar_one()
    design = DesignModel.model_validate(values)
    if problem := PLATFORMS[platform].check_design(design):
        raise PlatformRefusedError(f"{study} cannot be published on {platform}: {problem}")
    places = _open_by_batch(connection, design_id)
    by_batch = hands_out_batches(platform, design)
    cost = cost_of(design, platform, list(places.values()) if by_batch else [sum(places.values())])
    check_cap(cost)
    return cost


def _check_address(posted: Posted) -> None:
    """Participants' browsers must reach us; plain http only where everything is on this machine."""
    address = urlsplit(str(posted.values["address"]))
    local = all(_is_local(str(url)) for url in posted.where.values() if isinstance(url, str))
    if address.scheme == "https" or (address.scheme == "http" and local and _is_local(address.geturl())):
        return
    raise OptionError(
        f"--address {address.geturl()} cannot be opened by people on {posted.platform}; give the https address under "
        "which `crowdloom serve` is reached from outside"
    )


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def _plan_listings(connection: Connection, posted: Posted) -> None:
    """A listing for each batch that still has open places, or one for all of them."""
    if hands_out_batches(posted.platform, posted.design):
        wanted = _open_by_batch(connection, posted.design_id)
    else:
        wanted = {None: _open_places(connection, posted.design_id)}
    if not sum(wanted.values()):
        raise StudyError(f"{posted.design.name} has all the answers it needs; `crowdloom add-places` asks for more")
    for batch_id, places in wanted.items():
        if places:
            add_listing(connection, posted, batch_id, places)


def add_listing(
    connection: Connection, posted: Posted, batch_id: int | None, places: int, submission_id: int | None = None
) -> None:
    """Write down a listing that is to be created on the platform."""
    row = {
        "posting_id": posted.id,
        "batch_id": batch_id,
        "submission_id": submission_id,
        "token": new_token(),
        "state": "planned",
        "places": places,
        "created_at": now(),
    }
    connection.execute(insert(Listing), row)


def _open_by_batch(connection: Connection, design_id: int) -> dict[int | None, int]:
    free = or_(Place.state == "open", Place.held_until < now())
    rows = connection.execute(
        select(Batch.id, func.count(Place.id))
        .join(Condition, Condition.id == Batch.condition_id)
        .join(Place, Place.batch_id == Batch.id)
        .where(Condition.design_id == design_id, free)
        .group_by(Batch.id)
        .order_by(Batch.id)
    )
    return {row[0]: row[1] for row in rows}


def _open_places(connection: Connection, design_id: int) -> int:
    return sum(_open_by_batch(connection, design_id).values())


def check_balance(account: Account, cost: Cost) -> Money | None:
    """The account's balance, where it has one. Raises PaymentError where rewards and their fee exceed it."""
    balance = account.info().balance
    needed = cost.rewards + cost.fee_on_rewards
    if balance is not None and balance.currency == cost.currency and balance.amount < needed:
        raise PaymentError(
            f"the account on {cost.platform} has {balance}, and the rewards with their fee come to "
            f"{cost.money(needed)}; add money to it first"
        )
    return balance


def check_draft(platform: str) -> None:
    """Raise OptionError where a platform cannot keep what is created as a draft."""
    if not PLATFORMS[platform].capabilities.drafts:
        raise OptionError(f"--draft: {platform} has no drafts; what is created there is public at once")


def put_up(
    store: Store,
    token: str,
    *,
    draft: bool = False,
    listing_id: int | None = None,
    progress: Progress = lambda done, total: None,
) -> list[Listed]:
    """Create and open on its platform what a posting has planned; what is there already stays as it is.

    With `draft` nothing is opened. With `listing_id` only this listing is, and the posting stays as closed as it
    was. Raises OptionError for a draft where there are none, and PlatformError; the same call goes on from there.
    """
    with store.read() as connection:
        posted = read_posting(connection, token)
        only = [] if listing_id is None else [Listing.id == listing_id]
        listings = connection.execute(
            select(Listing.__table__).where(Listing.posting_id == posted.id, *only).order_by(Listing.id)
        ).all()
    capabilities = PLATFORMS[posted.platform].capabilities
    if draft and not capabilities.drafts:
        raise OptionError(f"--draft: {posted.platform} has no drafts; what is created there is public at once")
    if not capabilities.identifies:
        return []
    account = posted.account()
    groups = _groups(store, posted, account)
    if not draft and listing_id is None:
        # Before anybody can come, so that the first who does finds the door open.
        set_state(store, posted, "open")
    put = []
    for done, listing in enumerate(listings, start=1):
        if listing.remote_id is None:
            listed = _create(store, posted, account, listing, groups)
        else:
            listed = account.listing(listing.remote_id)
        if not draft and listing.state in ("planned", "draft", "paused") and listed.state != "open":
            listed = account.open(listed.remote_id)
        note_listing(store, listing.id, listed)
        put.append(listed)
        progress(done, len(listings))
    return put


def _create(store: Store, posted: Posted, account: Account, listing: Row[Any], groups: Groups) -> Listed:
    notice = notice_of(store, posted, listing, groups)
    try:
        listed = account.create(notice)
    except PlatformRefusedError:
        _withdraw(store, posted)
        raise
    note_listing(store, listing.id, listed)
    return listed


def _withdraw(store: Store, posted: Posted) -> None:
    """The platform refused the very first listing: nothing is published, and nothing of it stays here."""
    with store.write() as connection:
        created = select(Listing.id).where(Listing.posting_id == posted.id, Listing.remote_id.is_not(None))
        begun = select(Submission.id).where(Submission.posting_id == posted.id)
        if connection.execute(created).first() is None and connection.execute(begun).first() is None:
            connection.execute(delete(Listing).where(Listing.posting_id == posted.id))
            connection.execute(delete(Posting).where(Posting.id == posted.id))


def set_state(store: Store, posted: Posted, state: str) -> None:
    """Write down whether a posting is open, paused or closed here."""
    with store.write() as connection:
        closed_at = now() if state == "closed" else None
        connection.execute(update(Posting).where(Posting.id == posted.id).values(state=state, closed_at=closed_at))


def note_listing(store: Store, listing_id: int, listed: Listed) -> None:
    """Write down a listing as the platform has it."""
    with store.write() as connection:
        remote_id = None if listed.gone else listed.remote_id
        values = {"remote_id": remote_id, "state": listed.state, "places": listed.places}
        connection.execute(update(Listing).where(Listing.id == listing_id).values(**values))


@dataclass(frozen=True)
class Groups:
    """The platform's groups of a study and of those whose people are kept out, and their listings."""

    own: str | None
    excluded: list[str]
    listings: list[str]


def _groups(store: Store, posted: Posted, account: Account) -> Groups:
    if not PLATFORMS[posted.platform].capabilities.groups:
        return Groups(None, [], [])
    names = posted.design.eligibility.exclude_studies
    with store.read() as connection:
        excluded = {
            row.name: row.id for row in connection.execute(select(Study.id, Study.name).where(Study.name.in_(names)))
        }
        listings = connection.scalars(
            select(Listing.remote_id)
            .join(Posting, Posting.id == Listing.posting_id)
            .join(Design, Design.id == Posting.design_id)
            .where(
                Posting.platform == posted.platform,
                Design.study_id.in_(excluded.values()),
                Listing.remote_id.is_not(None),
            )
        ).all()
    return Groups(
        own_group(store, posted, account, posted.study_id, posted.design.name),
        [own_group(store, posted, account, study_id, name) for name, study_id in excluded.items()],
        [str(remote_id) for remote_id in listings],
    )


def own_group(store: Store, posted: Posted, account: Account, study_id: int, study: str) -> str:
    """The platform's group of a study's people at the service of this posting, made there where there is none."""
    service = ",".join(sorted(str(value) for value in posted.where.values() if isinstance(value, str)))[:200]
    known = select(ParticipantGroup.remote_id).where(
        ParticipantGroup.study_id == study_id,
        ParticipantGroup.platform == posted.platform,
        ParticipantGroup.service == service,
    )
    with store.read() as connection:
        found = connection.execute(known).scalar()
    if found is not None:
        return str(found)
    with store.read() as connection:
        token = connection.execute(select(Study.token).where(Study.id == study_id)).scalar_one()
    remote_id = account.ensure_group(f"Took part {token}")  # workers may see it, so it does not say in what
    with store.write() as connection:
        if (found := connection.execute(known).scalar()) is None:
            row = {"study_id": study_id, "platform": posted.platform, "service": service, "remote_id": remote_id}
            connection.execute(insert(ParticipantGroup), row)
    return str(found or remote_id)


def notice_of(store: Store, posted: Posted, listing: Row[Any], groups: Groups) -> Notice:
    """What the platform is told of a listing."""
    html = listing.content
    if posted.platform == "mturk" and posted.design.mturk.delivery == "html" and html is None:
        html = question_for_batch(store, posted.design, listing.batch_id, posted.where)
        with store.write() as connection:
            connection.execute(update(Listing).where(Listing.id == listing.id).values(content=html))
    return Notice(
        token=listing.token,
        posting=posted.token,
        study=posted.design.name,
        design=posted.design,
        url=f"{posted.values['address']}/join/{posted.token}?listing={listing.token}",
        places=listing.places,
        excluded_listings=groups.listings,
        excluded_groups=groups.excluded,
        group=groups.own,
        codes=posted.values.get("codes", {}),
        html=html,
        only_for=_only_for(store, posted, listing),
    )


def _only_for(store: Store, posted: Posted, listing: Row[Any]) -> list[str]:
    """The participant for whose lost hand-in a listing is."""
    if listing.submission_id is None:
        return []
    with store.read() as connection:
        stored = connection.execute(
            select(Participant.platform_id)
            .join(Submission, Submission.participant_id == Participant.id)
            .where(Submission.id == listing.submission_id)
        ).scalar_one()
    if stored is None:
        raise StudyError(f"who took part in {posted.design.name} was forgotten, so nobody can be found to hand in")
    return [reveal(posted.platform, stored)]
