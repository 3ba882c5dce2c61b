"""The folder of one session, one participant at one scenario. Every file in it appears whole; PyTorch is not needed.

lock                       held by the one process that works on the session
session.json               how it stands; where it counts an interaction as done, that one is done
shown.npy                  which training examples are shown
draft.json                 an arrangement that was not trained yet
plan.json                  the training that is under way or was paused
checkpoint-N.safetensors   the network as it was shown in interaction N
partial.safetensors        the network after the last whole epoch of the plan
"""

from __future__ import annotations

import fcntl
import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ValidationError

from crowdloom.analysis.files import whole_file
from crowdloom.models.latent_refusals import DAMAGED
from crowdloom.models.live import Context, Refused
from crowdloom.tasks.latent_options import LatentOptions
from crowdloom.tasks.latent_records import Draft, Movement, Paused, SessionState, TrainInput
from crowdloom.tasks.protocol import Trial

_LOOK_S = 0.02

_File = TypeVar("_File", bound=BaseModel)


class Session(BaseModel):
    """What `session.json` says: the state without draft, pause and time, and what the page never sees."""

    state: SessionState
    preparation: str
    """The digest of the prepared scenario that it began with."""
    begun_at: float
    """When it was first shown; seconds since 1970, as all times here."""
    shown_at: float
    """When the arrangement that stands came to be."""
    waited_s: float = 0.0
    """How long the participant has waited for trainings, the queue included: that is not their time."""
    last: str = ""
    """The digest of what the last training was asked for."""

    def over_at(self, minutes: float) -> float:
        """When the participant's time is over, if it is so many minutes."""
        return self.begun_at + self.waited_s + 60 * minutes


class Plan(BaseModel):
    """A training as it was begun."""

    given: TrainInput
    epochs: int
    epochs_done: int = 0

    @property
    def digest(self) -> str:
        """Which training this is: the same input gives the same."""
        return digest_of(self.given)


class _Kept(BaseModel):
    """What `draft.json` says."""

    number: int
    draft: Draft


def digest_of(given: TrainInput) -> str:
    """A short name of what was asked for."""
    return hashlib.sha256(given.model_dump_json().encode()).hexdigest()[:16]


@dataclass(frozen=True)
class SessionFolder:
    """One session's folder, which need not exist yet."""

    path: Path

    @contextmanager
    def held(self, wait_s: float = 0.0, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Makes the folder and keeps it to this process; `on_wait` is called while another one has it.

        The lock is the system's: it ends with the process however that ends, also on another machine that shares the
        folder. Raises Refused where another process has it for longer than `wait_s`.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("a", encoding="utf-8") as lock:
            end = time.monotonic() + wait_s
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise Refused(
                            "The network is being trained; wait for the end, or pause the training."
                        ) from None
                    on_wait()
                    time.sleep(_LOOK_S)
            for part in self.path.glob(".*.safetensors.*.part"):  # of a writer that was killed
                part.unlink(missing_ok=True)
            yield

    @property
    def busy(self) -> bool:
        """Whether a process works on it now; any number can look at once."""
        try:
            with (self.path / "lock").open("a+", encoding="utf-8") as lock:  # over NFS only readers can share a lock
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def read(self) -> Session | None:
        """The session; None where there is none. Raises Refused where its file is damaged."""
        try:
            return self._read("session.json", Session)
        except ValidationError as error:
            raise Refused(DAMAGED) from error

    def write(self, session: Session) -> None:
        """In place of the earlier one."""
        self._write("session.json", session)

    def read_shown(self, points: int) -> npt.NDArray[np.int64]:
        """Which training examples are shown, int64 [points]. Raises Refused where the file is not there or damaged."""
        try:
            shown = np.asarray(np.load(self.path / "shown.npy"), dtype=np.int64)
        except (FileNotFoundError, EOFError, ValueError, TypeError) as error:
            raise Refused(DAMAGED) from error
        if shown.shape != (points,):
            raise Refused(DAMAGED)
        return shown

    def write_shown(self, examples: npt.NDArray[np.int64]) -> None:
        """Which training examples are shown."""
        with whole_file(self.path / "shown.npy") as part, part.open("wb") as file:
            np.save(file, examples)

    def read_draft(self, number: int) -> Draft | None:
        """The arrangement that was kept in interaction `number`; None, too, where it cannot be read."""
        kept = self._read_unless_damaged("draft.json", _Kept)
        return kept.draft if kept and kept.number == number else None

    def write_draft(self, number: int, draft: Draft) -> None:
        """In place of the earlier one."""
        self._write("draft.json", _Kept(number=number, draft=draft))

    def read_plan(self, number: int) -> Plan | None:
        """The training of interaction `number` that is under way or was paused; None, too, where it cannot be read."""
        plan = self._read_unless_damaged("plan.json", Plan)
        return plan if plan and plan.given.number == number else None

    def write_plan(self, plan: Plan) -> None:
        """In place of the earlier one."""
        self._write("plan.json", plan)

    def drop_plan(self) -> None:
        """Forget the training; the network is as before it."""
        for name in ("plan.json", "partial.safetensors"):
            (self.path / name).unlink(missing_ok=True)

    @property
    def partial(self) -> Path:
        """Where the network is after the last whole epoch of the plan."""
        return self.path / "partial.safetensors"

    def checkpoint(self, number: int) -> Path:
        """Where the network is as it was shown in interaction `number`."""
        return self.path / f"checkpoint-{number}.safetensors"

    def _read(self, name: str, kind: type[_File]) -> _File | None:
        try:
            return kind.model_validate_json((self.path / name).read_bytes())
        except FileNotFoundError:
            return None

    def _read_unless_damaged(self, name: str, kind: type[_File]) -> _File | None:
        """What the session can go on without."""
        try:
            return self._read(name, kind)
        except ValidationError:
            return None

    def _write(self, name: str, content: BaseModel) -> None:
        with whole_file(self.path / name) as part:
            part.write_text(content.model_dump_json(), encoding="utf-8")


def asked_trial(context: Context) -> tuple[Trial, LatentOptions, str]:
    """The trial whose page asks, its options and its scenario's name. Raises Refused where the page named none."""
    trial = context.trial
    if trial is None or context.trial_id is None or not isinstance(trial.options, LatentOptions):
        raise Refused("This page did not say which part of the study it belongs to; reload it.")
    return trial, trial.options, str(trial.attributes["scenario"])


def session_folder(context: Context) -> SessionFolder:
    """The folder of the session of the trial whose page asks."""
    _, _, scenario = asked_trial(context)
    name = hashlib.sha256(f"{context.trial_id}\n{scenario}".encode()).hexdigest()[:16]
    return SessionFolder(context.scratch / f"session-{name}")


def begun(folder: SessionFolder) -> Session:
    """The session. Raises Refused where there is none, or its file is damaged."""
    session = folder.read()
    if session is None:
        raise Refused("There is no session to go on with; reload the page to begin one.")
    return session


def state_of(folder: SessionFolder, session: Session, minutes: float) -> SessionState:
    """How the session stands now, with the draft, the pause and the time that is left of so many minutes.

    A training that nobody works on is paused, whether it was paused or its process died.
    """
    state = session.state
    plan = folder.read_plan(state.number)
    paused = None
    if plan is not None and not folder.busy:
        paused = Paused(number=state.number, epochs_done=plan.epochs_done, epochs=plan.epochs)
    return state.model_copy(
        update={
            "draft": folder.read_draft(state.number),
            "paused": paused,
            "seconds_left": max(0.0, round(session.over_at(minutes) - time.time(), 1)),
        }
    )


def check_movements(movements: list[Movement], state: SessionState) -> None:
    """Raises Refused for movements of classes or points that are not there: no answer with such a one is taken."""
    classes, points = len(state.classes), len(state.x)
    for movement in movements:
        if movement.label is not None and movement.label >= classes:
            raise Refused(f"There is no class {movement.label}; the {classes} classes are counted from 0.")
        if movement.point is not None and movement.point >= points:
            raise Refused(f"There is no point {movement.point}; the {points:,} points are counted from 0.")
        if movement.points > points:
            raise Refused(f"A movement cannot be of {movement.points:,} points; there are {points:,}.")


def check_points(count: int, state: SessionState) -> None:
    """Raises Refused where an arrangement has another number of points than the session."""
    if count != len(state.x):
        raise Refused(f"The arrangement has {count:,} points and the session {len(state.x):,}; reload the page.")


def wrong_number(number: int, state: SessionState) -> Refused:
    """What is said to a page that is at another interaction than the session."""
    if number < state.number:
        return Refused(f"Interaction {number} is trained already, perhaps from another window; reload the page.")
    if state.number > state.interactions:
        return Refused("All interactions of this session are done; reload the page.")
    return Refused(f"The next interaction is {state.number}, not {number}; reload the page.")
