"""Strategies of simulated people against the training without a person: sessions without a server or a database.

Each strategy goes through a session for each seed, and for each seed the same network learns without a person. They are
sessions as those of people (`latent_session`), with seeds and arrangements that depend on strategy, seed and number of
the interaction alone. Below one folder lie

comparison.json            what all of them have in common
runs/STRATEGY-SEED.json    the record of a session that is done
.sessions/                 the sessions under way, each of which goes on after its last whole epoch
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from crowdloom.analysis.files import whole_file
from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.latent import Scale
from crowdloom.models.latent_session import begin, train
from crowdloom.models.live import Context, Refused
from crowdloom.models.together import do_all
from crowdloom.tasks.latent_options import LatentOptions
from crowdloom.tasks.latent_people import LatentBehaviour, arrange
from crowdloom.tasks.latent_records import BASELINE, Nothing, SessionRecord, SessionState, TrainInput
from crowdloom.tasks.protocol import Trial

_NO_TIME, _ALL_TIME = 1e-3, 1e9
"""Minutes: without a person the time is over at once, and simulated people need none."""
_UNDER_WAY = ".sessions"

OnProgress = Callable[[int, int, float], None]
"""Told how many trainings are done, of how many, and which share of all their epochs."""


@dataclass(frozen=True)
class Terms:
    """What all sessions of a comparison have in common; the defaults are the paper's where it states them.

    scenario, preparation   the prepared scenario's name and digest
    strength                of the simulated people, see `LatentBehaviour`
    """

    scenario: str
    preparation: str
    alpha: float = 0.5
    scale: Scale = "learned"
    points: int = 100
    interactions: int = 4
    epochs: int = 5
    strength: float = LatentBehaviour().strength

    def options(self, minutes: float) -> LatentOptions:
        """Those of a session."""
        given = LatentOptions(
            alpha=self.alpha,
            scale=self.scale,
            points=self.points,
            interactions=self.interactions,
            epochs=self.epochs,
        )
        return given.model_copy(update={"minutes": minutes})


@dataclass(frozen=True)
class _Job:
    """One session: the strategy, or `BASELINE`, and the seed."""

    strategy: str
    seed: int

    def kept(self, folder: Path) -> Path:
        return folder / "runs" / f"{self.strategy}-{self.seed}.json"


def compare(
    folder: Path,
    terms: Terms,
    strategies: Sequence[str],
    seeds: int,
    *,
    processes: int = 1,
    on_progress: OnProgress = lambda done, of, share: None,
) -> dict[tuple[str, int], SessionRecord]:
    """The records of all sessions by strategy (`BASELINE` among them) and seed, from 0; those missing are trained.

    The numbers do not depend on the number of processes. Stopped, the next call goes on there. Raises ModelError where
    the folder has a comparison on other terms or a process is ended, TrainingError where
    numbers are not finite.
    """
    _agree(folder, terms)
    jobs = [_Job(strategy, seed) for seed in range(seeds) for strategy in (BASELINE, *strategies)]
    missing = [job for job in jobs if not job.kept(folder).exists()]
    before = len(jobs) - len(missing)

    def told(done: int, shares: Sequence[float]) -> None:
        on_progress(before + done, len(jobs), (before + sum(shares)) / len(jobs))

    do_all(partial(_train_one, folder, terms), missing, processes, told)
    with suppress(OSError):  # it is not there, or another process still trains
        (folder / _UNDER_WAY).rmdir()
    return {(job.strategy, job.seed): _read(job.kept(folder)) for job in jobs}


def _agree(folder: Path, terms: Terms) -> None:
    """Writes the terms down, or raises ModelError where others stand there."""
    path, said = folder / "comparison.json", asdict(terms)
    if not path.exists():
        (folder / "runs").mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            part.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
        return
    try:
        other = json.loads(path.read_text(encoding="utf-8"))
        differ = [name for name, value in said.items() if other[name] != value]
    except (ValueError, KeyError, TypeError):
        raise ModelError(f"{path} cannot be read; give another folder") from None
    if differ:
        name = differ[0]
        raise ModelError(
            f"{folder} has a comparison with the {name} {other[name]}, not {said[name]}; give another folder"
        )


def _read(path: Path) -> SessionRecord:
    try:
        return SessionRecord.model_validate_json(path.read_bytes())
    except ValueError:
        raise ModelError(f"{path} is no record of a session; remove it, and it is trained again") from None


# ---- One session.


def _train_one(folder: Path, terms: Terms, job: _Job, tell: Callable[[float], None]) -> None:
    """Train one session and keep its record."""
    under_way = folder / _UNDER_WAY / f"{job.strategy}-{job.seed}"
    trial = Trial(
        (),
        (),
        attributes={"scenario": terms.scenario},
        options=terms.options(_NO_TIME if job.strategy == BASELINE else _ALL_TIME),
        seed=f"comparison {job.seed}",
    )
    done = 0.0

    def report(share: float, message: str) -> None:
        tell(done + share * (1 if job.strategy == BASELINE else 1 / terms.interactions))

    context = Context(under_way, trial=trial, trial_id=f"{job.strategy} {job.seed}", report=report)
    try:
        state = begin(Nothing(), context)
        while state.number <= state.interactions:
            done = (state.number - 1) / terms.interactions
            state = train(_asked(state, terms, job), context)
    except Refused as error:
        if not isinstance(error.__cause__, TrainingError):
            raise ModelError(f"another process trains in {folder}; wait for its end, or give another folder") from error
        raise TrainingError(
            f"{job.strategy}, seed {job.seed}: {error.__cause__}; lower alpha, or the scenario's learning rate"
        ) from error
    with whole_file(job.kept(folder)) as part:
        part.write_text(state.record.model_dump_json(), encoding="utf-8")
    shutil.rmtree(under_way)


def _asked(state: SessionState, terms: Terms, job: _Job) -> TrainInput:
    """What somebody with this strategy asks for in the interaction that comes; the same each time."""
    if job.strategy == BASELINE:
        return TrainInput(number=state.number, x=[], y=[], rest=True)
    rng = random.Random(f"{job.strategy} {job.seed} {state.number}")  # noqa: S311 - no secret
    said = (state.labels, state.predictions, state.confusion, len(state.classes))
    x, y, movements = arrange(job.strategy, state.x, state.y, *said, rng, terms.strength, state.number)
    return TrainInput(number=state.number, x=x, y=y, alpha=terms.alpha, movements=movements)
