"""Scratch folders: where the live steps of one submission keep files between them, such as checkpoints.

They lie below `$CROWDLOOM_SCRATCH`, or in the user's data directory, apart by the store: workers on
several machines need a folder that they share, and the same name for the database. A folder is made
when a step first uses it. Workers (when they start, and every ten minutes between jobs) and servers
(when they start) remove those that are done with:

- of a submission that is complete, refused or failed its comprehension check, once none of its jobs
  waits or runs;
- of one that was left or never ended, which may still be taken up again, the same 30 days after it began;
- of a job that belongs to no submission, once it has ended.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from datetime import timedelta
from pathlib import Path

from platformdirs import user_data_path
from sqlalchemy import Connection, exists, or_, select

from crowdloom.studies.database import Store, now
from crowdloom.studies.errors import StoreError
from crowdloom.studies.jobs import UNFINISHED
from crowdloom.studies.tables import Job, Submission

KEPT = timedelta(days=30)
_NAMES = 500  # that one statement asks for


def scratch_folder(store: Store, name: str) -> Path:
    """The folder of one submission (by its pseudonym) or of one job (by its token); it need not exist yet."""
    return _folder_of(store) / name


def tidy_scratch(store: Store) -> None:
    """Remove the folders that are done with; one whose name the store does not know stays.

    Raises StoreError where the folders cannot be listed.
    """
    folder = _folder_of(store)
    try:
        names = sorted(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"the scratch folder {folder} cannot be read ({error.strerror}); see to it") from error
    for start in range(0, len(names), _NAMES):
        with store.read() as connection:
            done = _done_with(connection, names[start : start + _NAMES])
        for name in done:
            shutil.rmtree(folder / name, ignore_errors=True)  # another worker may be removing it too


def _done_with(connection: Connection, names: list[str]) -> list[str]:
    busy = exists().where(Job.submission_id == Submission.id, Job.state.in_(UNFINISHED))
    may_go_on = Submission.state.in_(("started", "left"))
    submissions = select(Submission.pseudonym).where(
        Submission.pseudonym.in_(names), ~busy, or_(~may_go_on, Submission.started_at < now() - KEPT)
    )
    jobs = select(Job.token).where(Job.token.in_(names), Job.submission_id.is_(None), Job.state.not_in(UNFINISHED))
    return [*connection.scalars(submissions), *connection.scalars(jobs)]


def _folder_of(store: Store) -> Path:
    root = os.environ.get("CROWDLOOM_SCRATCH")
    return (Path(root) if root else user_data_path("crowdloom") / "scratch") / _digest(store)


def _digest(store: Store) -> str:
    """Which database this is, whoever opens it."""
    url = store.engine.url
    is_file = url.get_backend_name() == "sqlite"
    name = str(Path(str(url.database)).resolve()) if is_file else url.database
    # PostgreSQL's address may have the host in its query, where sockets are
    where = (url.get_backend_name(), url.host or url.query.get("host"), url.port, name)
    return hashlib.sha256(repr(where).encode()).hexdigest()[:16]
