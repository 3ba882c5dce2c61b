"""Releases that are copied, broken and imported, for tests of the tables that some tasks have beside the answers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from crowdloom.studies.database import Store
from crowdloom.studies.errors import ImportFileError
from crowdloom.studies.releasing import sums
from crowdloom.studies.releasing.importing import import_release
from crowdloom.studies.releasing.opening import opened_release
from crowdloom.studies.tables import Response
from tests.studies.latent_studies import rows
from tests.studies.releasing.test_broken import change_table


def bring(store: Store, path: Path, study: str = "again") -> None:
    """Import a release."""
    with opened_release(path) as release:
        import_release(store, release, study)


def changed(whole: Path, folder: Path, stem: str, change: Any) -> Path:
    """A copy of a release in which one table is another."""
    release = folder / "r"
    shutil.copytree(whole, release)
    change_table(release, stem, change)
    sums.write_sums(release)
    return release


def without(whole: Path, folder: Path, stems: Iterable[str]) -> Path:
    """A copy of a release that does not name these tables."""
    release = folder / "r"
    shutil.copytree(whole, release)
    path = release / "release.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    for stem in stems:
        del said["tables"][stem]
    path.write_text(json.dumps(said), encoding="utf-8")
    sums.write_sums(release)
    return release


def assert_refused(store: Store, release: Path, sentence: str) -> None:
    """In one sentence that has this in it, and nothing is stored."""
    with pytest.raises(ImportFileError) as caught:
        bring(store, release)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not rows(store, Response)
