"""From a release to a study in the store: its designs, items, pictures, conditions and batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, insert, select

from crowdloom.analysis.plan import plan_hash
from crowdloom.studies.database import new_token
from crowdloom.studies.design import Design as DesignModel
from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.importing.shared import PLATFORM, bad_name
from crowdloom.studies.items import SourceItem
from crowdloom.studies.loading import add_batch, add_condition, add_design, design_digest
from crowdloom.studies.media import Spool, put_media
from crowdloom.studies.participation import VIEWS
from crowdloom.studies.posting import SIMULATED
from crowdloom.studies.reading_items import LEADING
from crowdloom.studies.releasing.opening import OpenRelease
from crowdloom.studies.releasing.pictures import FOLDER, SHOWN, SOURCE, VIEW
from crowdloom.studies.releasing.whence import RELEASE
from crowdloom.studies.tables import Item, Posting


@dataclass(frozen=True)
class Restored:
    """What the answers hang on, by the names that the release has for it."""

    items: dict[str, int]
    batches: dict[tuple[int, str, int], int]
    """By version, condition and number."""
    postings: dict[tuple[int, bool], int]
    """By version, and whether its people were simulated."""
    start: datetime
    """When it was imported; times are counted from here."""


def read_designs(release: OpenRelease, study: str) -> dict[int, DesignModel]:
    """The designs by version. Raises OptionError for a bad name, ImportFileError for designs that cannot be used."""
    said = release.said
    whence = f"the release {said.study}, version {said.version}"
    found: dict[int, DesignModel] = {}
    for design in said.designs:
        values = design.values | {
            "name": study,
            "consent": f"Imported from {whence}, which does not hold what the participants consented to.",
            "items": design.values.get("items", {}) | {"source": PLATFORM, "path": whence},
        }
        if isinstance(people := values.get("people"), dict):
            values["people"] = {"hold_minutes": people.get("minutes")} | people
        try:
            found[design.version] = DesignModel.model_validate(values)
        except ValidationError as error:
            problem = error.errors()[0]
            if problem["loc"] == ("name",):
                raise bad_name(study, problem["msg"]) from error
            where = ".".join(map(str, problem["loc"]))
            raise ImportFileError(f"{release.name}: its design cannot be used ({where}: {problem['msg']})") from error
        if (found[design.version].task, list(found[design.version].classes)) != (said.task, said.classes):
            raise ImportFileError(f"{release.name}: its designs are of another task, or of other classes, than it says")
    if not found:
        raise ImportFileError(f"{release.name}: it has no design")
    _check_plans(release, found)
    return found


def _check_plans(release: OpenRelease, designs: dict[int, DesignModel]) -> None:
    """Raise ImportFileError where a design's plan is not the one that was published with it."""
    for said in release.said.plans:
        if said.sha256 is None or said.version not in designs:
            continue
        plan = designs[said.version].plan
        if plan is None or plan_hash(plan) != (said.released_sha256 or said.sha256):
            raise ImportFileError(
                f"{release.name}: the plan of version {said.version} is not the one with the SHA-256 that it gives, "
                "so somebody has changed it; take the release as it was published"
            )


def restore_study(
    connection: Connection, release: OpenRelease, study_id: int, designs: dict[int, DesignModel], start: datetime
) -> Restored:
    """Add everything but people and answers. Raises ImportFileError where parts do not fit."""
    items, digests = _add_items(connection, release, study_id)
    batches: dict[tuple[int, str, int], int] = {}
    postings: dict[tuple[int, bool], int] = {}
    said_of = release.table("submissions")
    kinds = set(zip(said_of["version"], map(bool, said_of["simulated"]), strict=True))
    source = f"# Imported from the release {release.said.study}, version {release.said.version}.\n"
    for said in release.said.designs:
        design = designs[said.version]
        sha256 = design_digest(design, sorted(digests.items()))
        design_id, _ = add_design(connection, study_id, design, source, sha256, version=said.version)
        for condition in said.conditions:
            condition_id = add_condition(connection, design_id, condition.name, condition.values)
            for batch in condition.batches:
                if strange := [key for key in batch.items if key not in items]:
                    raise ImportFileError(
                        f"{release.name}: batch {batch.number} has an item {strange[0]!r} that is not in items"
                    )
                batches[said.version, condition.name, batch.number] = add_batch(
                    connection, condition_id, batch.number, [items[key] for key in batch.items]
                )
        for simulated in (False, True):
            if (said.version, simulated) in kinds:
                posting = _add_posting(connection, release, design_id, start, simulated=simulated)
                postings[said.version, simulated] = posting
    return Restored(items, batches, postings, start)


def _add_posting(
    connection: Connection, release: OpenRelease, design_id: int, start: datetime, *, simulated: bool
) -> int:
    """The posting that stands for the release: closed from the beginning."""
    said = release.said
    row = {
        "design_id": design_id,
        "platform": PLATFORM,
        "token": new_token(),
        "state": "closed",
        "values": {
            RELEASE: {
                "study": said.study,
                "version": said.version,
                "sha256": release.sha256,
                "free_text": said.free_text,
                "images": said.images == "include",
                "plans": [plan.model_dump(mode="json") for plan in said.plans],
            },
            "file": release.name,
            "mapping": RELEASE,
        }
        | ({SIMULATED: True} if simulated else {}),
        "created_at": start,
        "closed_at": start,
    }
    return int(connection.execute(insert(Posting).values(**row).returning(Posting.id)).scalar_one())


def _add_items(connection: Connection, release: OpenRelease, study_id: int) -> tuple[dict[str, int], dict[str, str]]:
    """Ids and digests of the items, by key; their pictures are stored where the release includes them."""
    with Spool() as spool:
        pictures = _pictures(release, spool)
        rows = [_row(said, pictures.get(str(said["item"]), {})) for said in _rows(release.table("items"))]
        put_media(connection, spool, {})
    digests = {row["key"]: row["content_sha256"] for row in rows}
    if not rows or len(digests) < len(rows):
        raise ImportFileError(f"{release.name}: the table items is empty, or has an item twice")
    connection.execute(insert(Item), [row | {"study_id": study_id, "token": new_token()} for row in rows])
    added = connection.execute(select(Item.key, Item.id).where(Item.study_id == study_id))
    return {row.key: row.id for row in added}, digests


def _rows(columns: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _row(said: dict[str, Any], pictures: dict[str, dict[str, Any]]) -> dict[str, Any]:
    attributes = {name: value for name, value in said.items() if name not in LEADING}
    views = {
        role.removeprefix(VIEW): {"media": one["sha256"], "width": one["width"], "height": one["height"]}
        for role, one in pictures.items()
        if role.startswith(VIEW)
    }
    source, shown = pictures.get(SOURCE), pictures.get(SHOWN)
    item = SourceItem(said["item"], said["item"], bytes, said["reference"], said["difficulty"], attributes)
    digest = item.digest((source["sha256"] if source else "").encode(), views={n: v["media"] for n, v in views.items()})
    return {
        "key": item.key,
        "content_sha256": digest,
        "media": source and source["sha256"],
        "shown": shown and shown["sha256"],
        "width": shown and shown["width"],
        "height": shown and shown["height"],
        "reference": item.reference,
        "difficulty": item.difficulty,
        "attributes": attributes | ({VIEWS: views} if views else {}),
    }


def _pictures(release: OpenRelease, spool: Spool) -> dict[str, dict[str, dict[str, Any]]]:
    """The pictures that are included, by item and role; their bytes go to the spool."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    if not release.has("images"):
        return found
    known: set[str] = set()
    for one in _rows(release.table("images")):
        if one["file"] is None:
            continue
        if one["sha256"] not in known:
            # The folder is the release's own, whatever the table says.
            path = release.folder / FOLDER / str(one["file"]).rpartition("/")[2]
            if not path.is_file() or spool.add(path.read_bytes(), one["media_type"]) != one["sha256"]:
                raise ImportFileError(f"{release.name}: the picture {one['file']} is missing or another one")
            known.add(one["sha256"])
        found.setdefault(one["item"], {})[one["role"]] = one
    return found
