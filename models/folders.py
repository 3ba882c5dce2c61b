"""For which question a folder of interpreted images was made: it is answered there again, and no other one is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crowdloom.analysis.files import whole_file
from crowdloom.models.classifiers import Classifier, Image
from crowdloom.models.errors import ArgumentError
from crowdloom.models.mistakes import Mistakes

TABLE, CLASSES, RECORD, PICTURES, FOUND = "items.csv", "classes.txt", "record.json", "pictures", "mistakes.json"


@dataclass(frozen=True)
class Question:
    """All that decides which items there are, and which views of each. How well a view is made is no part of it."""

    model: str
    count: int
    seed: int
    areas: list[int]
    """In per cent."""
    weights: str
    classes: str
    images: str
    """Digests, as `weights` and `classes` are: of the images with their labels and keys."""

    def differences(self, now: Question) -> list[str]:
        """What the other question asks otherwise, as phrases that go on from `made with`."""
        said = [
            f"{name} {before} (now {after})"
            for name, before, after in (
                ("model", self.model, now.model),
                ("count", self.count, now.count),
                ("seed", self.seed, now.seed),
                ("areas", _per_cent(self.areas), _per_cent(now.areas)),
            )
            if before != after
        ]
        if self.weights != now.weights and self.model == now.model:
            said.append("other weights or images prepared otherwise")
        if self.classes != now.classes:
            said.append("other names of classes")
        if self.images != now.images:
            said.append("other images or labels")
        return said


def question_of(
    classifier: Classifier,
    images: Sequence[Image],
    labels: Sequence[int],
    keys: Sequence[str],
    *,
    count: int,
    seed: int,
    areas: Sequence[float],
) -> Question:
    """The question that a call asks; every image is read."""
    seen = hashlib.sha256()
    for number, (label, key) in enumerate(zip(labels, keys, strict=True)):
        image = images[number]
        seen.update(f"{label} {key!r} {image.shape}".encode())
        seen.update(image.tobytes())
    classes = hashlib.sha256(repr(classifier.classes).encode()).hexdigest()
    shares = [round(100 * area) for area in areas]
    return Question(classifier.name, count, seed, shares, classifier.digest, classes, seen.hexdigest())


def check_unused(out: Path) -> None:
    """Raises ArgumentError where a folder has files that are called as ours, and does not say what they are of."""
    if _kept(out) is not None:
        return
    there = [name for name in (TABLE, CLASSES, RECORD, FOUND) if (out / name).exists()]
    pictures = out / PICTURES
    if pictures.exists() and not (pictures.is_dir() and not any(pictures.iterdir())):
        there.append(PICTURES)
    if there:
        raise ArgumentError(
            f"{out} has {' and '.join(there)} already, but no {FOUND} that says for which model and images; "
            "give another folder",
            "out",
        )


def remembered(out: Path, question: Question) -> Mistakes | None:
    """The mistakes that an earlier call found for this question; None in an unused folder.

    Raises ArgumentError, saying what differs, in a folder that was made for another question, and as `check_unused`.
    """
    check_unused(out)
    kept = _kept(out)
    if kept is None:
        return None
    earlier, mistakes = kept
    if earlier != question:
        said = " and ".join(earlier.differences(question)) or "another network"
        raise ArgumentError(f"{out} was made with {said}; give another folder", "out")
    return mistakes


def remember(out: Path, question: Question, mistakes: Mistakes) -> None:
    """Write down what a folder is for, before anything else is put there."""
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / FOUND, {"of": asdict(question)} | asdict(mistakes))


def write_json(path: Path, content: Any) -> None:
    """A JSON file that appears whole."""
    with whole_file(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _kept(out: Path) -> tuple[Question, Mistakes] | None:
    try:
        kept = json.loads((out / FOUND).read_text(encoding="utf-8"))
        return Question(**kept.pop("of")), Mistakes(**kept)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _per_cent(areas: list[int]) -> str:
    return f"{', '.join(str(area) for area in areas)} %"
