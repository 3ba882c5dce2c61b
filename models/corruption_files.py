"""CIFAR-10-C as its authors give it away: one file for each corruption, read where a user has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from crowdloom.models.corruptions import CORRUPTIONS
from crowdloom.models.errors import ModelError, first_line

IMAGES = 10_000
"""Images of each severity: CIFAR-10's test set in its order."""
SEVERITIES = 5


def read_corrupted(folder: Path, index: npt.ArrayLike, severity: int = 3) -> dict[str, Tensor]:
    """CIFAR-10-C images of the test set's positions `index` [n] at one severity: uint8 [n, 3, 32, 32] by corruption.

    `folder` has one file NAME.npy, uint8 [50000, 32, 32, 3], for each of `CORRUPTIONS`, and may have frost.npy; in each
    the five severities of 10,000 images follow each other. Files are mapped into memory, so only what is asked for is
    read.
    Raises ModelError where a file is missing or is of another kind, or where there is no such severity or position.
    """
    if not 1 <= severity <= SEVERITIES:
        raise ModelError(f"CIFAR-10-C has severities from 1 to {SEVERITIES}, not {severity}")
    rows = np.asarray(index, dtype=np.int64)
    if rows.size and not (rows.min() >= 0 and rows.max() < IMAGES):
        raise ModelError(f"positions of CIFAR-10's test set go from 0 to {IMAGES - 1}; leave out images of other sets")
    names = [*CORRUPTIONS, *(["frost"] if (folder / "frost.npy").is_file() else [])]
    missing = [f"{name}.npy" for name in names if not (folder / f"{name}.npy").is_file()]
    if missing:
        raise ModelError(f"{folder} has no {', '.join(missing)}; give the unpacked folder of CIFAR-10-C")
    return {name: _read(folder / f"{name}.npy", rows + (severity - 1) * IMAGES) for name in names}


def _read(path: Path, rows: npt.NDArray[np.int64]) -> Tensor:
    expected = (SEVERITIES * IMAGES, 32, 32, 3)
    try:
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({first_line(error)}); unpack CIFAR-10-C again") from error
    if mapped.shape != expected or mapped.dtype != np.uint8:
        raise ModelError(
            f"{path} holds {mapped.dtype} {list(mapped.shape)}, not uint8 {list(expected)}; give a file of CIFAR-10-C"
        )
    return torch.from_numpy(np.ascontiguousarray(mapped[rows].transpose(0, 3, 1, 2)))
