"""The 810 mixed stimuli of CIFAR-10's pairs of classes, against Pillow image by image.

    python -m tests.bench.mixed_stimuli

Both mix the same pairs by the same coefficients, from arrays to arrays; results that differ by more than
one grey level (Pillow cuts fractions off) make the exit status 1. Beside the ratio stands the time for the
whole of what `crowdloom load` does before it writes to the store: reading the source, drawing, mixing,
enlarging to 160 x 160 by nearest neighbour, PNG and digests.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from crowdloom.studies.design import Design
from crowdloom.studies.items import read_items
from crowdloom.studies.items.pixels import mix_images
from crowdloom.studies.loading import prepare_items
from crowdloom.studies.media import Spool
from crowdloom.tasks.soft_label import CIFAR10
from tests.bench.label_building import fastest

IMAGES = 10_000
TARGET = 10


def one_by_one(images: Any, pairs: Any, shares: Any) -> list[Any]:
    """The mixes as one would write them for a few images."""
    return [
        np.asarray(Image.blend(Image.fromarray(images[second]), Image.fromarray(images[first]), share / 1000))
        for (first, second), share in zip(pairs.tolist(), shares.tolist(), strict=True)
    ]


def design() -> Design:
    """Six pairs for each two classes, three coefficients for each pair."""
    return Design.model_validate(
        {
            "name": "bench",
            "title": "Bench",
            "task": "mixing-coefficient",
            "classes": CIFAR10,
            "consent": "-",
            "instructions": ["-"],
            "items": {
                "source": "arrays",
                "path": "images.npz",
                "enlarge": "nearest",
                "mixed": {"pairs": 6, "coefficients": [[0.5], [0.1, 0.25], [0.75, 0.9]]},
            },
            "batches": {"size": 58, "responses_per_item": 2, "even": True, "repeats": [15, 20]},
            "people": {"minutes": 1, "hold_minutes": 1},
        }
    )


def load(folder: Path) -> int:
    """What loading does before the store; how many items it comes to."""
    said = design()
    with Spool() as spool:
        return len(prepare_items(said, read_items(said, folder), spool, lambda done, total: None).rows)


def main() -> int:
    """Print the ratio; 1 where the two differ."""
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(IMAGES) % len(CIFAR10)
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / "images.npz", images=images, label=labels)
        drawn = [item.attributes for item in read_items(design(), Path(folder))]
        whole, items = fastest(lambda: load(Path(folder)), 3)
    pairs = np.array([[int(said["source1"]), int(said["source2"])] for said in drawn])
    shares = np.array([round(1000 * said["coefficient"]) for said in drawn])

    baseline, expected = fastest(lambda: one_by_one(images, pairs, shares), 10)
    vectorised, mixed = fastest(lambda: mix_images(images[pairs[:, 0]], images[pairs[:, 1]], shares), 30)
    same = int(np.abs(mixed.astype(int) - np.array(expected)).max()) <= 1
    ratio = baseline / vectorised
    print(
        f"mixed stimuli: {len(mixed)} mixes, Pillow one by one {baseline:.4f} s, vectorised {vectorised:.4f} s, "
        f"ratio {ratio:.1f} (target {TARGET}{'' if ratio >= TARGET else ', missed'})"
    )
    print(
        f"mixed stimuli: from {IMAGES} images to {items} items ready for the store (drawn, mixed, enlarged to "
        f"160 x 160, PNG, digest) {whole:.2f} s"
    )
    if not same:
        print("mixed stimuli: the two differ by more than one grey level")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
