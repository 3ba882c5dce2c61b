"""Answers as they are stored, where a task's steps had the server itself read or train what the page then sends.

What a page sends in the end has been in the participant's browser, where anybody can change it. So the server's own
record goes into the answer, and all that is made of answers (plan, exports, releases, labels) is made of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from crowdloom.studies.database import Store
from crowdloom.tasks.protocol import Answer

RECORDED: Mapping[str, str] = MappingProxyType(
    {"coach": "crowdloom.studies.writing_records", "latent-session": "crowdloom.studies.session_records"}
)
"""By task, the module whose `recorded` makes of a page's answer the one that is stored; it loads NumPy."""


def as_recorded(store: Store, task: str, submission: int, trial: str, answer: Answer) -> Answer:
    """The answer with the server's own record of a trial, if the task has such; see `participation.trial_at`.

    Raises AnswerError where the server should have a record but has none.
    """
    if task in RECORDED:
        with store.read() as connection:
            answer = import_module(RECORDED[task]).recorded(connection, submission, trial, answer)
    return answer
