"""The report's part on models: each number with its interval, the best marked, how they were trained, what failed."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from crowdloom.analysis.report import Facts, Prose, Section, Tabular
from crowdloom.studies.analysing.models_section import models_section
from crowdloom.studies.analysing.writing import write_analysis
from crowdloom.studies.database import Store
from crowdloom.studies.training_runs import record_training_runs
from tests.studies.analysing.odd import Odd
from tests.studies.test_training_runs import write
from tests.studies.trained import FAILED, ROWS, record, result, sweep


def section(store: Store, *results: object) -> Section:
    """The section of a study with these runs."""
    Odd(store, "labels", "soft")
    [found] = models_section(write(store, *results, study="labels"))
    return found


def tables(found: Section) -> dict[str, Tabular]:
    """Its tables by their titles."""
    return {block.table.title: block for block in found.blocks if isinstance(block, Tabular)}


def facts(found: Section) -> dict[str, str]:
    """Names with values."""
    return {name: value for block in found.blocks if isinstance(block, Facts) for name, value, _ in block.rows}


def test_each_evaluation_has_a_table(sqlite_store: Store) -> None:
    """With means and intervals, the seeds of each row, the best, and a comparison with the second."""
    found = section(sqlite_store, *sweep())
    made = tables(found)
    assert list(made) == [
        "hard-against-soft, evaluated on people's labels",
        "hard-against-soft, evaluated on the reference",
        "hard-against-soft: best and second, over the seeds that both have",
    ]
    first = made["hard-against-soft, evaluated on people's labels"]
    assert first.table.frame.index.tolist() == list(ROWS)
    assert first.table.frame["CE"].str.replace("\N{NO-BREAK SPACE}", " ").tolist() == ["1.610 ± 0.22", "1.150 ± 0.64"]
    assert first.table.frame["seeds"].tolist() == ["3", "2"]
    assert set(first.best) == {(ROWS[1], heading) for heading in ("CE", "Calibration", "Accuracy")}
    assert first.data is not None
    assert set(first.data["evaluation"]) == {"people's labels"}
    assert found.exploratory


def test_it_says_how_they_were_trained(sqlite_store: Store) -> None:
    """Networks, seeds, epochs, device, label set and version; what the metrics mean; what failed."""
    found = section(sqlite_store, *sweep())
    said = facts(found)
    assert said["networks"] == "small-cnn"
    assert said["seeds"] == "0, 1, 2"
    assert (said["epochs"], said["device"], said["label set"], said["trained with"]) == ("20", "cpu", "Lb3sT", "0.5.0")
    assert said["time"] == "2.5 minutes"
    assert (said["CE"], said["Accuracy"]) == ("lower is better", "higher is better")
    prose = [block.text for block in found.blocks if isinstance(block, Prose)]
    assert f"1 run failed: {ROWS[1]}, small-cnn, seed 2 ({FAILED})." in prose


def test_a_try_is_not_taken_for_the_table(sqlite_store: Store) -> None:
    """Runs of the reduced setting say so, and that they took no time is not 0.0 minutes."""
    whole = section(sqlite_store, *sweep())
    assert not any("say nothing" in block.text for block in whole.blocks if isinstance(block, Prose))
    made = record()
    made["origin"] |= {"reduced": True}
    found = section(sqlite_store, *[result(seed=seed, record=made, seconds=0.2, experiment="3.1") for seed in (0, 1)])
    prose = [block.text for block in found.blocks if isinstance(block, Prose)]
    assert "3.1: few images and epochs; its numbers say nothing about labels." in prose
    assert facts(found)["time"] == "1 second"


def test_earlier_runs_are_counted_not_shown(sqlite_store: Store) -> None:
    """Those with other settings."""
    old = [result(seed=seed, digest=f"old {seed}", record=record(epochs=5)) for seed in range(2)]
    found = section(sqlite_store, *old, result(seed=0))
    assert "Not shown: 2 earlier runs with other settings or labels, or done again since." in [
        block.text for block in found.blocks if isinstance(block, Prose)
    ]
    assert facts(found)["epochs"] == "20"


def test_where_all_failed_there_is_no_table(sqlite_store: Store) -> None:
    """But a sentence for each; records that say nothing leave nothing out but themselves."""
    found = section(sqlite_store, result(state="failed", metrics={}, error=FAILED, record={}))
    assert tables(found) == {}
    assert [block.text for block in found.blocks if isinstance(block, Prose)] == [
        "hard-against-soft: no run is done.",
        f"1 run failed: {ROWS[0]}, small-cnn, seed 0 ({FAILED}).",
    ]
    assert list(facts(found)) == ["networks", "seeds"]


class _Strong(HTMLParser):
    """Collects what stands in <strong>."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag == "strong"

    def handle_data(self, data: str) -> None:
        if self._open:
            self.found.append(data.replace("\N{NO-BREAK SPACE}", " "))
            self._open = False


@pytest.mark.slow
def test_the_report_has_it_only_where_there_are_runs(store: Store, tmp_path: Path) -> None:
    """Before training nothing of it; then the section with the best in bold, and its tables as files."""
    Odd(store, "labels", "soft").come("ann", "ben")
    out = tmp_path / "report.html"
    write_analysis(store, "labels", out, ["again"], samples=20)
    assert 'id="models"' not in out.read_text(encoding="utf-8")
    with store.write() as connection:
        record_training_runs(connection, sweep(), "labels")
    write_analysis(store, "labels", out, ["again"], samples=20)
    page = out.read_text(encoding="utf-8")
    assert 'id="models"' in page
    strong = _Strong()
    strong.feed(page[page.index('id="models"') :])
    assert strong.found[:3] == ["1.150 ± 0.64", "0.115 ± 0.06", "0.885 ± 0.06"]
    for name in re.findall(r'data-file="(tables/models[^"]+)"', page):
        assert (out.with_suffix("") / name).stat().st_size > 100
