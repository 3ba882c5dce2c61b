"""Media: bytes known by their SHA-256, in the database or in an S3 bucket."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, select

from crowdloom.studies.database import insert_new, now
from crowdloom.studies.errors import OptionError, StoreError
from crowdloom.studies.tables import Media


def put_media(connection: Connection, content: bytes, mime: str, bucket: str | None = None) -> str:
    """Store bytes once and return their SHA-256.

    `bucket` is `s3://NAME/PREFIX`, or None for the database. Raises OptionError for another address
    and StoreError where the bucket refuses.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    if connection.execute(select(Media.sha256).where(Media.sha256 == sha256)).first():
        return sha256
    location = None
    if bucket is not None:
        name, prefix = _parse(bucket)
        key = f"{prefix}/{sha256}".lstrip("/")
        location = f"s3://{name}/{key}"
        _call(location, "put_object", Bucket=name, Key=key, Body=content, ContentType=mime)
    connection.execute(
        insert_new(connection, Media),
        {
            "sha256": sha256,
            "mime": mime,
            "size": len(content),
            "content": None if location else content,
            "location": location,
            "created_at": now(),
        },
    )
    return sha256


def get_media(connection: Connection, sha256: str) -> tuple[bytes, str] | None:
    """The bytes and their MIME type, or None. Raises StoreError where the bucket cannot be read."""
    row = connection.execute(select(Media.content, Media.mime, Media.location).where(Media.sha256 == sha256)).first()
    if row is None:
        return None
    if row.content is not None:
        return row.content, row.mime
    return _from_bucket(row.location), row.mime


@lru_cache(maxsize=512)
def _from_bucket(location: str) -> bytes:
    name, key = _parse(location)
    body: bytes = _call(location, "get_object", Bucket=name, Key=key)["Body"].read()
    return body


def _parse(address: str) -> tuple[str, str]:
    match = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]+)(?:/(.*?))?/?", address)
    if match is None:
        raise OptionError(f"--media {address!r} is not a bucket; write s3://BUCKET or s3://BUCKET/PREFIX")
    return match[1], match[2] or ""


@lru_cache(maxsize=1)
def _client() -> Any:
    try:
        import boto3
    except ImportError as error:
        raise OptionError("media on S3 need boto3; install crowdloom[s3]") from error
    return boto3.client("s3")


def _call(location: str, operation: str, **arguments: Any) -> Any:
    client = _client()
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return getattr(client, operation)(**arguments)
    except (BotoCoreError, ClientError) as error:
        raise StoreError(f"{location} cannot be used: {error}; check the bucket and the credentials") from error
