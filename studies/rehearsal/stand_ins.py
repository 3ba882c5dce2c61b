"""Made-up items, for the rehearsal of a design whose data files are not there.

They are as many as the design asks for, with its classes in equal parts as references, difficulties that
satisfy its mix, and small patterns as pictures; what a task needs besides, it makes up itself. All of
it follows from the design's seed. Only rehearsals use them: what is loaded or published is always real.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from crowdloom.studies.dealing import deal_items
from crowdloom.studies.design import Design
from crowdloom.studies.design_batches import Mix
from crowdloom.studies.errors import ItemError
from crowdloom.studies.images import array_to_png
from crowdloom.studies.items import SourceItem
from crowdloom.studies.items.mixed import mixed_items
from crowdloom.tasks import TASKS

SIZE = 32
"""Pixels of a side, as CIFAR-10 has them."""

WHOLE_SOURCE = 200
"""So many items at least stand in for a source of which no sample is drawn."""

EASY = (0.0, 0.1)
HARD = (0.5, 1.5)
"""Difficulties, in nats, where the design asks for none: half of the items are easy and half are hard."""


def missing(design: Design, folder: Path) -> str | None:
    """The first file or folder of the design's items that does not exist, as the design names it; None where all do."""
    if design.items.source == "import":  # which cannot be loaded anyway
        return None
    named = (design.items.path, design.items.counts)
    return next((path for path in named if path and not (folder / path).exists()), None)


def unprepared(design: Design) -> str | None:
    """The first scenario of the design that is prepared by a command of its own, and is not prepared here.

    None where all are. Needs PyTorch where the design has scenarios. Raises ItemError for one that cannot be had.
    """
    from crowdloom.models.errors import ModelError
    from crowdloom.models.latent_items import preparation
    from crowdloom.models.latent_scenarios import scenario

    for name in design.items.names or ():
        try:
            needs_data = scenario(name).needs_data
        except ModelError as error:
            raise ItemError(str(error)) from error
        try:
            if needs_data:
                preparation(name)
        except ModelError:
            return name
    return None


def stand_ins(design: Design) -> list[SourceItem]:
    """Items for a design, made up; for scenarios those that need no data, under the names of the design's.

    Raises DesignError where the design cannot be dealt, as it could not with real items.
    """
    if design.items.source == "scenarios":
        names = design.items.names or ()
        return _for_the_task(design, [SourceItem(key=name, name=f"scenario {name}", image=None) for name in names])
    rng = random.Random(f"{design.seed} stand-ins")  # noqa: S311 - reproducible on purpose
    if design.items.mixed:
        # As many of each class as it takes, so that none has to be in two mixes.
        number = design.items.mixed.pairs * len(design.classes) * (len(design.classes) - 1)
        return mixed_items(design, _images(design, number, rng))
    return _for_the_task(design, _images(design, _number(design), rng))


def _number(design: Design) -> int:
    """What is sampled; else at least `WHOLE_SOURCE`, in batches that are full and shared equally by the conditions."""
    if design.items.sample is not None:
        return design.items.sample
    together = design.batches.size * (len(design.arms()) if design.batches.split_items else 1)
    return math.ceil(WHOLE_SOURCE / together) * together


def _images(design: Design, number: int, rng: random.Random) -> list[SourceItem]:
    """So many items with a picture, a reference and, where the design goes by it, a difficulty."""
    references = list(islice(cycle(design.classes), number))
    rng.shuffle(references)
    difficulties = _difficulties(design, number, rng)
    items = []
    for position, (reference, difficulty) in enumerate(zip(references, difficulties, strict=True)):
        array = _pattern(design.classes.index(reference), rng.random())
        items.append(
            SourceItem(
                key=f"stand-in-{position:04d}",
                name=f"made-up item {position}",
                image=partial(array_to_png, array),
                pixels=array.tobytes(),
                reference=reference,
                difficulty=difficulty,
                array=array,
            )
        )
    return items


def _difficulties(design: Design, number: int, rng: random.Random) -> Sequence[float | None]:
    """Such that each batch can have its mix; none for a design that does not go by difficulty."""
    if design.batches.mix:
        parts = [position for position, part in enumerate(design.batches.mix) for _ in range(part.count)]
        return [_in_part(design, part, rng) for part in islice(cycle(parts), number)]
    if design.items.counts or design.items.mixed or design.checks.easy_at_most is not None:
        drawn = [rng.uniform(*(EASY, HARD)[position % 2]) for position in range(number)]
        rng.shuffle(drawn)
        return drawn
    return [None] * number


def _in_part(design: Design, number: int, rng: random.Random) -> float:
    """A difficulty in a part of the mix, and in none of the parts that are dealt before it."""
    part, before = design.batches.mix[number], design.batches.mix[:number]
    low, high = _range(part, len(design.classes))
    for _ in range(1000):
        drawn = high - rng.random() * (high - low)  # in (low, high], as a part is
        if not any(earlier.holds(drawn) for earlier in before):
            break
    return drawn


def _range(part: Mix, classes: int) -> tuple[float, float]:
    """The part's limits; an open end reaches to 0 or to ln K, or a little further."""
    if part.above is None:
        assert part.at_most is not None
        return 0.0 if part.at_most > 0 else part.at_most - 1, part.at_most
    return part.above, part.at_most if part.at_most is not None else max(math.log(classes), part.above + 1)


def _for_the_task(design: Design, items: list[SourceItem]) -> list[SourceItem]:
    """The items with what the task makes up for the condition in which each is shown."""
    task, arms = TASKS[design.task], design.arms()
    behaviour = task.behaviour.model_validate(design.rehearsal.behaviour)
    dealt = deal_items(design, items)
    made: dict[int, SourceItem] = {}
    for arm, batches in zip(arms, dealt, strict=True):
        for number, position in enumerate(position for batch in batches for position in batch):
            rng = random.Random(f"{design.seed} stand-in {position}")  # noqa: S311 - the same in every condition
            attributes, views = task.stand_in(design.classes, design.task_options(arm), behaviour, number, rng)
            made[position] = _with(made.get(position, items[position]), attributes, views)
    return [made.get(position, item) for position, item in enumerate(items)]


def _with(item: SourceItem, attributes: dict[str, Any], views: Sequence[str]) -> SourceItem:
    said = dict(attributes)
    reference = said.pop("reference", item.reference)
    pictures = {name: partial(_view, item.key, name) for name in views}
    return replace(item, reference=reference, attributes=item.attributes | said, views=item.views | pictures)


def _view(key: str, name: str) -> bytes:
    rng = random.Random(f"view {name} of {key}")  # noqa: S311 - reproducible on purpose
    return array_to_png(_pattern(rng.randrange(100), rng.random()))


def _pattern(kind: int, chance: float) -> Any:
    """Stripes, uint8 [SIZE, SIZE, 3]: `kind` gives the colours, `chance` in [0, 1) direction, width and place."""
    import numpy as np

    rng = np.random.default_rng(int(chance * 2**53))
    one, other = np.random.default_rng(kind).integers(40, 216, (2, 3))
    x, y = np.mgrid[:SIZE, :SIZE]
    angle, width, start = rng.uniform(0, np.pi), rng.uniform(4, 16), rng.uniform(0, 2 * np.pi)
    wave = (1 + np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / width + start)) / 2
    return (one + wave[:, :, np.newaxis] * (other - one)).round().astype(np.uint8)
