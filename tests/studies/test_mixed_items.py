"""Mixed items: which pairs are drawn, their pixels, what is said of them, and what cannot be mixed."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.design import Design
from crowdloom.studies.errors import ItemError
from crowdloom.studies.images import open_image
from crowdloom.studies.items import SourceItem, read_items
from crowdloom.studies.items.pixels import mix_images
from crowdloom.studies.tables import Item
from crowdloom.tasks.soft_label import CIFAR10
from tests.studies.designs import CLASSES, load, make_design, make_images
from tests.studies.test_loading import everything, picture

RNG = np.random.default_rng(11)
THESIS = {"pairs": 6, "coefficients": [[0.5], [0.1, 0.25], [0.75, 0.9]]}


def noise(*shape: int) -> Any:
    """A uint8 array of noise."""
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def arrays_design(folder: Path, count: int = 30, shape: tuple[int, ...] = (6, 5, 3), **changes: Any) -> Design:
    """A design that mixes images of three classes, with counts; `changes` replace fields of [items.mixed]."""
    values = np.arange(count * math.prod(shape))
    images = (values * values % 251).astype(np.uint8).reshape(count, *shape)
    np.savez(folder / "a.npz", images=images, label=np.arange(count) % 3, index=np.arange(count)[::-1])
    np.save(folder / "counts.npy", 1 + np.arange(3 * count).reshape(count, 3) ** 2 % 7)
    items = {"source": "arrays", "path": "a.npz", "counts": "counts.npy", "enlarge": "nearest"}
    mixed = {"pairs": 4, "coefficients": [[0.5], [0.1, 0.25]]} | changes
    return make_design(items=items | {"mixed": {name: value for name, value in mixed.items() if value is not None}})


FIRST_KEYS = ["20+19@0.5", "20+19@0.25", "14+1@0.5", "14+1@0.25", "23+4@0.5"]
ALL_OF_THEM = "ffb81b9306ceb5c011c4f37be0a9f5775b32256ed0d74a2c1e073701ffe04fb4"
"""Of the items' keys, attributes and pixels."""


def pixels(item: SourceItem) -> Any:
    """An item's picture, decoded."""
    return np.asarray(open_image(item.image(), item.name))


def test_a_mix_is_rounded_half_up_at_every_value() -> None:
    """All pairs of grey levels, at coefficients with large and small denominators, against exact fractions."""
    one, other = (level.ravel().astype(np.uint8)[None] for level in np.mgrid[:256, :256])
    for share in (0, 1, 100, 125, 250, 333, 496, 500, 502, 625, 900, 999, 1000):
        mixed = mix_images(one, other, np.array([share]))[0]
        for value, first, second in zip(
            mixed[::97].tolist(), one[0, ::97].tolist(), other[0, ::97].tolist(), strict=True
        ):
            exact = Fraction(share, 1000) * first + Fraction(1000 - share, 1000) * second
            assert value == int(exact + Fraction(1, 2))


def test_many_images_are_mixed_each_by_its_own_coefficient() -> None:
    """More than one block of them, in any order and shape; the inputs stay as they are."""
    for shape in ((5,), (40, 50), (300, 200, 3)):
        first, second = noise(30, *shape), noise(30, *shape)
        before = first.copy(), second.copy()
        shares = RNG.choice([0, 100, 250, 333, 500, 900, 1000], 30)
        mixed = mix_images(first, second, shares)
        weights = shares.reshape(-1, *(1 for _ in shape)).astype(np.int64)
        assert (mixed == (weights * first + (1000 - weights) * second + 500) // 1000).all()
        assert mixed.dtype == np.uint8
        assert (first == before[0]).all()
        assert (second == before[1]).all()
    assert mix_images(noise(0, 4, 4), noise(0, 4, 4), np.array([], int)).shape == (0, 4, 4)


def test_the_stimuli_of_the_thesis(test_data: Path) -> None:
    """Section 4.2.1 on real images: 45 pairs of classes, 6 pairs of images, 3 coefficients: 810 items."""
    design = make_design(
        classes=CIFAR10,
        seed=1,
        items={
            "source": "arrays",
            "path": "cifar10-test-subset.npz",
            "counts": "cifar10h-counts.npy",
            "enlarge": "nearest",
            "mixed": THESIS,
        },
    )
    items = read_items(design, test_data)
    assert len(items) == len({item.key for item in items}) == 810
    pairs = Counter((item.attributes["endpoint1"], item.attributes["endpoint2"]) for item in items)
    assert set(pairs.values()) == {18}
    assert list(pairs) == [(one, other) for n, one in enumerate(CIFAR10) for other in CIFAR10[n + 1 :]]
    coefficients = Counter(item.attributes["coefficient"] for item in items)
    assert coefficients[0.5] == coefficients[0.1] + coefficients[0.25] == coefficients[0.75] + coefficients[0.9] == 270
    assert min(coefficients.values()) > 100

    source = np.load(test_data / "cifar10-test-subset.npz")
    images, counts = source["images"].astype(int), np.load(test_data / "cifar10h-counts.npy")
    position = {str(index): number for number, index in enumerate(source["index"])}
    for item in items[::80]:
        said = item.attributes
        one, other = (position[said[f"source{end}"]] for end in (1, 2))
        assert [CIFAR10[source["label"][at]] for at in (one, other)] == [said["endpoint1"], said["endpoint2"]]
        share = round(1000 * said["coefficient"])
        expected = (share * images[one] + (1000 - share) * images[other] + 500) // 1000
        assert (pixels(item) == expected).all()
        assert item.key == f"{said['source1']}+{said['source2']}@{said['coefficient']}"
        for end in (1, 2):
            shares = counts[int(said[f"source{end}"])] / counts[int(said[f"source{end}"])].sum()
            entropy = -(shares[shares > 0] * np.log(shares[shares > 0])).sum()
            assert said[f"entropy{end}"] == pytest.approx(entropy, abs=1e-8)


def test_the_draw_is_fixed(tmp_path: Path) -> None:
    """By the seed, on every machine and in every version: this is what it was on the day it was written."""
    items = read_items(arrays_design(tmp_path), tmp_path)
    assert [item.key for item in items[:5]] == FIRST_KEYS
    assert len(items) == 3 * 4 * 2
    assert [item.key for item in read_items(arrays_design(tmp_path), tmp_path)] == [item.key for item in items]
    other = read_items(arrays_design(tmp_path).model_copy(update={"seed": 1}), tmp_path)
    assert [item.key for item in other] != [item.key for item in items]
    said = [(item.key, item.attributes, hashlib.sha256(item.pixels or b"").hexdigest()) for item in items]
    assert hashlib.sha256(repr(said).encode()).hexdigest() == ALL_OF_THEM


def test_keep_changes_nothing_of_what_is_drawn(tmp_path: Path) -> None:
    """With another `keep`, and the same seed, pairs and coefficients, the items are a part of the very same ones."""
    everything_drawn = read_items(arrays_design(tmp_path, **THESIS), tmp_path)
    kept = read_items(arrays_design(tmp_path, **THESIS, keep=[0.25, 0.75]), tmp_path)
    expected = [item for item in everything_drawn if item.attributes["coefficient"] in (0.25, 0.75)]
    assert 0 < len(kept) < len(everything_drawn)
    assert [(item.key, item.attributes, item.pixels) for item in kept] == [
        (item.key, item.attributes, item.pixels) for item in expected
    ]


def test_every_pair_that_there_is_can_be_drawn(tmp_path: Path) -> None:
    """As many pairs as the images make are all of them, once each."""
    items = read_items(arrays_design(tmp_path, count=9, pairs=9, coefficients=[[1.0], [0.0]]), tmp_path)
    pairs = {(item.attributes["source1"], item.attributes["source2"]) for item in items}
    assert (len(items), len(pairs)) == (54, 27)
    assert {item.key.split("@")[1] for item in items} == {"0", "1"}
    sources = {item.key: item.array for item in read_items(make_source(tmp_path), tmp_path)}
    for item in items:
        end = 1 if item.attributes["coefficient"] == 1 else 2
        assert (pixels(item) == sources[item.attributes[f"source{end}"]]).all()


def make_source(folder: Path) -> Design:
    """The design that shows the images of `arrays_design` as they are."""
    return make_design(items={"source": "arrays", "path": "a.npz"})


def test_no_mix_has_a_right_answer(tmp_path: Path) -> None:
    """No reference and no difficulty; entropies only from counts."""
    items = read_items(arrays_design(tmp_path), tmp_path)
    assert {(item.reference, item.difficulty) for item in items} == {(None, None)}
    design = arrays_design(tmp_path)
    without = design.model_copy(update={"items": design.items.model_copy(update={"counts": None})})
    assert list(read_items(without, tmp_path)[0].attributes) == [
        "endpoint1",
        "endpoint2",
        "coefficient",
        "source1",
        "source2",
    ]


def test_digits_and_folders_are_mixed_too(tmp_path: Path) -> None:
    """Grey arrays, and files that are decoded for it; a class's order is the design's."""
    digits = make_design(
        classes=[str(digit) for digit in range(10)],
        items={"source": "digits", "mixed": {"pairs": 1, "coefficients": [[0.5]]}},
    )
    items = read_items(digits, tmp_path)
    assert len(items) == 45
    assert pixels(items[0]).shape == (8, 8)
    make_images(tmp_path, 6)
    backwards = make_design(
        classes=CLASSES[::-1],
        items={"source": "folder", "path": "images", "mixed": {"pairs": 2, "coefficients": [[0.75]]}},
    )
    item = read_items(backwards, tmp_path)[0]
    assert (item.attributes["endpoint1"], item.attributes["endpoint2"]) == ("frog", "dog")
    first, second = (
        np.asarray(Image.open(tmp_path / "images" / item.attributes[name])).astype(int)
        for name in ("source1", "source2")
    )
    assert (pixels(item) == (3 * first + second + 2) // 4).all()


@pytest.mark.parametrize(
    ("image", "mixed"),
    [
        (lambda: Image.new("RGBA", (4, 4), (255, 0, 0, 0)), [255, 255, 255]),  # transparent: white
        (lambda: Image.new("RGBA", (4, 4), (255, 0, 0, 128)), [255, 127, 127]),
        (lambda: Image.new("RGB", (4, 4), (255, 0, 0)).quantize(4), [255, 0, 0]),
        (lambda: Image.fromarray(np.full((4, 4), 0x1234, np.uint16)), 0x12),
        (lambda: Image.new("L", (4, 4), 7), 7),
    ],
)
def test_other_kinds_of_pixels_are_mixed_as_pages_show_them(
    tmp_path: Path, image: Callable[[], Image.Image], mixed: Any
) -> None:
    """Transparent parts lie on white, palettes are resolved, 16 bits become 8."""
    for name in ("cat", "dog"):
        (tmp_path / "images" / name).mkdir(parents=True)
        image().save(tmp_path / "images" / name / "a.png")
    design = make_design(
        classes=("cat", "dog"),
        items={"source": "folder", "path": "images", "mixed": {"pairs": 1, "coefficients": [[0.5]]}},
    )
    (item,) = read_items(design, tmp_path)
    assert pixels(item)[0, 0].tolist() == mixed


def test_all_mixes_of_a_pair_are_the_views_of_one_item(tmp_path: Path) -> None:
    """Named by the share of the first class; the picture is that of half and half; the pairs are the same ones."""
    items = read_items(arrays_design(tmp_path, coefficients=None, steps=11), tmp_path)
    assert len(items) == 12
    sources = {item.key: item.array.astype(int) for item in read_items(make_source(tmp_path), tmp_path)}
    with_coefficients = read_items(arrays_design(tmp_path), tmp_path)
    assert [item.key for item in items] == [item.key.split("@")[0] for item in with_coefficients[::2]]
    for item in items:
        assert list(item.views) == ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]
        assert "coefficient" not in item.attributes
        first, second = (sources[item.attributes[f"source{end}"]] for end in (1, 2))
        for tenth, view in enumerate(item.views.values()):
            mix = np.asarray(open_image(view(), "view"))
            assert (mix == (tenth * first + (10 - tenth) * second + 5) // 10).all()
        assert item.image() == item.views["0.5"]()
    (thirds, *_) = read_items(arrays_design(tmp_path, coefficients=None, steps=4), tmp_path)
    assert list(thirds.views) == ["0.0", "0.333", "0.667", "1.0"]
    assert thirds.image() == thirds.views["0.333"]()


def test_a_mix_is_the_same_item_in_another_version(store: Store, tmp_path: Path) -> None:
    """Loading again adds nothing; other batches share the items; another picture of a pair makes new ones."""
    for said in ({}, {"coefficients": None, "steps": 3}):
        design = arrays_design(tmp_path, **said).model_copy(update={"name": f"pets{len(said)}"})
        load(store, tmp_path, design)
        before = everything(store)
        assert not load(store, tmp_path, design).is_new
        assert everything(store) == before
        batches = design.batches.model_copy(update={"size": 3})
        assert load(store, tmp_path, design.model_copy(update={"batches": batches})).version == 2
        assert everything(store)["item"] == before["item"]
    with store.read() as connection:
        row = connection.execute(select(Item).where(Item.key.contains("@0.5")).limit(1)).one()
    assert picture(store, row.media).shape == (6, 5, 3)
    assert (row.width, row.height) == (160, 192)


def test_views_that_are_drawn_count_by_their_pixels(tmp_path: Path) -> None:
    """Encoders differ between versions: what they made of a view is no part of the digest, its pixels are."""
    (item, *_) = read_items(arrays_design(tmp_path, coefficients=None, steps=3), tmp_path)
    digest = item.digest(b"", 160, "nearest", {"0.0": "a", "0.5": "b", "1.0": "c"})
    assert item.digest(b"", 160, "nearest", {"0.0": "d", "0.5": "e", "1.0": "f"}) == digest
    assert item.digest(b"", 160, "nearest", {"0.0": "a", "0.5": "b"}) != digest
    pairs = [view() for view in item.views.values()]
    assert len({hashlib.sha256(content).digest() for content in pairs}) == 3
    other = read_items(arrays_design(tmp_path, coefficients=None, steps=4), tmp_path)[0]
    assert other.pixels != item.pixels


def spoil_nothing(folder: Path) -> None:
    """Three classes of two images each."""


def another_size(folder: Path) -> None:
    """One image is larger."""
    Image.new("RGB", (9, 8)).save(folder / "images/frog/2.png")


def another_mode(folder: Path) -> None:
    """One image is grey."""
    Image.new("L", (8, 8)).save(folder / "images/frog/2.png")


def torn(folder: Path) -> None:
    """One image is torn."""
    path = folder / "images/frog/2.png"
    path.write_bytes(path.read_bytes()[:90])


def without_a_class(folder: Path) -> None:
    """One image lies beside the folders of the classes."""
    (folder / "images/frog/2.png").rename(folder / "images/2.png")


def no_frogs(folder: Path) -> None:
    """A class is empty."""
    for path in (folder / "images/frog").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "mixed", "message"),
    [
        (
            spoil_nothing,
            {"pairs": 5},
            r"items\.mixed\.pairs: 5 different pairs of 'cat' and 'dog' are asked for, the images make 4; ask",
        ),
        (
            another_size,
            {},
            r"items\.mixed: \S+cat/\d\.png \(8 x 8 pixels, colour\) and \S+frog/2\.png \(9 x 8 pixels, colour\)",
        ),
        (another_mode, {}, r"frog/2\.png \(8 x 8 pixels, grey\) cannot be mixed; give images of one size, all grey or"),
        (torn, {}, r"frog/2\.png is not an image that can be shown"),
        (without_a_class, {}, r"items\.mixed: \S+images/2\.png has no reference class; give one to each image"),
        (no_frogs, {}, r"items\.mixed: no image has the class 'frog'; add some or take it out of classes"),
        (
            spoil_nothing,
            {"pairs": 1, "coefficients": [[0.5, 0.1, 0.2, 0.3, 0.4]], "keep": [0.2]},
            r"items\.mixed\.keep: no mix that was drawn has one of these coefficients; keep others, too",
        ),
    ],
)
def test_what_cannot_be_mixed_is_named(
    sqlite_store: Store, tmp_path: Path, spoil: Callable[[Path], None], mixed: dict[str, Any], message: str
) -> None:
    """In one sentence, and nothing is stored."""
    make_images(tmp_path, 6)
    spoil(tmp_path)
    said = {"pairs": 4, "coefficients": [[0.5]]} | mixed
    design = make_design(items={"source": "folder", "path": "images", "mixed": said})
    with pytest.raises(ItemError, match=message) as caught:
        load(sqlite_store, tmp_path, design)
    assert "\n" not in str(caught.value)
    assert not any(everything(sqlite_store)[table] for table in ("study", "design", "item", "media"))


def test_mixes_beyond_all_memory_are_refused(tmp_path: Path) -> None:
    """Before they are made."""
    design = arrays_design(tmp_path, count=3, shape=(1200, 1000, 3), pairs=1, coefficients=None, steps=101)
    with pytest.raises(ItemError, match=r"items\.mixed: 303 mixes of 1000 x 1200 pixels, colour need more than 1 GB"):
        read_items(design, tmp_path)


def test_keys_that_come_to_the_same_are_refused(tmp_path: Path) -> None:
    """Where keys of images hold a plus themselves, two pairs can have one name."""
    np.savez(
        tmp_path / "a.npz", images=noise(4, 2, 2), label=["cat", "cat", "dog", "dog"], index=["a", "a+b", "b+c", "c"]
    )
    items = {"source": "arrays", "path": "a.npz", "mixed": {"pairs": 4, "coefficients": [[0.5]]}}
    with pytest.raises(ItemError, match=r"the mix a\+b\+c@0\.5: the key 'a\+b\+c@0\.5' stands there twice"):
        read_items(make_design(classes=("cat", "dog"), items=items), tmp_path)
