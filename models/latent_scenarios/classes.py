"""The classes of the scenarios that come with crowdloom, in the order in which their labels count; without PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from crowdloom.tasks.soft_label import CIFAR10

CLASSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "digits": tuple(str(digit) for digit in range(10)),
        "signals": ("resting", "holding", "walking", "climbing stairs", "stirring", "wiping"),
        "cifar10": CIFAR10,
        "pamap2": (
            "other",
            "lying",
            "sitting",
            "standing",
            "walking",
            "running",
            "cycling",
            "Nordic walking",
            "ascending stairs",
            "descending stairs",
            "vacuum cleaning",
            "ironing",
            "rope jumping",
        ),
        "hapt": (
            "walking",
            "walking upstairs",
            "walking downstairs",
            "sitting",
            "standing",
            "lying",
            "stand to sit",
            "sit to stand",
            "sit to lie",
            "lie to sit",
            "stand to lie",
            "lie to stand",
        ),
    }
)
"""By scenario."""
