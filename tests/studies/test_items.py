"""Item sources and images: what they give, and that everything broken in them is named.

One long file, since every source is held to the same images, counts and ways to break them.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from crowdloom.studies.database import Store
from crowdloom.studies.errors import ItemError
from crowdloom.studies.images import Shown, array_to_png, for_the_page, open_image
from crowdloom.studies.items import SourceItem, entropy, read_items
from crowdloom.studies.loading import prepare_items
from crowdloom.studies.media import Spool
from tests.studies.designs import load, make_design, make_images

RNG = np.random.default_rng(5)
PINNED = "e2d9f455b66dc00ef34f86f06e1e4017eb5f76e48930eb378c8f892b7ee4eec7"
"""The digest of a small item, as the first version computed it."""


def noise(*shape: int) -> Any:
    """A uint8 array of noise."""
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """An image as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def read(folder: Path, **items: Any) -> list[SourceItem]:
    """The items of a source in this folder."""
    return read_items(make_design(items=items), folder)


def test_digits() -> None:
    """scikit-learn's digits: black on white, their class as reference, some of them ambiguous."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    items = read_items(make_design(items={"source": "digits"}, classes=[str(d) for d in range(10)]), Path())
    assert len(items) == 1797
    assert [item.reference for item in items] == [str(target) for target in digits.target]
    pixels = np.asarray(open_image(items[3].image(), "digit"))
    assert pixels.tolist() == (255 - digits.images[3] * 255 / 16).round().astype(int).tolist()
    difficulty = np.array([item.difficulty for item in items])
    assert (difficulty >= 0).all()
    assert (difficulty == 0).mean() > 0.5
    assert (difficulty > 0.25).sum() > 100


def test_a_folder_of_images(tmp_path: Path) -> None:
    """Images are keyed by their path, in order; the sub-folder is the reference; other files are passed over."""
    make_images(tmp_path, count=4)
    (tmp_path / "images" / "Thumbs.db").write_text("not an image")
    (tmp_path / "images" / "loose.JPG").write_bytes(encoded(Image.fromarray(noise(4, 4, 3)), "JPEG"))
    items = read(tmp_path, source="folder", path="images")
    assert [(item.key, item.reference) for item in items] == [
        ("cat/0.png", "cat"),
        ("cat/3.png", "cat"),
        ("dog/1.png", "dog"),
        ("frog/2.png", "frog"),
        ("loose.JPG", None),
    ]
    assert items[0].image() == (tmp_path / "images/cat/0.png").read_bytes()


def test_a_csv_of_images(tmp_path: Path) -> None:
    """Reference and difficulty may be empty; further columns become attributes; quotes and blank lines are fine."""
    make_images(tmp_path, count=2)
    (tmp_path / "images" / "items.csv").write_text(
        "\ufeffkey,image,reference,difficulty,source\n"
        'a,cat/0.png,cat,0.25,"field, by day"\n'
        "\n"
        'b,dog/1.png,,,"two\nlines"\n',
        encoding="utf-8",
    )
    first, second = read(tmp_path, source="csv", path="images/items.csv")
    assert (first.key, first.reference, first.difficulty) == ("a", "cat", 0.25)
    assert first.attributes == {"source": "field, by day"}
    assert first.image() == (tmp_path / "images/cat/0.png").read_bytes()
    assert (second.reference, second.difficulty, second.attributes) == (None, None, {"source": "two\nlines"})


def test_a_csv_with_further_pictures(tmp_path: Path) -> None:
    """Columns `view.NAME` name files beside the table; they keep their order, and are no attributes."""
    make_images(tmp_path, count=4)
    (tmp_path / "images" / "items.csv").write_text(
        "key,view.b,image,view.a,source\na,dog/1.png,cat/0.png,frog/2.png,x\nb,,cat/0.png,cat/3.png,y\nc,,cat/0.png,,z\n"
    )
    items = read(tmp_path, source="csv", path="images/items.csv")
    assert [list(item.views) for item in items] == [["b", "a"], ["a"], []]
    assert items[0].views["b"]() == (tmp_path / "images/dog/1.png").read_bytes()
    assert [item.attributes for item in items] == [{"source": name} for name in "xyz"]


@pytest.mark.parametrize(
    ("header", "cell", "message"),
    [
        (
            "view.a",
            "dog/9.png",
            r"items.csv:2: view.a: there is no file .*dog/9.png; correct the cell or leave it empty",
        ),
        ("view.a", "dog", r"items.csv:2: view.a: there is no file .*dog; correct"),
        ("view.", "dog/1.png", r"items.csv:1: name the columns of further pictures view.NAME, such as view.gradcam"),
        ("views", "dog/1.png", r"items.csv:1: name the columns of further pictures view.NAME"),
        ("view.a,view.a", "dog/1.png,dog/1.png", r"items.csv:1: the column 'view.a' stands there twice"),
    ],
)
def test_a_further_picture_that_is_missing_is_named(tmp_path: Path, header: str, cell: str, message: str) -> None:
    """With its line and its column."""
    make_images(tmp_path, count=2)
    (tmp_path / "images" / "items.csv").write_text(f"key,image,{header}\na,cat/0.png,{cell}\n")
    with pytest.raises(ItemError, match=message):
        read(tmp_path, source="csv", path="images/items.csv")


def test_a_further_picture_that_cannot_be_read_is_named(sqlite_store: Store, tmp_path: Path) -> None:
    """One that vanishes in between, and one that is no image, by the table's line and the view's name."""
    make_images(tmp_path, count=2)
    broken = tmp_path / "images" / "broken.png"
    broken.write_bytes(b"no image")
    (tmp_path / "images" / "items.csv").write_text("key,image,view.a\na,cat/0.png,broken.png\n")
    design = make_design(
        items={"source": "csv", "path": "images/items.csv"}, batches={"size": 1, "responses_per_item": 1}
    )
    with pytest.raises(ItemError, match=r"items.csv:2 \(0.png\), view a is not an image that can be shown"):
        load(sqlite_store, tmp_path, design)
    (item,) = read_items(design, tmp_path)
    broken.unlink()
    with pytest.raises(ItemError, match=r"items.csv:2: view.a: .*broken.png cannot be read \(No such file"):
        item.views["a"]()


def test_arrays(tmp_path: Path) -> None:
    """Keys are the index, numbers are classes, and counts give the entropy in nats."""
    images = noise(3, 4, 6, 3)
    np.savez(tmp_path / "a.npz", images=images, index=[7, 5, 6], label=[2, 0, 1], names=["of", "no", "use", "here"])
    np.save(tmp_path / "counts.npy", np.array([[0, 0]] * 5 + [[4, 0], [1, 1], [3, 1]]))
    items = read(tmp_path, source="arrays", path="a.npz", counts="counts.npy")
    assert [(item.key, item.reference) for item in items] == [("7", "frog"), ("5", "cat"), ("6", "dog")]
    expected = [-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)), 0, np.log(2)]
    assert [item.difficulty for item in items] == pytest.approx(expected, abs=1e-12)
    assert (np.asarray(open_image(items[1].image(), "x")) == images[1]).all()


def test_grey_arrays_with_names_of_classes(tmp_path: Path) -> None:
    """Two dimensions a picture are grey; labels may be the classes' names; the difficulty may be given."""
    np.savez(tmp_path / "a.npz", images=noise(2, 4, 4), label=["dog", "cat"], difficulty=[0.5, 1])
    items = read(tmp_path, source="arrays", path="a.npz")
    assert [(item.key, item.reference, item.difficulty) for item in items] == [("0", "dog", 0.5), ("1", "cat", 1.0)]
    assert open_image(items[0].image(), "x").mode == "L"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"items.csv:1: the column 'key' is missing; the header says ''"),
        ("key,picture\n", r"items.csv:1: the column 'image' is missing; the header says 'key, picture'"),
        ("key;image\na;cat/0.png\n", r"items.csv:1: the column 'key' is missing; the header says 'key;image'"),
        ("key,image,key\n", r"items.csv:1: the column 'key' stands there twice"),
        ("key,image\n", r"items.csv holds no items; check items.path"),
        ("key,image,reference\na,cat/0.png,cat\nb,dog/1.pn", r"items.csv:3: 2 fields where the header has 3; .* torn"),
        ('key,image\na,cat/0.png\nb,"dog/1.p', r"items.csv:3: not CSV in UTF-8 \(unexpected end of data\); correct"),
        ("key,image\na,cat/0.pn", r"items.csv:2: there is no file .*cat/0.pn; correct the column image"),
        ("key,image\na,\n", r"items.csv:2: there is no file"),
        ("key,image\na,cat/0.png\na,dog/1.png\n", r"items.csv:3 \(1.png\): the key 'a' stands there twice"),
        ("key,image\n,cat/0.png\n", r"items.csv:2 \(0.png\): a key needs 1 to 200 characters, this one has 0"),
        ("key,image\n" + "x" * 201 + ",cat/0.png\n", r"items.csv:2 \(0.png\): a key needs 1 to 200 .* has 201"),
        ("key,image\na\x00b,cat/0.png\n", r"items.csv:2.*(line contains NUL|signs that cannot be shown)"),
        ("key,image,difficulty\na,cat/0.png,hard\n", r"items.csv:2: the difficulty 'hard' is not a number"),
        ("key,image,difficulty\na,cat/0.png,nan\n", r"items.csv:2: the difficulty 'nan' is not a number"),
        (
            "key,image,reference\na,cat/0.png,cow\n",
            r"the reference class 'cow' is not one of the design's classes \(cat",
        ),
        ("key,image\nä,cat/0.png\n".encode("latin-1"), r"items.csv:\d: not CSV in UTF-8"),
    ],
)
def test_a_broken_csv_is_named(tmp_path: Path, content: str | bytes, message: str) -> None:
    """File, line and what is wrong there."""
    make_images(tmp_path, count=2)
    path = tmp_path / "images" / "items.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ItemError, match=message):
        read(tmp_path, source="csv", path="images/items.csv")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pictures": noise(2, 4, 4)}, "needs an array `images` of uint8"),
        ({"images": noise(2, 4, 4).astype(float)}, "needs an array `images` of uint8"),
        ({"images": noise(2, 4, 4, 4)}, "needs an array `images` of uint8"),
        ({"images": noise(2, 4)}, "needs an array `images` of uint8"),
        ({"images": noise(2, 0, 4)}, "needs an array `images` of uint8"),
        ({"images": noise(0, 4, 4)}, "holds no items"),
        (
            {"images": noise(2, 4, 4), "label": [0]},
            r"`label` needs a row for each of the 2 `images`, its shape is \(1,\)",
        ),
        ({"images": noise(2, 4, 4), "label": 0}, r"`label` needs a row for each of the 2 `images`, its shape is \(\)"),
        (
            {"images": noise(2, 4, 4), "label": [0, 3]},
            r"a.npz\[1\]: the label 3 is not the number of one of the 3 classes",
        ),
        ({"images": noise(2, 4, 4), "label": ["cat", "cow"]}, r"a.npz\[1\]: the reference class 'cow' is not one"),
        ({"images": noise(2, 4, 4), "index": [3, 3]}, r"a.npz\[1\]: the key '3' stands there twice"),
        ({"images": noise(2, 4, 4), "difficulty": [0, np.inf]}, "`difficulty` must hold finite numbers"),
        ({"images": noise(2, 4, 4), "difficulty": ["a", "b"]}, "`difficulty` must hold finite numbers"),
        (
            {"images": np.array([{}, {}])},
            "cannot be read as .npz, an archive of arrays without Python objects; write it ",
        ),
    ],
)
def test_broken_arrays_are_named(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    """File, array and what was expected of it."""
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(ItemError, match=message):
        read(tmp_path, source="arrays", path="a.npz")


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.ones((2, 3)), "cannot be read as an .npy array with a row for each index; write it with numpy.save"),
        (np.ones(9), "needs a row of counts"),
        (np.zeros((9, 3)), "not all zero"),
        (np.full((9, 3), -1), "none negative"),
        (np.full((9, 3), np.nan), "needs a row of counts"),
    ],
)
def test_broken_counts_are_named(tmp_path: Path, counts: Any, message: str) -> None:
    """Counts must have a sensible row for each index."""
    np.savez(tmp_path / "a.npz", images=noise(2, 4, 4), index=[3, 8])
    np.save(tmp_path / "counts.npy", counts)
    with pytest.raises(ItemError, match=f"items.counts: .*{message}"):
        read(tmp_path, source="arrays", path="a.npz", counts="counts.npy")


def test_an_index_from_behind_is_refused(tmp_path: Path) -> None:
    """NumPy would read -1 as the last row of the counts."""
    np.savez(tmp_path / "a.npz", images=noise(1, 4, 4), index=[-1])
    np.save(tmp_path / "counts.npy", np.ones((9, 3)))
    with pytest.raises(ItemError, match=r"items\.counts: "):
        read(tmp_path, source="arrays", path="a.npz", counts="counts.npy")


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ({"source": "folder", "path": "nowhere"}, "items.path: .*nowhere is not a folder; give a folder of images"),
        ({"source": "folder", "path": "empty"}, "the source empty holds no items; check items.path"),
        ({"source": "csv", "path": "nowhere.csv"}, "items.path: .*nowhere.csv cannot be read .No such file"),
        ({"source": "csv", "path": "empty"}, "items.path: .*empty cannot be read .Is a directory"),
        ({"source": "arrays", "path": "nowhere.npz"}, "items.path: .*nowhere.npz cannot be read as .npz"),
        ({"source": "arrays", "path": "text.npz"}, "items.path: .*text.npz cannot be read as .npz"),
        ({"source": "arrays", "path": "torn.npz"}, "items.path: .*torn.npz cannot be read as .npz"),
        ({"source": "arrays", "path": "zero.npz"}, "items.path: .*zero.npz cannot be read as .npz"),
        ({"source": "arrays", "path": "good.npz", "counts": "text.npz"}, "items.counts: .*text.npz cannot be read"),
        ({"source": "arrays", "path": "good.npz", "counts": "good.npz"}, "items.counts: .*good.npz cannot be read"),
        ({"source": "import", "path": "x"}, "marks an imported study, which cannot be loaded again"),
    ],
)
def test_a_source_that_is_not_there_is_named(tmp_path: Path, items: dict[str, Any], message: str) -> None:
    """A path that leads nowhere, to nothing, or to another kind of file."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.npz").write_text("a text")
    (tmp_path / "zero.npz").write_bytes(b"")
    np.savez(tmp_path / "good.npz", images=noise(2, 4, 4))
    (tmp_path / "torn.npz").write_bytes((tmp_path / "good.npz").read_bytes()[:200])
    with pytest.raises(ItemError, match=message):
        read(tmp_path, **items)


def test_a_folder_whose_names_are_no_classes(tmp_path: Path) -> None:
    """A sub-folder that is none of the classes is named with them."""
    make_images(tmp_path, count=3)
    (tmp_path / "images" / "dog").rename(tmp_path / "images" / "cow")
    with pytest.raises(ItemError, match=r"cow/1.png: the reference class 'cow' is not one of .* \(cat, dog, frog\)"):
        read(tmp_path, source="folder", path="images")


def test_a_file_that_vanishes_is_named(tmp_path: Path) -> None:
    """Between reading the folder and reading the image."""
    make_images(tmp_path, count=1)
    (item,) = read(tmp_path, source="folder", path="images")
    (tmp_path / "images/cat/0.png").unlink()
    with pytest.raises(ItemError, match=r"0\.png cannot be read \(No such file or directory\); check the file"):
        item.image()


def png_of(width: int, height: int) -> bytes:
    """A PNG that says to be this large, and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


GOOD = encoded(Image.fromarray(noise(16, 16, 3)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not an image that can be shown .it is no PNG, JPEG, GIF, WebP, BMP or TIFF.; replace it"),
        (b"<html>404</html>", "is not an image that can be shown"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "is not an image that can be shown"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is not an image that can be shown"),
        (GOOD[: len(GOOD) // 2], "is not an image that can be shown"),
        (GOOD[:200] + b"\x00\x01\x02" + GOOD[203:], "is not an image that can be shown"),
        (png_of(30_000, 30_000), "has more pixels than can be shown; make it smaller"),
        (png_of(10_000, 10_000), "has more pixels than can be shown; make it smaller"),
        (png_of(10, 10), "is not an image that can be shown"),
    ],
)
def test_what_is_no_image_is_named(content: bytes, message: str) -> None:
    """An empty file, a web page, a torn or changed file, one that unpacks to gigabytes."""
    with pytest.raises(ItemError, match=f"cat.png {message}"):
        open_image(content, "cat.png")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_broken_files_never_crash(kind: str) -> None:
    """Whatever bytes of a file are torn or changed, it is opened or refused in words."""
    rng = np.random.default_rng(3)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "a cat"
    base = encoded(Image.fromarray(noise(12, 10, 3)), kind, exif=exif)
    for _ in range(150):
        content = bytearray(base[: rng.integers(1, len(base) + 1)])
        content[int(rng.exponential(60)) % len(content)] = rng.integers(256)
        try:
            for_the_page(open_image(bytes(content), "x"), bytes(content), 40, "x")
        except ItemError as error:
            assert str(error).startswith("x ")  # noqa: PT017


def test_small_images_are_enlarged_as_pillow_does() -> None:
    """32 x 32 becomes 160 x 160 by Lanczos resampling, and the PNG loses nothing."""
    small = Image.fromarray(noise(32, 32, 3))
    shown = for_the_page(small, encoded(small), 160, "x")
    expected = small.resize((160, 160), Image.Resampling.LANCZOS)
    assert (shown.mime, shown.width, shown.height) == ("image/png", 160, 160)
    assert (np.asarray(Image.open(io.BytesIO(shown.content))) == np.asarray(expected)).all()


def test_the_shorter_side_decides() -> None:
    """The proportions stay."""
    small = Image.fromarray(noise(20, 30))
    shown = for_the_page(small, encoded(small), 100, "x")
    assert Image.open(io.BytesIO(shown.content)).size == (shown.width, shown.height) == (150, 100)


@pytest.mark.parametrize(
    ("size", "side", "factor"),
    [((32, 32), 160, 5), ((32, 32), 150, 5), ((3, 7), 10, 4), ((8, 8), 9, 2), ((5, 5), 1, 1)],
)
@pytest.mark.parametrize("channels", [(), (3,)])
def test_each_pixel_becomes_a_square(size: tuple[int, int], side: int, factor: int, channels: tuple[int, ...]) -> None:
    """`nearest` repeats pixels by a whole factor, the smallest that makes the shorter side long enough."""
    small = noise(size[1], size[0], *channels)
    content = array_to_png(small)
    shown = for_the_page(open_image(content, "x"), content, side, "x", "nearest")
    squares = small.repeat(factor, axis=0).repeat(factor, axis=1)
    assert (shown.width, shown.height) == (size[0] * factor, size[1] * factor)
    assert (np.asarray(Image.open(io.BytesIO(shown.content))) == squares).all()


@pytest.mark.parametrize("side", [0, 40])
def test_large_images_stay_as_they_are_by_nearest_too(side: int) -> None:
    """A factor of one, and no enlarging at all, leave the file as it came."""
    content = encoded(Image.fromarray(noise(40, 50, 3)), "JPEG")
    assert for_the_page(open_image(content, "x"), content, side, "x", "nearest") == Shown(content, "image/jpeg", 50, 40)


@pytest.mark.parametrize(
    ("kind", "mime"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp"), ("MPO", "image/jpeg")],
)
def test_large_images_stay_as_they_are(kind: str, mime: str) -> None:
    """What a browser can show is not encoded again."""
    content = encoded(Image.fromarray(noise(40, 50, 3)), kind, **({"save_all": True} if kind == "MPO" else {}))
    assert for_the_page(open_image(content, "x"), content, 40, "x") == Shown(content, mime, 50, 40)


@pytest.mark.parametrize("side", [0, 40])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "YCbCr", "LAB"])
def test_every_kind_of_pixel_can_be_shown(mode: str, side: int) -> None:
    """A TIFF of any mode that Pillow reads becomes a PNG that looks the same, enlarged or not."""
    if mode == "I;16":
        image = Image.fromarray((noise(10, 10).astype(np.uint16) << 8) + 17)
    else:
        image = Image.fromarray(noise(10, 10, 3)).convert(mode if mode != "LAB" else "RGB")
        image = image if mode != "LAB" else Image.frombytes("LAB", (10, 10), image.tobytes())
    content = encoded(image, "TIFF")
    shown = for_the_page(open_image(content, "x"), content, side, "x")
    result = open_image(shown.content, "shown")
    assert shown.mime == "image/png"
    assert result.size == (shown.width, shown.height) == ((10, 10) if side == 0 else (40, 40))
    if mode == "I;16" and side == 0:
        assert (np.asarray(result) == np.asarray(image) // 256).all()


def test_a_photograph_is_turned_upright() -> None:
    """A camera's note that the picture lies on its side is heeded when it is enlarged, and by browsers else."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it a quarter clockwise
    content = encoded(Image.fromarray(noise(10, 20, 3)), "JPEG", exif=exif)
    shown = for_the_page(open_image(content, "x"), content, 50, "x")
    assert open_image(shown.content, "shown").size == (shown.width, shown.height) == (50, 100)
    as_it_came = for_the_page(open_image(content, "x"), content, 0, "x")
    assert (as_it_came.content, as_it_came.width, as_it_came.height) == (content, 10, 20)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (lambda: Image.fromarray(noise(1, 3000)), "x is too long and thin to be enlarged to 480000 x 160; crop it"),
        (lambda: Image.fromarray(np.zeros((9, 9), np.float32)), "x has 32 bits a pixel, which no page can show"),
        (lambda: Image.fromarray(np.zeros((9, 9), np.int32)), "x has 32 bits a pixel, which no page can show"),
    ],
)
def test_what_cannot_be_enlarged_is_named(image: Callable[[], Image.Image], message: str) -> None:
    """A line of pixels, and measurements rather than a picture."""
    content = encoded(image(), "TIFF")
    with pytest.raises(ItemError, match=message):
        for_the_page(open_image(content, "x"), content, 160, "x")


def test_an_item_is_the_same_by_its_pixels() -> None:
    """Another picture, class, difficulty, attribute or size makes another item; another encoder does not."""
    base: dict[str, Any] = {"key": "a", "name": "a", "image": lambda: b"", "reference": "cat", "difficulty": 0.1 + 0.2}
    same = SourceItem(**base).digest(GOOD, 160)
    assert SourceItem(**base | {"key": "b", "name": "b", "difficulty": 0.3}).digest(GOOD, 160) == same
    changes: list[dict[str, Any]] = [{"reference": None}, {"difficulty": None}, {"attributes": {"a": "b"}}]
    others = [SourceItem(**base | change).digest(GOOD, 160) for change in changes]
    others += [SourceItem(**base).digest(GOOD, 80), SourceItem(**base).digest(GOOD + b"x", 160)]
    assert len({same, *others}) == 6
    drawn = SourceItem(**base, pixels=b"123")
    assert drawn.digest(b"one encoder", 160) == drawn.digest(b"another", 160) != same


def test_the_digest_of_earlier_versions_stays() -> None:
    """An item without views that is enlarged as ever is the same item as in stores that know neither."""
    said: list[Any] = ["cat", "0.3", {"a": "b"}, 160]
    item = SourceItem("a", "a", lambda: GOOD, "cat", 0.1 + 0.2, {"a": "b"})
    drawn = replace(item, pixels=b"123", array=noise(2, 2))
    for one, content in ((item, GOOD), (drawn, b"123")):
        before = hashlib.sha256(content + json.dumps(said, sort_keys=True).encode()).hexdigest()
        assert one.digest(GOOD, 160) == one.digest(GOOD, 160, "lanczos", {}) == before
        others = [
            one.digest(GOOD, 160, "nearest"),
            one.digest(GOOD, 160, "lanczos", {"x": "1"}),
            one.digest(GOOD, 160, "nearest", {"x": "1"}),
            one.digest(GOOD, 160, "nearest", {"y": "1"}),
        ]
        assert len({before, *others}) == 5
    assert item.digest(GOOD, 160, "lanczos", {"x": "1"}) != item.digest(GOOD, 160, "lanczos", {"x": "2"})
    pinned = SourceItem("a", "a", lambda: b"", "cat", 0.25, {"a": "b"}, pixels=b"123").digest(b"", 160)
    assert pinned == PINNED


def test_pixels_at_hand_are_not_decoded(tmp_path: Path) -> None:
    """Where a source has its pixels, what is stored is the same as if its PNG had been read."""
    np.savez(tmp_path / "a.npz", images=noise(3, 5, 4, 3), label=[0, 1, 2])
    design = make_design(items={"source": "arrays", "path": "a.npz"}, batches={"size": 3, "responses_per_item": 1})
    items = read_items(design, tmp_path)
    assert all((item.array == np.asarray(open_image(item.image(), "x"))).all() for item in items)
    stored = []
    for source in (items, [replace(item, array=None) for item in items]):
        with Spool() as spool:
            rows = prepare_items(design, source, spool, lambda done, total: None).rows
            stored.append((rows, [spool.read(sha256) for sha256 in spool]))
    assert stored[0] == stored[1]


def test_entropy_counts_nothing_for_nothing() -> None:
    """0 log 0 is 0; two equal shares have log 2."""
    assert entropy(np.array([[1, 0, 0], [0.5, 0.5, 0]])).tolist() == pytest.approx([0, np.log(2)])


def test_arrays_become_png() -> None:
    """Lossless, in grey and in colour."""
    for array in (noise(5, 7), noise(5, 7, 3)):
        assert (np.asarray(open_image(array_to_png(array), "x")) == array).all()
