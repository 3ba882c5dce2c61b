"""The source `digits`: scikit-learn's handwritten digits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from crowdloom.studies.design import Design
from crowdloom.studies.images import array_to_png
from crowdloom.studies.items.item import SourceItem, entropy


def read_digits(design: Design, folder: Path) -> Iterator[SourceItem]:
    """scikit-learn's 1,797 digits, dark on white; difficulty is the entropy (nats) of their neighbours' classes."""
    for number, (grey, target, difficulty) in enumerate(_digits()):
        yield SourceItem(
            key=f"digit-{number:04d}",
            name=f"digit {number}",
            image=partial(array_to_png, grey),
            pixels=grey.tobytes(),
            reference=str(target),
            difficulty=difficulty,
            array=grey,
        )


@lru_cache(maxsize=1)
def _digits() -> list[tuple[Any, int, float]]:
    """Image, class and difficulty of each digit."""
    from crowdloom.analysis.digits import load_digits, neighbours_classes

    digits = load_digits()
    difficulties = entropy(neighbours_classes(digits)).tolist()
    return list(zip(digits.dark_on_white(), digits.targets.tolist(), difficulties, strict=True))


def digit_images() -> tuple[Any, Any]:
    """The digits, dark on white, as uint8 [1797, 8, 8], and which digit each is."""
    from crowdloom.analysis.digits import load_digits

    digits = load_digits()
    return digits.dark_on_white(), digits.targets
