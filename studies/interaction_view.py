"""What coders and researchers see of an interaction beside its drawings: movements in words, metrics, the voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from crowdloom.studies.coding_interactions import ShownInteraction, read_interaction
from crowdloom.studies.coding_units import CodedInteraction, CodedItem
from crowdloom.studies.interaction_drawing import mark
from crowdloom.studies.interaction_words import Line, lines
from crowdloom.studies.recorded import Recorded, Sound, goes_on_in, recordings_of_trial, sound_between, spans


@dataclass(frozen=True)
class ClassChange:
    """How one class changed, in per cent of the picture's extent; a dash where it has no points."""

    name: str
    mark: str
    """An SVG."""
    asked: Sequence[str]
    """Centre movement, spread change, separation change, from the picture shown to the participant's arrangement."""
    done: Sequence[str]
    """The same, to what training made of it."""


@dataclass(frozen=True)
class InteractionView:
    """An interaction for a page."""

    number: int
    of: int
    scenario: str
    said: str
    """What the participant wrote about the whole session."""
    seconds: float
    alpha: float
    lines: Sequence[Line]
    overall: ClassChange
    classes: Sequence[ClassChange]
    recordings: Sequence[Recorded]
    """Those that go on in it."""


def view_interaction(connection: Connection, coded: CodedInteraction, item_id: int) -> InteractionView:
    """An interaction with all that coders see of it."""
    from crowdloom.analysis.latent_metrics import METRICS, change, geometry  # numpy and pandas

    shown: ShownInteraction = read_interaction(connection, coded)
    one = shown.interaction
    extent = geometry(one.before).extent
    asked, done = change(one.before, one.intended), change(one.before, one.after)
    classes = [
        ClassChange(
            name,
            mark(number),
            [_per_cent(getattr(asked, metric)[number], extent, metric) for metric in METRICS],
            [_per_cent(getattr(done, metric)[number], extent, metric) for metric in METRICS],
        )
        for number, name in enumerate(shown.record.classes)
    ]
    overall = ClassChange(
        "All classes",
        "",
        [_per_cent(value, extent, metric) for metric, value in asked.overall().items()],
        [_per_cent(value, extent, metric) for metric, value in done.overall().items()],
    )
    return InteractionView(
        number=coded.number,
        of=coded.of,
        scenario=shown.record.scenario,
        said=shown.strategy,
        seconds=one.seconds,
        alpha=one.alpha,
        lines=lines(one.movements, shown.record.classes, extent),
        overall=overall,
        classes=classes,
        recordings=recordings_in(connection, coded, item_id),
    )


def _per_cent(value: float | None, extent: float | None, metric: str) -> str:
    if value is None or value != value or not extent:  # noqa: PLR0124 - NaN differs from itself
        return "–"
    sign = "" if metric == "centre_movement" else "+"
    written = f"{100 * value / extent:{sign}.0f}"
    return {"-0": "0", "+0": "0"}.get(written, written).replace("-", "−")


def recordings_in(connection: Connection, coded: CodedInteraction, item_id: int) -> list[Recorded]:
    """The recordings that go on while an interaction does, in their order."""
    found = recordings_of_trial(connection, coded.submission_id, item_id, coded.repeat_index)
    if not found:
        return []
    span = spans(connection, coded.submission_id, found[0].trial).get(coded.number)
    if span is None:
        return []
    return [recorded for recorded in found if goes_on_in(connection, recorded, span)]


def sound_of(connection: Connection, item: CodedItem, number: int) -> Sound | None:
    """What was said in an interaction in one of its recordings; None where there is nothing."""
    coded = item.interaction
    if coded is None:
        return None
    found = recordings_in(connection, coded, item.id)
    recorded = next((one for one in found if one.number == number), None)
    if recorded is None:
        return None
    span = spans(connection, coded.submission_id, recorded.trial)[coded.number]
    return sound_between(connection, recorded, span)
