"""The source `classes`: the classes that people are asked to write; there is no picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from crowdloom.studies.design import Design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.items.item import SourceItem
from crowdloom.tasks.coach_coaching import COACHING, VERSIONS
from crowdloom.tasks.coach_options import SELF_PREPARED, CoachOptions

DIGITS = tuple("0123456789")
_OF_DIGITS = (SELF_PREPARED, "mnist-5000", "mnist")

NEVER_COACHED = "never_coached"
"""The attribute that says `yes` of a class that is coached for nobody; only where a design has any."""


def read_classes(design: Design, folder: Path) -> Iterator[SourceItem]:
    """An item for each class and round, `3-1`; with `batches.versions = "coaching"` two of them, `3-1-coached` too.

    The class is the item's reference. Raises ItemError for `only` with a class that is none of the design's, for
    versions that the options make nothing of, and where the coaches have other classes than the design.
    """
    if strange := [name for name in design.items.only or () if name not in design.classes]:
        raise ItemError(f"items.only: {strange[0]!r} is none of the design's classes ({', '.join(design.classes)})")
    versions = _versions(design)
    _check_classes(design)
    never = {name for options in coaching_options(design) for name in options.never_coached}
    _check_never(never, design.items.only or design.classes)
    for number in range(1, (design.items.rounds or 1) + 1):
        for name in design.items.only or design.classes:
            said = {"round": number} | ({NEVER_COACHED: "yes" if name in never else "no"} if never else {})
            for version in versions:
                key = f"{name}-{number}-{version}" if version else f"{name}-{number}"
                attributes = said | ({COACHING: version} if version else {})
                yield SourceItem(key=key, name=f"class {name}", image=None, reference=name, attributes=attributes)


def coaching_options(design: Design) -> list[CoachOptions]:
    """What the conditions of a design say to the task `coach`; nothing for another task."""
    said = [design.task_options(arm) for arm in design.arms()]
    return [options for options in said if isinstance(options, CoachOptions)]


def _versions(design: Design) -> tuple[str, ...]:
    """The versions in which each class is there: one without a name, unless the design asks for more."""
    said, asked = coaching_options(design), design.batches.versions
    by_item = [options for options in said if options.coaching == "by-item"]
    if asked is None:
        if by_item:
            raise ItemError(f'options.coaching: no item says who is coached; add versions = "{COACHING}" to [batches]')
        return ("",)
    if asked != COACHING:
        raise ItemError(f'batches.versions: the source "classes" has versions by "{COACHING}" alone, not by "{asked}"')
    if len(by_item) < max(len(said), 1):
        raise ItemError('batches.versions: they make a difference with coaching = "by-item" alone; see [options]')
    if never := [name for options in said for name in options.never_coached]:
        raise ItemError(
            f"options.never_coached: with batches.versions everybody is coached, so nobody could be compared on "
            f"{never[0]!r}; leave it out, or compare between people"
        )
    return VERSIONS


def _check_never(never: set[str], asked: Sequence[str]) -> None:
    """Raise ItemError where what is coached for nobody is not asked for, or all that is."""
    if strange := sorted(never.difference(asked)):
        raise ItemError(
            f"options.never_coached: {strange[0]!r} is not asked for; leave it out, or name it in items.only"
        )
    if never.issuperset(asked):
        raise ItemError(
            "options.never_coached: nothing that is asked for is left to be coached; for a control, say "
            'coaching = "control"'
        )


def _check_classes(design: Design) -> None:
    """Raise ItemError where a coach, as far as it is known here, does not do what the design asks of it."""
    for options in coaching_options(design):
        name, classes = options.coach, _classes_of(options)
        if missing := [one for one in classes or () if one not in design.classes]:
            raise ItemError(
                f"classes: the coach {name} has {', '.join(missing)}, too; name all that it can read, and say in "
                "items.only what is asked for"
            )
        if more := [one for one in design.classes if classes and one not in classes]:
            raise ItemError(f"classes: the coach {name} cannot read {', '.join(more)}; leave that out")


def _classes_of(options: CoachOptions) -> tuple[str, ...] | None:
    """The classes of a condition's coach; None where it is not prepared here.

    Raises ItemError for what can be no coach's name, and for weights that the coach was not trained with.
    """
    from crowdloom.models.coach_folder import Weights, is_ready, prepared_coach
    from crowdloom.models.errors import ModelError

    try:
        if is_ready(options.coach):
            coach = prepared_coach(options.coach)
            coach.check_weights(Weights(options.classification, options.efficiency, options.discriminator))
            return coach.classes
    except ModelError as error:
        raise ItemError(f"options.coach: {error}") from error
    return DIGITS if options.coach in _OF_DIGITS else None


def unprepared_coaches(design: Design) -> list[str]:
    """The coaches of a design that are not prepared on this machine and do not prepare themselves."""
    from crowdloom.models.coach_folder import is_ready

    names = dict.fromkeys(options.coach for options in coaching_options(design))
    return [name for name in names if name != SELF_PREPARED and not is_ready(name)]
