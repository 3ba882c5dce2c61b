"""The documents of a release, as other people's tools read them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import mlcroissant
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from crowdloom.studies.database import Store
from crowdloom.studies.errors import OptionError
from crowdloom.studies.releasing.croissant import CONFORMS_TO
from crowdloom.studies.releasing.licences import LICENCES, find_licence, licence_text
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import release_study
from tests.studies.releasing.answered import STUDIES


def loaded(release: Path, caplog: pytest.LogCaptureFixture) -> Any:
    """The release as mlcroissant has it, which had nothing to complain of."""
    dataset = mlcroissant.Dataset(jsonld=release / "croissant.json")
    assert dataset.metadata.issues.errors == set() == dataset.metadata.issues.warnings
    assert not [record.getMessage() for record in caplog.records if "WARNING" in record.getMessage()]
    return dataset


def plain(value: Any) -> Any:
    """mlcroissant gives texts as bytes."""
    if isinstance(value, bytes):
        return value.decode()
    return [plain(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", STUDIES)
def test_croissant_loads_every_record(
    answered: Store, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Every record of every table and label set, with each value as in the Parquet file."""
    release_study(answered, name, tmp_path / "r", Options("CC-BY-4.0", free_text=True))
    dataset = loaded(tmp_path / "r", caplog)
    said = json.loads((tmp_path / "r" / "croissant.json").read_text(encoding="utf-8"))
    assert said["conformsTo"] == CONFORMS_TO
    assert {record_set["@id"] for record_set in said["recordSet"]} >= {"responses", "submissions", "items"}
    for record_set in said["recordSet"]:
        fields = {field["@id"]: field["source"]["extract"]["column"] for field in record_set["field"]}
        file = record_set["field"][0]["source"]["fileObject"]["@id"]
        wanted = pq.read_table(tmp_path / "r" / file).to_pylist()
        records = list(dataset.records(record_set["@id"]))
        assert len(records) == len(wanted) > 0
        for record, row in zip(records, wanted, strict=True):
            assert {fields[key]: plain(value) for key, value in record.items()} == row


def test_croissant_loads_the_pictures(released: Path, caplog: pytest.LogCaptureFixture) -> None:
    """All that are included, each under its SHA-256."""
    records = list(loaded(released, caplog).records("pictures_png_content"))
    assert {plain(record["pictures_png_content/sha256"]) for record in records} == {
        path.stem for path in (released / "images").iterdir()
    }
    assert all(isinstance(record["pictures_png_content/image"], Image.Image) for record in records)


def test_croissant_knows_the_files(released: Path) -> None:
    """Each data file with its digest, type, licence, creators and how to cite it."""
    said = json.loads((released / "croissant.json").read_text(encoding="utf-8"))
    files = {one["contentUrl"]: one for one in said["distribution"] if one["@type"] == "cr:FileObject"}
    there = {
        path.relative_to(released).as_posix() for folder in ("data", "labels") for path in (released / folder).iterdir()
    }
    assert set(files) == there
    sums = dict(line.split("  ")[::-1] for line in (released / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    assert all(one["sha256"] == sums[name] for name, one in files.items())
    assert said["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert [creator["name"] for creator in said["creator"]] == ["Eva Meier", "The Digits Lab"]
    assert "author = {Meier, Eva and {The Digits Lab}}" in said["citeAs"]


def test_the_card_begins_with_what_hubs_read(released: Path) -> None:
    """A block of YAML whose files are there, and which names the licence as hubs do."""
    text = (released / "README.md").read_text(encoding="utf-8")
    block, card = re.fullmatch(r"---\n(.*?)\n---\n(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]
    said = yaml.safe_load(block)
    assert (said["license"], said["size_categories"], said["task_categories"]) == (
        "cc-by-4.0",
        ["n<1K"],
        ["image-classification"],
    )
    assert "soft-label" in said["tags"]
    assert [config["config_name"] for config in said["configs"] if config.get("default")] == ["responses"]
    names = [config["config_name"] for config in said["configs"]]
    assert len(set(names)) == len(names) == 8
    for config in said["configs"]:
        assert pq.read_metadata(released / config["data_files"]).num_rows
    for row in ("| participants | 5 |", "| responses_first | 14 |", "| responses_repeat | 3 |", "| excluded | 1 |"):
        assert row in card, card
    assert "1 more came and got no batch" in card
    assert "Then say what it is." in card
    for column in re.findall(r"^\|(.*)\|$", card, re.MULTILINE):
        assert column.count("|") >= 2


def test_its_examples_run(released: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the card says about loading it works as it stands."""
    code = re.search(r"```python\n(.*?)```", (released / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    monkeypatch.chdir(released)
    names: dict[str, Any] = {}
    exec(code[1], names)
    assert len(names["counted"]) == 10


def test_the_citation_is_yaml(released: Path, answered: Store, tmp_path: Path) -> None:
    """With what Citation File Format 1.2.0 asks for; without creators the study's researchers are named."""
    said = yaml.safe_load((released / "CITATION.cff").read_text(encoding="utf-8"))
    assert set(said) == {"cff-version", "type", "message", "title", "authors", "version", "date-released", "license"}
    assert (said["cff-version"], said["type"], said["license"]) == ("1.2.0", "dataset", "CC-BY-4.0")
    assert said["authors"] == [{"family-names": "Meier", "given-names": "Eva"}, {"name": "The Digits Lab"}]
    out = release_study(answered, "digits", tmp_path / "r", Options("CC-BY-4.0")).out
    said = yaml.safe_load((out / "CITATION.cff").read_text(encoding="utf-8"))
    assert said["authors"] == [{"name": "The researchers of the study digits"}]


@pytest.mark.parametrize("spdx", LICENCES)
def test_licences_are_said_by_name_and_address(spdx: str) -> None:
    """Whatever their letters; each file says the id and where the text stands."""
    licence = find_licence(spdx.lower())
    assert licence.spdx == spdx
    text = licence_text(licence, "digits")
    assert f"SPDX-License-Identifier: {spdx}" in text
    assert licence.uri in text


def test_unknown_licences_are_refused() -> None:
    """With those that are known."""
    with pytest.raises(OptionError, match=r"--licence CC-BY-5\.0: .* choose CC0-1\.0, CC-BY-4\.0, CC-BY-SA-4\.0"):
        find_licence("CC-BY-5.0")
