"""The sessions of a study in which people reshape a network's latent space, read back from the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError
from sqlalchemy import Connection, select

from crowdloom.studies.errors import StudyError
from crowdloom.studies.reading import Scope, find_answers
from crowdloom.studies.session_records import TASK, Answered, each_answer
from crowdloom.studies.tables import Item, Job, Study, Submission
from crowdloom.studies.words import count
from crowdloom.tasks.latent_records import SessionState

if TYPE_CHECKING:
    from crowdloom.analysis.latent_figures import Pictures
    from crowdloom.analysis.latent_frames import Session

MOST_NOTES = 5
"""Sessions that cannot be used and are named; of others only how many there are."""


@dataclass(frozen=True)
class Sessions:
    """The sessions that count, and why others cannot be used, in sentences."""

    sessions: Sequence[Session]
    unusable: Sequence[str]
    unlike: Sequence[str] = ()
    """What is to be known of those that count and are not as the page sent them, or that nobody can confirm."""
    items: Sequence[str] = ()
    """The keys of the study's items, in their order."""

    def notes(self) -> list[str]:
        """What is to be told, a sentence each."""
        notes = [*self.unlike, *self.unusable[:MOST_NOTES]]
        if (further := len(self.unusable) - MOST_NOTES) > 0:
            notes.append(f"{further} further answers are left out in the same way.")
        return notes


def read_sessions(
    connection: Connection, study: str, scope: Scope = "accepted", version: int | None = None
) -> Sessions:
    """The first session of each submission in each scenario, by submissions in the order in which they began.

    Raises StudyError as `find_answers` does, and for a study of another task.
    """
    answers = find_answers(connection, study, scope, version)
    if answers.task != TASK:
        raise StudyError(f"{study} is a study of the task {answers.task}; only {TASK} has sessions")
    found: list[Answered] = []
    unusable, without = [], 0
    for one in each_answer(connection, answers):
        if one.repeat_index:
            continue
        if one.session is not None:
            found.append(one)
        elif one.why:
            unusable.append(one.why)
        else:
            without += 1
    if without:
        unusable.append(
            f"{count(without, 'answer')} {'has' if without == 1 else 'have'} no session beside the numbers, as after "
            "the import of a release that had none."
        )
    sessions = [one.session for one in found if one.session is not None]
    return Sessions(sessions, unusable, list(_unlike(found)), answers.items)


def _unlike(found: Sequence[Answered]) -> Iterator[str]:
    """One sentence on the sessions whose page sent something else, and one on those that no worker trained."""
    sessions = [(one.session, one.trained) for one in found if one.session is not None]
    if replaced := [_name(session) for session, _ in sessions if session.replaced]:
        yield (
            f"Of {count(len(replaced), 'session')} the page sent something else than the server's own record, which "
            f"counts: {', '.join(replaced)}."
        )
    alone = [_name(session) for session, trained in sessions if not trained]
    if alone and len(alone) < len(sessions):
        yield (
            f"Of {count(len(alone), 'session')} the server has no record of its own, so that what the page sent "
            f"counts: {', '.join(alone)}."
        )


def _name(session: Session) -> str:
    return f"{session.submission} in {session.item}"


def read_pictures(connection: Connection, session: Session, number: int) -> Pictures | None:
    """Where each point lay before interaction `number` of a session, as the person put it, and after the training.

    From the job that trained it; None where the store no longer has it, as after an import or for a simulated session.
    """
    import numpy as np

    from crowdloom.analysis.latent_figures import Picture, Pictures

    query = (
        select(Job.output)
        .join(Submission, Submission.id == Job.submission_id)
        .join(Study, Study.name == session.study)
        # A trial's name is its item's token, a dot, and which repeat it is; see `participation.position_of`.
        .join(Item, (Item.study_id == Study.id) & (Job.trial == Item.token + ".0"))
        .where(Item.key == session.item, Submission.pseudonym == session.submission)
        .where(Job.task == TASK, Job.step == "train", Job.state == "done")
        .order_by(Job.id.desc())
    )
    for output in connection.scalars(query):
        try:
            state = SessionState.model_validate(output)
        except ValidationError:
            continue  # of another version of this software
        done = state.record.interactions
        if state.before is None or not done or done[-1].number != number:
            continue
        before = state.before
        return Pictures(
            classes=state.classes,
            labels=np.array(state.labels, dtype=np.intp),
            before=Picture(np.array(before.x), np.array(before.y), np.array(before.predictions, dtype=np.intp)),
            intended=Picture(np.array(before.intended_x), np.array(before.intended_y), None),
            after=Picture(np.array(state.x), np.array(state.y), np.array(state.predictions, dtype=np.intp)),
        )
    return None
