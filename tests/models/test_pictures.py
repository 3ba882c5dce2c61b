"""Drawing masks and heat maps."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from crowdloom.models.pictures import draw_heat, draw_masked, enlarged, enlargement, png, read_note

PICTURE = np.random.default_rng(1).integers(1, 256, (240, 240, 3), dtype=np.uint8)
SLOPE = np.linspace(0, 1, 160 * 160).reshape(160, 160)
VIRIDIS = (colormaps["viridis"](np.linspace(0, 1, 101))[:, :3] * 255).round()


@pytest.mark.parametrize("area", [0.2, 0.4, 0.5])
def test_as_much_is_shown_as_people_are_told(area: float) -> None:
    """Whatever values the mask has: its highest pixels are shown as they are, the rest is black."""
    masked = draw_masked(PICTURE, SLOPE**3, area)
    shown = masked.any(axis=2)
    assert shown.mean() == pytest.approx(area, abs=0.01)
    edge = round(240 * (1 - area))
    assert (masked[edge + 3 :] == PICTURE[edge + 3 :]).all()
    assert not masked[: edge - 3].any()


def test_small_images_stay_squares() -> None:
    """Eight pixels a side become 240, each of one colour, under a mask and under a map."""
    image = np.random.default_rng(2).integers(1, 256, (8, 8), dtype=np.uint8)
    factor = enlargement(8)
    picture = enlarged(image, factor)
    values = np.random.default_rng(3).permutation(64).reshape(8, 8) / 63
    masked = draw_masked(picture, values, 0.25)
    assert (masked == enlarged(masked[::factor, ::factor], factor)).all()
    assert masked[::factor, ::factor, 0].astype(bool).sum() == 16
    heat = draw_heat(picture, values)[:, :240]
    assert (heat == enlarged(heat[::factor, ::factor], factor)).all()


def test_grey_and_coloured_pictures() -> None:
    """Both give pictures in colour, as high as they were, and the map is wider by its bar."""
    for picture in (PICTURE, PICTURE[:, :, 0]):
        assert draw_masked(picture, SLOPE, 0.2).shape == (240, 240, 3)
        height, width, channels = draw_heat(picture, SLOPE).shape
        assert (height, channels) == (240, 3)
        assert 280 <= width <= 320


def test_the_maps_colours_are_those_of_the_bar() -> None:
    """On a plain picture, each value has its colour; the picture's own light does not change it."""
    for light in (0, 128, 255):
        heat = draw_heat(np.full((240, 240), light, dtype=np.uint8), np.full((160, 160), 0.7))
        assert np.abs(heat[:, :240].astype(int) - VIRIDIS[70]).max() <= 1


def test_the_pictures_edges_stay_visible() -> None:
    """A half in the dark and a half in the light: along the edge between them the map has a relief."""
    picture = np.zeros((240, 240), dtype=np.uint8)
    picture[:, 120:] = 255
    row = draw_heat(picture, np.full((160, 160), 0.5))[120, :240].astype(int).sum(axis=1)
    assert row[119] < row[5] < row[120]


def test_the_bar_runs_from_0_below_to_1_above() -> None:
    """Its lowest colour is that of 0, its highest that of 1, with numbers beside it that fit."""
    bar = draw_heat(PICTURE, SLOPE)[:, 240:].astype(int)
    column = bar[:, bar.shape[1] // 4]
    inside = np.flatnonzero((column < 250).any(axis=1))
    assert np.abs(column[inside[3]] - VIRIDIS[100]).max() < 12
    assert np.abs(column[inside[-4]] - VIRIDIS[0]).max() < 12
    assert (bar[:, bar.shape[1] // 2 :] < 128).any()
    assert (bar[:, -2:] == 255).all()


def test_a_note_stays_in_the_file() -> None:
    """And the picture is as it was."""
    content = png(PICTURE, '{"area": 0.2}')
    assert read_note(content) == '{"area": 0.2}'
    assert read_note(png(PICTURE)) == ""
    assert (np.asarray(Image.open(io.BytesIO(content))) == PICTURE).all()
