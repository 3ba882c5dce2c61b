"""The pictures of a release: a table with the SHA-256 of each, and the files themselves where they are included."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from crowdloom.studies.database import Store
from crowdloom.studies.errors import StoreError
from crowdloom.studies.media import get_media
from crowdloom.studies.participation import VIEWS
from crowdloom.studies.reading import Answers
from crowdloom.studies.releasing.tables import Column, Table, TableWriter
from crowdloom.studies.tables import Batch, BatchItem, Condition, Item, Media

FOLDER = "images"
SOURCE, SHOWN, VIEW = "source", "shown", "view:"
SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}
COLUMNS = (
    Column("item", "text", "the item", listed=False),
    Column(
        "role",
        "text",
        "which picture of it: source is the image as it came, shown the image as the pages showed it, view:NAME a "
        "further picture that pages may show",
    ),
    Column("sha256", "text", "the SHA-256 of its bytes", listed=False),
    Column("media_type", "text", "its type"),
    Column("width", "whole", "its width where it was shown", unit="pixels"),
    Column("height", "whole", "its height where it was shown", unit="pixels"),
    Column("bytes", "whole", "its size", unit="bytes"),
    Column("file", "text", "its file; empty where the release only refers to it", listed=False),
)


class Picture(NamedTuple):
    """A picture of an item."""

    item: str
    role: str
    sha256: str
    media_type: str
    width: int | None
    height: int | None
    bytes: int

    @property
    def file(self) -> str:
        """Where it stands in a release that includes it."""
        return f"{FOLDER}/{self.sha256}{SUFFIXES.get(self.media_type, '')}"


def read_pictures(connection: Connection, answers: Answers) -> list[Picture]:
    """The pictures of the items in the batches that count, in the order in which the items were loaded."""
    used = (
        select(BatchItem.item_id)
        .join(Batch, Batch.id == BatchItem.batch_id)
        .join(Condition, Condition.id == Batch.condition_id)
        .where(Condition.design_id.in_(answers.designs))
    )
    found: dict[str, list[tuple[str, str, int | None, int | None]]] = {}
    for row in connection.execute(
        select(Item.key, Item.media, Item.shown, Item.width, Item.height, Item.attributes)
        .where(Item.id.in_(used))
        .order_by(Item.id)
    ):
        of_item = [(SOURCE, row.media, None, None), (SHOWN, row.shown, row.width, row.height)]
        of_item += [
            (f"{VIEW}{name}", view["media"], view["width"], view["height"])
            for name, view in row.attributes.get(VIEWS, {}).items()
        ]
        found[row.key] = [one for one in of_item if one[1] is not None]  # the newest row of a key has the last word
    about: dict[str, Any] = {}
    for row in connection.execute(select(Media.sha256, Media.mime, Media.size)):
        about[row.sha256] = (row.mime, row.size)
    return [
        Picture(item, role, sha256, about[sha256][0], width, height, about[sha256][1])
        for item, pictures in found.items()
        for role, sha256, width, height in pictures
    ]


def write_pictures(
    store: Store, pictures: list[Picture], release: Path, *, include: bool, progress: Callable[[int], None]
) -> Table:
    """Write the table `images` and, with `include`, the files. Raises StoreError where one cannot be read."""
    with TableWriter(release, "images", "one row for each picture of each item", COLUMNS) as writer:
        writer.write(
            {name: [getattr(one, name) for one in pictures] for name in Picture._fields}
            | {"file": [one.file if include else None for one in pictures]}
        )
    if include:
        (release / FOLDER).mkdir()
        for one in dict.fromkeys((one.sha256, one.file) for one in pictures):
            _copy(store, *one, release)
            progress(1)
    return writer.table()


def _copy(store: Store, sha256: str, file: str, release: Path) -> None:
    found = get_media(store, sha256)
    if found is None:
        raise StoreError(f"the picture {sha256} is not in the store any more; release with --images reference")
    (release / file).write_bytes(found[0])
