"""From a design to rows: items, media, conditions, batches and places, in one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select

from crowdloom.studies.batches import deal
from crowdloom.studies.database import Store, insert_new, new_token, now
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.images import BROWSER_FORMATS, for_the_page, open_image
from crowdloom.studies.items import SourceItem, read_items
from crowdloom.studies.media import put_media
from crowdloom.studies.tables import Batch, BatchItem, Condition, Design, Item, Place, Study

Progress = Callable[[int, int], None]
"""Called with how many items are done and how many there are."""


@dataclass(frozen=True)
class Loaded:
    """What loading a design came to."""

    study: str
    version: int
    is_new: bool
    """False where the store had just this design already."""
    items: int
    unused: int
    """Items of the source that are in no batch."""
    batches: int
    places: int


def load_design(
    store: Store,
    design: DesignModel,
    source: str,
    folder: Path,
    *,
    bucket: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Loaded:
    """Put a design with its items into the store; a changed one becomes a new version.

    `source` is the TOML text as written, `folder` where its relative paths start, `bucket` an
    `s3://…` address for the media. Raises DesignError or ItemError, and then nothing is stored.
    """
    items = read_items(design, folder)
    dealt = deal([item.difficulty for item in items], design.batches, design.seed, design.items.sample)
    used = sorted({position for batch in dealt for position in batch})
    contents: dict[int, bytes] = {}
    shown: dict[int, tuple[bytes, str]] = {}
    for done, position in enumerate(used):
        content = items[position].image()
        image = open_image(content, items[position].name)
        contents[position] = content
        shown[position] = for_the_page(image, content, design.items.image_size)
        progress(done + 1, len(used))
    digests = {position: items[position].digest(contents[position] + shown[position][0]) for position in used}
    sha256 = design_digest(design, [(items[position].key, digests[position]) for position in used])

    with store.write() as connection:
        study_id = take_study(connection, design.name)
        existing = connection.execute(
            select(Design.id, Design.version).where(Design.study_id == study_id, Design.sha256 == sha256)
        ).first()
        places = sum(arm.responses_per_item or design.batches.responses_per_item for arm in design.arms()) * len(dealt)
        if existing is not None:
            return Loaded(design.name, existing.version, False, len(used), len(items) - len(used), len(dealt), places)
        design_id, version = add_design(connection, study_id, design, source, sha256)
        ids = {
            position: _item(connection, study_id, items[position], contents[position], shown[position],
                            digests[position], bucket)
            for position in used
        }  # fmt: skip
        for arm in design.arms():
            condition_id = add_condition(connection, design_id, arm.name, arm.model_dump(mode="json"))
            wanted = arm.responses_per_item or design.batches.responses_per_item
            for number, batch in enumerate(dealt):
                batch_id = add_batch(connection, condition_id, number, [ids[position] for position in batch])
                connection.execute(
                    insert(Place), [{"batch_id": batch_id, "number": n, "state": "open"} for n in range(wanted)]
                )
    return Loaded(design.name, version, True, len(used), len(items) - len(used), len(dealt), places)


def add_design(connection: Connection, study_id: int, design: DesignModel, source: str, sha256: str) -> tuple[int, int]:
    """Add the next version of a study's design; its id and version."""
    newest = connection.execute(select(func.max(Design.version)).where(Design.study_id == study_id)).scalar()
    version = (newest or 0) + 1
    row = {
        "study_id": study_id,
        "version": version,
        "sha256": sha256,
        "task": design.task,
        "source": source,
        "values": design.dump(),
        "created_at": now(),
    }
    return _added(connection, Design, row), version


def add_condition(connection: Connection, design_id: int, name: str, values: dict[str, Any]) -> int:
    """Add a condition; its id."""
    return _added(connection, Condition, {"design_id": design_id, "name": name, "values": values})


def add_batch(connection: Connection, condition_id: int, number: int, items: list[int]) -> int:
    """Add a batch with its items in this order; its id."""
    batch_id = _added(connection, Batch, {"condition_id": condition_id, "number": number})
    connection.execute(
        insert(BatchItem),
        [{"batch_id": batch_id, "position": position, "item_id": item} for position, item in enumerate(items)],
    )
    return batch_id


def take_study(connection: Connection, name: str) -> int:
    """The id of the study with this name, added where it is new, and locked until the transaction ends."""
    connection.execute(insert_new(connection, Study), {"name": name, "token": new_token(), "created_at": now()})
    # Two people who load the same study at once take turns here.
    return connection.execute(select(Study.id).where(Study.name == name).with_for_update()).scalar_one()


def _item(
    connection: Connection,
    study_id: int,
    item: SourceItem,
    content: bytes,
    shown: tuple[bytes, str],
    digest: str,
    bucket: str | None,
) -> int:
    """The id of an item, added unless an earlier version of the study has it just so."""
    same = (Item.study_id == study_id, Item.key == item.key, Item.content_sha256 == digest)
    found = connection.execute(select(Item.id).where(*same)).scalar()
    if found is not None:
        return found
    shown_sha256 = put_media(connection, *shown, bucket)
    as_it_came = (
        shown_sha256
        if content == shown[0]
        else put_media(connection, content, BROWSER_FORMATS.get(_format(content), "application/octet-stream"), bucket)
    )
    row = {
        "study_id": study_id,
        "key": item.key,
        "content_sha256": digest,
        "token": new_token(),
        "media": as_it_came,
        "shown": shown_sha256,
        "reference": item.reference,
        "difficulty": item.difficulty,
        "attributes": item.attributes,
    }
    return _added(connection, Item, row)


def _format(content: bytes) -> str:
    return open_image(content, "item").format or ""


def design_digest(design: DesignModel, items: list[tuple[str, str]]) -> str:
    """The SHA-256 of a design and of its items, given as keys and digests."""
    return hashlib.sha256(json.dumps([design.dump(), items], sort_keys=True).encode()).hexdigest()


def _added(connection: Connection, table: Any, row: dict[str, Any]) -> int:
    key = connection.execute(insert(table).values(**row).returning(table.id)).scalar_one()
    return int(key)
