"""From a design to rows: items, media, conditions, batches and places, in one transaction."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select

from crowdloom.studies.database import Store, insert_new, new_token, now
from crowdloom.studies.dealing import deal_items
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.design_items import Items
from crowdloom.studies.errors import ItemError
from crowdloom.studies.images import BROWSER_FORMATS, for_the_page, image_of, open_image
from crowdloom.studies.items import SourceItem, read_items
from crowdloom.studies.media import Spool, put_media, upload
from crowdloom.studies.participation import VIEWS, views_of
from crowdloom.studies.plan_items import check_plan
from crowdloom.studies.tables import Batch, BatchItem, Condition, Design, Item, Place, Study
from crowdloom.tasks import TASKS
from crowdloom.tasks.protocol import Settings, Trial

Progress = Callable[[int, int], None]
"""Called with how many items are done and how many there are."""


class Prepared(NamedTuple):
    """A design's items, ready for the store."""

    items: int
    """That the source holds."""
    batches: list[list[list[int]]]
    """Of each condition, as positions in the source."""
    rows: dict[int, dict[str, Any]]
    """By position, for each item that is in a batch: its row, but for its study and token."""


@dataclass(frozen=True)
class Loaded:
    """What loading a design came to."""

    study: str
    version: int
    is_new: bool
    """False where the study's newest version is just this design."""
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
    items: Sequence[SourceItem] | None = None,
    progress: Progress = lambda done, total: None,
) -> Loaded:
    """Put a design with its items into the store; a changed one becomes a new version.

    `source` is the TOML text as written, `folder` where its relative paths start, `bucket` an
    `s3://…` address for the media; `items` stand in for those of the design's source, and the plan need not
    fit them. Raises DesignError, ItemError, OptionError or StoreError, and then nothing is stored.
    """
    arms = [(arm, arm.responses_per_item or design.batches.responses_per_item) for arm in design.arms()]
    with Spool() as spool:
        source_items = read_items(design, folder) if items is None else items
        total, dealt, ready = prepare_items(design, source_items, spool, progress)
        if items is None:
            check_plan(design, ready.values())
        sha256 = design_digest(design, [(row["key"], row["content_sha256"]) for row in ready.values()])
        locations = upload(store, spool, bucket) if bucket else {}

        with store.write() as connection:
            study_id = take_study(connection, design.name)
            newest = connection.execute(
                select(Design.version, Design.sha256)
                .where(Design.study_id == study_id)
                .order_by(Design.version.desc())
                .limit(1)
            ).first()
            version = newest.version if newest is not None else 0
            is_new = newest is None or newest.sha256 != sha256
            if is_new:
                put_media(connection, spool, locations)
                ids = dict(zip(ready, _add_items(connection, study_id, list(ready.values())), strict=True))
                design_id, version = add_design(connection, study_id, design, source, sha256)
                for (arm, wanted), batches in zip(arms, dealt, strict=True):
                    condition_id = add_condition(connection, design_id, arm.name, arm.model_dump(mode="json"))
                    _add_batches(connection, condition_id, [[ids[p] for p in batch] for batch in batches], wanted)
    return Loaded(
        study=design.name,
        version=version,
        is_new=is_new,
        items=len(ready),
        unused=total - len(ready),
        batches=len({tuple(batch) for batches in dealt for batch in batches}),
        places=sum(wanted * len(batches) for (_, wanted), batches in zip(arms, dealt, strict=True)),
    )


def prepare_items(design: DesignModel, items: Sequence[SourceItem], spool: Spool, progress: Progress) -> Prepared:
    """Deal a design's items into batches and make those in use ready for the store; their media go to the spool.

    Raises DesignError or ItemError, also for an image that cannot be shown and for an item that lacks what
    the task needs.
    """
    dealt = deal_items(design, items)
    shown_with: dict[int, list[Settings]] = {}
    for arm, batches in zip(design.arms(), dealt, strict=True):
        options = design.task_options(arm)
        for position in (position for batch in batches for position in batch):
            shown_with.setdefault(position, []).append(options)
    rows: dict[int, dict[str, Any]] = {}
    for done, position in enumerate(sorted(shown_with), start=1):
        rows[position] = _prepare(items[position], design, shown_with[position], spool)
        progress(done, len(shown_with))
    return Prepared(len(items), dealt, rows)


def _prepare(item: SourceItem, design: DesignModel, options: Sequence[Settings], spool: Spool) -> dict[str, Any]:
    """The row of an item that is shown with these options, but for its study and token; its media go to the spool."""
    said = design.items
    picture, content = _picture(item, said, spool)
    views = {name: _view(item, name, said, spool) for name in item.views}
    _check_fit(item, views, design, options)
    return {
        "key": item.key,
        "content_sha256": item.digest(
            content, said.image_size, said.enlarge, {name: view["media"] for name, view in views.items()}
        ),
        **picture,
        "reference": item.reference,
        "difficulty": item.difficulty,
        "attributes": item.attributes | ({VIEWS: views} if views else {}),
    }


def _picture(item: SourceItem, said: Items, spool: Spool) -> tuple[dict[str, Any], bytes]:
    """The part of an item's row that says of its picture, and the picture; empty where it has none."""
    if item.image is None:
        return dict.fromkeys(("media", "shown", "width", "height")), b""
    content = item.image()
    image = open_image(content, item.name) if item.array is None else image_of(item.array)
    shown = for_the_page(image, content, said.image_size, item.name, said.enlarge)
    row = {
        "media": spool.add(content, BROWSER_FORMATS.get(image.format or "", "application/octet-stream")),
        "shown": spool.add(shown.content, shown.mime),
        "width": shown.width,
        "height": shown.height,
    }
    return row, content


def _view(item: SourceItem, name: str, said: Items, spool: Spool) -> dict[str, Any]:
    """A further picture of an item, as its attributes name it; the picture goes to the spool."""
    content = item.views[name]()
    called = f"{item.name}, view {name}"
    shown = for_the_page(open_image(content, called), content, said.image_size, called, said.enlarge)
    return {"media": spool.add(shown.content, shown.mime), "width": shown.width, "height": shown.height}


def _check_fit(item: SourceItem, views: dict[str, Any], design: DesignModel, options: Sequence[Settings]) -> None:
    """Raise ItemError where an item lacks what the task needs of it with one of these options."""
    task = TASKS[design.task]
    trial = Trial(
        design.classes,
        design.classes,
        attributes=item.attributes,
        views=views_of({VIEWS: views}),
        reference=item.reference,
    )
    for said in options:
        if problem := task.check_item(replace(trial, options=said)):
            where = "items.mixed: " if design.items.mixed else ""
            raise ItemError(f"{where}{item.name}: {problem}")


def _add_items(connection: Connection, study_id: int, rows: list[dict[str, Any]]) -> list[int]:
    """The ids of items, added unless an earlier version of the study has them just so."""
    of_study = select(Item.key, Item.content_sha256, Item.id).where(Item.study_id == study_id)

    def known() -> dict[tuple[str, str], int]:
        return {(row.key, row.content_sha256): row.id for row in connection.execute(of_study)}

    before = known()
    new = [row for row in rows if (row["key"], row["content_sha256"]) not in before]
    if new:
        connection.execute(insert(Item), [row | {"study_id": study_id, "token": new_token()} for row in new])
    after = known()
    return [after[row["key"], row["content_sha256"]] for row in rows]


def _add_batches(connection: Connection, condition_id: int, batches: list[list[int]], wanted: int) -> None:
    """Batches of these items, with as many open places as responses are wanted."""
    for number, items in enumerate(batches):
        batch_id = add_batch(connection, condition_id, number, items)
        connection.execute(insert(Place), [{"batch_id": batch_id, "number": n, "state": "open"} for n in range(wanted)])


def add_design(
    connection: Connection, study_id: int, design: DesignModel, source: str, sha256: str, *, version: int | None = None
) -> tuple[int, int]:
    """Add the next version of a study's design, or the one that is given; its id and version."""
    if version is None:
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


def design_digest(design: DesignModel, items: list[tuple[str, str]]) -> str:
    """The SHA-256 of a design, without what has its default, and of its items, given as keys and digests.

    So a file stays the same version in a release that knows further fields.
    """
    said = design.model_dump(mode="json", exclude_defaults=True)
    return hashlib.sha256(json.dumps([said, items], sort_keys=True).encode()).hexdigest()


def _added(connection: Connection, table: Any, row: dict[str, Any]) -> int:
    key = connection.execute(insert(table).values(**row).returning(table.id)).scalar_one()
    return int(key)
