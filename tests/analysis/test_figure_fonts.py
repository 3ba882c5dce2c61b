"""Names in scripts that the usual font does not have: drawn by an installed font, or at least as text."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager

from crowdloom.analysis import figure_fonts
from crowdloom.analysis.figure_fonts import FALLBACKS, families_for
from crowdloom.analysis.figure_style import text_width
from crowdloom.analysis.figures import label_figure, save_figure

CAT, FACE = "\N{CJK UNIFIED IDEOGRAPH-732B}", "\N{GRINNING FACE}"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """What is remembered of fonts and widths is that of each test alone."""
    text_width.cache_clear()
    figure_fonts._letters.cache_clear()
    yield
    text_width.cache_clear()
    figure_fonts._letters.cache_clear()


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fallback is installed."""
    monkeypatch.setattr(figure_fonts, "FALLBACKS", ())


@pytest.fixture
def with_cat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A font with the name of a fallback, in which a cat is a square, three letters wide; it has no bold letters."""
    pen = TTGlyphPen(None)
    for to, corner in ((pen.moveTo, (0, 0)), (pen.lineTo, (0, 900)), (pen.lineTo, (900, 900)), (pen.lineTo, (900, 0))):
        to(corner)
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "cat"])
    builder.setupCharacterMap({ord(CAT): "cat"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "cat": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (3000, 0), "cat": (3000, 0)})
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": FALLBACKS[0], "styleName": "Regular", "psName": "Cat"})
    builder.setupOS2(sTypoAscender=900, usWeightClass=400)
    builder.setupPost()
    builder.save(tmp_path / "cat.ttf")
    monkeypatch.setattr(fontManager, "ttflist", list(fontManager.ttflist))
    fontManager.addfont(tmp_path / "cat.ttf")
    return FALLBACKS[0]


def pets(name: str) -> Figure:
    """A figure in which an item, a class and the reference class, which is bold, have that name."""
    return label_figure([name], np.array([[0.2, 0.8]]), [name, "dog"], [None], [name])


def save_all(name: str, folder: Path, caplog: pytest.LogCaptureFixture) -> str:
    """The SVG; PNG and PDF are written too, and nothing is said."""
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        for suffix in ("png", "pdf", "svg"):
            save_figure(pets(name), folder / f"pets.{suffix}")
    assert caplog.messages == []
    return (folder / "pets.svg").read_text(encoding="utf-8")


def test_without_a_font_svg_keeps_the_text(tmp_path: Path, without: None, caplog: pytest.LogCaptureFixture) -> None:
    """So that whoever shows the file may have the letters; there is no warning."""
    svg = save_all(f"{CAT} {FACE}", tmp_path, caplog)
    assert f">{CAT} {FACE}</text>" in svg
    assert ">dog</text>" in svg
    assert "<text" not in save_all("cat", tmp_path, caplog)


def test_an_installed_font_draws_what_the_usual_one_lacks(
    tmp_path: Path, with_cat: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As outlines, of its own width; other letters stay in the usual font."""
    assert families_for(f"a {CAT}", ["sans-serif"]) == (["sans-serif", with_cat], True)
    assert families_for("naïve", ["sans-serif"]) == (["sans-serif"], True)
    assert text_width(CAT * 2, 10, bold=True) > text_width("a", 10, bold=True) + 1.03 * 3 * 10 / 72
    svg = save_all(CAT, tmp_path, caplog)
    assert "<text" not in svg
    assert len(re.findall(r'<use [^>]*href="#Cat-', svg)) == 2


def test_other_warnings_are_not_silenced() -> None:
    """Only the one about letters is."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with figure_fonts.quietly():
            warnings.warn("something else", UserWarning, stacklevel=1)
            warnings.warn("Glyph 1 (X) missing from font(s) Y.", UserWarning, stacklevel=1)
    assert [str(warning.message) for warning in said] == ["something else"]
