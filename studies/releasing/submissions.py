"""The submissions of a release: who gave the answers of which batch, how they count, and how long they took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from crowdloom.studies.importing.shared import PLATFORM
from crowdloom.studies.posting import SIMULATED
from crowdloom.studies.reading import Answers, Origin, read_submissions
from crowdloom.studies.releasing.pseudonyms import Pseudonyms
from crowdloom.studies.releasing.scrubbing import Scrubber
from crowdloom.studies.releasing.tables import Column, Table, TableWriter
from crowdloom.studies.releasing.whence import RELEASE
from crowdloom.studies.tables import Exclusion, Posting, Submission

PARTICIPANT = Column("participant", "text", "the person, by a random name of this release", listed=False)
SUBMISSION = Column(
    "submission", "text", "one person's pass through one batch, by a random name of this release", listed=False
)
CONDITION = Column("condition", "text", "the arm of the study")
BATCH = Column("batch", "whole", "the number of the batch, from 0, within its condition")
VERSION = Column("version", "whole", "the version of the study's design")
STANDINGS = {
    "accepted": "complete, and counted in all labels and analyses",
    "copy": "the same, of a session that stands twice in an imported file",
    "excluded": "left out of analyses by the researchers; the reason, where it is released, is in the column exclusion",
    "rejected": "rejected by the researchers",
    "surplus": "complete, but no place was left for it",
    "started": "not finished",
    "left": "ended by the participant before the end",
    "failed_check": "ended after too many wrong tries at the comprehension check",
}
STANDING = Column("standing", "text", "how the submission counts", values=", ".join(STANDINGS))
COLUMNS = (
    SUBMISSION,
    PARTICIPANT,
    VERSION,
    CONDITION,
    BATCH,
    STANDING,
    Column(
        "exclusion",
        "text",
        "why the researchers left it out, in their words, where free text was asked for",
        listed=False,
    ),
    Column("complete", "truth", "whether all items of the batch were answered"),
    Column("checks_failed", "whole", "wrong tries at the comprehension check"),
    Column("seconds", "number", "from its start to its last answer; empty where unknown", unit="s"),
    Column("copy_of", "text", "the submission that it is a copy of, if it is one", listed=False),
    Column("simulated", "truth", "whether it is of a simulated person, sent by a rehearsal"),
    Column("class_order", "texts", "the classes in the order in which its pages named them"),
)


@dataclass(frozen=True)
class Pass:
    """A submission of the store, with what the release says of it."""

    origin: Origin
    state: str
    checks_failed: int
    started_at: datetime | None
    """None where nothing is known of times."""
    completed_at: datetime | None
    class_order: Sequence[str]
    copy_of: int | None
    exclusion: str | None
    simulated: bool


class Counts(NamedTuple):
    """How many of what there are, as far as one can know without reading the answers."""

    responses: int
    submissions: dict[str, int]
    """By standing."""
    participants: int
    never: dict[str, int]
    """By state: who came and got no batch, such as those who did not consent. Nothing else of them is released."""


def read_passes(connection: Connection, answers: Answers) -> list[Pass]:
    """The passes of `Answers.submissions`, in their order."""
    query = (
        select(
            Submission.id,
            Submission.state,
            Submission.checks_failed,
            Submission.started_at,
            Submission.completed_at,
            Submission.class_order,
            Submission.copy_of,
            Exclusion.reason,
            Posting.platform,
            Posting.values,
        )
        .join(Posting, Posting.id == Submission.posting_id)
        .outerjoin(Exclusion, Exclusion.submission_id == Submission.id)
        .where(Posting.design_id.in_(answers.designs))
    )
    said = {row[0]: row for row in connection.execute(query)}
    passes = []
    for number, origin in zip(answers.submissions.tolist(), read_submissions(connection, answers), strict=True):
        _, state, failed, started, completed, order, copy_of, reason, platform, values = said[number]
        if platform == PLATFORM and RELEASE not in values:
            started = completed = None  # the time of an import would pass for one
        simulated = bool(values.get(SIMULATED))
        passes.append(Pass(origin, state, failed, started, completed, order, copy_of, reason, simulated))
    return passes


def count_all(connection: Connection, answers: Answers, passes: Sequence[Pass], responses: int) -> Counts:
    """Count what a release has."""
    never = connection.execute(
        select(Submission.state, func.count())
        .join(Posting, Posting.id == Submission.posting_id)
        .where(Posting.design_id.in_(answers.designs), Submission.batch_id.is_(None))
        .group_by(Submission.state)
        .order_by(Submission.state)
    )
    standings = Counter(one.origin.standing for one in passes)
    return Counts(
        responses=responses,
        submissions={name: standings[name] for name in STANDINGS if standings[name]},
        participants=len({one.origin.participant for one in passes}),
        never={str(state): int(number) for state, number in never},
    )


def write_submissions(
    answers: Answers,
    passes: Sequence[Pass],
    names: Pseudonyms,
    scrubber: Scrubber,
    release: Path,
    *,
    free_text: bool,
) -> Table:
    """Write the table `submissions`, in the order in which they began; reasons in words only with free text."""
    codes = dict(zip(answers.submissions.tolist(), (one.origin.submission for one in passes), strict=True))
    with TableWriter(release, "submissions", "one row for each submission that got a batch", COLUMNS) as writer:
        writer.write(
            {
                "submission": [names.submission(one.origin.submission) for one in passes],
                "participant": [names.participant(one.origin.participant) for one in passes],
                "version": [one.origin.version for one in passes],
                "condition": [one.origin.condition for one in passes],
                "batch": [one.origin.batch for one in passes],
                "standing": [one.origin.standing for one in passes],
                "exclusion": [scrubber.clean(one.exclusion) if one.exclusion and free_text else None for one in passes],
                "complete": [one.state == "completed" for one in passes],
                "checks_failed": [one.checks_failed for one in passes],
                "seconds": [_seconds(one) for one in passes],
                "copy_of": [names.submission(codes[one.copy_of]) if one.copy_of in codes else None for one in passes],
                "simulated": [one.simulated for one in passes],
                "class_order": [list(one.class_order) or None for one in passes],
            }
        )
    return writer.table()


def _seconds(one: Pass) -> float | None:
    if one.started_at is None or one.completed_at is None:
        return None
    return seconds_known(round((one.completed_at - one.started_at).total_seconds(), 3))


def seconds_known(seconds: float) -> float | None:
    """A duration, or None for 0, which is how an import keeps one that is unknown."""
    return seconds if seconds > 0 else None
