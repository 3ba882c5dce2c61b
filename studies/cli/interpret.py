"""`crowdloom interpret`."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crowdloom.studies.cli.options import check_folder, counting
from crowdloom.studies.errors import OptionError

if TYPE_CHECKING:
    from crowdloom.models.classifiers import Classifier
    from crowdloom.models.interpreting import Interpreted
    from crowdloom.studies.given_images import GivenImages

FILE = click.Path(path_type=Path)
SMALL = "small-cnn"


@click.command()
@click.option(
    "--model",
    required=True,
    metavar="NAME",
    help="The classifier: torchvision:NAME (with --weights), package.module:function that returns a "
    "torch.nn.Module, or small-cnn, which is trained on half of the images.",
)
@click.option("--weights", type=FILE, help="A file with the network's state dict.")
@click.option("--classes", "class_file", type=FILE, help="The names of the network's classes in order, one a line.")
@click.option(
    "--images", required=True, metavar="WHERE", help="A folder with a sub-folder for each class, an .npz, or digits."
)
@click.option("--out", required=True, type=FILE, help="The folder to write.")
@click.option(
    "--count", type=click.IntRange(1), default=200, show_default=True, help="How many mistakes to draw, at most."
)
@click.option("--seed", default=0, show_default=True, help="Fixes which are drawn, their distractors, and small-cnn.")
@click.option("--size", type=click.IntRange(8, 2048), help="The side in pixels of what the network takes: 224.")
@click.option("--mean", metavar="NUMBERS", help="Subtracted from pixels in 0..1: one number or one a channel.")
@click.option("--std", metavar="NUMBERS", help="What they are then divided by; --mean and --std are ImageNet's.")
@click.option("--areas", default="20,40,50", show_default=True, help="The per cent of the image that masks show.")
def command(
    model: str,
    weights: Path | None,
    class_file: Path | None,
    images: str,
    out: Path,
    count: int,
    seed: int,
    size: int | None,
    mean: str | None,
    std: str | None,
    areas: str,
) -> None:
    """Find a classifier's mistakes, and draw what it looked at.

    Writes images that the classifier gets wrong, each with five labels to guess from and with views of how the
    classifier sees it: masks that show only a share of the image (extremal perturbation), Grad-CAM and SmoothGrad.
    Stopped with Ctrl-C, the same command goes on where it was. A folder is for one such command: another model,
    other images, another count or seed need another --out.
    """
    if missing := [name for name in ("torch", "captum") if find_spec(name) is None]:
        are = "are" if len(missing) > 1 else "is"
        raise OptionError(f'{" and ".join(missing)} {are} not installed; run: pip install "crowdloom[train]"')
    shares = _areas(areas)
    check_folder(out)
    if model == SMALL and (weights or size or mean or std):
        raise OptionError(f"--model {SMALL} is trained here: leave out --weights, --size, --mean and --std")

    from crowdloom.models.interpreting import Settings, interpret
    from crowdloom.models.packing import best_precision
    from crowdloom.studies.given_images import read_given

    given = read_given(images)
    with _models_errors():
        if model == SMALL:
            classifier, given = _trained(given, class_file, seed)
        else:
            classifier = _loaded(model, weights, class_file, size, mean, std)
        labels = given.class_numbers(classifier.classes)
        try:
            with counting("Looking for mistakes") as looking, counting("Drawing views") as drawing:
                done = interpret(
                    classifier,
                    given.images,
                    labels,
                    given.keys,
                    out,
                    count=count,
                    seed=seed,
                    settings=Settings(areas=shares, precision=best_precision("cpu")),
                    searching=looking,
                    progress=drawing,
                )
        except KeyboardInterrupt:
            click.echo(f"Stopped; what is finished stays in {out}, and the same command goes on from there.", err=True)
            sys.exit(130)
    _say(done, count, len(shares) + 2)
    _write_design(out, classifier)


def _areas(written: str) -> tuple[float, ...]:
    """Per cent as shares. Raises OptionError for one that the task has no view for."""
    from crowdloom.tasks.wrong_label import VIEWS

    known = [name.removeprefix("area") for name in VIEWS if name.startswith("area")]
    chosen = [area.strip() for area in written.split(",")]
    if not set(chosen) <= set(known) or len(set(chosen)) < len(chosen):
        raise OptionError(f"--areas {written}: choose among {', '.join(known)}, with commas between them")
    return tuple(int(area) / 100 for area in chosen)


def _say(done: Interpreted, count: int, views: int) -> None:
    """What was found and written."""
    mistakes, items = done.mistakes, len(done.stimuli)
    click.echo(
        f"{mistakes.images:,} images, accuracy {mistakes.accuracy:.1%}, {_count(len(mistakes.positions), 'mistake')}."
    )
    if items < count:
        click.echo(f"That is fewer than --count {count}: all of them are taken.")
    made = f"{done.computed:,} made now" if done.computed else "all were there already"
    click.echo(
        f"Wrote {done.table}: {_count(items, 'item')} with {views} views each ({items * views:,} pictures, {made})."
    )
    click.echo(f"Wrote {done.record}: the settings, versions, and what each mask reached.")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _write_design(out: Path, classifier: Classifier) -> None:
    """The study that these images are for, ready to be rehearsed; one that is there already stays."""
    from crowdloom.studies.interpreted_design import NAME, write_interpreted_design

    if design := write_interpreted_design(out, classifier.classes):
        click.echo(f"Wrote {design}, a study of these images. Next: crowdloom rehearse {design}")
    else:
        click.echo(f"{out / NAME} was there already and stays as it is. Next: crowdloom rehearse {out / NAME}")


def _trained(given: GivenImages, class_file: Path | None, seed: int) -> tuple[Classifier, GivenImages]:
    """The small network, trained on a random half of the images, and the other half."""
    import numpy as np

    from crowdloom.models.training import train_small_cnn
    from crowdloom.studies.given_images import read_classes

    classes = read_classes(class_file) if class_file else given.class_names()
    order = np.random.default_rng(seed).permutation(len(given.keys))
    half = len(order) // 2
    learned, rest = given.part(sorted(order[:half].tolist())), given.part(sorted(order[half:].tolist()))
    pictures = list(learned.images)
    if len({picture.ndim for picture in pictures}) > 1:  # some grey, some in colour
        pictures = [picture if picture.ndim == 3 else np.stack([picture] * 3, axis=2) for picture in pictures]
    with counting("Training") as show:
        classifier = train_small_cnn(
            pictures,
            np.array(learned.class_numbers(classes)),
            classes,
            seed=seed,
            progress=show,
        )
    return classifier, rest


def _loaded(
    model: str, weights: Path | None, class_file: Path | None, size: int | None, mean: str | None, std: str | None
) -> Classifier:
    from crowdloom.models.classifiers import load_classifier
    from crowdloom.studies.given_images import read_classes

    sys.path.insert(0, str(Path.cwd()))  # package.module:function may lie in the folder where one works
    return load_classifier(
        model,
        weights=weights,
        classes=read_classes(class_file) if class_file else None,
        size=size,
        mean=None if mean is None else _channels("--mean", mean),
        std=None if std is None else _channels("--std", std),
    )


def _numbers(option: str, written: str) -> list[float]:
    try:
        return [float(number) for number in written.split(",")]
    except ValueError as error:
        raise OptionError(f"{option} {written}: write numbers with commas between them") from error


def _channels(option: str, written: str) -> tuple[float, ...]:
    numbers = _numbers(option, written)
    possible = all(math.isfinite(number) and (number > 0 or option != "--std") for number in numbers)
    if len(numbers) not in (1, 3) or not possible:
        raise OptionError(f"{option} {written}: write one number, or three with commas between them, for 0..1 pixels")
    return tuple(numbers * 3 if len(numbers) == 1 else numbers)


@contextmanager
def _models_errors() -> Iterator[None]:
    """What the models' side refuses, as the command line's own error; options are called as its arguments are."""
    from crowdloom.models.errors import ArgumentError, ModelError

    try:
        yield
    except ArgumentError as error:
        raise OptionError(f"{error} (--{error.argument})") from error
    except ModelError as error:
        raise OptionError(f"{error}") from error
