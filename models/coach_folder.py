"""The prepared coaches as folders, read without PyTorch: the recogniser, the coach, and drawings to choose from.

$CROWDLOOM_COACHES/NAME/          one coach; in the user's data folder where that is not set
    current.json                  which preparation counts now
    DIGEST/                       one preparation: it appears whole, and never changes
        coach.json                classes, how well it does at which weights, the settings, the curve of the training
        networks.npz              the recogniser and the coach, float32, by the names of `coach_networks.py`
        drawings.json             for each class drawings that can be chosen instead of drawing: strokes
        samples.json              for each class pictures that neither network has learned from, in base64

Whatever began with a preparation can go on with it, also when the coach was prepared anew since.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from crowdloom.models.archives import read_npz
from crowdloom.models.coach_forward import Arrays, as_inputs, picture_of, pixels_of, probabilities, proposal
from crowdloom.models.errors import ModelError
from crowdloom.models.prepared_folder import place_of, prepared_root
from crowdloom.tasks.coach_records import PIXELS, Strokes, unpacked

DESCRIPTION, NETWORKS = "coach.json", "networks.npz"
DRAWINGS, SAMPLES = "drawings.json", "samples.json"
FORMAT = 1
"""Of a preparation's files and of how it is made; one of another format is prepared anew."""

LAYERS = (
    *("classifier.conv1", "classifier.conv2", "classifier.linear"),
    *("coach.encoder1", "coach.encoder2", "coach.decoder1", "coach.decoder2", "coach.decoder3"),
)
_NAME = re.compile(r"\w[\w.-]*", re.ASCII)


class Weights(NamedTuple):
    """What the coach strives for, beside little change, which has the weight 32 (equation 1)."""

    classification: float
    """alpha_CL, of being recognised."""
    efficiency: float
    """alpha_EF, of using little ink."""
    discriminator: float
    """alpha_D, of looking like a real drawing."""


class Sample(NamedTuple):
    """A test picture and its class."""

    label: str
    picture: bytes


class Tradeoff(NamedTuple):
    """How the coach does on test pictures at certain weights."""

    weights: Weights
    accuracy: float
    """The share of the proposals that are recognised, 0 to 1."""
    change: float
    """How much of the ink is changed: the sum of the differences in the sum of the pictures."""
    ink: float
    """The ink of the proposals in that of the pictures."""
    best: bool
    """No other weights here do better in one of the three without doing worse in another."""


@dataclass(frozen=True)
class PreparedCoach:
    """A recogniser with its coach, as a page needs them.

    name, digest   `prepared_coach(name, digest)` gives it again, also when another preparation counts by then
    classes        [K], in the order of the probabilities
    accuracy       of the recogniser on the test pictures, 0 to 1
    ranges         of the weights that the coach was trained with: lowest and highest of each
    tradeoffs      how the coach does at which weights
    samples        test pictures, some of each class
    """

    name: str
    digest: str
    classes: tuple[str, ...]
    accuracy: float
    ranges: Mapping[str, tuple[float, float]]
    scales: Mapping[str, float]
    tradeoffs: tuple[Tradeoff, ...]
    samples: tuple[Sample, ...]
    arrays: Arrays
    given: Mapping[str, Sequence[Strokes]]

    def probabilities(self, picture: bytes) -> list[float]:
        """How sure the recogniser is of each class for a picture of 784 bytes; they sum to 1.

        Raises ModelError for a picture of another size.
        """
        return [float(one) for one in probabilities(self.arrays, picture_of(_checked(picture)))]

    def read(self, picture: bytes) -> str:
        """The class that the recogniser reads, which is the most probable one. Raises as `probabilities`."""
        sure = self.probabilities(picture)
        return self.classes[sure.index(max(sure))]

    def propose(self, picture: bytes, asked: str, weights: tuple[float, float, float]) -> bytes:
        """How the coach would have the class `asked` written, given a picture of 784 bytes: another such picture.

        `weights` are classification, efficiency and discriminator, as `Weights` has them. Raises ModelError for a class
        that is none of the coach's, for weights outside of those that it was trained with, and for a picture of another
        size.
        """
        picture = _checked(picture)
        condition = np.concatenate([self._one_hot(asked), self._inputs(Weights(*weights))])
        return pixels_of(proposal(self.arrays, picture_of(picture), condition.astype(np.float32)))

    def drawings(self, class_: str) -> Sequence[Strokes]:
        """The drawings of a class that can be chosen instead of drawing. Raises ModelError for an unknown class."""
        self._one_hot(class_)
        return self.given.get(class_, ())

    def check_weights(self, weights: Weights) -> None:
        """Raises ModelError, naming the first of the weights that the coach was not trained with, and its range."""
        for name, value in weights._asdict().items():
            lowest, highest = self.ranges[name]
            if not lowest <= value <= highest:
                raise ModelError(
                    f"the coach {self.name} was trained with a weight {name} from {lowest:g} to {highest:g}, not "
                    f"{value:g}; choose one in between"
                )

    def _one_hot(self, class_: str) -> np.ndarray[Any, np.dtype[np.float32]]:
        if class_ not in self.classes:
            known = ", ".join(self.classes[:20])
            raise ModelError(f"the coach {self.name} knows no class {class_[:50]!r}; its classes are {known}")
        return np.array([class_ == one for one in self.classes], dtype=np.float32)

    def _inputs(self, weights: Weights) -> np.ndarray[Any, np.dtype[np.float32]]:
        self.check_weights(weights)
        names = Weights._fields
        return as_inputs(weights, [self.scales[name] for name in names], [self.ranges[name][1] for name in names])


def coaches_folder() -> Path:
    """Where prepared coaches lie: `$CROWDLOOM_COACHES`, or in the user's data folder."""
    return prepared_root("CROWDLOOM_COACHES", "coaches")


def coach_folder(name: str) -> Path:
    """The folder of one coach, which need not exist. Raises ModelError for what cannot be a coach's name."""
    if not _NAME.fullmatch(name) or ".." in name or len(name) > 100:
        raise ModelError(f"{name[:50]!r} names no coach; a name has letters, digits, - _ and .")
    return coaches_folder() / name


def preparation(name: str, digest: str | None = None) -> Path:
    """The folder of a prepared coach: the preparation that counts now, or the one with this digest.

    Raises ModelError where there is none, saying how one is made.
    """
    folder = coach_folder(name)
    found = place_of(folder, digest)
    if found is None or _format(found) != FORMAT:
        raise ModelError(f"the coach {name} is not prepared in {folder.parent}; run: crowdloom coach prepare {name}")
    return found


def is_ready(name: str) -> bool:
    """Whether a coach is prepared, so that `prepared_coach` gives it at once.

    Raises ModelError for what cannot be a coach's name.
    """
    coach_folder(name)
    try:
        preparation(name)
    except ModelError:
        return False
    return True


def prepared_coach(name: str, digest: str | None = None) -> PreparedCoach:
    """The prepared coach of this name, the preparation with this `digest` or the one that counts now.

    In one process always the same object. Raises ModelError where it is not prepared, with the command that does so,
    and where something of it is missing or damaged.
    """
    return _opened(preparation(name, digest))


@lru_cache(maxsize=8)
def _opened(folder: Path) -> PreparedCoach:
    """A preparation never changes, so it is read once."""
    try:
        said = _json(folder / DESCRIPTION)
        names = [f"{layer}.{part}" for layer in LAYERS for part in ("weight", "bias")]
        arrays = read_npz(folder / NETWORKS, names)
        if missing := [name for name in names if name not in arrays]:
            raise ModelError(f"{missing[0]} is missing")
        return PreparedCoach(
            name=str(said["name"]),
            digest=folder.name,
            classes=tuple(said["classes"]),
            accuracy=float(said["accuracy"]),
            ranges={name: (float(low), float(high)) for name, (low, high) in said["ranges"].items()},
            scales={name: float(scale) for name, scale in said["scales"].items()},
            tradeoffs=tuple(Tradeoff(**one | {"weights": Weights(**one["weights"])}) for one in said["tradeoffs"]),
            samples=tuple(Sample(one["label"], unpacked(one["picture"])) for one in _json(folder / SAMPLES)),
            arrays=arrays,
            given={class_: [_strokes(one) for one in each] for class_, each in _json(folder / DRAWINGS).items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        name = folder.parent.name
        raise ModelError(
            f"{folder} holds no whole prepared coach; remove it and run: crowdloom coach prepare {name}"
        ) from error


def _format(folder: Path) -> int | None:
    """Of the preparation in a folder; None where there is none."""
    try:
        said = _json(folder / DESCRIPTION)
        return int(said["format"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _strokes(lists: Sequence[Sequence[Sequence[float]]]) -> Strokes:
    return [[(x, y, t) for x, y, t in stroke] for stroke in lists]


def _checked(picture: bytes) -> bytes:
    if len(picture) != PIXELS:
        raise ModelError(f"a picture has {PIXELS} pixels, this one {len(picture)}")
    return picture
