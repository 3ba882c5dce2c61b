"""Media in the database and on a real S3-compatible server: the same pages, the same bytes."""

from __future__ import annotations

import builtins
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import func, select

from crowdloom.studies import media
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.errors import OptionError, StoreError
from crowdloom.studies.media import Spool, get_media, put_media, upload
from crowdloom.studies.tables import Item, Media, Study
from crowdloom.studies.web import create_app
from tests.studies.designs import load, make_images

BYTES = b"\x89PNG and so on"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """The address of a server that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty bucket called `stimuli`, as boto3's resource; crowdloom finds it by the usual variables."""
    for name, value in {
        "AWS_ENDPOINT_URL_S3": s3_server,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    forget()
    found = boto3.resource("s3").Bucket("stimuli")
    found.create()
    yield found
    found.objects.all().delete()
    found.delete()
    forget()


def forget() -> None:
    """Let the next call find its server anew, and keep no bytes of the last one."""
    media.s3_client.cache_clear()
    media._recent.forget()


def keep(store: Store, *contents: bytes, bucket: str | None = None) -> list[str]:
    """Store media; their digests."""
    with Spool() as spool:
        digests = [spool.add(content, "image/png") for content in contents]
        locations = upload(store, spool, bucket) if bucket else {}
        with store.write() as connection:
            put_media(connection, spool, locations)
    return digests


def rows(store: Store) -> list[Any]:
    """The media that the store knows."""
    with store.read() as connection:
        return list(connection.execute(select(Media)))


def test_media_are_stored_once_by_their_content(store: Store) -> None:
    """The same bytes, in one go or in two, are one row that is found by its SHA-256."""
    first = keep(store, BYTES, b"other", BYTES)
    assert keep(store, BYTES) == [hashlib.sha256(BYTES).hexdigest()] == first[:1]
    assert len(rows(store)) == 2
    assert get_media(store, first[0]) == (BYTES, "image/png")
    assert get_media(store, "0" * 64) is None


def test_many_large_media(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one statement holds, and more than is kept in memory, come through whole."""
    monkeypatch.setattr(media, "_IN_MEMORY", 10_000)
    contents = [bytes([number % 251]) * 300 + str(number).encode() for number in range(1100)]
    digests = keep(store, *contents)
    for number in (0, 99, 100, 1099):
        assert get_media(store, digests[number]) == (contents[number], "image/png")
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(Media)).scalar() == 1100


@pytest.mark.parametrize("where", ["database", "bucket"])
def test_a_page_serves_the_bytes_for_ever(sqlite_store: Store, where: str, request: pytest.FixtureRequest) -> None:
    """`/media/<sha256>` answers the bytes, says that they never change, and that they are not to be run."""
    if where == "bucket":
        request.getfixturevalue("bucket")
    (sha256,) = keep(sqlite_store, BYTES, bucket="s3://stimuli" if where == "bucket" else None)
    client = create_app(sqlite_store).test_client()
    answer = client.get(f"/media/{sha256}")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, BYTES, "image/png")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "Set-Cookie" not in answer.headers
    assert client.get(f"/media/{'0' * 64}").status_code == 404
    assert client.get("/media/../../etc/passwd").status_code == 404


@pytest.mark.parametrize(("address", "prefix"), [("s3://stimuli", ""), ("s3://stimuli/pets/2024/", "pets/2024/")])
def test_a_design_with_its_media_in_a_bucket(
    store: Store, tmp_path: Path, bucket: Any, address: str, prefix: str
) -> None:
    """Rows have a location and no content; objects have their bytes and type; the page serves them."""
    make_images(tmp_path)
    load(store, tmp_path, bucket=address)
    found = rows(store)
    assert len(found) == 8
    assert {row.location for row in found} == {f"s3://stimuli/{prefix}{row.sha256}" for row in found}
    assert {row.content for row in found} == {None}
    objects = {item.key: item for item in bucket.objects.all()}
    assert set(objects) == {f"{prefix}{row.sha256}" for row in found}
    client = create_app(store).test_client()
    for row in found:
        stored = objects[f"{prefix}{row.sha256}"].get()
        content = stored["Body"].read()
        assert hashlib.sha256(content).hexdigest() == row.sha256
        assert (stored["ContentType"], len(content)) == ("image/png", row.size)
        assert client.get(f"/media/{row.sha256}").data == content


def test_what_is_stored_is_not_uploaded_again(sqlite_store: Store, tmp_path: Path, bucket: Any) -> None:
    """Loading again sends nothing; media that are in the database already stay there."""
    make_images(tmp_path)
    load(sqlite_store, tmp_path)
    load(sqlite_store, tmp_path, bucket="s3://stimuli")
    assert list(bucket.objects.all()) == []
    assert {row.location for row in rows(sqlite_store)} == {None}


@pytest.mark.parametrize(
    ("address", "error", "message"),
    [
        ("s3://elsewhere", StoreError, "s3://elsewhere cannot be used: .*NoSuchBucket.*; check the bucket"),
        ("s3://", OptionError, "--media 's3://' is not a bucket; write s3://BUCKET or s3://BUCKET/PREFIX"),
        ("https://stimuli.example", OptionError, "is not a bucket; write s3://BUCKET"),
        ("stimuli", OptionError, "is not a bucket; write s3://BUCKET"),
    ],
)  # fmt: skip
def test_a_bucket_that_is_none_is_named(
    store: Store, tmp_path: Path, bucket: Any, address: str, error: type[Exception], message: str
) -> None:
    """The message says which and what to do, and nothing is stored."""
    make_images(tmp_path)
    with pytest.raises(error, match=message):
        load(store, tmp_path, bucket=address)
    assert rows(store) == []
    with store.read() as connection:
        assert connection.scalars(select(Study.id)).all() == []
        assert connection.scalars(select(Item.id)).all() == []


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [("http://127.0.0.1:1", "Could not connect to the endpoint URL"), ("nonsense", "Invalid endpoint")],
)
def test_a_server_that_does_not_answer_is_named(
    sqlite_store: Store, bucket: Any, monkeypatch: pytest.MonkeyPatch, endpoint: str, message: str
) -> None:
    """A wrong address is a StoreError for who loads, and a page with the status 503 for who takes part."""
    (sha256,) = keep(sqlite_store, BYTES, bucket="s3://stimuli")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    forget()
    with pytest.raises(StoreError, match=f"s3://stimuli cannot be used: .*{message}"):
        keep(sqlite_store, b"other", bucket="s3://stimuli")
    answer = create_app(sqlite_store).test_client().get(f"/media/{sha256}")
    assert answer.status_code == 503
    assert endpoint not in answer.text


def test_an_object_that_is_gone_is_named(sqlite_store: Store, bucket: Any) -> None:
    """Somebody emptied the bucket: the location is in the message."""
    (sha256,) = keep(sqlite_store, BYTES, bucket="s3://stimuli/pets")
    bucket.objects.all().delete()
    with pytest.raises(StoreError, match=f"s3://stimuli/pets/{sha256} cannot be"):
        get_media(sqlite_store, sha256)


def test_what_was_asked_for_last_is_kept(sqlite_store: Store, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects are fetched once, as far as their bytes fit into what is kept in memory."""
    monkeypatch.setattr(media, "_recent", media._Recent(1000))
    contents = [bytes([number]) * size for number, size in enumerate((400, 400, 400, 1001))]
    digests = keep(sqlite_store, *contents, bucket="s3://stimuli")
    for number in (0, 1, 0, 2, 3):  # 2 puts out 1, which was asked for before 0; 3 puts out nothing
        assert get_media(sqlite_store, digests[number]) == (contents[number], "image/png")
    bucket.objects.all().delete()
    assert get_media(sqlite_store, digests[0]) == (contents[0], "image/png")
    assert get_media(sqlite_store, digests[2]) == (contents[2], "image/png")
    for number in (1, 3):
        with pytest.raises(StoreError, match=f"{digests[number]} cannot be used"):
            get_media(sqlite_store, digests[number])


def test_a_slow_bucket_holds_no_connection(sqlite_store: Store, bucket: Any) -> None:
    """While an object is downloaded, the connections are for others."""
    (sha256,) = keep(sqlite_store, BYTES, bucket="s3://stimuli")
    pool = sqlite_store.engine.pool
    taken: list[str] = []
    events = media.s3_client().meta.events
    events.register("before-send.s3.GetObject", lambda **_: taken.append(pool.status()))
    assert get_media(sqlite_store, sha256) == (BYTES, "image/png")
    assert ["Current Checked out connections: 0" in status for status in taken] == [True]


def test_without_boto3_the_extra_is_named(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 is an option: without its library the message says what to install, and the store stays empty."""
    really_import = builtins.__import__

    def without_boto3(name: str, *arguments: Any, **options: Any) -> Any:
        if name.partition(".")[0] in ("boto3", "botocore"):
            raise ImportError(name)
        return really_import(name, *arguments, **options)

    forget()
    monkeypatch.setattr(builtins, "__import__", without_boto3)
    with pytest.raises(OptionError, match=r"media on S3 need boto3; install crowdloom\[s3\]"):
        keep(sqlite_store, BYTES, bucket="s3://stimuli")
    assert rows(sqlite_store) == []


def test_the_app_does_not_import_boto3(tmp_path: Path) -> None:
    """Whoever keeps media in the database never pays for the library."""
    url = str(tmp_path / "store.db")
    open_store(url).close()
    script = (
        "import sys; from crowdloom.studies.database import open_store; from crowdloom.studies.web import create_app; "
        f"create_app(open_store({url!r})).test_client().get('/media/x'); assert 'boto3' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
