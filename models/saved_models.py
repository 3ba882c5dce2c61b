"""A finished network as a folder that anybody can read: model.safetensors, config.json and a model card, README.md.

Reading one back runs no code that came with it: config.json names one of our networks, and safetensors holds numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from crowdloom.analysis.files import whole_file
from crowdloom.models.errors import ModelError
from crowdloom.models.folders import write_json
from crowdloom.models.model_card import model_card
from crowdloom.models.networks import make_network
from crowdloom.models.normalised import Normalised
from crowdloom.models.run_folder import read_tensors, write_tensors
from crowdloom.models.runs import Run
from crowdloom.models.weights import load_weights

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
FORMAT = "crowdloom-model-1"


class SavedModel(NamedTuple):
    """A network in test mode, on the processor: pixels in [0, 1] in, outputs before the softmax out.

    `size` is the height and width of the images it was trained on, `config` all that its folder says of it.
    """

    network: nn.Module
    classes: tuple[str, ...]
    channels: int
    size: tuple[int, int]
    config: Mapping[str, Any]


def save_model(
    folder: Path,
    network: nn.Module,
    run: Run,
    *,
    shape: tuple[int, ...],
    metrics: Mapping[str, Mapping[str, float]],
    record: Mapping[str, Any],
) -> None:
    """Writes the three files; `network` is a Normalised one, `shape` that of one image, (channels, height, width).

    Raises OSError, such as for a full disk.
    """
    config = {
        "format": FORMAT,
        "network": run.settings.network,
        "width": run.settings.width,
        "classes": list(run.classes),
        "channels": shape[0],
        "size": list(shape[1:]),
        "run": record["run"]["digest"],
        "crowdloom": record["code"]["crowdloom"],
    }
    write_tensors(folder / WEIGHTS, network.state_dict(), {"network": run.settings.network})
    write_json(folder / CONFIG, config)
    with whole_file(folder / CARD) as part:
        part.write_text(model_card(run, metrics, record), encoding="utf-8")


def load_model(folder: Path) -> SavedModel:
    """The network of a run's folder. Raises ModelError where it is none, or damaged; nothing is unpickled."""
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); give the folder of a finished run") from error
    except ValueError as error:
        raise ModelError(f"{path} is no JSON; give the folder of a finished run") from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise ModelError(f"{path} is not of the format {FORMAT}; give the folder of a finished run")
    try:
        name, classes = str(config["network"]), tuple(str(one) for one in config["classes"])
        channels, width = int(config["channels"]), config["width"]
        height_width = [int(side) for side in config["size"]]
        size = height_width[0], height_width[1]
        if not (1 <= channels <= 64 and len(classes) >= 2 and (width is None or 1 <= int(width) <= 4096)):
            raise ValueError("no network is of that size")
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ModelError(
            f"{path} lacks what describes a network ({error}); give the folder of a finished run"
        ) from error
    tensors, _ = read_tensors(folder / WEIGHTS)
    with torch.random.fork_rng(devices=[]):  # whoever reads a model keeps their chance
        network = Normalised(
            make_network(name, channels, len(classes), width), torch.zeros(channels), torch.ones(channels)
        )
    load_weights(network, tensors, folder / WEIGHTS, f"{name} as {path} describes it")
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values() if math.prod(tensor.shape)):
        raise ModelError(f"{folder / WEIGHTS} has weights that are not finite; train it again")
    return SavedModel(network.eval(), classes, channels, size, config)
