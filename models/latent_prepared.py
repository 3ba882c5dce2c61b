"""A prepared scenario as it is read from its folder; what lies where says `latent_items.py`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from crowdloom.models.errors import ModelError, first_line
from crowdloom.models.latent import LatentModel, Scale, new_model
from crowdloom.models.latent_items import (
    ITEMS,
    LABELS,
    PRETRAINED,
    VALIDATION_LABELS,
    VALIDATION_X,
    X,
    description,
    shown_points,
)
from crowdloom.models.latent_items import item as item_of
from crowdloom.models.latent_scenarios import Scenario, ScenarioData
from crowdloom.models.latent_training import LatentState, new_optimizer
from crowdloom.models.run_folder import read_tensors
from crowdloom.tasks.latent_records import Epoch, ItemPicture

SETTINGS = ("title", "kind", "classes", "names", "hertz", "rate", "weight_decay", "batch", "pretraining", "seed")
"""The fields of a scenario that a preparation keeps."""


@dataclass(frozen=True)
class Prepared:
    """A scenario with its data and its network after the pretraining, where all sessions begin.

    scenario   with the settings that it was prepared with
    folder     of the preparation; what belongs to it, such as trainings without a person, may be kept there, too
    data       memory-mapped, so that several processes share it
    state      of the training after the pretraining
    """

    scenario: Scenario
    folder: Path
    data: ScenarioData
    state: LatentState

    @property
    def digest(self) -> str:
        """Which preparation this is: `prepared(name, digest)` gives it again, also when another one counts by then."""
        return self.folder.name

    @property
    def curve(self) -> tuple[Epoch, ...]:
        """How well the network did on the validation examples after each epoch of the pretraining."""
        return self.state.curve

    def item(self, number: int) -> ItemPicture:
        """The training example `number` as people see it; `latent_items.item` does it without PyTorch."""
        return item_of(self.folder, number)

    def shown(self, n: int) -> npt.NDArray[np.int64]:
        """Which `n` training examples are shown, ascending: fixed by the scenario's seed; see `shown_points`."""
        return shown_points(self.data.labels.numpy(), n, self.scenario.seed)

    def model(self, scale: Scale = "learned") -> tuple[LatentModel, torch.optim.Adam]:
        """A copy of the pretrained network with its optimizer, whose scale begins anew.

        Raises ModelError where the scenario's network is not the one that was pretrained.
        """
        model, optimizer = untrained(self.scenario, self.data)
        self.state.put_into(model, optimizer)
        model.use_scale(scale)
        optimizer.state.pop(model.scale, None)
        return model, optimizer


def untrained(scenario: Scenario, data: ScenarioData) -> tuple[LatentModel, torch.optim.Adam]:
    """The scenario's network as it is before it has learned, with its optimizer.

    Raises ModelError, naming the scenario, where its network cannot be made or lacks the interface.
    """
    try:
        model = new_model(scenario.network, data.x[:2], len(scenario.classes), seed=scenario.seed)
    except ModelError as error:
        raise ModelError(f"{scenario.name}: {error}") from error
    except Exception as error:  # a network is anybody's code
        raise ModelError(
            f"{scenario.name}: its network cannot be made, {type(error).__name__} ({first_line(error)}); mend it"
        ) from error
    return model, new_optimizer(model, rate=scenario.rate, weight_decay=scenario.weight_decay)


def settings_of(scenario: Scenario) -> dict[str, Any]:
    """The settings as `scenario.json` has them."""
    said = {name: getattr(scenario, name) for name in SETTINGS}
    return said | {"classes": list(scenario.classes), "names": list(scenario.names)}


def read_prepared(scenario: Scenario, folder: Path) -> Prepared:
    """The preparation in a folder. Raises ModelError where something of it is missing or damaged."""
    said = description(folder)
    try:
        kept = {name: said[name] for name in SETTINGS}
        kept |= {"classes": tuple(kept["classes"]), "names": tuple(kept["names"])}
        data = ScenarioData(
            _mapped(folder / X),
            _mapped(folder / LABELS),
            _mapped(folder / VALIDATION_X),
            _mapped(folder / VALIDATION_LABELS),
            np.load(folder / ITEMS, mmap_mode="r"),
        )
        tensors, values = read_tensors(folder / PRETRAINED)
        state = LatentState.restored(tensors, values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{folder} holds no whole prepared scenario ({first_line(error)}); prepare {scenario.name} again"
        ) from error
    return Prepared(replace(scenario, **kept), folder, data, state)


def _mapped(path: Path) -> Tensor:
    # Copy on write: PyTorch knows no memory that must not be written to.
    return torch.from_numpy(np.load(path, mmap_mode="c"))
