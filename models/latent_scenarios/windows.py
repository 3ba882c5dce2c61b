"""Recordings cut into windows, each with the class that most of its samples have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from crowdloom.models.latent_scenarios.scenario import ScenarioData

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
UNLABELLED = -1


class Windows(NamedTuple):
    """N windows: signals float32 [N, C, T], their classes int64 [N]."""

    signals: Floats
    labels: Ints


@dataclass(frozen=True)
class Recording:
    """What was recorded in one go: signals float32 [T, C], a class for each sample, int64 [T]; -1 where it has none."""

    signals: Floats
    labels: Ints


def windows(recordings: Sequence[Recording], classes: int, length: int, step: int) -> Windows:
    """All windows of `length` samples that begin every `step` samples, none across two recordings.

    A window's class is the one that most of its labelled samples have, the first among equals; one in which fewer than
    half of the samples are labelled is left out.
    """
    signals, labels = [], []
    for recording in recordings:
        if len(recording.labels) < length:
            continue
        starts = np.arange(0, len(recording.labels) - length + 1, step)
        # [n, K]: how many samples of each class, from counts up to each sample; the last column is of those without.
        counted = np.zeros((len(recording.labels) + 1, classes + 1), dtype=np.int32)
        counted[np.arange(1, len(counted)), recording.labels] = 1
        counted.cumsum(axis=0, out=counted)
        counts = counted[starts + length] - counted[starts]
        kept = 2 * counts[:, :classes].sum(axis=1) >= length
        labels.append(counts[kept, :classes].argmax(axis=1))
        seen = np.lib.stride_tricks.sliding_window_view(recording.signals, length, axis=0)
        signals.append(np.ascontiguousarray(seen[starts[kept]], dtype=np.float32))
    if not signals:
        return Windows(np.empty((0, 0, length), np.float32), np.empty(0, np.int64))
    return Windows(np.concatenate(signals), np.concatenate(labels).astype(np.int64))


def standardised(train: Windows, validation: Windows) -> ScenarioData:
    """The data of a scenario: each channel less its mean, by its standard deviation, both of the training windows.

    A channel that never changes becomes zeros. The items are the training windows as they were.
    """
    mean = train.signals.mean(axis=(0, 2), keepdims=True, dtype=np.float64)
    std = train.signals.std(axis=(0, 2), keepdims=True, dtype=np.float64)
    std[std == 0] = 1
    x, validation_x = (((part.signals - mean) / std).astype(np.float32) for part in (train, validation))
    return ScenarioData(
        torch.from_numpy(x),
        torch.from_numpy(train.labels),
        torch.from_numpy(validation_x),
        torch.from_numpy(validation.labels),
        train.signals,
    )
