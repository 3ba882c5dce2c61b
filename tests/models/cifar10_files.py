"""CIFAR-10's own files, written with a few real images; torchvision then reads them as it reads the whole."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torchvision.datasets import CIFAR10 as Torchvision  # noqa: N811

NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def write_cifar10(folder: Path, images: Any, labels: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test images are these, the training images the first hundred of them; MD5 sums are those of what is written.

    `images` are uint8 [N, 32, 32, 3]. Only the sums that torchvision expects are replaced.
    """
    batches = folder / "cifar-10-batches-py"
    batches.mkdir(parents=True)
    train = [[f"data_batch_{n}", _batch(batches, f"data_batch_{n}", *_part(images, labels, n))] for n in range(1, 6)]
    monkeypatch.setattr(Torchvision, "train_list", train)
    monkeypatch.setattr(Torchvision, "test_list", [["test_batch", _batch(batches, "test_batch", images, labels)]])
    meta = Torchvision.meta | {"md5": _write(batches / "batches.meta", {"label_names": NAMES})}
    monkeypatch.setattr(Torchvision, "meta", meta)


def _part(images: Any, labels: Any, number: int) -> tuple[Any, Any]:
    chosen = slice(20 * (number - 1), 20 * number)
    return images[chosen], labels[chosen]


def _batch(folder: Path, name: str, images: Any, labels: Any) -> str:
    rows = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), -1)
    return _write(folder / name, {"data": rows, "labels": labels.tolist(), "batch_label": name})


def _write(path: Path, content: dict[str, Any]) -> str:
    written = pickle.dumps(content, protocol=2)
    path.write_bytes(written)
    return hashlib.md5(written, usedforsecurity=False).hexdigest()
