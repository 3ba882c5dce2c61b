"""The recogniser and the coach for one picture, in NumPy: a page that is waited for needs no PyTorch.

The same layers with the same names as in `coach_networks.py`, where they are learned; the numbers agree to a float's
last digits. A map that is constant, as those of the class and of the weights are, adds the same to every place but at
the edge, so it costs one small product instead of a convolution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import log1p

import numpy as np
import numpy.typing as npt

from crowdloom.tasks.coach_records import SIDE

Floats = npt.NDArray[np.float32]
Arrays = Mapping[str, Floats]

_TAPS = 9  # of a 3 x 3 kernel


def picture_of(pixels: bytes) -> Floats:
    """The 784 bytes of a picture as a network is given them: [1, 28, 28], 0 to 1."""
    return np.frombuffer(pixels, dtype=np.uint8).reshape(1, SIDE, SIDE).astype(np.float32) / np.float32(255)


def pixels_of(picture: Floats) -> bytes:
    """A network's picture [1, 28, 28] as 784 bytes; what is brighter than full ink is full ink.

    >>> pixels_of(np.full((1, 28, 28), 0.5, np.float32))[:2], pixels_of(np.full((1, 28, 28), 3, np.float32))[:2]
    (b'\\x80\\x80', b'\\xff\\xff')
    """
    return bytes(np.rint(np.clip(picture, 0, 1) * np.float32(255)).astype(np.uint8))


def logits(arrays: Arrays, picture: Floats) -> Floats:
    """What the recogniser makes of a picture [1, 28, 28]: [K], before the softmax."""
    hidden = _pooled(_relu(_convolved(arrays, "classifier.conv1", picture)))
    hidden = _pooled(_relu(_convolved(arrays, "classifier.conv2", hidden)))
    result: Floats = arrays["classifier.linear.weight"] @ hidden.reshape(-1) + arrays["classifier.linear.bias"]
    return result


def probabilities(arrays: Arrays, picture: Floats) -> npt.NDArray[np.float64]:
    """How sure the recogniser is of each class: [K], their sum 1."""
    values = logits(arrays, picture).astype(np.float64)
    powers = np.exp(values - values.max())
    shares: npt.NDArray[np.float64] = powers / powers.sum()
    return shares


def proposal(arrays: Arrays, picture: Floats, condition: Floats) -> Floats:
    """What the coach makes of a picture [1, 28, 28]: another one, at least 0 everywhere.

    `condition` [K + W]: 1 for the class that is asked for and 0 for the others, then the weights as `as_inputs` gives
    them.
    """
    hidden = _pooled(_relu(_convolved(arrays, "coach.encoder1", picture, condition)))
    hidden = _pooled(_relu(_convolved(arrays, "coach.encoder2", hidden)))
    hidden = _relu(_convolved(arrays, "coach.decoder1", _doubled(hidden), condition))
    hidden = _relu(_convolved(arrays, "coach.decoder2", _doubled(hidden)))
    return _relu(_convolved(arrays, "coach.decoder3", hidden))


def as_inputs(weights: Sequence[float], scales: Sequence[float], most: Sequence[float]) -> Floats:
    """The weights of the loss as the conditioned coach is given them: from 0 to 1, by their logarithms.

    log(1 + alpha / s) / log(1 + a / s) of a weight alpha up to a: below the scale s it grows evenly, above it with the
    logarithm.

    >>> as_inputs([0, 0.1, 1], [0.1, 0.1, 0.1], [1, 1, 1]).round(2).tolist()
    [0.0, 0.28999999165534973, 1.0]
    """
    each = zip(weights, scales, most, strict=True)
    return np.array([log1p(weight / scale) / log1p(largest / scale) for weight, scale, largest in each], np.float32)


def _convolved(arrays: Arrays, layer: str, maps: Floats, constant: Floats | None = None) -> Floats:
    """A 3 x 3 convolution over maps [C, S, S] and, behind them, maps that have one value each: `constant` [D]."""
    channels, side, _ = maps.shape
    weight, bias = arrays[f"{layer}.weight"], arrays[f"{layer}.bias"]
    padded = np.zeros((channels, side + 2, side + 2), np.float32)
    padded[:, 1:-1, 1:-1] = maps
    # [C, 3, 3, S, S]: for each tap of the kernel the picture as that tap meets it
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
    columns = windows.reshape(channels * _TAPS, side * side)
    out: Floats = weight[:, :channels].reshape(len(weight), -1) @ columns
    if constant is not None:
        out += np.tensordot(weight[:, channels:], constant, axes=(1, 0)).reshape(-1, _TAPS) @ _inside(side)
    out += bias[:, None]
    return out.reshape(-1, side, side)


@lru_cache(maxsize=8)
def _inside(side: int) -> Floats:
    """Which tap meets the picture at which place, and which one its border of zeros: [9, S * S] of 1 and 0."""
    padded = np.zeros((side + 2, side + 2), np.float32)
    padded[1:-1, 1:-1] = 1
    inside: Floats = np.lib.stride_tricks.sliding_window_view(padded, (side, side)).reshape(_TAPS, side * side)
    return inside


def _relu(maps: Floats) -> Floats:
    return np.maximum(maps, 0, out=maps)


def _pooled(maps: Floats) -> Floats:
    rows = np.maximum(maps[:, ::2], maps[:, 1::2])
    return np.maximum(rows[:, :, ::2], rows[:, :, 1::2])


def _doubled(maps: Floats) -> Floats:
    return np.repeat(np.repeat(maps, 2, axis=1), 2, axis=2)
