"""The views of misidentified images: what is missing of them is found and drawn, a few images at a time.

Each view is a PNG whose name holds a digest of all that it was made from: the picture, what the network saw of it,
the network, the class, the interpreter's settings. A file that is there is whole and right.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from crowdloom.analysis.files import whole_file
from crowdloom.models import gradients
from crowdloom.models.classifiers import Classifier, Image
from crowdloom.models.mistakes import Stimulus
from crowdloom.models.packing import Precision, fast_copy
from crowdloom.models.perturbations import AREAS, ITERATIONS, Reward, extremal_perturbations
from crowdloom.models.pictures import LEAST, MOST, SMALL, draw_heat, draw_masked, enlarged, enlargement, png, read_note

GRAD_CAM, SMOOTH_GRAD = "gradcam", "smoothgrad"
_MAKING = 1
"""Raised whenever views are found or drawn in another way."""
_AT_ONCE, _PIXELS = 64, 4 * 224 * 224
"""So many images go through the network together, at most, and so many pixels of them."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Settings:
    """How the views are made. `areas` are shares of the image in whole per cent; the masks are called by them."""

    areas: tuple[float, ...] = AREAS
    iterations: int = ITERATIONS
    reward: Reward = "simple"
    samples: int = gradients.SAMPLES
    precision: Precision = "float32"
    layer: str | None = None
    """Of Grad-CAM, where it is not the last convolution."""

    def masks(self) -> dict[str, float]:
        """The masks' names with their areas.

        >>> Settings().masks()
        {'area20': 0.2, 'area40': 0.4, 'area50': 0.5}
        """
        return {f"area{round(100 * area)}": area for area in self.areas}

    def views(self) -> dict[str, dict[str, Any]]:
        """Each view's name with the settings that its picture depends on."""
        extremal = {"iterations": self.iterations, "reward": self.reward, "precision": self.precision}
        return {
            **{name: {"area": area, **extremal} for name, area in self.masks().items()},
            GRAD_CAM: {"layer": self.layer},
            SMOOTH_GRAD: {"samples": self.samples, "noise": gradients.NOISE, "precision": self.precision},
        }


@dataclass(frozen=True)
class Subject:
    """An image to interpret: what the network sees and people are shown, the class, and where its pictures go."""

    key: str
    seen: Image
    shown: Image
    target: int
    image: Path
    views: dict[str, Path]

    def reached(self) -> dict[str, dict[str, float]]:
        """The area and the reward that the search for each mask came to."""
        notes = {name: read_note(path.read_bytes()) for name, path in self.views.items()}
        return {name: json.loads(note) for name, note in notes.items() if note}


class Views:
    """Makes the views of images for one classifier, in `folder`."""

    def __init__(self, classifier: Classifier, settings: Settings, folder: Path) -> None:
        self.classifier, self.settings, self.folder = classifier, settings, folder
        self.at_once = max(1, min(_AT_ONCE, _PIXELS // classifier.size**2))

    def subject(self, key: str, image: Image, stimulus: Stimulus) -> Subject:
        """An image with the names of its pictures."""
        (seen,) = self.classifier.squares([image])
        shown = self._shown(image, seen)
        stem = re.sub(r"[^A-Za-z0-9-]+", "-", Path(key).with_suffix("").as_posix()).strip("-")[:60] or "image"
        made_of = [_MAKING, _digest(repr(shown.shape).encode() + shown.tobytes())]
        image_name = f"{stem}.{_digest(json.dumps(made_of).encode())}.png"
        made_of += [_digest(seen.tobytes()), self.classifier.digest, stimulus.prediction]
        digests = {
            view: _digest(json.dumps([*made_of, view, how], sort_keys=True).encode())
            for view, how in self.settings.views().items()
        }
        views = {view: self.folder / f"{stem}.{view}.{digest}.png" for view, digest in digests.items()}
        return Subject(key, seen, shown, stimulus.prediction, self.folder / image_name, views)

    def _shown(self, image: Image, seen: Image) -> Image:
        """The part of the image that the network sees, in the size in which people see it.

        Of a photograph that is as much as it has; the few pixels that a small network sees become squares.
        """
        if self.classifier.size < SMALL:
            squares: Image = enlarged(seen, enlargement(self.classifier.size))
            return squares
        side = min(max(min(image.shape[:2]), LEAST), MOST)
        shown: Image = replace(self.classifier, size=side).squares([image])[0]
        return shown

    def make(self, subjects: Sequence[Subject], progress: Progress) -> int:
        """Make what is missing; how many views that were. `progress(done, total)` counts views, those there too."""
        for subject in subjects:
            if not subject.image.exists():
                _write(subject.image, png(subject.shown))
        missing = [
            (subject, [name for name, path in subject.views.items() if not path.exists()]) for subject in subjects
        ]
        total = sum(len(subject.views) for subject in subjects)
        there = done = total - sum(len(names) for _, names in missing)
        progress(done, total)
        masks = self.settings.masks()
        by_masks: dict[tuple[str, ...], list[Subject]] = defaultdict(list)
        for subject, names in missing:
            by_masks[tuple(name for name in names if name in masks)].append(subject)
        for wanted, group in by_masks.items():
            for start in range(0, len(group) if wanted else 0, self.at_once):
                chunk = group[start : start + self.at_once]
                makes = len(chunk) * len(wanted)

                def within(iteration: int, of: int, done: int = done, makes: int = makes) -> None:
                    progress(done + makes * iteration // (of + 1), total)

                self._masks(chunk, {name: masks[name] for name in wanted}, within)
                done += makes
                progress(done, total)
        for subject, names in missing:
            for name in names:
                if name not in masks:
                    self._map(subject, name)
                    done += 1
                    progress(done, total)
        return done - there

    @cached_property
    def fast(self) -> torch.nn.Module:
        """The network's fast copy, made when it is first needed."""
        size = self.classifier.size
        shape = (self.at_once * len(self.settings.areas) or 1, self.classifier.channels, size, size)
        example = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        return fast_copy(self.classifier.network, example, self.settings.precision)

    def _masks(self, chunk: list[Subject], areas: dict[str, float], progress: Progress) -> None:
        """Masks of a few images, all in one batch; nearly all of the time goes here."""
        found = extremal_perturbations(
            self.classifier.network,
            self.classifier.prepare([subject.seen for subject in chunk]),
            torch.tensor([subject.target for subject in chunk]),
            list(areas.values()),
            iterations=self.settings.iterations,
            reward=self.settings.reward,
            fast=self.fast,
            progress=progress,
        )
        for row, subject in enumerate(chunk):
            for column, (name, area) in enumerate(areas.items()):
                reached = {"area": float(found.areas[row, column]), "reward": float(found.rewards[row, column])}
                picture = draw_masked(subject.shown, found.masks[row, column, 0].numpy(), area)
                _write(subject.views[name], png(picture, json.dumps(reached)))

    def _map(self, subject: Subject, name: str) -> None:
        """Grad-CAM or SmoothGrad of an image."""
        image, target = self.classifier.prepare([subject.seen]), torch.tensor([subject.target])
        if name == GRAD_CAM:
            heat = gradients.normed(gradients.grad_cam(self.classifier.network, image, target, self.settings.layer))
        else:
            samples = self.settings.samples
            found = gradients.smooth_grad(self.classifier.network, image, target, samples=samples, fast=self.fast)
            heat = gradients.heat(found, blur=self.classifier.size / 112)
        _write(subject.views[name], png(draw_heat(subject.shown, heat[0, 0].numpy())))

    def remove_others(self, subjects: Sequence[Subject]) -> None:
        """Remove the pictures of earlier settings, which no table names any more."""
        named = {path for subject in subjects for path in (subject.image, *subject.views.values())}
        for path in self.folder.glob("*.png"):
            if path not in named and re.search(r"\.[0-9a-f]{20}\.png$", path.name):
                path.unlink()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:20]


def _write(path: Path, content: bytes) -> None:
    with whole_file(path) as part:
        part.write_bytes(content)
