"""Stimuli as images: checking that they are some, enlarging small ones, encoding arrays."""

from __future__ import annotations

import io
import warnings
from typing import Any

from PIL import Image, UnidentifiedImageError

from crowdloom.studies.errors import ItemError

BROWSER_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}


def open_image(content: bytes, name: str) -> Image.Image:
    """The decoded image. Raises ItemError, with `name` in its message, for anything that is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content))
            image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombWarning) as error:
        raise ItemError(f"{name} is not an image that can be shown ({error}); replace it or leave it out") from error
    except Image.DecompressionBombError as error:
        raise ItemError(f"{name} is too large to be shown ({error}); make it smaller") from error
    return image


def for_the_page(image: Image.Image, content: bytes, shorter_side: int) -> tuple[bytes, str]:
    """What the pages show, and its MIME type: a small image is enlarged, a large one stays as it is.

    Enlarged by Lanczos resampling until the shorter side has `shorter_side` pixels, as in Battleday
    et al. (2020) and the thesis (section 3.2.1): 32 x 32 becomes 160 x 160.
    """
    scale = shorter_side / min(image.size)
    if scale <= 1:
        if image.format in BROWSER_FORMATS:
            return content, BROWSER_FORMATS[image.format]
        return to_png(image), "image/png"
    size = (round(image.width * scale), round(image.height * scale))
    mode = "RGBA" if "A" in image.getbands() or "transparency" in image.info else "L" if image.mode == "L" else "RGB"
    return to_png(image.convert(mode).resize(size, Image.Resampling.LANCZOS)), "image/png"


def to_png(image: Image.Image) -> bytes:
    """The image as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def array_to_png(array: Any) -> bytes:
    """A uint8 array [H, W] or [H, W, 3] as PNG."""
    return to_png(Image.fromarray(array))
