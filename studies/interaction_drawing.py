"""The classes of a latent space as an SVG: their centres as the page's marks, their spreads as circles.

The three drawings of an interaction have one scale: before, as the participant wanted it, and after the training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from crowdloom.analysis.latent_palette import corners, look_of
from crowdloom.tasks.latent_records import Interaction, Shape

STAGES: Mapping[str, str] = {
    "before": "Before",
    "intended": "As wanted",
    "after": "After training",
}
"""What is drawn, by the name in its address."""
SIZE = 320
"""Width and height in pixels."""
_MARGIN = 14.0
_MARK = 6.5
_STEP = 6.0
"""A way shorter than this many pixels has no line: the mark would cover it."""


def draw(interaction: Interaction, stage: str, classes: Sequence[str]) -> str:
    """One of the drawings, as a whole SVG file; where classes came from is a dashed line."""
    shape: Shape = getattr(interaction, stage)
    place = _Place([interaction.before, interaction.intended, interaction.after])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}">',
        f"<title>{escape(STAGES[stage])}</title>",
        f'<rect width="{SIZE}" height="{SIZE}" fill="#ffffff"/>',
        *_circles(shape, classes, place),
    ]
    if stage != "before":
        parts += _ways(interaction.before, shape, place)
    parts += [*_marks(shape, classes, place), "</svg>"]
    return "\n".join(parts)


def mark(number: int, size: int = 16) -> str:
    """The mark of a class as an SVG element for a legend."""
    half = size / 2
    return (
        f'<svg class="mark" width="{size}" height="{size}" viewBox="0 0 {size} {size}" aria-hidden="true">'
        f"{_outline(number, half, half, 0.32 * size)}</svg>"
    )


class _Place:
    """From the plane to the drawing: one scale for both axes, y upwards."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        ends = [
            (centre[axis] - spread, centre[axis] + spread)
            for axis in (0, 1)
            for shape in shapes
            for centre, spread in zip(shape.centres, shape.spreads, strict=True)
            if centre is not None and spread is not None
        ]
        half = len(ends) // 2
        self._middles, widths = [], [1e-9]
        for of_axis in (ends[:half], ends[half:]):
            low, high = min((end[0] for end in of_axis), default=0.0), max((end[1] for end in of_axis), default=0.0)
            self._middles.append((low + high) / 2)
            widths.append(high - low)
        self.scale = (SIZE - 2 * _MARGIN) / max(widths)

    def __call__(self, centre: tuple[float, float]) -> tuple[float, float]:
        right, up = (self.scale * (value - middle) for value, middle in zip(centre, self._middles, strict=True))
        return SIZE / 2 + right, SIZE / 2 - up


def _there(shape: Shape) -> Iterator[tuple[int, tuple[float, float], float]]:
    for number, (centre, spread) in enumerate(zip(shape.centres, shape.spreads, strict=True)):
        if centre is not None and spread is not None:
            yield number, centre, spread


def _circles(shape: Shape, classes: Sequence[str], place: _Place) -> Iterator[str]:
    for number, centre, spread in sorted(_there(shape), key=lambda one: -one[2]):
        look, (x, y) = look_of(number), place(centre)
        yield (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{place.scale * spread:.1f}" fill="{look.fill}" fill-opacity="0.13" '
            f'stroke="{look.edge}" stroke-opacity="0.75"><title>{escape(classes[number])}</title></circle>'
        )


def _ways(first: Shape, second: Shape, place: _Place) -> Iterator[str]:
    before = {number: place(centre) for number, centre, _ in _there(first)}
    for number, centre, _ in _there(second):
        x, y = place(centre)
        from_x, from_y = before.get(number, (x, y))
        if abs(x - from_x) + abs(y - from_y) >= _STEP:
            edge = look_of(number).edge
            yield (
                f'<path d="M{from_x:.1f} {from_y:.1f}L{x:.1f} {y:.1f}" stroke="{edge}" stroke-width="1.5" '
                f'stroke-dasharray="4 3" fill="none"/><circle cx="{from_x:.1f}" cy="{from_y:.1f}" r="2.5" '
                f'fill="{edge}"/>'
            )


def _marks(shape: Shape, classes: Sequence[str], place: _Place) -> Iterator[str]:
    for number, centre, _ in _there(shape):
        yield f"<g><title>{escape(classes[number])}</title>{_outline(number, *place(centre), _MARK)}</g>"


def _outline(number: int, x: float, y: float, radius: float) -> str:
    look = look_of(number)
    drawn = f'fill="{look.fill}" stroke="{look.edge}" stroke-width="1.5" stroke-linejoin="round"'
    points = corners(look.shape)
    if not points:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" {drawn}/>'
    written = " ".join(f"{x + radius * right:.1f},{y + radius * down:.1f}" for right, down in points)
    return f'<polygon points="{written}" {drawn}/>'
