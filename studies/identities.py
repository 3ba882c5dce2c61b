"""Participants' platform ids: stored once, sealed where the environment has a key, and forgotten on demand.

What was recorded of people's voices identifies them as well, and is deleted with the ids.

A sealed id is AES-SIV (RFC 5297) under `$CROWDLOOM_IDENTITY_KEY`: the same id always gives the same text, so
that a person is still known when they come again, and nobody can read it without the key.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass

from sqlalchemy import Connection, delete, exists, func, or_, select, update

from crowdloom.studies.database import insert_new, new_token, now
from crowdloom.studies.errors import IdentityError
from crowdloom.studies.posting import newest_design
from crowdloom.studies.recordings import delete_recordings
from crowdloom.studies.tables import (
    Design,
    Invitation,
    Participant,
    Payment,
    Place,
    Posting,
    RemoteSubmission,
    Study,
    Submission,
)

VARIABLE = "CROWDLOOM_IDENTITY_KEY"
MARK = "sealed:"
"""With this a sealed id begins, and no other."""
_KEY_BYTES = 64


def new_key() -> str:
    """A fresh key, as the environment variable takes it."""
    return base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)).decode()


def seal(platform: str, platform_id: str) -> str:
    """The id as the store keeps it: sealed where there is a key, else as it is. Raises IdentityError for a bad key."""
    key = _key()
    if key is None or platform_id.startswith(MARK):
        return platform_id
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    sealed = AESSIV(key).encrypt(platform_id.encode(), [platform.encode()])
    return MARK + base64.urlsafe_b64encode(sealed).decode()


def reveal(platform: str, stored: str) -> str:
    """The platform's id from what the store keeps. Raises IdentityError without the right key."""
    if not stored.startswith(MARK):
        return stored
    key = _key()
    if key is None:
        raise IdentityError(f"the participants' ids are sealed; set {VARIABLE} to the key with which they were")
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    try:
        return AESSIV(key).decrypt(base64.urlsafe_b64decode(stored.removeprefix(MARK)), [platform.encode()]).decode()
    except InvalidTag as error:
        raise IdentityError(f"the participants' ids were sealed with another key than {VARIABLE} holds") from error


def spellings(platform: str, platform_id: str) -> list[str]:
    """How an id may stand in the store: sealed, and plain from a time without a key."""
    return list(dict.fromkeys((seal(platform, platform_id), platform_id)))


def _key() -> bytes | None:
    written = os.environ.get(VARIABLE)
    if not written:
        return None
    try:
        key = base64.urlsafe_b64decode(written)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise IdentityError(f"{VARIABLE} is not a key; make one with `crowdloom encrypt-identities --new-key`")
    return key


def check_key(connection: Connection) -> None:
    """Raise IdentityError where the store has sealed ids that the environment's key, or its absence, does not fit.

    Nobody would be recognised, and each be stored again as somebody new.
    """
    sealed = connection.execute(
        select(Participant.platform, Participant.platform_id)
        .where(Participant.platform != "import", Participant.platform_id.startswith(MARK))
        .limit(1)
    ).first()
    if sealed is not None:
        reveal(sealed.platform, sealed.platform_id)


def take_participant(connection: Connection, platform: str, participant: str) -> int:
    """The id of the person whom a platform calls so, added where new, and locked until the transaction ends.

    Raises IdentityError for somebody new where the ids in the store were sealed with another key.
    """
    known = select(Participant.id).where(
        Participant.platform == platform, Participant.platform_id.in_(spellings(platform, participant))
    )
    found = connection.execute(known.with_for_update()).scalar()
    if found is None:
        check_key(connection)  # under a wrong key everybody would look new
        row = {
            "pseudonym": new_token(),
            "platform": platform,
            "platform_id": seal(platform, participant),
            "created_at": now(),
        }
        connection.execute(insert_new(connection, Participant), row)
        found = connection.execute(known.with_for_update()).scalar_one()
    return int(found)


def encrypt_identities(connection: Connection) -> int:
    """Seal every id that platforms gave and that is not sealed yet; how many there were.

    Names in imported files stay: they are whatever the file's author chose. Raises IdentityError without a key, and
    where others were sealed with another one. Call `Store.wipe` afterwards.
    """
    if _key() is None:
        raise IdentityError(f"set {VARIABLE} first; `crowdloom encrypt-identities --new-key` makes a key")
    check_key(connection)
    plain = connection.execute(
        select(Participant.id, Participant.platform, Participant.platform_id).where(
            Participant.platform != "import",
            Participant.platform_id.is_not(None),
            ~Participant.platform_id.startswith(MARK),
        )
    ).all()
    for row in plain:
        connection.execute(
            update(Participant).where(Participant.id == row.id).values(platform_id=seal(row.platform, row.platform_id))
        )
    return len(plain)


@dataclass(frozen=True)
class Forgotten:
    """How many people's ids were erased, and how many stay because they are in another study as well.

    `voices` counts the submissions of the study whose recordings were deleted.
    """

    people: int
    stay: int
    voices: int = 0


def forget_identities(connection: Connection, study: str) -> Forgotten:
    """Erase the platform ids of a study's participants and of their work, their invitations, and their voices.

    Their answers stay as they are, under their pseudonyms; the platform is asked about this study no more. Whoever
    also took part in another study that is still open, or that may still pay them, keeps their id for it. Raises
    StudyError for an unknown study, IdentityError while this one is open or may still pay somebody. Call
    `Store.wipe` afterwards.
    """
    newest_design(connection, study)
    postings = list(
        connection.scalars(
            select(Posting.id).join(Design).join(Study, Study.id == Design.study_id).where(Study.name == study)
        )
    )
    _check_over(connection, study, postings)
    took_part = select(Submission.participant_id).where(Submission.posting_id.in_(postings))
    people = took_part.union(select(RemoteSubmission.participant_id).where(RemoteSubmission.posting_id.in_(postings)))
    elsewhere = list(connection.scalars(select(Posting.id).where(Posting.id.not_in(postings))))
    known = or_(
        Participant.id.in_(
            select(Submission.participant_id)
            .join(Posting, Posting.id == Submission.posting_id)
            .where(Submission.posting_id.in_(elsewhere), Posting.state != "closed")
        ),
        Participant.id.in_(
            select(Submission.participant_id).where(Submission.id.in_(_to_be_paid(connection, elsewhere)))
        ),
        Participant.id.in_(
            select(RemoteSubmission.participant_id).where(
                RemoteSubmission.posting_id.in_(elsewhere), RemoteSubmission.state == "submitted"
            )
        ),
    )
    of_study = (Participant.id.in_(people), Participant.platform_id.is_not(None))
    stay = connection.execute(select(func.count()).select_from(Participant).where(*of_study, known)).scalar_one()
    erased = connection.execute(update(Participant).where(*of_study, ~known).values(platform_id=None))
    connection.execute(
        update(RemoteSubmission)
        .where(RemoteSubmission.posting_id.in_(postings))
        .values(remote_id=None, return_to=None, code=None)
    )
    voices = delete_recordings(
        connection,
        list(connection.scalars(select(Submission.id).where(Submission.posting_id.in_(postings)))),
        "identities were forgotten",
    )
    connection.execute(delete(Invitation).where(Invitation.posting_id.in_(postings)))
    for row in connection.execute(
        select(Posting.id, Posting.values.label("said")).where(Posting.id.in_(postings))
    ).all():
        values = {**row.said, "forgotten": True}
        connection.execute(update(Posting).where(Posting.id == row.id).values({"values": values}))
    return Forgotten(erased.rowcount, stay, voices)


def _check_over(connection: Connection, study: str, postings: list[int]) -> None:
    """Raise IdentityError where somebody may still come to a study, or be paid for it."""
    is_open = select(func.count()).where(Posting.id.in_(postings), Posting.state != "closed")
    if connection.execute(is_open).scalar_one():
        raise IdentityError(
            f"{study} is not closed yet, and people may come back to it; run `crowdloom close {study}` first"
        )
    own = select(Submission.id).where(Submission.posting_id.in_(postings))
    at_work = connection.execute(
        select(func.count()).where(Place.submission_id.in_(own), Place.state == "held", Place.held_until >= now())
    ).scalar_one()
    if at_work:
        raise IdentityError(f"{at_work} of the people of {study} are still at work; wait until they have finished")
    owed = len(_to_be_paid(connection, postings))
    unsettled = connection.execute(
        select(func.count())
        .select_from(RemoteSubmission)
        .where(RemoteSubmission.posting_id.in_(postings), RemoteSubmission.state == "submitted")
    ).scalar_one()
    if owed or unsettled:
        raise IdentityError(
            f"{study} still has {owed} submissions whose payments are not confirmed and {unsettled} that the platform "
            f"waits to see reviewed; see `crowdloom reconcile {study}`, or nobody can be paid any more"
        )


def _to_be_paid(connection: Connection, postings: list[int]) -> list[int]:
    """Submissions that may still be paid: by the ledger, or by the direct link, where no platform reviews them."""
    own = Submission.posting_id.in_(postings)
    by_ledger = (
        select(Submission.id)
        .join(Payment, Payment.submission_id == Submission.id)
        .where(own, Payment.state.not_in(("confirmed", "cancelled")))
    )
    found = set(connection.scalars(by_ledger))
    rewarded = [
        row.id
        for row in connection.execute(
            select(Posting.id, Design.values)
            .join(Design, Design.id == Posting.design_id)
            .where(Posting.id.in_(postings), Posting.platform == "link")
        )
        if row.values["people"].get("reward")
    ]
    has_reward = exists().where(Payment.submission_id == Submission.id, Payment.purpose == "reward")
    by_link = select(Submission.id).where(
        Submission.posting_id.in_(rewarded),
        Submission.state == "completed",
        Submission.review.is_distinct_from("rejected"),
        ~has_reward,
    )
    return sorted(found | set(connection.scalars(by_link)))
