"""Who gets the bonus that a design promises. The result is shown before it is written down, and then paid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from sqlalchemy import Connection, select

from crowdloom.analysis.agreement import agreement_with_others
from crowdloom.analysis.labels import Elicited, build_labels, parse_variety
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.design_types import Money
from crowdloom.studies.errors import StudyError
from crowdloom.studies.labelling import check_soft_labels
from crowdloom.studies.ledger import owe
from crowdloom.studies.posting import current_design
from crowdloom.studies.reading import find_answers, read_submissions, stream
from crowdloom.studies.soft_label_sets import GAMMA, VARIETY
from crowdloom.studies.tables import Design, Submission


@dataclass(frozen=True)
class BonusDue:
    """A submission by its code, how well it matches the others (None: cannot be said), and its bonus if any."""

    code: str
    agreement: float | None
    bonus: Money | None


def bonuses_due(connection: Connection, study: str) -> list[BonusDue]:
    """The accepted submissions of a study's current version, best match first.

    The rule `agreement`: the design's share of them, rounded up, gets the bonus; who matches as well
    as the last of these gets it too. Labels are those of a `Recipe()`, of first responses.
    Raises StudyError for an unknown study, or a design without a bonus, and
    OptionError for a task without soft labels.
    """
    design_id, version = current_design(connection, study)
    values = connection.execute(select(Design.values).where(Design.id == design_id)).scalar_one()
    bonus = DesignModel.model_validate(values).bonus
    if bonus is None:
        raise StudyError(f"the design of {study!r} promises no bonus; it would stand under [bonus]")
    answers = find_answers(connection, study, version=version)
    check_soft_labels(answers)
    codes = [origin.submission for origin in read_submissions(connection, answers)]
    labels, items, submissions = [np.empty((0, len(answers.classes)))], [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    for chunk in stream(connection, answers):
        built, kept = build_labels(
            Elicited.from_records(chunk.records, len(answers.classes)), parse_variety(VARIETY), GAMMA
        )
        kept &= chunk.repeat_index == 0
        labels.append(built[kept])
        items.append(chunk.item[kept])
        submissions.append(chunk.submission[kept])
    match = agreement_with_others(
        np.concatenate(labels), np.concatenate(items), np.concatenate(submissions), len(codes)
    )
    known = np.sort(match[~np.isnan(match)])[::-1]
    best = known[min(math.ceil(Decimal(str(bonus.share)) * len(known)), len(known)) - 1] if len(known) else math.inf
    due = [
        BonusDue(code, None if math.isnan(value) else value, bonus.amount if value >= best else None)
        for code, value in zip(codes, match.tolist(), strict=True)
    ]
    return sorted(due, key=lambda row: -1 if row.agreement is None else row.agreement, reverse=True)


def owe_bonuses(connection: Connection, study: str) -> int:
    """Write down the bonuses that the rule gives now, except to the rejected; how many are new.

    Raises as `bonuses_due` does.
    """
    given = {row.code: row.bonus for row in bonuses_due(connection, study) if row.bonus is not None}
    rows = connection.execute(
        select(Submission.id, Submission.pseudonym).where(
            Submission.pseudonym.in_(given), Submission.review.is_distinct_from("rejected")
        )
    ).all()
    return sum(owe(connection, row.id, "bonus", given[row.pseudonym]) for row in rows)
