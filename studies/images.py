"""Stimuli as images: checking that they are some, enlarging small ones, encoding arrays."""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Any, Literal

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from crowdloom.studies.errors import ItemError

BROWSER_FORMATS = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a JPEG with further pictures behind the first
    "GIF": "image/gif",
    "WEBP": "image/webp",
}
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")  # not all that Pillow knows: it runs programs for some
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    EOFError,
    struct.error,
    zlib.error,
)
_MOST_PIXELS = 10_000_000  # of an enlarged image


def open_image(content: bytes, name: str) -> Image.Image:
    """The decoded image. Raises ItemError, with `name` in its message, for anything that is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is odd but can be read
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=_FORMATS)
            image.load()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ItemError(f"{name} has more pixels than can be shown; make it smaller") from error
    except _BROKEN as error:
        said = "it is no PNG, JPEG, GIF, WebP, BMP or TIFF" if isinstance(error, UnidentifiedImageError) else error
        raise ItemError(f"{name} is not an image that can be shown ({said}); replace it or leave it out") from error
    return image


@dataclass(frozen=True)
class Shown:
    """An image as the pages show it; width and height in pixels, the right way up."""

    content: bytes
    mime: str
    width: int
    height: int


def for_the_page(
    image: Image.Image, content: bytes, shorter_side: int, name: str, enlarge: Literal["lanczos", "nearest"] = "lanczos"
) -> Shown:
    """What the pages show: a small image is enlarged, a large one stays as it is.

    Enlarged by Lanczos resampling until the shorter side has `shorter_side` pixels, as in Battleday
    et al. (2020) and the thesis (section 3.2.1): 32 x 32 becomes 160 x 160; or, `nearest`, by the smallest
    whole factor that gives at least so many, each pixel becoming a square.
    Raises ItemError, with `name` in its message, where that cannot be done.
    """
    scale = shorter_side / min(image.size)
    if enlarge == "nearest":
        scale = math.ceil(scale)
    if scale <= 1 and image.format in BROWSER_FORMATS:
        # Browsers turn a photograph upright; only its size is wanted here.
        size = image.size[::-1] if _lies_on_its_side(image) else image.size
        return Shown(content, BROWSER_FORMATS[image.format], *size)
    plain = _plain(image, name)
    if scale <= 1:
        return Shown(to_png(plain), "image/png", *plain.size)
    size = (round(plain.width * scale), round(plain.height * scale))
    if size[0] * size[1] > _MOST_PIXELS:
        raise ItemError(f"{name} is too long and thin to be enlarged to {size[0]} x {size[1]}; crop it")
    by = Image.Resampling.NEAREST if enlarge == "nearest" else Image.Resampling.LANCZOS
    return Shown(to_png(plain.resize(size, by)), "image/png", *size)


def _lies_on_its_side(image: Image.Image) -> bool:
    try:
        return image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
    except _BROKEN:
        return False  # as for browsers, which then leave it as it is


def _plain(image: Image.Image, name: str) -> Image.Image:
    """Eight bits a channel, grey or colour, the right way up."""
    try:
        upright = ImageOps.exif_transpose(image)
    except _BROKEN as error:
        raise ItemError(f"{name} has broken EXIF data ({error}); save it again without them") from error
    if upright.mode.startswith("I;16"):
        import numpy as np

        return Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
    if upright.mode in ("I", "F"):
        raise ItemError(f"{name} has 32 bits a pixel, which no page can show; save it with 8 or 16")
    if "A" in upright.getbands() or "transparency" in upright.info:
        return upright.convert("RGBA")
    return upright.convert("L" if upright.mode in ("1", "L") else "RGB")


def opaque_pixels(image: Image.Image, name: str) -> Any:
    """What the pages would show of an image, uint8 [H, W] or [H, W, 3], in front of white where it is transparent.

    Raises ItemError, with `name` in its message, where that cannot be done.
    """
    import numpy as np

    plain = _plain(image, name)
    if plain.mode == "RGBA":
        plain = Image.alpha_composite(Image.new("RGBA", plain.size, "white"), plain).convert("RGB")
    return np.asarray(plain)


def to_png(image: Image.Image) -> bytes:
    """The image as PNG."""
    buffer = io.BytesIO()
    # Run-length coding of the filtered rows: four times as fast as the default, and hardly larger.
    image.save(buffer, "PNG", compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def array_to_png(array: Any) -> bytes:
    """A uint8 array [H, W] or [H, W, 3] as PNG."""
    return to_png(Image.fromarray(array))


def image_of(array: Any) -> Image.Image:
    """What `open_image` would make of `array_to_png(array)`, without encoding and decoding it."""
    image = Image.fromarray(array)
    image.format = "PNG"
    return image
