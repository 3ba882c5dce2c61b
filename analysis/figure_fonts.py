"""Fonts for names in any script: matplotlib's own font has neither Chinese, Japanese and Korean letters nor emoji."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text

FALLBACKS = (
    "Noto Sans CJK JP",
    "Noto Sans CJK SC",
    "Noto Sans CJK TC",
    "Noto Sans CJK KR",
    "Noto Sans JP",
    "Noto Sans SC",
    "Noto Sans TC",
    "Noto Sans KR",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Droid Sans Fallback",
    "IPAexGothic",
    "Hiragino Sans",
    "Hiragino Sans GB",
    "Arial Unicode MS",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Noto Emoji",
    "Segoe UI Emoji",
    "Segoe UI Symbol",
    "Symbola",
    "Noto Sans Symbols 2",
    "Noto Sans Symbols2",
    "Unifont",
    "Unifont Upper",
)
"""Where they are installed, the first that has a letter draws it. Fonts of coloured bitmaps cannot be drawn."""


def families_for(text: str, usual: Sequence[str]) -> tuple[list[str], bool]:
    """The usual families with those that the text needs beside them, and whether all of it can be drawn by them."""
    missing = {ord(letter) for letter in text if not letter.isspace()} - _letters(tuple(usual))
    families = list(usual)
    if missing:
        installed = set(fontManager.get_font_names())
        for family in FALLBACKS:
            if family in installed and missing & _letters((family,)):
                families.append(family)
                missing -= _letters((family,))
    return families, not missing


def lend_fonts(figure: Figure) -> bool:
    """Let each text of a figure have the families it needs; whether all texts can be drawn by them."""
    whole = True
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        families, drawn = families_for(text.get_text(), text.get_fontfamily())
        if len(families) > len(text.get_fontfamily()):
            text.set_fontfamily(families)
        whole = whole and drawn
    return whole


@lru_cache(maxsize=64)
def _letters(families: tuple[str, ...]) -> frozenset[int]:
    """The code points that the font found for these families has."""
    return frozenset(get_font(findfont(FontProperties(family=list(families)))).get_charmap())


@contextmanager
def quietly() -> Iterator[None]:
    """Nothing is said of letters that no font has, nor of a fallback that has no bold letters; nobody can mend it."""
    logger = logging.getLogger("matplotlib.font_manager")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from (current )?font", UserWarning)
        logger.addFilter(_says_more)
        try:
            yield
        finally:
            logger.removeFilter(_says_more)


def _says_more(record: logging.LogRecord) -> bool:
    return "Failed to find font weight" not in record.getMessage()
