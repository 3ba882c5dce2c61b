"""A classifier's mistakes, with pictures of what it looked at, as a folder that a study's items are read from.

Source: H. Shen and T.-H. Huang, *How Useful Are the Machine-Generated Interpretations to General Users?* (HCOMP
2020), section Method, steps 1 to 3.
"""

from __future__ import annotations

import csv
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from crowdloom.analysis.files import whole_file
from crowdloom.models.classifiers import Classifier, Image, silent
from crowdloom.models.errors import MistakesError
from crowdloom.models.folders import (
    CLASSES,
    PICTURES,
    RECORD,
    TABLE,
    check_unused,
    question_of,
    remember,
    remembered,
    write_json,
)
from crowdloom.models.gradients import last_convolution, named_layer
from crowdloom.models.mistakes import OPTIONS, Mistakes, Stimulus, draw_stimuli, find_mistakes
from crowdloom.models.packing import best_precision
from crowdloom.models.views import Progress, Settings, Subject, Views

__all__ = ["Interpreted", "Settings", "interpret"]


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
    search nor a finished view is done again, unless the view's settings changed. A folder is for one question (the
    classifier, images, count, seed and areas). Raises ArgumentError for a folder that was made for another one or
    has somebody else's files of the same names, ModelError where the classifier cannot be interpreted, MistakesError
    as `find_mistakes` and `draw_stimuli` do: all of them before anything is written.
    """
    if count < 1:
        raise MistakesError(f"{count} images are asked for; ask for one at least")
    settings = settings or Settings(precision=best_precision("cpu"))
    check_unused(out)  # before every image is read
    question = question_of(classifier, images, labels, keys, count=count, seed=seed, areas=settings.areas)
    mistakes = remembered(out, question)
    _check_layer(classifier, images, settings.layer, used=mistakes is not None)
    mistakes = mistakes or find_mistakes(classifier, images, labels, searching)
    # A classifier with too few mistakes is a good one: all of them are taken.
    wanted = min(count, max(1, len(mistakes.positions)))
    stimuli = draw_stimuli(mistakes, len(classifier.classes), wanted, seed)
    remember(out, question, mistakes)
    (out / PICTURES).mkdir(exist_ok=True)
    views = Views(classifier, settings, out / PICTURES)
    subjects = [views.subject(keys[one.position], images[one.position], one) for one in stimuli]
    computed = views.make(subjects, progress)
    with whole_file(out / CLASSES) as part:
        part.write_text("".join(f"{name}\n" for name in classifier.classes), encoding="utf-8")
    _write_record(out / RECORD, classifier, settings, {"count": count, "seed": seed}, mistakes, subjects)
    _write_table(out, classifier.classes, stimuli, subjects)
    views.remove_others(subjects)
    return Interpreted(mistakes, tuple(stimuli), out / TABLE, out / RECORD, computed)


def _check_layer(classifier: Classifier, images: Sequence[Image], layer: str | None, *, used: bool) -> None:
    """Grad-CAM's layer is there, and the network takes the images; a used folder shows that it did."""
    if layer:
        named_layer(classifier.network, layer)
    elif len(images) and not used:
        classifier.predict(images[:1])
        last_convolution(classifier.network, classifier.prepare(images[:1]))


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
    write_json(path, record)


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
