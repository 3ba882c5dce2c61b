"""Items that are mixed of two images of the design's source, as `[items.mixed]` says.

So are the stimuli of K. M. Collins, *Improving Machine Learning Systems by Eliciting and Incorporating
Additional Human Knowledge* (MPhil thesis, Cambridge, 2022), section 4.2.1: six pairs of images for each of
CIFAR-10's 45 pairs of classes, each mixed by 0.5, by 0.1 or 0.25, and by 0.75 or 0.9, are 810 items.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple

from crowdloom.studies.design import Design
from crowdloom.studies.design_items import Mixed
from crowdloom.studies.errors import ItemError
from crowdloom.studies.images import array_to_png, opaque_pixels, open_image
from crowdloom.studies.items.item import SourceItem
from crowdloom.studies.items.pixels import mix_images

_MOST_BYTES = 1024**3  # of all mixes together, which are held in memory


class _Pair(NamedTuple):
    """Two images, and the mixes that are made of them."""

    first: SourceItem
    second: SourceItem
    thousandths: tuple[int, ...]


def mixed_items(design: Design, images: Sequence[SourceItem]) -> list[SourceItem]:
    """The mixes of a design's images, with what `[items.mixed]` says.

    For each pair of classes, in the design's order, so many different pairs of images are drawn; each gives
    an item for each list of coefficients, or with `steps` one item whose views are its mixes, named by the
    share of the first class, and whose picture is the one of them that is nearest to half and half.
    What is drawn depends on the seed, `pairs`, `coefficients` and the images' order alone, not on `keep`.
    An item has the attributes endpoint1, endpoint2 (classes), source1, source2 (keys), coefficient (but
    with steps) and, where the design has `counts`, entropy1 and entropy2 (nats). It has no reference and no
    difficulty: no class is the correct one, and the labels' entropy is what such studies ask for.

    Raises ItemError where a class has too few images, an image has no reference or cannot be read, or two
    images differ in size or mode.
    """
    mixed = design.items.mixed
    assert mixed is not None
    pairs = _draw(design, mixed, images)
    if not pairs:
        raise ItemError("items.mixed.keep: no mix that was drawn has one of these coefficients; keep others, too")
    mixes = _mix(pairs)
    if mixed.steps is None:
        return [_with_coefficient(design, pair, next(mixes)) for pair in pairs]
    return [_with_steps(design, pair, [next(mixes) for _ in pair.thousandths]) for pair in pairs]


def _draw(design: Design, mixed: Mixed, images: Sequence[SourceItem]) -> list[_Pair]:
    """Only `random()` is used, whose numbers Python promises to be the same in every version."""
    rng = random.Random(f"{design.seed} mixed")  # noqa: S311 - reproducible on purpose
    of_class = _by_class(design, images)
    drawn = [
        (of_class[one][number // len(of_class[other])], of_class[other][number % len(of_class[other])])
        for one, other in combinations(design.classes, 2)
        for number in _different(rng, mixed.pairs, len(of_class[one]) * len(of_class[other]), (one, other))
    ]
    if mixed.steps is not None:
        steps = tuple(round(1000 * round(step / (mixed.steps - 1), 3)) for step in range(mixed.steps))
        return [_Pair(first, second, steps) for first, second in drawn]
    choices = [[round(1000 * number) for number in chosen] for chosen in mixed.coefficients]
    kept = {round(1000 * number) for number in mixed.keep}
    mixes = [(*pair, chosen[int(rng.random() * len(chosen))]) for pair in drawn for chosen in choices]
    return [_Pair(first, second, (share,)) for first, second, share in mixes if not kept or share in kept]


def _by_class(design: Design, images: Sequence[SourceItem]) -> dict[str, list[SourceItem]]:
    if len(design.classes) < 2:
        raise ItemError("items.mixed: images of two classes are mixed, and the design has only one class")
    of_class: dict[str, list[SourceItem]] = {name: [] for name in design.classes}
    for item in images:
        if item.reference is None:
            raise ItemError(f"items.mixed: {item.name} has no reference class; give one to each image that is mixed")
        of_class[item.reference].append(item)
    if empty := [name for name, members in of_class.items() if not members]:
        raise ItemError(f"items.mixed: no image has the class {empty[0]!r}; add some or take it out of classes")
    return of_class


def _different(rng: random.Random, count: int, among: int, classes: tuple[str, str]) -> Iterator[int]:
    """So many different whole numbers below `among`, in random order: the first steps of a shuffle."""
    if count > among:
        raise ItemError(
            f"items.mixed.pairs: {count} different pairs of {classes[0]!r} and {classes[1]!r} are asked for, the "
            f"images make {among}; ask for fewer or add images"
        )
    moved: dict[int, int] = {}
    for place in range(count):
        other = place + int(rng.random() * (among - place))
        yield moved.get(other, other)
        moved[other] = moved.get(place, place)


def _mix(pairs: Sequence[_Pair]) -> Iterator[Any]:
    """The mixes of all pairs, one after another, uint8 [H, W] or [H, W, 3]."""
    import numpy as np

    arrays: dict[str, Any] = {}
    alike = pairs[0].first
    for item in (item for pair in pairs for item in (pair.first, pair.second)):
        if item.key not in arrays:
            arrays[item.key] = _pixels(item)
            if arrays[item.key].shape != arrays[alike.key].shape:
                raise ItemError(
                    f"items.mixed: {alike.name} ({_format(arrays[alike.key])}) and {item.name} "
                    f"({_format(arrays[item.key])}) cannot be mixed; give images of one size, all grey or all in colour"
                )
    shares = [(pair, share) for pair in pairs for share in pair.thousandths]
    if len(shares) * arrays[alike.key].size > _MOST_BYTES:
        raise ItemError(
            f"items.mixed: {len(shares)} mixes of {_format(arrays[alike.key])} need more than "
            f"1 GB of memory; make the images smaller or ask for fewer"
        )
    return iter(
        mix_images(
            np.stack([arrays[pair.first.key] for pair, _ in shares]),
            np.stack([arrays[pair.second.key] for pair, _ in shares]),
            np.array([share for _, share in shares]),
        )
    )


def _pixels(item: SourceItem) -> Any:
    if item.array is not None:
        return item.array
    assert item.image is not None, "a design mixes images alone"
    return opaque_pixels(open_image(item.image(), item.name), item.name)


def _format(array: Any) -> str:
    return f"{array.shape[1]} x {array.shape[0]} pixels, {'grey' if array.ndim == 2 else 'colour'}"


def _with_coefficient(design: Design, pair: _Pair, mix: Any) -> SourceItem:
    share = pair.thousandths[0] / 1000
    return _item(design, pair, f"@{share:g}", {"coefficient": share}, mix)


def _with_steps(design: Design, pair: _Pair, mixes: Sequence[Any]) -> SourceItem:
    middle = min(range(len(mixes)), key=lambda step: abs(2 * pair.thousandths[step] - 1000))
    views = {str(share / 1000): mix for share, mix in zip(pair.thousandths, mixes, strict=True)}
    return _item(design, pair, "", {}, mixes[middle], views)


def _item(
    design: Design, pair: _Pair, suffix: str, said: dict[str, Any], mix: Any, views: dict[str, Any] | None = None
) -> SourceItem:
    first, second = pair.first, pair.second
    attributes = {"endpoint1": first.reference, "endpoint2": second.reference, **said}
    attributes |= {"source1": first.key, "source2": second.key}
    if design.items.counts:
        # Computed, so their last digits vary.
        attributes |= {f"entropy{end}": float(f"{item.difficulty:.9g}") for end, item in ((1, first), (2, second))}
    key = f"{first.key}+{second.key}{suffix}"
    pictures = [mix, *(views or {}).values()]
    return SourceItem(
        key=key,
        name=f"the mix {key}",
        image=partial(array_to_png, mix),
        attributes=attributes,
        pixels=str(mix.shape).encode() + b"".join(picture.tobytes() for picture in pictures),
        views={name: partial(array_to_png, view) for name, view in (views or {}).items()},
        array=mix,
    )
