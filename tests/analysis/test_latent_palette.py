"""The looks of classes: of their own, easy to see, and the same as on the participants' page."""

from __future__ import annotations

import re
from pathlib import Path

from crowdloom.analysis.latent_palette import COLOURS, SHAPES, corners, look_of
from crowdloom.studies.prose import TEMPLATES


def script() -> str:
    """The page's own palette."""
    return (Path(TEMPLATES) / "static" / "latent" / "palette.js").read_text(encoding="utf-8")


def test_the_page_has_the_same_looks() -> None:
    """Colours, edges and shapes stand in the page's script in the same order."""
    colours = re.findall(r'\{ fill: "(#\w+)", edge: "(#\w+)" \}', script())
    shapes = re.search(r"const SHAPES = \[([^\]]+)\]", script())
    assert shapes is not None
    assert tuple(colours) == COLOURS
    assert tuple(re.findall(r'"(\w+)"', shapes[1])) == SHAPES


def test_the_page_has_the_same_outlines() -> None:
    """As many corners as far from the middle."""
    for shape, count, radius in re.findall(r'case "(\w+)": return around\((\d), ([\d.]+)', script()):
        found = corners(shape)
        assert len(found) == int(count) * (2 if shape == "star" else 1)
        assert abs(max(x * x + y * y for x, y in found) ** 0.5 - float(radius)) < 1e-9
    assert corners("circle") == ()


def test_each_class_has_its_own_look() -> None:
    """As many as there are pairs of a colour and a shape."""
    most = len(COLOURS) * len(SHAPES)
    assert len({look_of(number) for number in range(most)}) == most
    assert look_of(most) == look_of(0)
