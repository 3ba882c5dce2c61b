"""An epoch of fresh crops and flips from tensors in memory, against a DataLoader that crops and flips PIL images.

    python -m tests.bench.input_preparation [IMAGES]

Both shuffle the same images of 32 x 32 pixels, crop each at an offset of its own out of its padded picture, mirror
half of them, and give batches of 128 as floats from 0 to 1. The DataLoader has two workers, which have started and have
gone through one epoch before; ours has the one process. The two take turns, and medians are compared. That both draw
from the same crops is made sure of by `tests/models/test_augmentation.py`; here the exit status is 1 where one of them
gives other numbers of images, or pixels with another mean.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from statistics import median

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from crowdloom.models.augmentation import crop_and_flip
from crowdloom.models.image_sets import channels_first

IMAGES = 10_000
BATCH = 128
ROUNDS = 15
TARGET = 8


class Pictures(Dataset[Tensor]):
    """PIL images in memory, cropped, flipped and made into tensors one by one."""

    def __init__(self, images: npt.NDArray[np.uint8]) -> None:
        self.images = [Image.fromarray(image) for image in images]
        self.change = transforms.Compose(
            [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), transforms.ToTensor()]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, position: int) -> Tensor:
        changed: Tensor = self.change(self.images[position])
        return changed


def ours(images: Tensor, generator: torch.Generator) -> Iterator[Tensor]:
    """The same from one tensor, uint8 [N, 3, 32, 32]."""
    for chosen in torch.randperm(len(images), generator=generator).split(BATCH):
        yield crop_and_flip(images.index_select(0, chosen), generator).float().div_(255)


def epoch(batches: Iterable[Tensor]) -> tuple[float, int, float]:
    """Seconds for all batches, how many images they hold, and the mean of the last batch's pixels."""
    start, count = time.perf_counter(), 0
    for batch in batches:
        count += len(batch)
    return time.perf_counter() - start, count, float(batch.mean())


def main() -> int:
    """Print the ratio; 1 where the two do not prepare the same images."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    images = np.random.default_rng(1).integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
    tensor, generator = torch.from_numpy(channels_first(images)), torch.Generator().manual_seed(1)
    loader = DataLoader(Pictures(images), BATCH, shuffle=True, num_workers=2, persistent_workers=True)
    epoch(loader)  # workers start
    epoch(ours(tensor, generator))
    rounds = [(epoch(loader), epoch(ours(tensor, generator))) for _ in range(ROUNDS)]
    slow, fast = (median(one[which][0] for one in rounds) for which in (0, 1))
    ratio = slow / fast
    print(
        f"input preparation: {n} images, DataLoader with two workers {slow:.2f} s, from tensors {fast:.3f} s, "
        f"ratio {ratio:.1f} (target {TARGET}{'' if ratio >= TARGET else ', missed'})"
    )
    same = all(a[1] == b[1] == n and abs(a[2] - b[2]) < 0.05 for a, b in rounds)
    if not same:
        print("input preparation: the two do not prepare the same images")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
