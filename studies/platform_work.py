"""What the researcher's pages ask for, carried out: the same functions that the command line calls.

`work` runs in a worker's step process, for whatever has to ask a platform. `do` is the same in the process
that calls it, for what only changes the store. Each action may be repeated after a crash at any moment: the
functions underneath go on where they stopped, and the amount that was agreed to counts what is paid already.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from crowdloom.models.live import Context, Refused
from crowdloom.studies import platform_jobs as asked
from crowdloom.studies import publishing, review, steering
from crowdloom.studies.adding_places import add_places, cost_of_plans, let_hand_in, plan_places, want_more
from crowdloom.studies.cost import check_cap
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import CrowdloomError, OptionError, PaymentError, StudyError
from crowdloom.studies.masking import mask
from crowdloom.studies.paying_work import give_bonus, pay_owed, preview_bonus, top_up
from crowdloom.studies.platform_jobs import Found, Result
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.polling import poll
from crowdloom.studies.posted import Posted, find_postings, read_posting
from crowdloom.studies.posting import newest_design
from crowdloom.studies.reconciling import reconcile
from crowdloom.studies.tables import Posting, RemoteSubmission, Study, Submission
from crowdloom.studies.words import count

Say = Callable[[float, str], None]


def work(given: asked.Ask, context: Context) -> Result:
    """The step that a worker runs; every error that a researcher can mend becomes one sentence."""
    try:
        store = open_store(os.environ[asked.STORE_VARIABLE], create=False)
        try:
            return do(store, given, context.progress)
        finally:
            store.close()
    except CrowdloomError as error:
        code = getattr(error, "code", None)
        said = mask(str(error))
        raise Refused(f"{said} ({code})" if code and code not in said else said) from error


def do(store: Store, given: asked.Ask, say: Say) -> Result:
    """Carry an action out. Raises CrowdloomError where it cannot be done."""
    with store.read() as connection:
        study = connection.execute(select(Study.name).where(Study.token == given.study)).scalar()
    if study is None:
        raise StudyError("there is no such study here any more")
    return _ACTIONS[type(given)](store, study, given, say)


def asks_a_platform(connection: Connection, study: str, given: asked.Ask) -> bool:
    """Whether it may take long: a platform is asked, or many answers are read. Else `do` takes milliseconds."""
    match given:
        case asked.Publish():
            return PLATFORMS[given.platform].capabilities.identifies
        case asked.PreviewBonus() | asked.GiveBonus() | asked.Pay():
            return True
        case asked.AddPlaces() | asked.TopUp():
            return _identifies(connection, Posting.token == given.posting)
        case asked.Reject() | asked.RequestReturn() | asked.LetHandIn():
            of_submission = select(Submission.posting_id).where(Submission.pseudonym == given.code)
            return _identifies(connection, Posting.id.in_(of_submission))
    postings = find_postings(connection, study)
    return any(
        PLATFORMS[posted.platform].capabilities.identifies for posted in postings if posted.state != "closed"
    ) or (
        isinstance(given, asked.Reconcile)
        and any(PLATFORMS[posted.platform].capabilities.identifies for posted in postings)
    )


def _identifies(connection: Connection, where: Any) -> bool:
    platforms = connection.scalars(select(Posting.platform).where(where))
    return any(name in PLATFORMS and PLATFORMS[name].capabilities.identifies for name in platforms)


def _publish(store: Store, study: str, given: asked.Publish, say: Say) -> Result:
    platform = PLATFORMS[given.platform]
    if given.draft:
        publishing.check_draft(given.platform)
    with store.read() as connection:
        newest, _ = newest_design(connection, study)
        there = [one for one in find_postings(connection, study, given.platform) if one.state != "closed"]
        # What stands here already, from an attempt that died too, was agreed to: it is only finished.
        cost = None
        if all(one.design_id != newest for one in there):
            cost = publishing.preview_cost(connection, study, given.platform)
    if cost is not None:
        _check_cost(cost.total, given.expected, cost.currency)
        if platform.capabilities.identifies:
            publishing.check_balance(platform.connect(platform.where(os.environ), os.environ), cost)
    with store.write() as connection:
        published, planned = publishing.plan_posting(connection, study, given.platform, given.address)
        if published.is_new:
            _check_cost(planned.total, given.expected, planned.currency)
    say(0.1, "written down here, now on the platform")

    def show(done: int, total: int) -> None:
        say(0.1 + 0.9 * done / total, f"{done} of {count(total, 'listing')}")

    listed = publishing.put_up(store, published.token, draft=given.draft, progress=show)
    state = "there as a draft" if given.draft else "open"
    lines = [
        f"Version {published.version} is {'now' if published.is_new else 'already'} {state} on {given.platform}"
        + (f", {count(sum(one.places for one in listed), 'place')}." if listed else ".")
    ]
    lines += [f"People find it at {one.url}" for one in listed if one.url]
    if not platform.capabilities.identifies:
        lines.append(f"Its link for participants: {given.address.rstrip('/')}/join/{published.token}")
    lines += [
        f"Version {one.version} is still open there too; close the study to end both, then publish again."
        for one in there
        if one.state == "open" and one.version < published.version
    ]
    return Result(lines=lines)


def _check_cost(amount: int, expected: int, currency: str) -> None:
    if amount != expected:
        raise PaymentError(
            f"it could now cost {Money(amount=amount, currency=currency)}, and the button said "
            f"{Money(amount=expected, currency=currency)}; nothing was published. "
            "Look at the page again and decide anew"
        )


def _pause(store: Store, study: str, given: asked.Pause, say: Say) -> Result:
    able = [name for name, platform in PLATFORMS.items() if platform.capabilities.pauses]
    with store.read() as connection:
        chosen = [one for one in find_postings(connection, study) if one.state == "open" and one.platform in able]
    lines = _change(store, chosen, "open", "paused", steering.pause, say)
    with store.read() as connection:
        rest = [one for one in find_postings(connection, study) if one.state == "open" and one.platform not in able]
    lines += [
        f"{one.platform} has no pause: close the study to end it there, and publish it to open it anew." for one in rest
    ]
    return Result(lines=lines)


def _resume(store: Store, study: str, given: asked.Resume, say: Say) -> Result:
    with store.read() as connection:
        paused = [one for one in find_postings(connection, study) if steering.is_paused(connection, one)]
    return Result(lines=_change(store, paused, "paused", "open", steering.resume, say))


def _close(store: Store, study: str, given: asked.Close, say: Say) -> Result:
    with store.read() as connection:
        chosen = [one for one in find_postings(connection, study) if one.state != "closed"]
    return Result(lines=_change(store, chosen, "open", "closed", steering.close, say))


def _change(
    store: Store,
    chosen: Sequence[Posted],
    was: str,
    becomes: str,
    change: Callable[[Store, Posted], None],
    say: Say,
) -> list[str]:
    if not chosen:
        return [f"Nothing to do: nothing that can be changed here is {was}."]
    lines = []
    for number, posted in enumerate(chosen):
        say(number / len(chosen), f"{posted.platform}, version {posted.version}")
        change(store, posted)
        lines.append(f"{posted.platform}, version {posted.version}, is {becomes}.")
    return lines


def _add_places(store: Store, study: str, given: asked.AddPlaces, say: Say) -> Result:
    posted = posting_of(store, study, given.posting)
    name = f"{posted.platform}, version {posted.version}"
    lists = PLATFORMS[posted.platform].capabilities.identifies
    if lists:
        poll(store, posted, posted.account())
        say(0.3, "asked the platform how it stands")
    lines = []
    with store.write() as connection:
        if given.responses is not None:
            added = want_more(connection, posted, given.responses)
            lines.append(f"The study wants {count(added, 'submission')} more.")
        plans = plan_places(connection, posted) if lists else []
        if plans:
            more, whole = cost_of_plans(connection, posted, plans)
            check_cap(whole)
            if more.total > given.expected:
                raise PaymentError(
                    f"{count(more.places, 'place')} would now be added for at most {more.money(more.total)}, and the "
                    f"button said {more.money(given.expected)}; nothing was added. Look at the page again"
                )
    if not lists:
        return Result(lines=[*lines, f"{name}: whoever has the link can take what is open."])
    if not plans:
        return Result(lines=[*lines, f"{name}: it has all the places that it needs."])
    return Result(lines=lines + [f"{name}: {mask(line)}." for line in add_places(store, posted, plans)])


def _let_hand_in(store: Store, study: str, given: asked.LetHandIn, say: Say) -> Result:
    with store.read() as connection:
        posted = review.posted_of(connection, study, given.code)
    if posted is None or not PLATFORMS[posted.platform].capabilities.identifies:
        raise OptionError(f"{given.code} did not come from a platform on which anything is handed in")
    let_hand_in(store, posted, given.code)
    return Result(lines=[f"On {posted.platform} a listing is open that only the person of {given.code} can take."])


def _reconcile(store: Store, study: str, given: asked.Reconcile, say: Say) -> Result:
    with store.read() as connection:
        postings = find_postings(connection, study)
    if not postings:
        raise StudyError(f"{study} is not published yet, so there is nothing to compare")
    lines, differences = [], []
    for number, posted in enumerate(postings):
        say(number / len(postings), f"{posted.platform}, version {posted.version}")
        account = posted.account() if PLATFORMS[posted.platform].capabilities.identifies else None
        found = reconcile(store, posted, account)
        name = f"{posted.platform}, version {posted.version}"
        if account is not None:
            lines.append(
                f"{name}: {count(found.polled.seen, 'submission')} there, "
                f"{found.polled.changed} changed since the last time."
            )
        if found.confirmed:
            lines.append(f"{name}: {count(found.confirmed, 'payment')} confirmed by what the platform shows.")
        known = _remote_ids(store, posted)
        differences += [
            Found(kind=one.kind, who=mask(one.who, known), what=mask(one.what, known), mend=one.mend)
            for one in found.differences
        ]
    lines.append(f"{count(len(differences), 'difference')}." if differences else "No difference.")
    return Result(lines=lines, differences=differences)


def _remote_ids(store: Store, posted: Posted) -> frozenset[str]:
    with store.read() as connection:
        return frozenset(
            connection.scalars(
                select(RemoteSubmission.remote_id).where(
                    RemoteSubmission.posting_id == posted.id, RemoteSubmission.remote_id.is_not(None)
                )
            )
        )


def _pay(store: Store, study: str, given: asked.Pay, say: Say) -> Result:
    posted = posting_of(store, study, given.posting)
    return pay_owed(store, posted, given.purposes, given.expected, given.asked_at, say)


def _preview_bonus(store: Store, study: str, given: asked.PreviewBonus, say: Say) -> Result:
    say(0.1, "comparing the answers")
    return preview_bonus(store, study)


def _give_bonus(store: Store, study: str, given: asked.GiveBonus, say: Say) -> Result:
    say(0.1, "comparing the answers")
    return give_bonus(store, study, given.expected, given.asked_at, say)


def _top_up(store: Store, study: str, given: asked.TopUp, say: Say) -> Result:
    return top_up(store, posting_of(store, study, given.posting), given.expected, given.asked_at, say)


def _reject(store: Store, study: str, given: asked.Reject, say: Say) -> Result:
    review.reject(store, study, given.code, given.reason, given.category)
    return Result(lines=[f"{given.code} is rejected; its place is free again, and its answers stay."])


def _request_return(store: Store, study: str, given: asked.RequestReturn, say: Say) -> Result:
    review.request_return(store, study, given.code, given.reason)
    return Result(lines=[f"The participant of {given.code} is asked to return it."])


def posting_of(store: Store, study: str, token: str) -> Posted:
    """A posting of this study on a platform. Raises StudyError where it has no such."""
    with store.read() as connection:
        if any(one.token == token for one in find_postings(connection, study)):
            return read_posting(connection, token)
    raise StudyError(f"{study} has no such posting")


_ACTIONS: dict[type[asked.Ask], Callable[[Store, str, Any, Say], Result]] = {
    asked.Publish: _publish,
    asked.Pause: _pause,
    asked.Resume: _resume,
    asked.Close: _close,
    asked.Reconcile: _reconcile,
    asked.AddPlaces: _add_places,
    asked.LetHandIn: _let_hand_in,
    asked.Pay: _pay,
    asked.PreviewBonus: _preview_bonus,
    asked.GiveBonus: _give_bonus,
    asked.TopUp: _top_up,
    asked.Reject: _reject,
    asked.RequestReturn: _request_return,
}
