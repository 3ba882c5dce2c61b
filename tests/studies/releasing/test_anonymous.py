"""Nobody can be found in a release: not by what platforms, the store or they themselves call them."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from crowdloom.studies.database import Store
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.releasing import release_study
from crowdloom.studies.releasing.scrubbing import REMOVED, Scrubber
from tests.studies.releasing.answered import REASON, TYPED, identifiers

NEVER = {"head.of.lab@university.example", "lab@university.example", "office@university.example", "192.0.2.77", "4711"}


def everything_in(release: Path) -> Iterator[tuple[str, bytes]]:
    """Every byte of a release, packed and unpacked: files, the parts of NPZ, and the pages of Parquet as values."""
    archive = release.with_name(f"{release.name}.zip")
    with zipfile.ZipFile(archive) as opened:
        yield "names in the zip", "\n".join(opened.namelist()).encode()
        for name in opened.namelist():
            yield f"zip:{name}", opened.read(name)
    for path in release.rglob("*"):
        if not path.is_file():
            continue
        yield path.name, path.read_bytes()
        if path.suffix == ".parquet":
            yield f"{path.name} unpacked", repr(pq.read_table(path).to_pydict()).encode()
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as arrays:
                for name in arrays.namelist():
                    # texts of an array are UTF-32
                    yield f"{path.name}:{name}", arrays.read(name).replace(b"\0", b"")


def test_nothing_in_the_store_names_anybody_in_a_release(answered: Store, released: Path) -> None:
    """Ids of platforms, tokens, pseudonyms, e-mail addresses and IP addresses, in every byte, free text included."""
    names = identifiers(answered) | NEVER
    assert len(names) > 50
    looked_at = 0
    for where, content in everything_in(released):
        looked_at += 1
        found = [name for name in names if name.encode() in content]
        assert not found, f"{where} has {found}"
    assert looked_at > 60
    hidden = (released / "data" / "debrief.csv").read_bytes()
    assert b"It was fine" in hidden


def test_the_search_finds_what_is_there(answered: Store, released: Path) -> None:
    """What a release does have is found in all its forms, so that the test above would see a name."""
    a_name = pq.read_table(released / "data" / "submissions.parquet")["submission"][0].as_py().encode()
    places = [where for where, content in everything_in(released) if a_name in content]
    assert {"responses.csv", "responses.parquet unpacked", "T2-clamp.npz:submission.npy"} <= set(places)


def test_free_text_is_left_out_unless_asked_for(answered: Store, tmp_path: Path) -> None:
    """Not the answer, nor its column; questions with options stay."""
    release_study(answered, "digits", tmp_path / "r", Options("CC0-1.0"))
    assert list(pq.read_schema(tmp_path / "r" / "data" / "debrief.parquet").names) == [
        "submission",
        "participant",
        "How hard was it?",
    ]
    for where, content in everything_in(tmp_path / "r"):
        assert b"It was fine" not in content, where


def test_texts_keep_all_but_the_names(answered: Store, released: Path) -> None:
    """Reasons of exclusions and typed answers are readable, with what names somebody taken out."""
    typed = pq.read_table(released / "data" / "debrief.parquet").to_pydict()
    assert typed["Anything else? (You can write to us.)"][0] == (
        f"It was fine, says {REMOVED} (mail me: {REMOVED}, from {REMOVED})."
    )
    reasons = pq.read_table(released / "data" / "submissions.parquet")["exclusion"].to_pylist()
    assert [reason for reason in reasons if reason] == [f"{REMOVED} told us that a child clicked, in {REMOVED}"]
    assert REMOVED not in TYPED + REASON


def test_times_are_durations(released: Path) -> None:
    """No date but the release's own stands in it, and seconds count from each submission's start."""
    responses = pq.read_table(released / "data" / "responses.parquet").to_pydict()
    assert all(0 < seconds < 3600 for seconds in responses["answered_s"])
    day = (released / "CITATION.cff").read_text(encoding="utf-8").split("date-released: ")[1][:10]
    for where, content in everything_in(released):
        assert set(re.findall(rb"20\d\d-\d\d-\d\d", content)) <= {day.encode()}, where


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("from 2001:db8::7, and 10.0.0.1.", f"from {REMOVED}, and {REMOVED}."),
        ("at 12:30:45 I chose 3.5 of 4.", "at 12:30:45 I chose 3.5 of 4."),
        ("at ..10.0.0.1 or 10.0.0.1:8080", f"at {REMOVED} or {REMOVED}"),
        ("joan and Jo", f"joan and {REMOVED}"),
        ("id 7 x y.", f"id {REMOVED}"),
    ],
)
def test_what_looks_like_a_name(text: str, clean: str) -> None:
    """Addresses of both kinds go, times and numbers stay; names go as whole words only."""
    assert Scrubber(["Jo", "Jo-", "7 x y."]).clean(text.replace("Jo", "Jo-")).replace("Jo-", REMOVED) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("5F9C0A7BE1D2 and a1b2c3", f"{REMOVED} and {REMOVED}"),
        ("id-5f9c0a7be1d2-thanks", f"id-{REMOVED}-thanks"),
        ("my_id_A1B2C3_", f"my_id_{REMOVED}_"),
        ("=hans-w. x-Hans-W-x, hans-wx", f"={REMOVED}. x-{REMOVED}-x, hans-wx"),
        ("ANN MEIER 7, ann meier 77", f"{REMOVED}, ann meier 77"),
    ],
)
def test_names_as_people_type_them(text: str, clean: str) -> None:
    """In whatever case, and glued to other words."""
    assert Scrubber(["5f9c0a7be1d2", "A1B2C3", "hans-w", "Ann Meier 7"]).clean(text) == clean


def test_a_long_text_is_cleaned_quickly() -> None:
    """Even one that is made of nothing but joints, or dots, as long as a debrief takes it."""
    text = "a-b_" * 2_500 + " " + "." * 10_000
    start = time.perf_counter()
    assert Scrubber([f"p-{number}-x_y" for number in range(5_000)]).clean(text) == text
    assert time.perf_counter() - start < 3


def test_reasons_are_free_text(answered: Store, tmp_path: Path) -> None:
    """Why somebody was left out stands in words that nobody has checked; that they were stays."""
    release_study(answered, "digits", tmp_path / "r", Options("CC0-1.0"))
    said = pq.read_table(tmp_path / "r" / "data" / "submissions.parquet").to_pydict()
    assert said["standing"].count("excluded") == 1
    assert set(said["exclusion"]) == {None}
    for where, content in everything_in(tmp_path / "r"):
        assert b"child clicked" not in content, where
