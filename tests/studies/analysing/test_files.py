"""A report's files: all of them or none, and a line that says what is being done meanwhile."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

from crowdloom.analysis.report import Drawing, Section, Tabular
from crowdloom.analysis.summary import Table
from crowdloom.studies.analysing.files import write_report
from crowdloom.studies.database import Store
from tests.studies.analysing.odd import Odd

MANY = "1000000"
"""Samples of each bootstrap, so that the command takes its time."""


def sections(number: int, figure: Figure) -> list[Section]:
    """A table with a number, then a figure."""
    table = Table("Numbers", pd.DataFrame({"number": [number]}))
    return [Section("Numbers", [Tabular(table, "numbers"), Drawing(figure, "picture", "A picture.")])]


def files_of(folder: Path) -> dict[str, bytes]:
    """Everything below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_report_that_fails_leaves_the_earlier_one(tmp_path: Path, failure: BaseException) -> None:
    """Its table was written when the figure failed, and yet the earlier table still stands with the earlier page."""

    class Failing(Figure):
        def savefig(self, *args: object, **kwargs: object) -> None:
            raise failure

    page, folder = tmp_path / "report.html", tmp_path / "report"
    with pytest.raises(type(failure)):
        write_report("Title", "", sections(1, Failing()), page, folder)
    assert list(tmp_path.iterdir()) == []
    written = write_report("Title", "", sections(1, Figure()), page, folder)
    assert written == [folder / "tables" / "numbers.csv", folder / "figures" / "picture.svg"]
    assert (folder / "tables" / "numbers.csv").read_text(encoding="utf-8") == "row,number\n0,1\n"
    before = files_of(tmp_path)
    assert set(before) == {"report.html", "report/tables/numbers.csv", "report/figures/picture.svg"}
    with pytest.raises(type(failure)):
        write_report("Title", "", sections(2, Failing()), page, folder)
    assert files_of(tmp_path) == before


def test_what_an_earlier_report_had_goes_with_it(tmp_path: Path) -> None:
    """Its tables and figures that the new one lacks are removed; somebody's own files stay."""
    page, folder = tmp_path / "report.html", tmp_path / "report"
    write_report("Title", "", sections(1, Figure()), page, folder)
    for own in ("tables/mine.csv", "notes.txt"):
        (folder / own).write_text("mine", encoding="utf-8")
    table = Tabular(Table("Others", pd.DataFrame({"number": [2]})), "others")
    write_report("Title", "", [Section("Others", [table])], page, folder)
    assert set(files_of(folder)) == {"tables/others.csv", "tables/mine.csv", "notes.txt"}


def test_any_page_can_be_replaced(tmp_path: Path) -> None:
    """Also one that is not ours and not in UTF-8; nothing beside it is touched."""
    page = tmp_path / "report.html"
    page.write_bytes("<p>déjà vu</p>".encode("latin-1"))
    write_report("Title", "", sections(1, Figure()), page, tmp_path / "report")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_ctrl_c_leaves_no_report(sqlite_store: Store, tmp_path: Path) -> None:
    """On a terminal one line says what is being done; Ctrl-C wipes it, and nothing was written."""
    Odd(sqlite_store, "long", "soft").come("ann", "ben", "cem")
    command = ["analyse", "long", "--out", "report.html", "--samples", MANY, "--database", sqlite_store.url]
    terminal, end = os.openpty()
    folder = tmp_path / "here"
    folder.mkdir()
    with subprocess.Popen(
        [str(Path(sys.executable).with_name("crowdloom")), *command], cwd=folder, stderr=end, stdout=subprocess.DEVNULL
    ) as process:
        os.close(end)
        said, interrupted = b"", False
        while True:
            try:
                some = os.read(terminal, 1000)
            except OSError:  # Linux: the other end is closed
                break
            if not some:
                break
            said += some
            if b"Agreement between people \xe2\x80\xa6" in said and not interrupted:
                process.send_signal(signal.SIGINT)
                interrupted = True
    os.close(terminal)
    assert interrupted
    assert process.returncode == 1
    lines = said.decode().split("\r\x1b[K")
    assert lines[:3] == ["", "Reading the answers …", "Choosing the answers that count …"]
    assert "".join(lines[-1].split()) == "Aborted!"
    assert list(folder.iterdir()) == []


def test_nothing_is_said_where_there_is_no_terminal(sqlite_store: Store, tmp_path: Path) -> None:
    """A pipe gets no line that overwrites itself."""
    Odd(sqlite_store, "short", "soft").come("ann", "ben", "cem")
    command = ["analyse", "short", "--out", str(tmp_path / "r.html"), "--samples", "20", "--database", sqlite_store.url]
    crowdloom = str(Path(sys.executable).with_name("crowdloom"))
    done = subprocess.run([crowdloom, *command], check=True, capture_output=True)
    assert done.stderr == b""
    assert done.stdout.startswith(b"Wrote ")
