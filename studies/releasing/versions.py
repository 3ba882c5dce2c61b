"""The versions of a study's release, as the store keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select

from crowdloom.studies.errors import StudyError
from crowdloom.studies.posting import newest_design
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.tables import Release, Study


@dataclass(frozen=True)
class Version:
    """A version: with its number, date and key the same content gives the same bytes."""

    number: int
    key: bytes
    created_at: datetime
    options: Options
    sha256: str | None = None
    """Of its content; None where it is not in the store yet."""
    manifest: dict[str, Any] | None = None


def read_versions(connection: Connection, study: str) -> list[Version]:
    """The versions of a study's release, newest first. Raises StudyError for an unknown study."""
    newest_design(connection, study)
    rows = connection.execute(
        select(Release.version, Release.key, Release.created_at, Release.options, Release.sha256, Release.manifest)
        .join(Study, Study.id == Release.study_id)
        .where(Study.name == study)
        .order_by(Release.version.desc())
    )
    return [Version(r.version, r.key, r.created_at, Options.load(r.options), r.sha256, r.manifest) for r in rows]


def find_version(versions: list[Version], number: int, study: str) -> Version:
    """One of them. Raises StudyError where it does not exist."""
    for version in versions:
        if version.number == number:
            return version
    there_are = ", ".join(str(version.number) for version in reversed(versions)) or "none yet"
    raise StudyError(f"--release-version {number}: {study} has no such release; there are: {there_are}")


def add_version(connection: Connection, study: str, version: Version, sha256: str, manifest: dict[str, Any]) -> None:
    """Write a version down. Raises StudyError where somebody else has just made one of this number."""
    study_id = connection.execute(select(Study.id).where(Study.name == study).with_for_update()).scalar_one()
    newest = connection.execute(select(func.max(Release.version)).where(Release.study_id == study_id)).scalar()
    if (newest or 0) >= version.number:
        raise StudyError(f"somebody else has released {study} in this moment; run the command again")
    row = {
        "study_id": study_id,
        "version": version.number,
        "key": version.key,
        "options": version.options.dump(),
        "sha256": sha256,
        "manifest": manifest,
        "created_at": version.created_at,
    }
    connection.execute(insert(Release), row)


def changes(before: dict[str, Any], after: dict[str, Any]) -> str:
    """In what two manifests differ, in words."""
    said = list(_numbers(before["counts"], after["counts"]))
    if said:
        return ", ".join(said)
    names = sorted(set(before["content"]) | set(after["content"]))
    other = [name for name in names if before["content"].get(name) != after["content"].get(name)]
    return f"{', '.join(other[:3])}{' and more' if len(other) > 3 else ''} would be different"


def _numbers(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    flat = [
        {
            "responses": counts["responses"],
            "participants": counts["participants"],
            **{f"{name} submissions": number for name, number in counts["submissions"].items()},
        }
        for counts in (before, after)
    ]
    for name in dict.fromkeys((*flat[0], *flat[1])):
        was, is_now = flat[0].get(name, 0), flat[1].get(name, 0)
        if was != is_now:
            yield f"{was:,} {name} then and {is_now:,} now"
