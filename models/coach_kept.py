"""What a participant wrote in one trial, kept between the page's calls in the submission's own folder.

writing-ID.json    the trial as it stands; it appears whole, and where it has an attempt, that one is done
writing-ID.looks   a byte for each unfinished drawing that was read
writing-ID.lock    held by the one call that reads or changes them
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from crowdloom.analysis.files import whole_file
from crowdloom.models.live import Context, Refused
from crowdloom.tasks.coach_records import Attempt, Writing

DAMAGED = (
    "What you wrote for this question is damaged, so it cannot go on; please write to the researcher. "
    "What you answered before is kept."
)


@dataclass(frozen=True)
class KeptWriting:
    """What is kept of one trial, which may be nothing yet."""

    path: Path
    """Where the trial's JSON is, or will be."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps the trial to this call; another one, perhaps of another tab, waits the milliseconds that it takes.

        The lock is the system's: it ends with the process however that ends.
        """
        with self.path.with_suffix(".lock").open("a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def read(self) -> Writing | None:
        """The trial as it stands; None before the first attempt is done. Raises Refused where its file is damaged."""
        try:
            return Writing.model_validate_json(self.path.read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError as error:
            raise Refused(DAMAGED) from error

    def add(self, writing: Writing, attempt: Attempt) -> Writing:
        """Keep an attempt that is done, and give the trial with it."""
        now = writing.model_copy(update={"attempts": [*writing.attempts, attempt]})
        with whole_file(self.path) as part:
            part.write_text(now.model_dump_json(), encoding="utf-8")
        return now

    def look(self) -> None:
        """Count an unfinished drawing that was read. Not waited for until it is on the disk, as an attempt is."""
        with self._looks.open("ab") as file:
            file.write(b".")

    @property
    def looks(self) -> int:
        """How many unfinished drawings were read."""
        try:
            return self._looks.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def _looks(self) -> Path:
        return self.path.with_suffix(".looks")


def kept_writing(context: Context) -> KeptWriting:
    """What is kept of the trial whose page asks."""
    name = hashlib.sha256(str(context.trial_id).encode()).hexdigest()[:16]
    return KeptWriting(context.scratch / f"writing-{name}.json")
