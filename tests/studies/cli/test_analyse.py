"""`crowdloom analyse` as its users call it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from crowdloom.analysis.plan import plan_hash
from crowdloom.studies.cli import cli
from crowdloom.studies.database import open_store
from tests.studies import test_importing_mixed as mixes
from tests.studies.analysing.odd import KINDS, Odd, plan_of
from tests.studies.cli.test_commands import call, call_process

pytestmark = pytest.mark.slow

QUICK = ("--samples", "20")


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Odd]]:
    """A folder with a store of small studies, one of them planned, and arrays of counts; and the planned study."""
    folder = tmp_path_factory.mktemp("analysed")
    store = open_store(str(folder / "store.db"))
    planned = Odd(store, "guesses", "wrong", plan=plan_of(KINDS["wrong"], seconds_per_answer=0.5))
    planned.come("ann", "ben", "cem", "dan")
    planned.come("quick", ms=200)
    planned.exclude(planned.come("child"), "a child clicked & went <away>")
    Odd(store, "labels", "soft").come("ann", "ben")
    rows = [row for person in ("ann", "ben") for row in mixes.infer(person, [(mixes.A, 90, 50), (mixes.B, 30, 80)])]
    mixes.bring(store, folder, rows, mixes.INFER, "hmix-infer", study="mixes")
    np.save(folder / "fitting.npy", np.full((9800, 10), 5))
    np.save(folder / "narrow.npy", np.ones((4, 3)))
    np.save(folder / "flat.npy", np.ones(6))
    np.save(folder / "negative.npy", -np.ones((4, 6)))
    (folder / "text.npy").write_text("1,2,3\n", encoding="utf-8")
    yield folder, planned
    store.close()


@pytest.fixture
def here(studies: tuple[Path, Odd], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, from which the store is found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{studies[0] / 'store.db'}")
    return tmp_path


def written(folder: Path) -> dict[str, bytes]:
    """All files below a folder, with what is in them."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_report_with_its_tables_and_figures(here: Path, studies: tuple[Path, Odd]) -> None:
    """The plan's hash, its results in the page as in the table and on the screen, and everything in one file."""
    said = call("analyse", "guesses", "--out", "report.html", *QUICK).output
    html = (here / "report.html").read_text(encoding="utf-8")
    plan = studies[1].design.plan
    assert plan is not None
    assert plan_hash(plan) in html
    files = written(here / "report")
    assert f"{len(files)} tables and figures in report." in said
    with (here / "report" / "tables" / "plan.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["hypothesis"]: row for row in csv.DictReader(file)}
    assert list(rows) == [hypothesis.name for hypothesis in plan.hypotheses]
    for name, row in rows.items():
        [line] = [line for line in said.splitlines() if line.startswith(f"{name}: ")]
        assert ("could not be tested" in line) == (row["p"] == "") == (row["problem"] != "")
        assert line.removeprefix(f"{name}: ").replace("'", "&#39;") in html
    assert "crowdloom analyse guesses --out report.html --samples 20" in html
    assert "a child clicked &amp; went &lt;away&gt;" in html
    assert {Path(name).suffix for name in files} == {".csv", ".svg"}
    assert html.count("<svg") == sum(name.endswith(".svg") for name in files) > 0
    assert html.count("<table") == sum(name.endswith(".csv") for name in files)
    with (here / "report" / "tables" / "flow.csv").open(encoding="utf-8", newline="") as file:
        flow = {row[0]: row[1] for row in csv.reader(file)}
    assert (flow["arrived"], flow["– speed"], flow["– excluded by hand"]) == ("6", "1", "1")
    assert flow["analysed: submissions"] == "4"


def test_the_page_needs_nothing_else(here: Path) -> None:
    """No address to be loaded, no script; every id stands there once, and what refers to one finds it."""
    call("analyse", "guesses", "--out", "report.html", *QUICK)
    html = (here / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe|object)\b", html)
    loaded = re.findall(r"""(?:src|href)=["']([^"'#][^"']*)|url\((?!#)([^)]*)\)|@import""", html)
    assert [one for one in loaded if not one[0].startswith("data:")] == []
    ids = Counter(re.findall(r'\sid="([^"]+)"', html))
    assert [name for name, number in ids.items() if number > 1] == []
    wanted = set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)|labelledby="([^"]+)"', html))
    assert {name for names in wanted for name in names if name} <= set(ids)


def test_exploratory_parts_are_marked(here: Path) -> None:
    """Every heading but those of the plan, the design, the people and the making; without a plan that one, too."""
    marked = {}
    for study in ("guesses", "labels"):
        call("analyse", study, "--out", f"{study}.html", *QUICK)
        html = (here / f"{study}.html").read_text(encoding="utf-8")
        headings = re.findall(r"<h2 id=\"([^\"]+)\">(.*?)</h2>", html)
        marked[study] = {name: '<span class="mark">exploratory</span>' in text for name, text in headings}
    plain = {"plan-and-results", "design", "participants", "how-this-report-was-made"}
    assert {name for name, is_so in marked["guesses"].items() if not is_so} == plain
    assert {name for name, is_so in marked["labels"].items() if not is_so} == plain - {"plan-and-results"}


def test_the_same_command_writes_the_same_bytes(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever and wherever it is called, in the same process or another: the page, the tables and the figures."""
    for name in ("one", "other"):
        (here / name).mkdir()
        monkeypatch.chdir(here / name)
        if name == "one":
            call("analyse", "labels", "--out", "report.html", *QUICK)
        else:
            assert call_process("analyse", "labels", "--out", "report.html", *QUICK).returncode == 0
    one, other = written(here / "one"), written(here / "other")
    assert len(one) > 10
    assert [name for name in one if one[name] != other.get(name)] == []
    assert one.keys() == other.keys()
    assert not any(b"dc:date" in content for content in one.values())


def test_counts_give_entropies(here: Path, studies: tuple[Path, Odd]) -> None:
    """Of the images that were mixed; they are in the command that makes the report again."""
    counts = str(studies[0] / "fitting.npy")
    call("analyse", "mixes", "--out", "report.html", "--counts", counts, *QUICK)
    call("analyse", "mixes", "--out", "without.html", *QUICK)
    html = (here / "report.html").read_text(encoding="utf-8")
    assert f"--counts {counts}" in html
    assert html.count("<svg") == (here / "without.html").read_text(encoding="utf-8").count("<svg") + 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["cars", "--out", "r.html"], "no study is called 'cars'; there are: guesses, labels, mixes"),
        (["guesses", "--out", "r.html", "--version", "2"], "'guesses' has no version 2; there are 1 to 1"),
        (["guesses", "--out", "r.html", "--samples", "19"], "--samples 19: an interval needs at least 20"),
        (["guesses", "--out", "r.txt"], "--out r.txt: the report is one HTML file; end its name in .html"),
        (["guesses", "--out", "r"], "--out r: the report is one HTML file"),
        (["guesses", "--out", "no/r.html"], "--out no/r.html: there is no folder no; create it first"),
        (["guesses", "--out", "taken.html"], "the tables and figures go to taken, which is a file; give another name"),
        (["labels", "--out", "r.html", "--counts", "none.npy"], "--counts: none.npy cannot be read as an .npy array"),
        (["labels", "--out", "r.html", "--counts", "FOLDER/text.npy"], "cannot be read as an .npy array"),
        (["labels", "--out", "r.html", "--counts", "FOLDER/flat.npy"], "must hold one array of annotator counts"),
        (["labels", "--out", "r.html", "--counts", "FOLDER/negative.npy"], "a count that is negative or no number"),
        (["labels", "--out", "r.html", "--counts", "FOLDER/narrow.npy"], "a column is needed for each of 6 classes"),
        (["labels", "--out", "r.html", "--counts", "FOLDER/fitting.npy"], "a column is needed for each of 6 classes"),
        (["guesses", "--out", "r.html", "--counts", "FOLDER/narrow.npy"], "so the counts have no use"),
        (["mixes", "--out", "r.html", "--counts", "FOLDER/narrow.npy"], "that is no row of the counts, 0 to 3"),
    ],
)
def test_mistakes_are_one_sentence(arguments: list[str], sentence: str, here: Path, studies: tuple[Path, Odd]) -> None:
    """And nothing is written."""
    (here / "taken").write_text("mine", encoding="utf-8")
    given = [argument.replace("FOLDER", str(studies[0])) for argument in arguments]
    result = CliRunner().invoke(cli, ["analyse", *given])
    assert result.exit_code != 0
    assert sentence in str(result.exception)
    assert "\n" not in str(result.exception)
    assert written(here) == {"taken": b"mine"}


def test_a_place_that_cannot_be_written_to(here: Path) -> None:
    """A folder has the report's name: one line on standard error, status 2, nothing there."""
    (here / "r.html").mkdir()
    result = call_process("analyse", "guesses", "--out", "r.html", *QUICK)
    assert (result.returncode, result.stdout) == (2, "")
    assert "r.html" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    assert written(here) == {}


def test_a_failure_leaves_the_report_of_before(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last figure cannot be drawn, page, tables and figures are those of the call before."""
    call("analyse", "guesses", "--out", "report.html", *QUICK)
    before = written(here)

    def broken(*_: object) -> str:
        raise OSError(28, "No space left on device", "report.html")

    monkeypatch.setattr("crowdloom.studies.analysing.files.inline_svg", broken)
    result = CliRunner().invoke(cli, ["analyse", "labels", "--out", "report.html", *QUICK])
    assert isinstance(result.exception, OSError)
    assert written(here) == before
    assert sorted(path.name for path in here.iterdir()) == ["report", "report.html"]
