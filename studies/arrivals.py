"""What a platform's link says of somebody's submission there, kept beside ours.

Only the platform knows whether a submission is handed in, reviewed or paid (`polling` asks it); a link
says just under which id somebody came. That may change: who gives an assignment back and takes another
goes on with the same submission of ours.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, case, func, select, update

from crowdloom.studies.allocation import add_event, free
from crowdloom.studies.database import insert_new, now
from crowdloom.studies.errors import PlaceError
from crowdloom.studies.jobs import cancel_all
from crowdloom.studies.platforms.protocol import Arrival
from crowdloom.studies.tables import Batch, Condition, Event, Job, Place, RemoteSubmission, Response, Submission

IDLE = timedelta(minutes=5)
"""Who has answered nothing for so long may have given their assignment back."""

HANDED_IN = ("submitted", "approved", "rejected", "screened_out")
GIVEN_BACK = ("returned", "timed_out")


def note_arrival(
    connection: Connection,
    posting_id: int,
    listing_id: int | None,
    participant_id: int,
    submission_id: int,
    arrival: Arrival | None,
) -> None:
    """Remember under which id of the platform a submission of ours is being made; the same twice changes nothing."""
    if arrival is None or arrival.submission is None:
        return
    row = {
        "posting_id": posting_id,
        "listing_id": listing_id,
        "participant_id": participant_id,
        "submission_id": submission_id,
        "remote_id": arrival.submission,
        "return_to": arrival.return_to,
        "state": "arrived",
        "started_at": now(),
    }
    connection.execute(insert_new(connection, RemoteSubmission), row)
    same = (
        RemoteSubmission.posting_id == posting_id,
        RemoteSubmission.remote_id == arrival.submission,
        RemoteSubmission.participant_id == participant_id,
    )
    # They may have come here before by another address of the same marketplace, or after giving it back.
    connection.execute(
        update(RemoteSubmission)
        .where(*same)
        .values(submission_id=submission_id, return_to=arrival.return_to, arrived_at=now())
    )
    connection.execute(
        update(RemoteSubmission).where(*same, RemoteSubmission.state.in_(GIVEN_BACK)).values(state="arrived")
    )


def check_same_work(connection: Connection, submission_id: int, arrival: Arrival | None) -> None:
    """Raise PlaceError where somebody whose work is handed in comes with another assignment: it is paid once."""
    if arrival is None or arrival.submission is None:
        return
    handed_in = connection.scalars(
        select(RemoteSubmission.remote_id).where(
            RemoteSubmission.submission_id == submission_id, RemoteSubmission.state.in_(HANDED_IN)
        )
    ).all()
    if handed_in and arrival.submission not in handed_in:
        raise PlaceError(
            "You have already taken part in this study, and your answers were handed in. Please return this one: "
            "the same answers can be paid only once."
        )


def free_given_back(connection: Connection, posting_id: int, participant_id: int, arrival: Arrival | None) -> None:
    """Open the place of somebody who gave their assignment back, which a platform does not tell.

    Where an id comes again with another person, the first one gave it back (MTurk gives it out anew).
    """
    if arrival is None or arrival.submission is None:
        return
    earlier = connection.execute(
        select(RemoteSubmission.id, RemoteSubmission.submission_id).where(
            RemoteSubmission.posting_id == posting_id,
            RemoteSubmission.remote_id == arrival.submission,
            RemoteSubmission.participant_id != participant_id,
            RemoteSubmission.state.in_(("arrived", "active")),
        )
    ).all()
    for row in earlier:
        give_back(connection, row.id, row.submission_id, "reissued")


def free_idle(connection: Connection, design_id: int, batch_id: int | None = None) -> bool:
    """Open the place (of a batch) whose holder has been idle longest, if for some minutes; whether there was one.

    A platform lets in only as many as there are places. So where somebody new comes although every place is held,
    one was given back there, most likely this. Its holder may come back, and then finishes as surplus.
    """
    active_at = _active_at()
    idle = connection.execute(
        select(Submission.id)
        .join(Place, Place.submission_id == Submission.id)
        .join(Batch, Batch.id == Place.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(
            Condition.design_id == design_id,
            Place.state == "held",
            active_at < now() - IDLE,
            *([] if batch_id is None else [Batch.id == batch_id]),
        )
        .order_by(active_at)
        .limit(1)
    ).scalar()
    return idle is not None and free(connection, idle, "idle")


def _active_at() -> ColumnElement[datetime]:
    """When the participant of a submission last began, answered, or called a live step; now, while a job of it goes on.

    One answer may be the end of half an hour in which the page asks for nothing but live steps.
    """
    latest: ColumnElement[datetime] = Submission.started_at.expression
    for sign in (
        select(func.max(Response.answered_at)).where(Response.submission_id == Submission.id),
        select(func.max(Event.at)).where(Event.submission_id == Submission.id, Event.kind == "live_step"),
        select(func.max(func.coalesce(Job.finished_at, now()))).where(Job.submission_id == Submission.id),
    ):
        at = sign.correlate(Submission).scalar_subquery()
        latest = case((at > latest, at), else_=latest)
    return latest


def give_back(connection: Connection, remote_id: int, submission_id: int | None, reason: str) -> None:
    """A submission was given back on its platform: as if its participant had left, see `participation.leave`."""
    connection.execute(update(RemoteSubmission).where(RemoteSubmission.id == remote_id).values(state="returned"))
    if submission_id is None:
        return
    left = connection.execute(
        update(Submission).where(Submission.id == submission_id, Submission.state == "started").values(state="left")
    )
    if left.rowcount:
        free(connection, submission_id, "returned")
        cancel_all(connection, submission_id)
        add_event(connection, submission_id, "given_back", {"reason": reason})
