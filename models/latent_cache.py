"""The prepared scenarios, each once in a process.

A scenario that needs no data is prepared when it is first asked for; where two processes ask at once, one prepares it
and the other one waits.
"""

from __future__ import annotations

from pathlib import Path

from crowdloom.models.errors import ModelError
from crowdloom.models.latent_items import description, preparation
from crowdloom.models.latent_prepared import Prepared, read_prepared, settings_of
from crowdloom.models.latent_preparing import check_path, held, prepare_in
from crowdloom.models.latent_pretraining import Progress, unheard
from crowdloom.models.latent_scenarios import Scenario, scenario
from crowdloom.models.latent_scenarios.scenario import check_scenario

__all__ = ["Prepared", "Progress", "prepare", "prepared"]

_READ: dict[Path, Prepared] = {}
"""By folder: a preparation never changes."""


def prepare(of: Scenario, path: Path | None = None, progress: Progress = unheard) -> Prepared:
    """Reads the data at `path`, pretrains the network and keeps all that; at once where it was done before.

    Stopped or killed, it goes on after the last whole epoch. Raises ModelError where the data or the network cannot be
    used, TrainingError where the loss is not finite, OSError such as for a full disk.
    """
    check_scenario(of)
    check_path(of, path)
    with held(of.name, progress) as folder:
        made = prepare_in(folder, of, path, progress)
    return _READ.setdefault(made.folder, made)


def prepared(name: str, digest: str | None = None, progress: Progress = unheard) -> Prepared:
    """The prepared scenario of this name, in one process always the same object.

    The preparation with this `digest`, or the one that counts now. One that needs no data is prepared here, in seconds,
    if it was not before or has other settings now. Raises ModelError for an unknown name, and where the scenario has to
    be prepared by its command; and as `prepare`.
    """
    of = scenario(name)
    if digest is not None or of.needs_data:
        return _read(of, preparation(name, digest))
    return _ready(of) or _prepared_once(of, progress)


def _prepared_once(of: Scenario, progress: Progress) -> Prepared:
    with held(of.name, progress) as folder:
        made = _ready(of) or prepare_in(folder, of, None, progress)  # another process may have done it meanwhile
    return _READ.setdefault(made.folder, made)


def _ready(of: Scenario) -> Prepared | None:
    """The preparation that counts, where it can be used as it is."""
    try:
        found = _read(of, preparation(of.name))
    except ModelError:
        return None
    return found if description(found.folder)["asked"] == settings_of(of) else None


def _read(of: Scenario, folder: Path) -> Prepared:
    if folder not in _READ:
        _READ[folder] = read_prepared(of, folder)
    return _READ[folder]
