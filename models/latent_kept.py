"""Trainings without a person that `latent_baseline.baseline` has kept, read without PyTorch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from crowdloom.models.errors import ModelError
from crowdloom.models.latent_items import DESCRIPTION, description, scenario_folder
from crowdloom.tasks.latent_records import Epoch


def begun_with(name: str, pretraining: Sequence[Epoch]) -> Path | None:
    """The folder of the preparation of a scenario whose pretraining went just like this; None where it is not here.

    Whoever has another preparation of the same scenario has other networks: their baselines compare with nothing here.
    """
    folder = scenario_folder(name)
    for found in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not (found / DESCRIPTION).is_file():
            continue
        try:
            curve = [Epoch.model_validate(one) for one in description(found)["curve"]]
        except (ModelError, KeyError, TypeError, ValidationError):
            continue
        if curve == list(pretraining):
            return found
    return None


def baseline_file(preparation: Path, seed: int) -> Path:
    """Where the training with this seed is kept."""
    return preparation / "baselines" / f"{seed}.json"


def kept_baseline(preparation: Path, seed: int, epochs: int) -> list[Epoch] | None:
    """The curve of the training with this seed up to this epoch, with the pretraining; None where it is not kept."""
    try:
        said = json.loads(baseline_file(preparation, seed).read_text(encoding="utf-8"))
        curve = [Epoch.model_validate(one) for one in said]
    except (OSError, ValueError):
        return None
    return curve[:epochs] if len(curve) >= epochs else None
