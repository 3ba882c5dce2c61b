"""How a coach is prepared: a recogniser learns, then one coach for all weights; drawings are traced, all is kept.

One process at a time works in a coach's folder. Everything is written beside its place, in `.DIGEST.part`, which gets
its name when it is whole; stopped or killed, the next call goes on there after the last whole epoch, and comes to the
same numbers.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from crowdloom.analysis.files import whole_file
from crowdloom.models import coach_conditioned, coach_recogniser
from crowdloom.models.coach_conditioned import HIGHEST, LOWEST, train_conditioned
from crowdloom.models.coach_data import DATA, CoachData, coach_data
from crowdloom.models.coach_folder import (
    DESCRIPTION,
    DRAWINGS,
    FORMAT,
    NETWORKS,
    SAMPLES,
    PreparedCoach,
    Weights,
    coach_folder,
    is_ready,
    prepared_coach,
)
from crowdloom.models.coach_forward import logits, picture_of
from crowdloom.models.coach_learning import losses_in
from crowdloom.models.coach_pareto import GRID, tradeoffs
from crowdloom.models.coach_recogniser import train_recogniser
from crowdloom.models.errors import ArgumentError, ModelError
from crowdloom.models.held_folder import held_folder
from crowdloom.models.latent_pretraining import Progress, unheard, versions
from crowdloom.models.prepared_folder import begin_part, digest_of, let_count, write_json
from crowdloom.tasks.coach_drawing import render, similarity
from crowdloom.tasks.coach_options import SELF_PREPARED
from crowdloom.tasks.coach_records import Strokes, packed
from crowdloom.tasks.coach_tracing import trace

READY_MADE = (*DATA, "mnist")

RECOGNISER_STATE, COACH_STATE = "recogniser.safetensors", "conditioned.safetensors"
GIVEN, LOOKED_AT = 24, 30
"""Drawings kept of a class, and test pictures that are traced for them: those that tracing changes least are kept."""
LEAST_SIMILAR = 0.3
SAMPLES_EACH, MISREAD_EACH = 8, 4
"""Test pictures kept of a class, and how many of them may be such that the recogniser misreads them."""
_SHARES = {"drawings": 0.1, "recogniser": 0.3, "coach": 0.55, "trade-off": 0.05}
"""Of the time that a preparation takes."""


@dataclass(frozen=True)
class Recipe:
    """How the networks learn."""

    recogniser_epochs: int
    coach_epochs: int
    misleading: float = 0.25
    """As `train_recogniser` has it."""
    tried: int = 1000
    """Test pictures that the weights' trade-off is measured on."""
    seed: int = 0


def recipe_for(name: str, pictures: int) -> Recipe:
    """For a coach's name and the number of pictures to learn from, of which some 120,000 are gone through.

    Fewer for one that prepares itself, which somebody waits for.

    >>> recipe_for("mnist-5000", 4000).coach_epochs, recipe_for("mnist", 50_000).coach_epochs
    (30, 4)
    """
    if name == SELF_PREPARED:
        return Recipe(recogniser_epochs=18, coach_epochs=8, misleading=0.15)
    epochs = max(4, 120_000 // pictures)
    return Recipe(epochs, epochs)


def prepare(
    name: str,
    data: Path | None = None,
    *,
    download: bool = False,
    progress: Progress = unheard,
    recipe: Recipe | None = None,
) -> PreparedCoach:
    """Trains the recogniser and the coach of this name and keeps them; at once where it was done before.

    `digits` and `mnist-5000` come with their data; `data` is for `mnist` the folder that has MNIST/raw in it, if it is
    not the usual one, and for any other name an .npz as `coach_data.own` takes it; without it, what was prepared is
    given. `download` fetches MNIST. Stopped or killed, it goes on after the last whole epoch. Raises ModelError where
    the data cannot be used, or has other classes than what is prepared under this name, which open studies may use;
    TrainingError where the loss is not finite, OSError such as for a full disk.
    """
    place = coach_folder(name)
    there = _there(name)
    if there and data is None and name not in READY_MADE:
        return there
    progress(0.0, "reading the data")
    read = _data(name, data, download)
    if there and there.classes != read.classes:
        raise ModelError(
            f"the coach {name} is prepared already and reads {', '.join(there.classes)}, not "
            f"{', '.join(read.classes)}; studies may use it, so give another name"
        )
    with held_folder(place, progress) as folder:
        _prepare_in(folder, name, read, recipe or recipe_for(name, len(read.images)), progress)
    return prepared_coach(name)


def ready_coach(name: str, progress: Progress = unheard) -> PreparedCoach:
    """The prepared coach of this name; one that needs no data is prepared here, in seconds, if it was not before.

    Where two processes ask at once, one prepares it and the other one waits. Raises as `prepared_coach` and `prepare`.
    """
    if name == SELF_PREPARED and not is_ready(name):
        with held_folder(coach_folder(name), progress) as folder:
            if not is_ready(name):  # another process may have done it meanwhile
                read = coach_data(name)
                _prepare_in(folder, name, read, recipe_for(name, len(read.images)), progress)
    return prepared_coach(name)


def _there(name: str) -> PreparedCoach | None:
    """What is prepared under this name and can be used."""
    try:
        return prepared_coach(name) if is_ready(name) else None
    except ModelError:
        return None


def _data(name: str, path: Path | None, download: bool) -> CoachData:
    """Raises ArgumentError where a name needs data and is given none, or the other way round."""
    if name in DATA:
        if path is not None:
            raise ArgumentError(f"{name} has data of its own; give it none", "data")
        return coach_data(name)
    if name == "mnist":
        return coach_data(str(path) if path else name, download=download)
    if path is None:
        raise ArgumentError(
            f"{name} does not come with its data; say where its pictures are, an .npz, or name one of "
            f"{', '.join(READY_MADE)}",
            "data",
        )
    return coach_data(str(path))


def _prepare_in(folder: Path, name: str, data: CoachData, recipe: Recipe, progress: Progress) -> None:
    """Prepares a coach in its folder, which must be held, and makes it the one that counts."""
    said = _settings(name, data, recipe)
    digest = digest_of(
        said,
        {
            "images": data.images,
            "labels": data.labels,
            "test_images": data.test_images,
            "test_labels": data.test_labels,
        },
    )
    place = folder / digest
    if not _whole(name, digest, place):
        part = begin_part(folder, digest)
        _make(part, said, data, recipe, progress)
        part.rename(place)
    let_count(folder, digest)


def _make(part: Path, said: Mapping[str, Any], data: CoachData, recipe: Recipe, progress: Progress) -> None:
    """All files of a preparation."""
    begins = dict(zip(_SHARES, np.cumsum([0.0, *_SHARES.values()]).tolist(), strict=False))

    def heard(what: str, done: int, of: int) -> None:
        words = {"recogniser": "the recogniser learns", "coach": "the coach learns"}
        progress(begins[what] + _SHARES[what] * done / of, words.get(what, f"the {what}"))

    drawings = {}
    for number, class_ in enumerate(data.classes):
        drawings[class_] = _drawings(data.test_images[data.test_labels == number])
        if not drawings[class_]:
            raise ModelError(
                f"none of the pictures of {class_!r} looked at in {data.name} could be drawn with a pen; "
                "nobody could answer by keyboard, choosing among such drawings: give pictures of lines, bright on dark"
            )
        heard("drawings", number + 1, len(data.classes))
    write_json(part / DRAWINGS, drawings, indent=None)
    classifier = train_recogniser(
        data,
        epochs=recipe.recogniser_epochs,
        misleading=recipe.misleading,
        seed=recipe.seed,
        file=part / RECOGNISER_STATE,
        versions=versions(),
        on_step=lambda done, of: heard("recogniser", done, of),
    )
    coach = train_conditioned(
        data,
        classifier,
        epochs=recipe.coach_epochs,
        seed=recipe.seed,
        file=part / COACH_STATE,
        versions=versions(),
        on_step=lambda done, of: heard("coach", done, of),
    )
    arrays = _arrays({"classifier": classifier, "coach": coach})
    with whole_file(part / NETWORKS) as whole, whole.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    read = np.array([logits(arrays, picture_of(one.tobytes())).argmax() for one in data.test_images])
    write_json(part / SAMPLES, list(_samples(data, read)))
    found = tradeoffs(coach, classifier, data, most=recipe.tried, on_step=lambda done, of: heard("trade-off", done, of))
    write_json(
        part / DESCRIPTION,
        dict(said)
        | {"accuracy": float((read == data.test_labels).mean())}
        | {"tradeoffs": [one._asdict() | {"weights": one.weights._asdict()} for one in found]}
        | {"curve": {"recogniser": losses_in(part / RECOGNISER_STATE), "coach": losses_in(part / COACH_STATE)}}
        | {"versions": versions()},
    )
    for state in (RECOGNISER_STATE, COACH_STATE):
        (part / state).unlink()


def _settings(name: str, data: CoachData, recipe: Recipe) -> dict[str, Any]:
    """What a preparation depends on beside its pictures."""
    return {
        "format": FORMAT,
        "name": name,
        "data": data.name,
        "classes": list(data.classes),
        "examples": len(data.images),
        "test": len(data.test_images),
        "ranges": {one: [0.0, getattr(HIGHEST, one)] for one in Weights._fields},
        "scales": LOWEST._asdict(),
        "recipe": asdict(recipe),
        "grid": GRID,
        "constants": {
            f"{module.__name__.rpartition('.')[2]}.{name}": value
            for module in (coach_recogniser, coach_conditioned)
            for name, value in sorted(vars(module).items())
            if name.isupper() and isinstance(value, int | float | tuple)
        },
    }


def _whole(name: str, digest: str, place: Path) -> bool:
    """Whether a preparation is there and can be used; one that was damaged is removed."""
    if not place.is_dir():
        return False
    try:
        prepared_coach(name, digest)
    except ModelError:
        shutil.rmtree(place)
        return False
    return True


def _drawings(pictures: np.ndarray[Any, np.dtype[np.uint8]]) -> list[Strokes]:
    """Drawings of pictures [n, 28, 28] that look like them, in the pictures' order."""
    traced = []
    for number, picture in enumerate(pictures[:LOOKED_AT]):
        if strokes := trace(picture.tobytes()):
            traced.append((similarity(picture.tobytes(), render(strokes)), number, strokes))
    close = sorted((one for one in traced if one[0] >= LEAST_SIMILAR), key=lambda one: -one[0])[:GIVEN]
    return [strokes for _, _, strokes in sorted(close, key=lambda one: one[1])]


def _samples(data: CoachData, read: np.ndarray[Any, Any]) -> Iterator[dict[str, str]]:
    for number, class_ in enumerate(data.classes):
        of_class = data.test_labels == number
        misread = np.flatnonzero(of_class & (read != number))[:MISREAD_EACH]
        others = np.flatnonzero(of_class & (read == number))[: SAMPLES_EACH - len(misread)]
        for position in sorted([*misread.tolist(), *others.tolist()]):
            yield {"label": class_, "picture": packed(data.test_images[position].tobytes())}


def _arrays(networks: Mapping[str, nn.Module]) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    return {
        f"{part}.{name}": np.ascontiguousarray(tensor.numpy())
        for part, network in networks.items()
        for name, tensor in network.state_dict().items()
    }
