"""Media: bytes known by their SHA-256, in the database or in an S3 bucket."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, select

from crowdloom.studies.database import Store, insert_new, now
from crowdloom.studies.errors import OptionError, StoreError
from crowdloom.studies.tables import Media

_IN_MEMORY = 64 * 1024 * 1024
_ROWS = 100  # that one statement stores
_DIGESTS = 500  # that one statement asks for
_UPLOADS = 8  # at once


class Spool:
    """Media on their way to the store: in a temporary file, so that memory does not grow with their number."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - closed by __exit__
        self._places: dict[str, tuple[int, int, str]] = {}
        self._turn = Lock()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, content: bytes, mime: str) -> str:
        """Keep bytes once; their SHA-256."""
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 not in self._places:
            start = self._file.seek(0, 2)
            self._file.write(content)
            self._places[sha256] = (start, len(content), mime)
        return sha256

    def read(self, sha256: str) -> tuple[bytes, str]:
        """The bytes with this digest and their MIME type."""
        start, size, mime = self._places[sha256]
        with self._turn:
            self._file.seek(start)
            return self._file.read(size), mime

    def __iter__(self) -> Iterator[str]:
        """The digests, sorted, so that two transactions that store the same media cannot block each other."""
        return iter(sorted(self._places))


def upload(store: Store, spool: Spool, bucket: str) -> dict[str, str]:
    """Put the media that the store lacks into a bucket, `s3://NAME` or `s3://NAME/PREFIX`; where each now is.

    Raises OptionError for another address, StoreError where the bucket refuses. Objects are named by
    their content, so that what an interrupted upload left is used by the next.
    """
    name, prefix = _parse(bucket)
    with store.read() as connection:
        new = _lacking(connection, spool)
    keys = {sha256: f"{prefix}/{sha256}".lstrip("/") for sha256 in new}

    def put(sha256: str) -> None:
        content, mime = spool.read(sha256)
        s3_client().put_object(Bucket=name, Key=keys[sha256], Body=content, ContentType=mime)

    pool = ThreadPoolExecutor(_UPLOADS)
    try:
        with _explained(bucket):
            list(pool.map(put, new))
    finally:
        pool.shutdown(cancel_futures=True)
    return {sha256: f"s3://{name}/{key}" for sha256, key in keys.items()}


def put_media(connection: Connection, spool: Spool, locations: Mapping[str, str]) -> None:
    """Store each of the media once: by its location in a bucket, where it has one, else by its bytes."""
    new = _lacking(connection, spool)
    for start in range(0, len(new), _ROWS):
        rows = []
        for sha256 in new[start : start + _ROWS]:
            content, mime = spool.read(sha256)
            location = locations.get(sha256)
            rows.append(
                {
                    "sha256": sha256,
                    "mime": mime,
                    "size": len(content),
                    "content": None if location else content,
                    "location": location,
                    "created_at": now(),
                }
            )
        connection.execute(insert_new(connection, Media), rows)


def _lacking(connection: Connection, spool: Spool) -> list[str]:
    """The media that the store does not have yet."""
    digests = list(spool)
    there: set[str] = set()
    for start in range(0, len(digests), _DIGESTS):
        part = digests[start : start + _DIGESTS]
        there.update(connection.scalars(select(Media.sha256).where(Media.sha256.in_(part))))
    return [sha256 for sha256 in digests if sha256 not in there]


def get_media(store: Store, sha256: str) -> tuple[bytes, str] | None:
    """The bytes and their MIME type, or None. Raises StoreError where the bucket cannot be read."""
    with store.read() as connection:
        wanted = select(Media.content, Media.mime, Media.location).where(Media.sha256 == sha256)
        row = connection.execute(wanted).first()
    if row is None:
        return None
    # A download comes after the transaction: it takes long, and connections are few.
    return (row.content if row.location is None else _from_bucket(row.location)), row.mime


class _Recent:
    """The objects of buckets that were asked for last, up to a number of bytes in all."""

    def __init__(self, most: int) -> None:
        self._most, self._bytes = most, 0
        self._objects: OrderedDict[str, bytes] = OrderedDict()
        self._turn = Lock()

    def get(self, location: str) -> bytes | None:
        with self._turn:
            if location in self._objects:
                self._objects.move_to_end(location)
            return self._objects.get(location)

    def keep(self, location: str, content: bytes) -> None:
        if len(content) > self._most:
            return  # it would put out everything and not stay either
        with self._turn:
            self._bytes += len(content) - len(self._objects.pop(location, b""))
            self._objects[location] = content
            while self._bytes > self._most:
                self._bytes -= len(self._objects.popitem(last=False)[1])

    def forget(self) -> None:
        with self._turn:
            self._objects.clear()
            self._bytes = 0


_recent = _Recent(_IN_MEMORY)


def _from_bucket(location: str) -> bytes:
    if (known := _recent.get(location)) is not None:
        return known
    name, key = _parse(location)
    with _explained(location):
        content: bytes = s3_client().get_object(Bucket=name, Key=key)["Body"].read()
    _recent.keep(location, content)
    return content


def _parse(address: str) -> tuple[str, str]:
    match = re.fullmatch(r"s3://([a-z0-9][a-z0-9.-]+)(?:/(.*?))?/?", address)
    if match is None:
        raise OptionError(f"--media {address!r} is not a bucket; write s3://BUCKET or s3://BUCKET/PREFIX")
    return match[1], match[2] or ""


@lru_cache(maxsize=1)
def s3_client() -> Any:
    """The client for all buckets; boto3 finds its address and credentials where it always does (`AWS_…`)."""
    import boto3
    from botocore.config import Config

    # The default tries five times for a minute each, while a participant looks at an empty page.
    config = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3}, max_pool_connections=16)
    return boto3.client("s3", config=config)


@contextmanager
def _explained(location: str) -> Iterator[None]:
    """Say what went wrong with a bucket, keeping the error as the cause."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise OptionError("media on S3 need boto3; install crowdloom[s3]") from error
    try:
        yield
    except (BotoCoreError, ClientError, ValueError) as error:  # ValueError: an endpoint that is no address
        raise StoreError(f"{location} cannot be used: {error}; check the bucket and the credentials") from error
