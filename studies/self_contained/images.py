"""Stimuli without our server: public addresses in a bucket, or the bytes themselves within the document."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from typing import Any

from PIL import Image
from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.errors import StoreError
from crowdloom.studies.images import open_image
from crowdloom.studies.media import get_media
from crowdloom.studies.tables import Media


def address_of(store: Store, path: str) -> str:
    """Where a browser finds the stimulus that our pages show as `/media/SHA256`.

    Media in a bucket have their public address there; others become a `data:` address. Raises
    StoreError for media that the store does not have.
    """
    location = _location(store, path)
    if location is not None:
        return public_address(location)
    found = get_media(store, path.rsplit("/", 1)[-1])
    if found is None:
        raise StoreError(f"the store has no image {path}; load the design again")
    return inline(*found)


def public_address(location: str) -> str:
    """The unsigned https address of an object `s3://BUCKET/KEY`, which its bucket must let everybody read."""
    bucket, key = _split(location)
    address: str = unsigned_client().generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})
    return address


def check_public(store: Store, path: str) -> None:
    """Whether a stimulus that lies in a bucket can be read by everybody. Raises StoreError where it cannot."""
    from botocore.exceptions import BotoCoreError, ClientError

    location = _location(store, path)
    if location is None:
        return
    bucket, key = _split(location)
    try:
        unsigned_client().head_object(Bucket=bucket, Key=key)
    except (BotoCoreError, ClientError) as error:
        raise StoreError(
            f"participants could not see the image {location} ({error}); let the bucket's policy allow "
            "s3:GetObject to everybody"
        ) from error


def _location(store: Store, path: str) -> str | None:
    with store.read() as connection:
        return connection.scalar(select(Media.location).where(Media.sha256 == path.rsplit("/", 1)[-1]))


def _split(location: str) -> tuple[str, str]:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, key


@lru_cache(maxsize=1)
def unsigned_client() -> Any:
    """The client that puts addresses together; boto3 finds the service and the region where it always does."""
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    return boto3.client("s3", config=Config(signature_version=UNSIGNED, connect_timeout=5, read_timeout=10))


def inline(content: bytes, mime: str) -> str:
    """The image within its own address, in whichever lossless form is smallest: its pixels stay as they are."""
    candidates = [(content, mime)]
    if mime in ("image/png", "image/gif", "image/webp"):
        image = open_image(content, "the stimulus")
        if _is_plain(image):
            candidates.append((_encoded(image, "WEBP", lossless=True, quality=80, method=4, exact=True), "image/webp"))
            candidates.append((_encoded(image, "PNG", optimize=True), "image/png"))
    smallest, kind = min(candidates, key=lambda candidate: len(candidate[0]))
    return f"data:{kind};base64,{base64.b64encode(smallest).decode()}"


def _is_plain(image: Image.Image) -> bool:
    """Whether both encoders keep all of it: eight bits, one picture, nothing that says how to show it."""
    says_more = {"gamma", "chromaticity"} & image.info.keys() or len(image.getexif())
    return image.mode in ("1", "L", "P", "RGB", "RGBA") and getattr(image, "n_frames", 1) == 1 and not says_more


def _encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()
