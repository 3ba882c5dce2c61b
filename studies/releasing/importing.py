"""Reading a release back into a store, so that every analysis says the same of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from crowdloom.studies.database import Store, now
from crowdloom.studies.errors import StudyError
from crowdloom.studies.loading import take_study
from crowdloom.studies.releasing.opening import OpenRelease
from crowdloom.studies.releasing.restoring import read_designs, restore_study
from crowdloom.studies.releasing.restoring_answers import restore_answers, restore_events
from crowdloom.studies.releasing.restoring_people import restore_people
from crowdloom.studies.releasing.whence import read_whence
from crowdloom.studies.tables import Design, Study


@dataclass(frozen=True)
class ImportedRelease:
    """What an import came to."""

    release: str
    """The study and the version that was imported, as the release calls them."""
    is_new: bool
    """False where the study had all of it already."""
    participants: int = 0
    submissions: int = 0
    responses: int = 0


def import_release(
    store: Store, release: OpenRelease, study: str, progress: Callable[[int, int], None] = lambda done, total: None
) -> ImportedRelease:
    """Read a release that was opened, and thereby checked, into a new study.

    A second import of the same release into the same study adds nothing. Raises ImportFileError for a release that
    is not what it says, OptionError for a bad name, StudyError where the name is another study's, StoreError where
    the store cannot be written; then nothing is stored.
    """
    called = f"{release.said.study}, version {release.said.version}"
    designs = read_designs(release, study)
    with store.write() as connection:
        if _is_there(connection, study, release):
            return ImportedRelease(called, is_new=False)
        restored = restore_study(connection, release, take_study(connection, study), designs, now())
        people = restore_people(connection, release, restored, study)
        responses = restore_answers(connection, release, restored, people, progress)
        restore_events(connection, release, restored, people)
    return ImportedRelease(called, True, people.participants, len(people.ids), responses)


def _is_there(connection: Connection, study: str, release: OpenRelease) -> bool:
    """Whether a study is this release already. Raises StudyError where it is something else."""
    designs = select(Design.id).join(Study, Study.id == Design.study_id).where(Study.name == study)
    if connection.scalars(designs).first() is None:
        return False
    whence = read_whence(connection, study)
    if whence is not None and whence.sha256 == release.sha256:
        return True
    raise StudyError(f"a study called {study} exists and is not this release; import it under another --study name")
