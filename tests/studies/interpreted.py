"""Small pictures for the wrong-label task, drawn here: images, masks and heat maps, with the table that names them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from crowdloom.studies.design import Design
from crowdloom.tasks.wrong_label import OPTIONS, VIEWS
from tests.studies.designs import make_design

DIGITS = tuple(str(digit) for digit in range(10))
SIDE = 120


def make_interpreted(folder: Path, count: int = 2, views: tuple[str, ...] = VIEWS, **changes: str) -> Path:
    """`items.csv` below `folder` with so many items and their pictures; `changes` replace cells of every row."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(count):
        image = _image(number)
        image.save(folder / f"{number}.png")
        options = [DIGITS[(number + step) % 10] for step in (3, 5, 1, 7, 9)]
        row = {"key": f"item-{number}", "image": f"{number}.png", "reference": DIGITS[number % 10]}
        row |= {"prediction": options[number % 5], **dict(zip(OPTIONS, options, strict=True))}
        for name in views:
            _view(image, name).save(folder / f"{number}.{name}.png")
            row[f"view.{name}"] = f"{number}.{name}.png"
        rows.append(row | changes)
    with (folder / "items.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return folder / "items.csv"


def make_wrong_label(**changes: Any) -> Design:
    """A study of these items in two conditions, Int and No-Int; `changes` replace whole fields."""
    values = {
        "name": "wrong",
        "title": "What did the algorithm see?",
        "task": "wrong-label",
        "classes": DIGITS,
        "items": {"source": "csv", "path": "items.csv", "image_size": 0},
        "batches": {"size": 1, "responses_per_item": 200},
        "conditions": [{"name": "Int", "options": {"interpretations": True}}, {"name": "No-Int"}],
    }
    return make_design(**(values | changes))


def _image(number: int) -> Image.Image:
    """A shape before a sky: no two numbers have the same."""
    ramp = np.linspace(0, 1, SIDE)[:, None, None]
    sky = (1 - ramp) * (120, 160, 210) + ramp * (230, 215, 180)
    image = Image.fromarray(np.broadcast_to(sky, (SIDE, SIDE, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.rectangle((25, 65, 95, 110), fill=(150, 90 + 5 * number, 70))
    draw.polygon([(20, 66), (60, 25 + number), (100, 66)], fill=(90, 50, 60 + 7 * number))
    draw.rectangle((52, 82, 68, 110), fill=(60, 40, 30))
    return image


def _view(image: Image.Image, name: str) -> Image.Image:
    """A mask that leaves a disc of the image, or a heat map with its colour bar."""
    y, x = np.mgrid[:SIDE, :SIDE]
    away = np.hypot(x - 60, y - 55) / SIDE
    if name.startswith("area"):
        seen = np.pi * away**2 <= float(name.removeprefix("area")) / 100
        return Image.fromarray((np.asarray(image) * seen[..., None]).astype(np.uint8))
    heat = np.exp(-8 * away**2) * (1 if name == "gradcam" else 0.6 + 0.4 * np.sin(x / 4) * np.cos(y / 4))
    heat = np.round(12 * heat) / 12  # in steps, which makes small files
    map_ = Image.new("RGB", (SIDE + 40, SIDE), "white")
    map_.paste(Image.fromarray(_coloured(heat)), (0, 0))
    bar = np.linspace(1, 0, SIDE)[:, None].repeat(10, axis=1)
    map_.paste(Image.fromarray(_coloured(bar)), (SIDE + 4, 0))
    draw = ImageDraw.Draw(map_)
    for value in (0.9, 0.5, 0.1):
        draw.text((SIDE + 17, SIDE * (1 - value) - 6), f"{value:.1f}", fill="black")
    return map_


def _coloured(heat: np.ndarray) -> np.ndarray:
    """Blue for 0, yellow for 1."""
    return (255 * np.stack([heat, 0.85 * heat, 0.6 * (1 - heat)], axis=-1)).astype(np.uint8)
