"""What a researcher decides about submissions: approve, reject, ask to return, leave out of the analysis.

An approval is written down here and carried out by paying (see `paying`); a rejection is carried out on the
platform first. Nothing is ever rejected by itself.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select, update

from crowdloom.studies.allocation import add_event, fill_open_place, free, lock_design
from crowdloom.studies.checks import check_submissions
from crowdloom.studies.database import Store, insert_new, now
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import OptionError, StudyError
from crowdloom.studies.ledger import PURPOSES, cancel
from crowdloom.studies.platforms import PLATFORMS
from crowdloom.studies.posted import Posted, find_postings, read_posting
from crowdloom.studies.posting import newest_design
from crowdloom.studies.tables import Design, Exclusion, Payment, Posting, RemoteSubmission, Study, Submission


@dataclass(frozen=True)
class ToReview:
    """A completed submission, as the researcher decides about it."""

    code: str
    """Its pseudonym, as on the receipt and in exports."""
    completed_at: datetime | None
    surplus: bool
    review: str | None
    """`approved`, `rejected`, or None where nothing is decided."""
    excluded: bool
    platform: str
    on_platform: str | None
    """The platform's word, by the last poll; None where it has not been heard of there."""
    reasons: tuple[str, ...]
    """What of the design's checks it does not pass."""
    payments: dict[str, str]
    """The state of what it is owed, by purpose."""

    @property
    def passes(self) -> bool:
        """Whether it can be approved together with all others."""
        return not self.reasons


def completed(connection: Connection, study: str) -> list[ToReview]:
    """A study's completed submissions, oldest first, and those that were handed in on their platform without being so.

    These pass no check, and are to be decided all the same: their platform waits for it. Raises StudyError for an
    unknown study.
    """
    newest_design(connection, study)
    rows = connection.execute(
        select(
            Submission.id,
            Submission.pseudonym,
            Submission.completed_at,
            Submission.surplus,
            Submission.review,
            Submission.state,
            Exclusion.id.label("exclusion"),
            Posting.platform,
            Posting.design_id,
        )
        .join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .outerjoin(Exclusion, Exclusion.submission_id == Submission.id)
        .where(Study.name == study, or_(Submission.state == "completed", Submission.id.in_(_TO_DECIDE)))
        .order_by(func.coalesce(Submission.completed_at, Submission.started_at), Submission.id)
    ).all()
    reasons = _reasons(connection, rows)
    remote, owed = _on_platform(connection, study), _payments(connection, study)
    return [
        ToReview(
            code=row.pseudonym,
            completed_at=row.completed_at,
            surplus=row.surplus,
            review=row.review,
            excluded=row.exclusion is not None,
            platform=row.platform,
            on_platform=remote.get(row.id),
            reasons=reasons[row.id],
            payments=owed.get(row.id, {}),
        )
        for row in rows
    ]


def _reasons(connection: Connection, rows: Any) -> dict[int, tuple[str, ...]]:
    by_design: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        by_design[row.design_id].append(row.id)
    found: dict[int, tuple[str, ...]] = {}
    for design_id, ids in by_design.items():
        values = connection.execute(select(Design.values).where(Design.id == design_id)).scalar_one()
        verdicts = check_submissions(connection, DesignModel.model_validate(values), ids)
        found |= {id_: verdict.reasons for id_, verdict in verdicts.items()}
    for row in rows:
        if row.state != "completed":
            found[row.id] = (f"handed in there, and {_UNFINISHED[row.state]} here",)
    return found


_UNFINISHED = {
    "refused": "without consent",
    "failed_check": "failed the comprehension check",
    "left": "left",
    "started": "not finished",
}
_TO_DECIDE = select(RemoteSubmission.submission_id).where(
    RemoteSubmission.submission_id.is_not(None), RemoteSubmission.state.in_(("submitted", "approved", "rejected"))
)
"""Submissions that their platform shows as handed in."""


def _of_study(query: Any, study: str) -> Any:
    return (
        query.join(Posting, Posting.id == Submission.posting_id)
        .join(Design, Design.id == Posting.design_id)
        .join(Study, Study.id == Design.study_id)
        .where(Study.name == study)
    )


def _on_platform(connection: Connection, study: str) -> dict[int, str]:
    query = select(RemoteSubmission.submission_id, RemoteSubmission.state).join(
        Submission, Submission.id == RemoteSubmission.submission_id
    )
    rows = connection.execute(_of_study(query, study).order_by(RemoteSubmission.id))
    return {row.submission_id: row.state for row in rows}


def _payments(connection: Connection, study: str) -> dict[int, dict[str, str]]:
    query = select(Payment.submission_id, Payment.purpose, Payment.state).join(
        Submission, Submission.id == Payment.submission_id
    )
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for row in connection.execute(_of_study(query, study).order_by(Payment.id)):
        found[row.submission_id][row.purpose] = row.state
    return found


def approve_passing(connection: Connection, study: str) -> list[ToReview]:
    """Approve every submission that is not reviewed and passes the design's checks; the others, which wait."""
    waiting = [row for row in completed(connection, study) if row.review is None]
    for row in waiting:
        if row.passes:
            review(connection, study, row.code, "approved")
    return [row for row in waiting if not row.passes]


def review(connection: Connection, study: str, code: str, decision: str, reason: str | None = None) -> None:
    """Approve or reject a completed submission, in our store.

    A rejected one frees its place, is owed no money any more, and its answers stay. One that is approved after all
    takes an open place of its batch again, or is surplus where there is none. The same decision twice is no error.
    Raises StudyError for an unknown code, for one that is not complete, and for the rejection of one that was paid.
    """
    submission_id = _find(connection, study, code)
    before = connection.execute(
        select(Submission.state, Submission.review, Submission.batch_id, Posting.design_id)
        .join(Posting, Posting.id == Submission.posting_id)
        .where(Submission.id == submission_id)
        .with_for_update(of=Submission, key_share=True)
    ).one()
    _check_decidable(connection, submission_id, before.state, code)
    if before.review == decision:
        return
    values: dict[str, Any] = {"review": decision, "reviewed_at": now()}
    if decision == "rejected":
        _check_unpaid(connection, submission_id, code)
        for purpose in PURPOSES:
            cancel(connection, submission_id, purpose)
        free(connection, submission_id, "rejected")
    elif before.review == "rejected" and before.state == "completed":
        lock_design(connection, before.design_id)
        values["surplus"] = not fill_open_place(connection, before.batch_id, submission_id)
    connection.execute(update(Submission).where(Submission.id == submission_id).values(**values))
    add_event(connection, submission_id, decision, {"reason": reason})


def _check_decidable(connection: Connection, submission_id: int, state: str, code: str) -> None:
    """What is complete can be decided, and what was handed in on its platform."""
    handed_in = _TO_DECIDE.where(RemoteSubmission.submission_id == submission_id)
    if state != "completed" and connection.execute(handed_in).first() is None:
        raise StudyError(f"{code} is not complete, so there is nothing to review yet")


def _check_unpaid(connection: Connection, submission_id: int, code: str) -> None:
    paid = connection.execute(
        select(Payment.purpose, Payment.state).where(
            Payment.submission_id == submission_id, Payment.state.in_(("sent", "unknown", "confirmed"))
        )
    ).first()
    if paid is not None:
        raise StudyError(
            f"{code} cannot be rejected: its {paid.purpose.replace('_', '-')} is {paid.state}. To leave it out of the "
            "analysis, use `crowdloom exclude`"
        )
    approved = connection.execute(
        select(RemoteSubmission.id).where(
            RemoteSubmission.submission_id == submission_id, RemoteSubmission.state == "approved"
        )
    ).first()
    if approved is not None:
        raise StudyError(
            f"{code} cannot be rejected: its platform has approved it, which pays it. To leave it out of the analysis, "
            "use `crowdloom exclude`"
        )


def reject(store: Store, study: str, code: str, reason: str, category: str | None = None) -> None:
    """Reject a completed submission, on its platform and then here; or one that nobody began here (`stray_code`).

    Raises OptionError for a reason or a category that the platform does not take, before it is asked, and
    PlatformError where it refuses; then nothing has changed here.
    """
    if (stray := _stray(store, study, code)) is not None:
        there, remote = stray
        check_rejection(there.platform, reason, category)
        there.account().reject(remote.remote_id, reason, category)
        with store.write() as connection:
            of_this = update(RemoteSubmission).where(RemoteSubmission.id == remote.id)
            connection.execute(of_this.values(state="rejected"))
        return
    with store.read() as connection:
        submission_id = _find(connection, study, code)
        _check_unpaid(connection, submission_id, code)
        posted = _posted(connection, submission_id)
        state = connection.execute(select(Submission.state).where(Submission.id == submission_id)).scalar_one()
        remote_id = _handed_in(connection, submission_id)
        _check_decidable(connection, submission_id, state, code)
    if posted is not None:
        check_rejection(posted.platform, reason, category)
        if remote_id is not None:
            posted.account().reject(remote_id, reason, category)
    with store.write() as connection:
        review(connection, study, code, "rejected", reason)
        if remote_id is not None:
            connection.execute(
                update(RemoteSubmission)
                .where(RemoteSubmission.submission_id == submission_id, RemoteSubmission.remote_id == remote_id)
                .values(state="rejected")
            )


def stray_code(remote_id: str) -> str:
    """What we call a submission of the platform's that nobody began here; the platform's own id stays where it is."""
    return f"there-{hashlib.sha256(remote_id.encode()).hexdigest()[:12]}"


def _stray(store: Store, study: str, code: str) -> tuple[Posted, Any] | None:
    """The submission that the platform has, and nobody began here, which `reconcile` calls so."""
    if not code.startswith("there-"):
        return None
    with store.read() as connection:
        for posted in find_postings(connection, study):
            rows = connection.execute(
                select(RemoteSubmission.id, RemoteSubmission.remote_id).where(
                    RemoteSubmission.posting_id == posted.id,
                    RemoteSubmission.submission_id.is_(None),
                    RemoteSubmission.remote_id.is_not(None),
                )
            )
            for row in rows:
                if stray_code(row.remote_id) == code:
                    return posted, row
    return None


def check_rejection(platform: str, reason: str, category: str | None) -> None:
    """Raise OptionError where a platform would not take this rejection."""
    capabilities = PLATFORMS[platform].capabilities
    if len(reason.strip()) < capabilities.reason_min:
        raise OptionError(
            f"--reason has {len(reason.strip())} characters; {platform} wants at least {capabilities.reason_min}"
        )
    if capabilities.rejection_categories and category not in capabilities.rejection_categories:
        raise OptionError(
            f"--category: {platform} wants one of {', '.join(capabilities.rejection_categories)}, got {category}"
        )
    if category is not None and not capabilities.rejection_categories:
        raise OptionError(f"--category: {platform} knows no categories; leave it out")


def request_return(store: Store, study: str, code: str, reason: str) -> None:
    """Ask the participant to return a submission. Raises OptionError where its platform has no such request."""
    with store.read() as connection:
        submission_id = _find(connection, study, code)
        posted = _posted(connection, submission_id)
        remote_id = _handed_in(connection, submission_id)
    if posted is None or not PLATFORMS[posted.platform].capabilities.requests_return:
        raise OptionError("--request-return: this submission's platform cannot ask its participants to return anything")
    if remote_id is None:
        raise StudyError(
            f"{code} has not been handed in on {posted.platform}, as far as is known; run `crowdloom reconcile`"
        )
    posted.account().request_return(remote_id, reason)
    with store.write() as connection:
        add_event(connection, submission_id, "return_requested", {"reason": reason})


def posted_of(connection: Connection, study: str, code: str) -> Posted | None:
    """The posting of the submission with this code; None for an imported one. Raises StudyError for an unknown code."""
    return _posted(connection, _find(connection, study, code))


def _posted(connection: Connection, submission_id: int) -> Posted | None:
    """The posting of a submission; None for an imported one, which no platform knows."""
    row = connection.execute(
        select(Posting.token, Posting.platform)
        .join(Submission, Submission.posting_id == Posting.id)
        .where(Submission.id == submission_id)
    ).one()
    return read_posting(connection, row.token) if row.platform in PLATFORMS else None


def _handed_in(connection: Connection, submission_id: int) -> str | None:
    return connection.execute(
        select(RemoteSubmission.remote_id)
        .where(RemoteSubmission.submission_id == submission_id, RemoteSubmission.state.in_(("submitted", "rejected")))
        .order_by(RemoteSubmission.id)
    ).scalar()


def exclude(connection: Connection, study: str, code: str, reason: str) -> bool:
    """Leave a submission out of the analysis; False where it is left out already. The data stay."""
    if not reason.strip():
        raise OptionError("--reason is empty; say why the submission is left out, it is kept beside the data")
    row = {"submission_id": _find(connection, study, code), "reason": reason, "created_at": now()}
    added = connection.execute(insert_new(connection, Exclusion).returning(Exclusion.id), row).first()
    return added is not None


def _find(connection: Connection, study: str, code: str) -> int:
    found = connection.execute(_of_study(select(Submission.id), study).where(Submission.pseudonym == code)).scalar()
    if found is None:
        raise StudyError(f"{study!r} has no submission {code!r}; the codes stand in the export's column submission")
    return int(found)
