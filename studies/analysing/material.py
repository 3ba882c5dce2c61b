"""Everything about a study that its analysis starts from, read from the store once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from crowdloom.analysis.coach_report import Material as Writings
from crowdloom.analysis.latent_report import Material as Sessions
from crowdloom.analysis.plan import plan_hash
from crowdloom.studies.analysing.sessions import read_session_material
from crowdloom.studies.analysing.writings import read_writing_material
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.posting import current_design, simulated_postings
from crowdloom.studies.reading import Origin, find_answers, read_frame, read_submissions
from crowdloom.studies.reading_items import read_items
from crowdloom.studies.reading_questionnaires import read_questionnaires
from crowdloom.studies.records import read_background, read_debrief
from crowdloom.studies.releasing.whence import PublishedPlan, Whence, published_plans, read_whence
from crowdloom.studies.session_records import TASK as SESSIONS
from crowdloom.studies.status import read_postings
from crowdloom.studies.tables import Design, Exclusion, Posting, Study, Submission
from crowdloom.studies.training_runs import StoredRun, read_training_runs
from crowdloom.studies.writing_records import TASK as WRITINGS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Planned:
    """When and where the plan was frozen."""

    sha256: str
    published: date | None
    """The first publication of a version with just this plan, to the day alone where the study came from a release;
    None where it was never published."""
    others: tuple[int, ...]
    """Versions of the study that were published with another plan, or with none."""
    cleaned: bool = False
    """Whether the plan came from a release that had to take something out of it, so that the hash is not its own."""


@dataclass(frozen=True)
class Material:
    """A study as its analysis sees it."""

    study: str
    version: int
    """Of the design below: the one that the study runs by."""
    design: DesignModel
    design_sha256: str
    frame: pd.DataFrame
    """Every answer of every submission, whatever its standing; see `analysis.frame`."""
    items: pd.DataFrame
    classes: Sequence[str]
    submissions: pd.DataFrame
    """One row for each that had a batch: submission, participant, condition, batch, version, standing, platform,
    checks_failed, started_at, completed_at, attention (what its easy items say against it, or None) and note (the
    reason of an exclusion by hand, or None)."""
    states: Mapping[str, int]
    """How many submissions there are by state, those without a batch included."""
    planned: Planned | None
    """None where the design has no plan."""
    with_plan: tuple[int, ...]
    """Versions of the study that were published with a plan, whichever."""
    background: pd.DataFrame
    """The answers to the background questions; see `records.read_background`."""
    debrief: pd.DataFrame
    """The answers to the debrief questions; see `records.read_debrief`."""
    questionnaires: pd.DataFrame
    """See `reading_questionnaires.read_questionnaires`."""
    pay: Sequence[tuple[str, str]]
    """For each posting where money is paid, where it is and what people earn by the hour, in words."""
    simulated: int = 0
    """Of the submissions in `states`, those of simulated people."""
    whence: Whence | None = None
    """The release that the study was read from, if it was."""
    runs: Sequence[StoredRun] = ()
    """Of training on the study's labels."""
    sessions: Sessions | None = None
    """In a latent space, of every submission whatever its standing; None for other tasks."""
    writings: Writings | None = None
    """Of the task `coach`, in the same way."""


def read_material(connection: Connection, study: str, version: int | None = None) -> Material:
    """Read a study, all its versions or one. Raises StudyError as `find_answers` does."""
    import pandas as pd

    answers = find_answers(connection, study, "all", version)
    design_id, current = current_design(connection, study)
    if version is not None:
        design_id, current = answers.designs[0], version
    row = connection.execute(select(Design.values, Design.sha256).where(Design.id == design_id)).one()
    design = DesignModel.model_validate(row.values)
    about = pd.DataFrame(read_submissions(connection, answers), columns=list(Origin._fields))
    ids = answers.submissions.tolist()
    about = about.join(_details(connection, ids))
    frame, items = read_frame(connection, study, "all", version), read_items(connection, study, version)
    about["attention"] = attention(design, frame, items, about["submission"])
    counted = connection.execute(
        select(Submission.state, Submission.posting_id, func.count().label("number"))
        .join(Posting, Posting.id == Submission.posting_id)
        .where(Posting.design_id.in_(answers.designs))
        .group_by(Submission.state, Submission.posting_id)
    ).all()
    simulated = simulated_postings(connection, answers.designs)
    states: Counter[str] = Counter()
    for some in counted:
        states[some.state] += some.number
    whence, plans = read_whence(connection, study), published_plans(connection, study)
    return Material(
        study=study,
        version=current,
        design=design,
        design_sha256=row.sha256,
        frame=frame,
        items=items,
        classes=answers.classes,
        submissions=about,
        states=dict(sorted(states.items())),
        simulated=sum(some.number for some in counted if some.posting_id in simulated),
        planned=_planned(design, current, plans, is_release=whence is not None),
        with_plan=tuple(sorted({plan.version for plan in plans if plan.sha256})),
        background=read_background(connection, study),
        debrief=read_debrief(connection, study),
        questionnaires=read_questionnaires(connection, study, "all", version),
        pay=_pay(connection, study),
        whence=whence,
        runs=read_training_runs(connection, study),
        sessions=read_session_material(connection, study, "all", version) if design.task == SESSIONS else None,
        writings=read_writing_material(connection, study, "all", version) if design.task == WRITINGS else None,
    )


def attention(design: DesignModel, frame: pd.DataFrame, items: pd.DataFrame, submissions: pd.Series) -> pd.Series:
    """What the design's attention checks say against each of these submissions, or None."""
    import pandas as pd

    from crowdloom.analysis.leaving_out import failed_attention

    checks, failed = design.checks, {}
    if checks.easy_at_most is not None and checks.easy_right is not None:
        failed = failed_attention(frame, items, design.task, checks.easy_at_most, checks.easy_right).to_dict()
    return pd.Series([failed.get(name) for name in submissions], index=submissions.index, dtype=object)


_AT_A_TIME = 500


def _details(connection: Connection, ids: Sequence[int]) -> pd.DataFrame:
    import pandas as pd

    rows = {}
    for start in range(0, len(ids), _AT_A_TIME):
        some = ids[start : start + _AT_A_TIME]
        query = (
            select(
                Submission.id,
                Submission.checks_failed,
                Submission.started_at,
                Submission.completed_at,
                Exclusion.reason,
            )
            .outerjoin(Exclusion, Exclusion.submission_id == Submission.id)
            .where(Submission.id.in_(some))
        )
        rows.update({row.id: row for row in connection.execute(query)})
    return pd.DataFrame(
        {
            "checks_failed": pd.Series([rows[id_].checks_failed for id_ in ids], dtype="int64"),
            "started_at": pd.to_datetime(pd.Series([rows[id_].started_at for id_ in ids]), utc=True),
            "completed_at": pd.to_datetime(pd.Series([rows[id_].completed_at for id_ in ids]), utc=True),
            "note": pd.Series([rows[id_].reason for id_ in ids], dtype=object),
        }
    )


def _pay(connection: Connection, study: str) -> list[tuple[str, str]]:
    study_id = connection.execute(select(Study.id).where(Study.name == study)).scalar_one()
    return [
        (f"{posting.platform}, version {posting.version}", posting.pay.sentence())
        for posting in read_postings(connection, study_id)
        if posting.pay is not None and posting.pay.per_hour is not None
    ]


def _planned(design: DesignModel, version: int, plans: Sequence[PublishedPlan], *, is_release: bool) -> Planned | None:
    if design.plan is None:
        return None
    sha256 = plan_hash(design.plan)
    said = [plan.sha256 for plan in plans if plan.version == version and plan.sha256 is not None]
    cleaned = bool(said) and sha256 not in said and is_release
    if cleaned:
        sha256 = said[0]
    same = [plan.published for plan in plans if plan.sha256 == sha256]
    others = sorted({plan.version for plan in plans if plan.sha256 != sha256})
    return Planned(sha256, same[0] if same else None, tuple(others), cleaned)
