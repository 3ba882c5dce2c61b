"""The networks of the latent loop's own scenarios. Each gives logits [B, K] and latent features [B, F].

Source: D. Geissler et al., *Human in the Latent Loop (HILL)*, section 4. The features are what the convolutions give,
before the fully connected layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

DROPOUT = 0.2


class Cifar10Network(nn.Module):
    """Five convolutions with ReLU, dropout and max-pooling, then four linear layers; for images [B, 3, size, size].

    The convolutions have w, 2w, 4w, 4w and 2w channels; a `width` w of 128 gives the sizes that the authors released.
    `size` is a multiple of 8; there are 2w (size / 8)^2 features.
    """

    def __init__(self, classes: int = 10, width: int = 32, size: int = 32) -> None:
        super().__init__()
        self.latent = nn.Sequential(
            *(nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(DROPOUT)),
            *(nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(DROPOUT)),
            *(nn.Conv2d(2 * width, 4 * width, 3, padding=1), nn.ReLU(), nn.Dropout(DROPOUT)),
            *(nn.Conv2d(4 * width, 4 * width, 3, padding=1), nn.ReLU(), nn.Dropout(DROPOUT)),
            *(nn.Conv2d(4 * width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        )
        self.head = nn.Sequential(
            *(nn.Linear(2 * width * (size // 8) ** 2, 512), nn.ReLU(), nn.Dropout(DROPOUT)),
            *(nn.Linear(512, 256), nn.ReLU(), nn.Dropout(DROPOUT)),
            *(nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, classes)),
        )
        self.latent.to(memory_format=torch.channels_last)  # a step on a processor takes 0.6 of the time, a forward half

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and features."""
        features = self.latent(x.contiguous(memory_format=torch.channels_last))
        return self.head(features), features


class SignalNetwork(nn.Module):
    """Three 1-D convolutions with dropout, global max and average pooling, and a linear head; for signals [B, C, T].

    It normalises nothing: give signals of about mean 0 and standard deviation 1. There are 8 w features at `width` w.
    """

    def __init__(self, channels: int, classes: int, width: int = 32) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *(nn.Conv1d(channels, width, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2), nn.Dropout(DROPOUT)),
            *(nn.Conv1d(width, 2 * width, 5, padding=2), nn.ReLU(), nn.MaxPool1d(2), nn.Dropout(DROPOUT)),
            *(nn.Conv1d(2 * width, 4 * width, 5, padding=2), nn.ReLU()),
        )
        self.head = nn.Linear(8 * width, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and features: of each channel its maximum and its mean."""
        maps = self.convolutions(x)
        features = torch.cat([maps.amax(2), maps.mean(2)], dim=1)
        return self.head(features), features


class DigitsNetwork(nn.Module):
    """Two convolutions with ReLU, dropout and max-pooling and two linear layers; for images [B, 1, 8, 8].

    There are 8 w features at `width` w.
    """

    def __init__(self, classes: int = 10, width: int = 16) -> None:
        super().__init__()
        self.latent = nn.Sequential(
            *(nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(DROPOUT)),
            *(nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        )
        self.head = nn.Sequential(nn.Linear(8 * width, 64), nn.ReLU(), nn.Dropout(DROPOUT), nn.Linear(64, classes))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits and features."""
        features = self.latent(x)
        return self.head(features), features
