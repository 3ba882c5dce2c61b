"""Fresh crops and flips: what comes out is one of the 162 there are, each as often as the others."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from crowdloom.models.augmentation import crop_and_flip


def seeded(seed: int = 0) -> torch.Generator:
    """A generator in a known state."""
    return torch.Generator().manual_seed(seed)


def all_changes(image: Tensor, padding: int) -> Tensor:
    """Every crop of a padded image [C, H, W], and then the mirror of every crop, [2 (2 padding + 1)², C, H, W]."""
    height, width = image.shape[1:]
    padded = functional.pad(image, (padding,) * 4)
    crops = [
        padded[:, down : down + height, right : right + width]
        for down in range(2 * padding + 1)
        for right in range(2 * padding + 1)
    ]
    return torch.stack([*crops, *(crop.flip(2) for crop in crops)])


def which(changed: Tensor, images: Tensor, padding: int) -> Tensor:
    """The number of the change that each image went through, found by trying all; -1 for none."""
    numbers = []
    for one, image in zip(changed, images, strict=True):
        same = (all_changes(image, padding) == one).flatten(1).all(1)
        numbers.append(int(same.nonzero()[0]) if same.any() else -1)
    return torch.tensor(numbers)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize(("channels", "height", "width"), [(3, 32, 32), (1, 8, 8), (3, 9, 12)])
def test_every_output_is_a_crop_or_its_mirror(dtype: torch.dtype, channels: int, height: int, width: int) -> None:
    """Of its own image, in all channels alike, and black where the image ends; the input stays as it was."""
    images = torch.randint(1, 256, (60, channels, height, width), generator=seeded(1)).to(dtype)
    before = images.clone()
    changed = crop_and_flip(images, seeded())
    assert changed.shape == images.shape
    assert changed.dtype == dtype
    assert (which(changed, images, 4) >= 0).all()
    assert torch.equal(images, before)


def test_all_changes_occur_equally_often() -> None:
    """Offsets are uniform, mirrors have a chance of one half, and both are independent of each other."""
    image = torch.arange(1, 193, dtype=torch.uint8).reshape(3, 8, 8)
    changes = all_changes(image, 4).flatten(1)
    drawn = crop_and_flip(image.expand(40_000, -1, -1, -1), seeded()).flatten(1)
    number = {bytes(change.tolist()): n for n, change in enumerate(changes)}
    assert len(number) == 162
    counts = torch.bincount(torch.tensor([number[bytes(row)] for row in drawn.tolist()]), minlength=162)
    assert chisquare(counts.numpy()).pvalue > 0.001


def test_images_are_changed_independently() -> None:
    """What happens to one image of a batch says nothing of the next, and the next batch is changed anew."""
    images = torch.randint(1, 256, (1, 3, 16, 16), generator=seeded(1), dtype=torch.uint8).expand(400, -1, -1, -1)
    generator = seeded()
    first = which(crop_and_flip(images, generator, padding=1), images, 1)
    second = which(crop_and_flip(images, generator, padding=1), images, 1)
    for one, other in ((first[:-1], first[1:]), (first, second)):
        assert 5 < int((one == other).sum()) < 45  # a share of 1 in 18 is expected: 22


def test_the_generator_decides() -> None:
    """The same state gives the same crops, whatever the global state; without padding only mirrors are left."""
    images = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8)
    torch.manual_seed(1)
    one = crop_and_flip(images, seeded(7))
    torch.manual_seed(2)
    assert torch.equal(one, crop_and_flip(images, seeded(7)))
    assert not torch.equal(one, crop_and_flip(images, seeded(8)))
    mirrored = (crop_and_flip(images, seeded(), padding=0) == images.flip(3)).flatten(1).all(1)
    assert 10 < int(mirrored.sum()) < 40


def test_memory_layout_and_batches_of_none() -> None:
    """Channels last gives the same pixels; no images give none."""
    images = torch.randint(0, 256, (20, 3, 8, 8), dtype=torch.uint8)
    last = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(crop_and_flip(images, seeded()), crop_and_flip(last, seeded()))
    assert crop_and_flip(images[:0], seeded()).shape == (0, 3, 8, 8)


class Operations(TorchDispatchMode):
    """Names of all operators that run."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, operator: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(str(operator))
        return operator(*args, **(kwargs or {}))


def test_a_batch_is_one_gather_without_waiting() -> None:
    """As many operators for a thousand images as for two, one of them a gather, and none that fetches a value."""
    found = []
    for batch in (2, 1000):
        images = torch.zeros((batch, 3, 32, 32), dtype=torch.uint8)
        with Operations() as operations:
            crop_and_flip(images, seeded())
        found.append(operations.names)
    assert found[0] == found[1]
    assert found[0].count("aten.gather.default") == 1
    assert not [name for name in found[0] if "local_scalar" in name or "nonzero" in name or "_to_copy" in name]
