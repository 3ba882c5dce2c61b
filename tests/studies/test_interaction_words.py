"""What was done to an arrangement, in words and drawings."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from crowdloom.studies.interaction_drawing import SIZE, STAGES, draw, mark
from crowdloom.studies.interaction_words import lines
from crowdloom.tasks.latent_examples import EXAMPLES
from crowdloom.tasks.latent_records import Movement, SessionRecord, Shape

SVG = "{http://www.w3.org/2000/svg}"


def move(kind: str, label: int | None = 0, at_ms: float = 0, **values: Any) -> Movement:
    """One movement."""
    return Movement.model_validate({"kind": kind, "label": label, "at_ms": at_ms} | values)


@pytest.mark.parametrize(
    ("movements", "said"),
    [
        ([move("point", points=1, dx=-0.5)], ["Moved one point of cat: 25 % to the left"]),
        (
            [move("point"), move("point"), move("point", 1)],
            ["Moved 2 points of cat, one by one", "Moved one point of dog"],
        ),
        ([move("lasso", None, points=12, dy=1)], ["Moved 12 points of several classes that were encircled: 50 % up"]),
        ([move("centre", 1, dx=0.004, dy=-2)], ["Moved dog by its centre: 100 % down"]),
        ([move("gather", factor=0.25)], ["Gathered cat at its centre: distances from the centre times 0.25"]),
        ([move("spread", factor=1.5)], ["Made cat larger: distances from the centre times 1.5"]),
        ([move("keys", dx=0.1)] * 3, ["Moved cat by keys: 15 % to the right"]),
        (
            [move("keys", dx=0.2), move("keys", factor=0.5), move("keys", factor=0.5)],
            ["Moved cat by keys: 10 % to the right", "Made cat smaller by keys: distances from the centre times 0.25"],
        ),
        ([move("undo", None)] * 2 + [move("redo", None)], ["Took back the last change, 2 times", "Did it again"]),
        ([move("reset", None)], ["Began again"]),
        ([], []),
    ],
)
def test_words(movements: list[Movement], said: list[str]) -> None:
    """Ways are shares of the extent, here 2; what is done several times in a row to one class is one line."""
    assert [line.text for line in lines(movements, ["cat", "dog"], 2.0)] == said


def test_times() -> None:
    """Each line has the time of its first movement; many are cut off, and no extent is no error."""
    moves = [move("centre", number % 2, at_ms=61_000 + number) for number in range(500)]
    found = lines(moves, ["cat", "dog"], None)
    assert found[0].clock == "1:01"
    assert len(found) == 200


def drawings() -> dict[str, ET.Element]:
    """Those of an example, parsed."""
    record = SessionRecord.model_validate(EXAMPLES[0][1]["session"])
    return {stage: ET.fromstring(draw(record.interactions[1], stage, record.classes)) for stage in STAGES}


def test_drawings_have_one_scale() -> None:
    """A circle and a mark for each class within the picture; where a class moved there is a way, and only there."""
    found = drawings()
    radii = {}
    for stage, svg in found.items():
        assert len(svg.findall(f"{SVG}g")) == 3
        circles = [circle for circle in svg.findall(f"{SVG}circle") if circle.get("fill-opacity")]
        assert len(circles) == 3
        for circle in circles:
            x, y, radius = (float(circle.get(name, "nan")) for name in ("cx", "cy", "r"))
            assert 0 <= x - radius < x + radius <= SIZE
            assert 0 <= y - radius < y + radius <= SIZE
        radii[stage] = sorted(float(circle.get("r", "nan")) for circle in circles)
    assert radii["before"] == radii["intended"]
    assert [len(svg.findall(f"{SVG}path")) for svg in found.values()][:2] == [0, 1]


def test_a_class_without_points_is_not_drawn() -> None:
    """And a picture of nothing is one."""
    record = SessionRecord.model_validate(EXAMPLES[0][1]["session"])
    one = record.interactions[0]
    gone = Shape(centres=[None, (0.0, 0.0), None], spreads=[None, 0.0, None])
    svg = ET.fromstring(draw(one.model_copy(update={"before": gone}), "before", ["<a>", '"b"', "&c"]))
    assert [title.text for title in svg.findall(f"{SVG}g/{SVG}title")] == ['"b"']
    nothing = Shape(centres=[None], spreads=[None])
    empty = one.model_copy(update={"before": nothing, "intended": nothing, "after": nothing})
    assert ET.fromstring(draw(empty, "after", ["a"])).find(f"{SVG}g") is None
    assert ET.fromstring(mark(3)).find("polygon") is not None
