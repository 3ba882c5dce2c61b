"""The images of some items of a study, as its pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from crowdloom.studies.database import Store
from crowdloom.studies.errors import StoreError
from crowdloom.studies.media import get_media
from crowdloom.studies.tables import Item, Study


def read_pictures(store: Store, study: str, items: Sequence[str]) -> Mapping[str, bytes]:
    """The bytes of the items' images by their keys; of an item that changed the newest.

    Left out are items without an image, and those whose image lies in a bucket that cannot be read now.
    """
    wanted = (
        select(Item.key, Item.shown)
        .join(Study, Study.id == Item.study_id)
        .where(Study.name == study, Item.key.in_(list(items)), Item.shown.is_not(None))
        .order_by(Item.id)
    )
    with store.read() as connection:
        shown = {row.key: str(row.shown) for row in connection.execute(wanted)}
    found = {}
    for key, sha256 in shown.items():
        try:
            media = get_media(store, sha256)
        except StoreError:
            continue
        if media is not None:
            found[key] = media[0]
    return found
