"""How a scenario is prepared: its data is read and checked, its network pretrained, all is kept in a folder.

One process at a time works in a scenario's folder. Everything is written beside its place, in `.DIGEST.part`, which
gets its name when it is whole; stopped or killed, the next call goes on there after the last whole epoch, and comes to
the same numbers.
"""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from crowdloom.analysis.files import whole_file
from crowdloom.models.errors import ArgumentError, ModelError, first_line
from crowdloom.models.held_folder import held_folder
from crowdloom.models.latent_items import (
    DESCRIPTION,
    ITEMS,
    LABELS,
    PRETRAINED,
    VALIDATION_LABELS,
    VALIDATION_X,
    X,
    scenario_folder,
)
from crowdloom.models.latent_prepared import Prepared, read_prepared, settings_of, untrained
from crowdloom.models.latent_pretraining import Progress, pretrained, versions
from crowdloom.models.latent_scenarios import Scenario, ScenarioData
from crowdloom.models.latent_scenarios.scenario import check_data, check_scenario
from crowdloom.models.prepared_folder import begin_part, digest_of, let_count, write_json
from crowdloom.models.run_folder import write_tensors

STATE = "state.safetensors"


def held(name: str, progress: Progress) -> AbstractContextManager[Path]:
    """The scenario's folder, made and kept to this process; waits while another one has it."""
    return held_folder(scenario_folder(name), progress)


def prepare_in(folder: Path, scenario: Scenario, path: Path | None, progress: Progress) -> Prepared:
    """Prepares a scenario in its folder, which must be held; at once where it was done before with the same data.

    From then on this preparation is the one that counts. Raises ModelError where the data or the network cannot be
    used, TrainingError where the loss is not finite, OSError such as for a full disk.
    """
    progress(0.0, "reading the data")
    data = read_data(scenario, path)
    asked = settings_of(scenario)
    scenario = replace(scenario, **data.settings)
    check_scenario(scenario)
    model, optimizer = untrained(scenario, data)
    said = settings_of(scenario) | {"weights": {name: list(one.shape) for name, one in model.state_dict().items()}}
    arrays = _arrays(data)
    digest = digest_of(said, arrays)
    place = folder / digest
    if place.is_dir():
        try:
            ready = read_prepared(scenario, place)
        except ModelError:
            shutil.rmtree(place)  # somebody removed a file of it
        else:
            let_count(folder, digest)
            return ready
    part = begin_part(folder, digest)
    for name, array in arrays.items():
        if not (part / name).exists():
            _write_array(part / name, array)
    state = pretrained(scenario, data, model, optimizer, part / STATE, progress)
    write_tensors(part / PRETRAINED, state.tensors(), state.values())
    write_json(
        part / DESCRIPTION,
        said
        | {"examples": len(data.x), "validation": len(data.validation_x), "curve": state.values()["curve"]}
        | {"asked": asked, "versions": versions()},
    )
    (part / STATE).unlink()
    part.rename(place)
    let_count(folder, digest)
    return read_prepared(scenario, place)


def check_path(scenario: Scenario, path: Path | None) -> None:
    """Raises ArgumentError where a scenario needs data and is given none, or the other way round, or there is none."""
    if scenario.needs_data and path is None:
        raise ArgumentError(f"{scenario.name} does not come with its data; say where it is", "data")
    if path is not None and not scenario.needs_data:
        raise ArgumentError(f"{scenario.name} has data of its own; give it none", "data")
    if path is not None and not path.exists():
        raise ArgumentError(f"there is no {path}; say where the data of {scenario.name} is", "data")


def read_data(scenario: Scenario, path: Path | None) -> ScenarioData:
    """The scenario's data, checked. Raises ModelError where it cannot be learned from, OSError where it is not read."""
    try:
        data = scenario.load(path)
    except (ModelError, OSError):
        raise
    except Exception as error:  # a user's scenario is anybody's code
        raise ModelError(
            f"{scenario.name}: its data cannot be read, {type(error).__name__} ({first_line(error)}); mend it"
        ) from error
    check_data(scenario, data)
    return data


def _arrays(data: ScenarioData) -> dict[str, npt.NDArray[Any]]:
    """By the names of their files."""
    return {
        X: data.x.numpy(),
        LABELS: data.labels.numpy(),
        VALIDATION_X: data.validation_x.numpy(),
        VALIDATION_LABELS: data.validation_labels.numpy(),
        ITEMS: data.items,
    }


def _write_array(path: Path, array: npt.NDArray[Any]) -> None:
    with whole_file(path) as part, part.open("wb") as file:
        np.save(file, array, allow_pickle=False)
