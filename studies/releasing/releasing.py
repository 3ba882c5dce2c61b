"""Releasing a study: the version that its content is, built in a folder and a zip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from crowdloom.studies.database import Store, now
from crowdloom.studies.errors import OptionError, StudyError
from crowdloom.studies.releasing.building import Built, Content, Progress, build, read_content
from crowdloom.studies.releasing.folder import alone, being_built, check_out, put_in_place, write_zip, zip_path
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.pseudonyms import new_key
from crowdloom.studies.releasing.versions import Version, add_version, changes, find_version, read_versions


@dataclass(frozen=True)
class Released:
    """What a release came to."""

    version: int
    is_new: bool
    """False where the store had this version already."""
    out: Path
    archive: Path
    built: Built
    replaced: str | None
    """What stood there before, in words."""
    otherwise: tuple[str, ...] = ()
    """Files that say the same as before in other bytes, since the software that writes them is another one."""


def release_study(
    store: Store,
    study: str,
    out: Path,
    options: Options | None = None,
    *,
    number: int | None = None,
    given: dict[str, Any] | None = None,
    progress: Progress = lambda done, total: None,
) -> Released:
    """Write a release of a study into the folder `out`, and its zip beside it.

    With `options`: the newest version made by them where its content is still the same, else a new one, with new
    pseudonyms. Without: the same, by the options `given` and the licence of the newest version there is. With
    `number`: that version again, by its own options; those `given` must not differ from them. Raises StudyError where
    its content has changed, OptionError where `out` is something else, and StoreError or OSError where something
    cannot be read or written; then nothing is written.
    """
    with alone(out), store.read() as connection:
        replaced = check_out(out, study)
        versions = read_versions(connection, study)
        if number is not None:
            asked = find_version(versions, number, study)
            known: Version | None = asked
            options = _own_options(asked, given or {})
        else:
            options = options or _as_licensed(versions, given or {})
            known = next((version for version in versions if version.options == options), None)
        content = read_content(connection, study, options)
        if known is not None:
            with being_built(out) as folder:
                built = _build_known(store, connection, content, known, folder, progress, must=number is not None)
                if built is not None:
                    return _publish(study, known, built, folder, out, replaced, is_new=False)
        latest = versions[0].number if versions else 0
        version = Version(latest + 1, new_key(), now(), options)
        with being_built(out) as folder:
            built = build(store, connection, content, version, folder, progress)
            return _publish(study, version, built, folder, out, replaced, is_new=True, store=store)


def _as_licensed(versions: list[Version], given: dict[str, Any]) -> Options:
    if not versions:
        raise OptionError("--licence is missing; the first version of a release needs one, such as CC-BY-4.0")
    return Options(**{"licence": versions[0].options.licence, **given})


def _own_options(version: Version, given: dict[str, Any]) -> Options:
    if other := version.options.differences(given):
        raise OptionError(
            f"version {version.number} was made with another --{other[0].replace('_', '-')}; leave the option out, or "
            "leave out --release-version to make a new version"
        )
    return version.options


def _build_known(
    store: Store,
    connection: Connection,
    content: Content,
    version: Version,
    folder: Path,
    progress: Progress,
    *,
    must: bool,
) -> Built | None:
    """The version again; None where its content is another one by now, or with `must` StudyError."""
    manifest = version.manifest or {}
    if manifest["counts"] == content.counts._asdict():
        built = build(store, connection, content, version, folder, progress)
        if built.sha256 == version.sha256:
            return built
        now_is = built.manifest
    else:
        now_is = {"counts": content.counts._asdict(), "content": {}}
    if must:
        raise StudyError(
            f"version {version.number} of {content.answers.study} cannot be built again, because its content has "
            f"changed: {changes(manifest, now_is)}; leave out --release-version to make a new version"
        )
    return None


def _publish(
    study: str,
    version: Version,
    built: Built,
    folder: Path,
    out: Path,
    replaced: str | None,
    *,
    is_new: bool,
    store: Store | None = None,
) -> Released:
    """Write a new version down, and let folder and zip appear; in this order, since no version may be lost."""
    archive = folder.with_suffix(".zip")
    try:
        write_zip(folder, built.about.name, version.created_at.date(), archive)
        if store is not None:
            with store.write() as connection:
                add_version(connection, study, version, built.sha256, built.manifest)
        put_in_place(folder, archive, out)
    finally:
        archive.unlink(missing_ok=True)
    before = (version.manifest or built.manifest)["files"]
    otherwise = tuple(name for name, digest in built.manifest["files"].items() if before.get(name) != digest)
    return Released(version.number, is_new, out, zip_path(out), built, replaced, otherwise)
