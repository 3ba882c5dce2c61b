"""A classifier's mistakes, with pictures of what it looked at, as a folder that a study's items are read from.

Source: H. Shen and T.-H. Huang, *How Useful Are the Machine-Generated Interpretations to General Users?* (HCOMP
2020), section Method, steps 1 to 3.
"""

from __future__ import annotations

import csv
import hashlib
import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from crowdloom.analysis.files import whole_file
from crowdloom.models.classifiers import Classifier, Image, silent
from crowdloom.models.errors import MistakesError
from crowdloom.models.mistakes import OPTIONS, Mistakes, Stimulus, draw_stimuli, find_mistakes
from crowdloom.models.packing import best_precision
from crowdloom.models.views import Progress, Settings, Subject, Views

__all__ = ["Interpreted", "Settings", "interpret"]

TABLE, CLASSES, RECORD, PICTURES, FOUND = "items.csv", "classes.txt", "record.json", "pictures", "mistakes.json"


@dataclass(frozen=True)
class Interpreted:
    """What `interpret` did."""

    mistakes: Mistakes
    stimuli: tuple[Stimulus, ...]
    table: Path
    record: Path
    computed: int
    """Views that were made now; the others were there."""


def interpret(
    classifier: Classifier,
    images: Sequence[Image],
    labels: Sequence[int],
    keys: Sequence[str],
    out: Path,
    *,
    count: int = 200,
    seed: int = 0,
    settings: Settings | None = None,
    searching: Progress = silent,
    progress: Progress = silent,
) -> Interpreted:
    """Draw `count` of the classifier's mistakes, or all that there are, and write them with their views into `out`.

    `images` are uint8 [H, W] or [H, W, 3], and may be read as they are asked for; `labels` are the numbers of their
    classes and `keys` their names. Written are the pictures, classes.txt, record.json (settings, seed, versions, the
    areas and rewards reached) and last of all items.csv, with the columns key, image, reference, prediction,
    option1 to option5 and view.NAME; paths are relative to it. Each view speaks of the class wrongly predicted.

    `searching(done, total)` counts images in which mistakes are sought, `progress(done, total)` views; both are
    called often, and what they raise ends the work (as Ctrl-C does). The next call goes on from there: neither the
    search nor a finished view is done again, unless the images, the classifier or the view's settings changed.
    Raises MistakesError as `find_mistakes` and `draw_stimuli` do, before anything is written.
    """
    if count < 1:
        raise MistakesError(f"{count} images are asked for; ask for one at least")
    settings = settings or Settings(precision=best_precision("cpu"))
    identity = _identity(classifier, images, labels)
    mistakes = _remembered(out / FOUND, identity) or find_mistakes(classifier, images, labels, searching)
    # A classifier with too few mistakes is a good one: all of them are taken.
    wanted = min(count, max(1, len(mistakes.positions)))
    stimuli = draw_stimuli(mistakes, len(classifier.classes), wanted, seed)
    (out / PICTURES).mkdir(parents=True, exist_ok=True)
    _write_json(out / FOUND, {"of": identity} | asdict(mistakes))
    views = Views(classifier, settings, out / PICTURES)
    subjects = [views.subject(keys[one.position], images[one.position], one) for one in stimuli]
    computed = views.make(subjects, progress)
    with whole_file(out / CLASSES) as part:
        part.write_text("".join(f"{name}\n" for name in classifier.classes), encoding="utf-8")
    _write_record(out / RECORD, classifier, settings, {"count": count, "seed": seed}, mistakes, subjects)
    _write_table(out, classifier.classes, stimuli, subjects)
    views.remove_others(subjects)
    return Interpreted(mistakes, tuple(stimuli), out / TABLE, out / RECORD, computed)


def _identity(classifier: Classifier, images: Sequence[Image], labels: Sequence[int]) -> str:
    """A digest of all that mistakes depend on."""
    digest = hashlib.sha256(f"{classifier.digest} {len(classifier.classes)}".encode())
    for number, label in enumerate(labels):
        image = images[number]
        digest.update(f"{label} {image.shape}".encode())
        digest.update(image.tobytes())
    return digest.hexdigest()


def _remembered(path: Path, identity: str) -> Mistakes | None:
    """The mistakes that an earlier call found in the same images, if there was one."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Mistakes(**kept) if kept.pop("of") == identity else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _write_record(
    path: Path,
    classifier: Classifier,
    settings: Settings,
    drawing: dict[str, Any],
    mistakes: Mistakes,
    subjects: Sequence[Subject],
) -> None:
    packages = ("crowdloom", "torch", "captum", "numpy", "pillow", "matplotlib")
    record = {
        "settings": asdict(settings) | drawing,
        "classifier": {"name": classifier.name, "sha256": classifier.digest, "size": classifier.size}
        | {"mean": classifier.mean, "std": classifier.std, "classes": len(classifier.classes)},
        "images": mistakes.images,
        "accuracy": mistakes.accuracy,
        "mistakes": len(mistakes.positions),
        "items": len(subjects),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "reached": {subject.key: subject.reached() for subject in subjects},
    }
    _write_json(path, record)


def _write_json(path: Path, content: Any) -> None:
    with whole_file(path) as part:
        part.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _write_table(out: Path, classes: Sequence[str], stimuli: Sequence[Stimulus], subjects: Sequence[Subject]) -> None:
    options = [f"option{number}" for number in range(1, OPTIONS + 1)]
    views = [f"view.{name}" for name in subjects[0].views]
    with whole_file(out / TABLE) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["key", "image", "reference", "prediction", *options, *views])
        for stimulus, subject in zip(stimuli, subjects, strict=True):
            paths = [path.relative_to(out).as_posix() for path in (subject.image, *subject.views.values())]
            named = [classes[number] for number in (stimulus.reference, stimulus.prediction, *stimulus.options)]
            table.writerow([subject.key, paths[0], *named, *paths[1:]])
