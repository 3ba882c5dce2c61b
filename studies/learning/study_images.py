"""The images of a study's items, from the store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import select

from crowdloom.models.image_sets import UNKNOWN, ImageSet, image_set
from crowdloom.models.squares import commonest_size
from crowdloom.studies.database import Store
from crowdloom.studies.errors import ItemError
from crowdloom.studies.images import opaque_pixels, open_image
from crowdloom.studies.learning.mapped import mapped
from crowdloom.studies.media import get_media
from crowdloom.studies.reading import find_answers
from crowdloom.studies.reading_items import items_in_batches
from crowdloom.studies.tables import Item


def study_images(store: Store, study: str, *, version: int | None = None, size: int | None = None) -> ImageSet:
    """The images of the items in a study's batches, as they came (not enlarged as pages show them).

    Keys and classes are the items'; an item without a reference, or with one that is none of the classes, has the
    class -1. Images of one size are left so; others become squares of `size` pixels, or of the commonest shorter side.
    Of an item that changed between versions the newest counts. Raises ItemError for an item without an image,
    StudyError for an unknown study, and StoreError for a bucket that cannot be read.
    """
    classes, rows = _items(store, study, version)
    pictures = _pictures(store, study, rows)
    if size is None and len({picture.shape[:2] for picture in pictures}) > 1:
        size = commonest_size(pictures)
    numbers = {name: number for number, name in enumerate(classes)}
    with mapped(f"the images of {study!r}"):
        reference = [numbers.get(row.reference, UNKNOWN) for row in rows]
        return image_set(pictures, [row.key for row in rows], reference, classes, size=size)


def pictures_by_key(store: Store, study: str, keys: Collection[str], version: int | None = None) -> dict[str, Any]:
    """The pictures of these items of a study, uint8 [H, W] or [H, W, 3], by key; without those that have none."""
    _, rows = _items(store, study, version)
    rows = [row for row in rows if row.key in keys and row.media is not None]
    return dict(zip([row.key for row in rows], _pictures(store, study, rows), strict=True))


def _items(store: Store, study: str, version: int | None) -> tuple[tuple[str, ...], list[Any]]:
    """The classes, and the newest row of each item in the batches, in the order in which items were loaded."""
    with store.read() as connection:
        answers = find_answers(connection, study, "all", version)
        used = items_in_batches(answers)
        wanted = select(Item.key, Item.media, Item.reference).where(Item.id.in_(used)).order_by(Item.id)
        newest = {row.key: row for row in connection.execute(wanted)}
    return tuple(answers.classes), list(newest.values())


def _pictures(store: Store, study: str, rows: Sequence[Any]) -> list[Any]:
    """The pixels of items, rows with `key` and `media`."""
    if without := [row.key for row in rows if row.media is None]:
        more = f" (and {len(without) - 1} more)" if len(without) > 1 else ""
        raise ItemError(
            f"the item {without[0]!r}{more} of {study!r} has no image in the store, as items of imported answers have "
            "none; give the images with --images"
        )
    pictures = []
    for row in rows:
        found = get_media(store, row.media)
        assert found is not None, "the store's foreign key holds"
        name = f"the image of the item {row.key!r} of {study!r}"
        pictures.append(opaque_pixels(open_image(found[0], name), name))
    return pictures
