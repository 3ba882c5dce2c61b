"""The report's part on labels: beside votes, beside other annotators' counts, with pictures where there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from crowdloom.analysis.frame import FrameError
from crowdloom.analysis.report import Block, Drawing, Prose, Tabular
from crowdloom.studies.analysing.labels import label_blocks
from crowdloom.studies.analysing.pictures import read_pictures
from crowdloom.studies.database import Store
from crowdloom.studies.tables import Item
from tests.analysis.frames import CLASSES, frame_of, response
from tests.studies.designs import load, make_images

FRAME = frame_of(
    [
        *(response(f"s{n}", "0", "ant", reference="ant") for n in range(4)),
        *(response(f"s{n}", "1", "ant" if n < 2 else "bee", reference="bee") for n in range(4)),
        *(response(f"s{n}", "2", "cow", "bee", p1=55, p2=45, reference="cow") for n in range(4)),
    ]
)
COUNTS = np.array([[50, 0, 0], [0, 0, 50], [0, 0, 50]])


def nothing(items: Sequence[str]) -> Mapping[str, bytes]:
    """No images."""
    return {}


def tables(blocks: Sequence[Block]) -> dict[str, Tabular]:
    """The tables by their stems."""
    return {block.stem: block for block in blocks if isinstance(block, Tabular)}


def test_beside_votes() -> None:
    """Without counts, mean labels are compared with votes: people who say 55 % are sure in no mean label."""
    found = tables(label_blocks(FRAME, CLASSES, None, nothing))
    distances = found["labels-distance"].data
    assert distances is not None
    assert distances.loc["0", "wasserstein"] == pytest.approx(0.1)  # gamma
    assert distances.loc["2", "wasserstein"] == pytest.approx(1 - 0.55 * 0.9)
    assert "votes" in found["labels-entropy"].table.title
    assert "ground metric 0/1" in found["labels-distance"].table.lines()
    assert list(found["labels"].table.frame.index) == ["2", "1", "0"]


def test_beside_counts() -> None:
    """The ground metric is made of the counts, and the item whose counts name another class is the furthest."""
    blocks = label_blocks(FRAME, CLASSES, COUNTS, nothing)
    found = tables(blocks)
    assert "1 - cosine" in found["labels-distance"].table.lines()
    assert found["labels-furthest"].table.frame.index[0] == "1"
    stems = [block.stem for block in blocks if isinstance(block, Drawing)]
    assert stems == ["labels-entropies", "labels-furthest", "labels-softened"]
    prose = [block.text for block in blocks if isinstance(block, Prose)]
    assert prose == ["No item belongs here: labels that are unsure in much the same way in both."]
    with pytest.raises(FrameError, match="'2' is no row of the counts, 0 to 1"):
        label_blocks(FRAME, CLASSES, COUNTS[:2], nothing)


def test_pictures_are_those_of_the_items(store: Store, tmp_path: Path) -> None:
    """Of the items asked for, as the pages show them; they are drawn beside the bars."""
    make_images(tmp_path)
    load(store, tmp_path)
    with store.read() as connection:
        keys = connection.scalars(select(Item.key).order_by(Item.id)).all()
    found = read_pictures(store, "pets", [*keys[:2], "not there"])
    assert sorted(found) == sorted(keys[:2])
    assert all(content[:4] == b"\x89PNG" for content in found.values())
    picture = found[keys[0]]
    asked: list[list[str]] = []

    def one(items: Sequence[str]) -> Mapping[str, bytes]:
        asked.append(list(items))
        return {"1": picture}

    drawn = [block for block in label_blocks(FRAME, CLASSES, COUNTS, one) if isinstance(block, Drawing)]
    assert asked[0] == ["1", "2", "0"]
    assert sum(bool(axes.images) for axes in drawn[1].figure.axes) == 1
