"""Drawing what an interpreter found: masked images, and heat maps with a colour bar, as PNG."""

from __future__ import annotations

import io
import math
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageFilter, PngImagePlugin

LEAST, MOST = 240, 360
"""The shorter side in pixels of what people are shown: less is enlarged, more would only make large files."""
SMALL = 120
"""A network that sees fewer pixels a side sees single pixels, so people are shown them as squares."""

_COLOURS = "viridis"  # of one hue after another, from dark to light: colour-blind people can read it
_RELIEF = 0.22  # how far the picture's light and shade move the colours of a heat map
_INK = "#222222"


def enlargement(side: int) -> int:
    """The whole factor by which a square of `side` pixels is enlarged for people, to at least 240.

    >>> enlargement(8), enlargement(32), enlargement(300)
    (30, 8, 1)
    """
    return max(1, math.ceil(LEAST / side))


def enlarged(pixels: Any, factor: int) -> Any:
    """Each pixel of [H, W, …] as a square of `factor` x `factor`, without smoothing."""
    return np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1)


def draw_masked(picture: Any, mask: Any, area: float) -> Any:
    """The part of a picture that a mask holds most important, on black: uint8 [P, P, 3].

    `picture` is uint8 [P, P] or [P, P, 3]; `mask` [S, S] is what the network saw of it, from 0 to 1. Its highest
    `area` (a share) of the pixels are shown, so people see exactly as much as they are told, also where the search
    left some pixels between shown and hidden.
    """
    mask = np.asarray(mask, dtype=float)
    shown = mask >= np.quantile(mask, 1 - area)
    fitted = _fitted(shown.astype(np.float32), len(picture)).clip(0, 1)
    black: Any = (_coloured(picture) * fitted[:, :, None]).round().astype(np.uint8)
    return black


def draw_heat(picture: Any, heat: Any) -> Any:
    """A map in colours, with the picture's light and shade in relief and a colour bar from 0 to 1: uint8 [P, W, 3].

    `picture` is uint8 [P, P] or [P, P, 3]; `heat` [S, S] is from 0 to 1. Only the picture's detail is laid over the
    map, and its large dark and light parts are not: around each place, the colour is the one in the bar.
    """
    from matplotlib import colormaps

    fitted = _fitted(np.asarray(heat, dtype=np.float32), len(picture)).clip(0, 1)
    squares = len(picture) // len(heat) if _is_small(heat, len(picture)) else 1
    relief = enlarged(_detail(picture[::squares, ::squares]), squares)
    colours = colormaps[_COLOURS](fitted)[:, :, :3] + _RELIEF * relief[:, :, None]
    map_ = (255 * colours.clip(0, 1)).round().astype(np.uint8)
    return np.concatenate([map_, _bar(len(picture))], axis=1)


def png(pixels: Any, note: str = "") -> bytes:
    """A uint8 array [H, W] or [H, W, 3] as PNG; `note` is kept in the file."""
    said = PngImagePlugin.PngInfo()
    if note:
        said.add_text("crowdloom", note)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", pnginfo=said)
    return buffer.getvalue()


def read_note(content: bytes) -> str:
    """The note that `png` put into a picture."""
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        return str(image.info.get("crowdloom", ""))


def _is_small(map_: Any, side: int) -> bool:
    """Whether the picture, of `side` pixels, shows each pixel that the network sees as a square."""
    return len(map_) < SMALL and side % len(map_) == 0


def _fitted(map_: Any, side: int) -> Any:
    """A square map in the size of the picture: pixels as squares where the picture's are, else bilinearly."""
    if _is_small(map_, side):
        return enlarged(map_, side // len(map_))
    return np.asarray(Image.fromarray(map_).resize((side, side), Image.Resampling.BILINEAR))


def _coloured(picture: Any) -> Any:
    return np.repeat(picture[:, :, None], 3, axis=2) if picture.ndim == 2 else picture


def _detail(picture: Any) -> Any:
    """By how much each pixel is lighter than those around it, in -1..1 for all but the strongest contrasts."""
    grey = Image.fromarray(picture).convert("L")
    around = grey.filter(ImageFilter.GaussianBlur(max(1.5, len(picture) / 22)))
    detail = (np.asarray(grey, dtype=float) - np.asarray(around, dtype=float)) / 255
    scaled: Any = (detail / max(float(np.percentile(np.abs(detail), 97)), 0.05)).clip(-1, 1)
    return scaled


@lru_cache(maxsize=8)
def _bar(height: int) -> Any:
    """The colour bar on white as uint8 [height, W, 3]; it grows with its height."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    width = round(height * 0.26)
    figure = Figure(figsize=(width / 72, height / 72), dpi=72, facecolor="white")  # a point is a pixel
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0.14, 0.045, 0.26, 0.91))
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), _COLOURS), cax=axes, ticks=[0, 0.5, 1])
    bar.set_ticks([0.25, 0.75], minor=True)
    axes.set_yticklabels(["0", "0.5", "1"], fontsize=height * 0.075, color=_INK)
    axes.tick_params(length=height * 0.018, pad=height * 0.015, width=height * 0.004, color=_INK)
    axes.tick_params(which="minor", length=height * 0.012, width=height * 0.004, color=_INK)
    bar.outline.set(linewidth=height * 0.004, edgecolor=_INK)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3].copy()  # type: ignore[no-untyped-call]
    pixels.setflags(write=False)
    return pixels
