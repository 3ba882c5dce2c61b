"""The trainings without a person that sessions in a latent space are compared with: the kept ones, and the missing.

A session's baseline has its scenario, its seed and as many epochs, and begins with the same network. Each is kept in
the scenario's folder once it is trained, so that what was interrupted goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crowdloom.analysis.latent_frames import Session
from crowdloom.models.errors import ModelError, TrainingError
from crowdloom.models.latent_kept import begun_with, kept_baseline
from crowdloom.studies.learning.extra import INSTALL, lacking
from crowdloom.studies.words import count
from crowdloom.tasks.latent_records import Epoch


@dataclass
class Found:
    """Baselines by scenario and seed, and why there are none where there are none, a sentence for each scenario."""

    baselines: dict[tuple[str, int], Sequence[Epoch]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def kept_baselines(sessions: Sequence[Session]) -> Found:
    """Those that were trained before; nothing is trained."""
    found = Found()
    for (scenario, seed), session in _longest(sessions).items():
        folder = _folder(session)
        curve = None if folder is None else kept_baseline(folder, seed, session.last.epoch)
        if curve is not None:
            found.baselines[scenario, seed] = curve
    return found


def train_baselines(sessions: Sequence[Session], show: Callable[[int, int], None] = lambda done, of: None) -> Found:
    """All baselines of these sessions, of which the missing are trained. `show` hears how many are done, of how many.

    Where PyTorch, or what a scenario needs, is not there, the sessions of that scenario have only those that are kept.
    """
    found = kept_baselines(sessions)
    missing = {key: session for key, session in _longest(sessions).items() if key not in found.baselines}
    of = len(missing)
    if missing and (said := lacking()):
        found.problems.append(f"{_not_compared(of)}, for {said}; run: {INSTALL}.")
        return found
    why: dict[str, str] = {}
    gone: set[str] = set()
    for done, ((scenario, seed), session) in enumerate(missing.items()):
        show(done, of)
        if scenario in gone:
            continue
        try:
            found.baselines[scenario, seed] = _trained(session)
        except TrainingError as error:
            why[scenario] = str(error).rstrip(".")  # another seed may do
        except (ModelError, OSError) as error:
            why[scenario] = str(error).rstrip(".")
            gone.add(scenario)
    show(of, of)
    for scenario, reason in why.items():
        without = sum(key[0] == scenario and key not in found.baselines for key in missing)
        found.problems.append(f"{scenario}: {_not_compared(without)}, for {reason}.")
    return found


def _not_compared(n: int) -> str:
    return f"{count(n, 'training')} without a person {'is' if n == 1 else 'are'} missing"


def _trained(session: Session) -> list[Epoch]:
    from crowdloom.models.latent_baseline import baseline
    from crowdloom.models.latent_cache import prepared

    record = session.record
    folder = _folder(session)
    if folder is None:
        prepared(record.scenario)  # what needs no data is prepared now, if it never was here
        folder = _folder(session)
    if folder is None:
        raise ModelError(
            f"no preparation of {record.scenario} here begins with the same network as the session of "
            f"{session.submission}; analyse where the study's workers ran"
        )
    scene = prepared(record.scenario, folder.name)
    return baseline(scene, record.seed, session.last.epoch - record.pretraining)


def _folder(session: Session) -> Path | None:
    """The preparation that a session began with, where it is here."""
    try:
        return begun_with(session.record.scenario, session.record.curve[: session.record.pretraining])
    except ModelError:  # no name of a scenario
        return None


def _longest(sessions: Sequence[Session]) -> dict[tuple[str, int], Session]:
    """By scenario and seed the session with the most epochs."""
    found: dict[tuple[str, int], Session] = {}
    for one in sessions:
        key = (one.record.scenario, one.record.seed)
        if key not in found or one.last.epoch > found[key].last.epoch:
            found[key] = one
    return found
