"""A network's weights, from a file that may be anybody's: nothing but tensors is unpickled."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from crowdloom.models.errors import ModelError, first_line


def read_weights(path: Path, model: str) -> Any:
    """What `torch.save` wrote to this file; of a checkpoint, its `state_dict`. Raises ModelError for any other file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the pickle of a file that is refused
            state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror or first_line(error)}); give the file with the weights"
        ) from error
    except Exception as error:
        # A damaged file may break torch's reader anywhere: struct.error, zlib.error, RecursionError, ...
        raise _no_fit(path, model, "it is no file of tensors as torch.save writes it") from error
    return state.get("state_dict", state) if isinstance(state, dict) else state


def load_weights(network: nn.Module, state: Any, path: Path, model: str) -> None:
    """Put a state dict, read from `path`, into a network. Raises ModelError with the first tensor that does not fit."""
    if not isinstance(state, Mapping):
        raise _no_fit(path, model, f"it holds a {type(state).__name__}, not tensors with their names")
    try:
        network.load_state_dict(state)
    except Exception as error:  # how a network reads its state dict is its own
        raise _no_fit(path, model, _misfit(network, state) or first_line(error)) from error


def _no_fit(path: Path, model: str, why: str) -> ModelError:
    return ModelError(f"{path} holds no weights that fit {model} ({why}); give a state dict of it")


def _misfit(network: nn.Module, state: Mapping[str, Any]) -> str | None:
    """The first tensor that keeps weights from fitting."""
    own = network.state_dict()
    missing = next((name for name in own if name not in state), None)
    more = next((name for name in state if name not in own), None)
    if missing is not None:
        return f"it has no {missing!r}" + (f", but {more!r}" if more is not None else "")
    for name, tensor in own.items():
        given = state[name]
        if not isinstance(given, Tensor):
            return f"its {name!r} is no tensor"
        if not is_lazy(tensor) and given.shape != tensor.shape:
            return f"its {name!r} is {list(given.shape)}, not {list(tensor.shape)}"
    return f"the network has no {more!r}" if more is not None else None
