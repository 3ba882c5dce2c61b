"""Answers as they are stored, where a task's steps had the server itself read or train what the page then sends.

What a page sends in the end has been in the participant's browser, where anybody can change it. So the server's own
record goes into the answer, and all that is made of answers (plan, exports, releases, labels) is made of that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlalchemy import Connection

from crowdloom.studies import session_records, writing_records
from crowdloom.tasks.protocol import Answer

RECORDED: Mapping[str, Callable[[Connection, int, str, Answer], Answer]] = MappingProxyType(
    {writing_records.TASK: writing_records.recorded, session_records.TASK: session_records.recorded}
)
"""By task, what makes of a page's answer the one that is stored."""


def as_recorded(connection: Connection, task: str, submission: int, trial: str, answer: Answer) -> Answer:
    """The answer with the server's own record of a trial, if the task has such; see `participation.trial_at`.

    Raises AnswerError where the server should have a record but has none.
    """
    recorded = RECORDED.get(task)
    return answer if recorded is None else recorded(connection, submission, trial, answer)
