"""Small designs for tests, and items to load with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.loading import Loaded, load_design

CLASSES = ("cat", "dog", "frog")


def make_design(**changes: Any) -> Design:
    """A soft-label study of three classes on the images of the folder `images`; `changes` replace whole fields."""
    values = {
        "name": "pets",
        "title": "Which animal is it?",
        "task": "soft-label",
        "classes": CLASSES,
        "consent": "It is voluntary.",
        "instructions": ["Look at each image."],
        "items": {"source": "folder", "path": "images"},
        "batches": {"size": 2, "responses_per_item": 2},
        "people": {"minutes": 2, "hold_minutes": 10},
    }
    return Design.model_validate(values | changes)


def make_images(folder: Path, count: int = 4, size: tuple[int, int] = (8, 8)) -> None:
    """`images/CLASS/N.png` below `folder`: noise, each another."""
    rng = np.random.default_rng(7)
    for number in range(count):
        path = folder / "images" / CLASSES[number % 3] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(path)


def load(store: Store, folder: Path, design: Design | None = None, **options: Any) -> Loaded:
    """Load a design, by default the small one; its source is its JSON."""
    design = design or make_design()
    return load_design(store, design, design.model_dump_json(), folder, **options)
