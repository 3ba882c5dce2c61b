"""A plan is frozen by publishing: every place that says so, and a rehearsal that carries it out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crowdloom.analysis.plan import Plan, plan_hash
from crowdloom.studies.cli import cli
from crowdloom.studies.database import Store
from crowdloom.studies.posting import publish
from crowdloom.studies.status import study_status
from crowdloom.studies.web import create_app
from tests.studies.designs import load, make_design, make_images
from tests.studies.web.researching import Researcher

PLAN: dict[str, Any] = {
    "stopping": "Once all places are filled.",
    "exclusions": {"seconds_per_answer": 0.1},
    "hypotheses": [
        {
            "name": "H1",
            "claim": "People are right more often than not.",
            "outcome": "top1_accuracy",
            "test": "one-sample",
            "unit": "participant",
            "against": 0.5,
            "by": "reference",
            "levels": ["cat"],
            "where": {"reference": "cat"},
            "direction": "greater",
        }
    ],
}
SHA256 = plan_hash(Plan.model_validate(PLAN))


def test_publishing_writes_the_hash_down(store: Store, tmp_path: Path) -> None:
    """A later version has the hash of its own plan, and one without a plan has none."""
    make_images(tmp_path)
    plans = [PLAN, PLAN | {"alpha": 0.01}, None]
    for plan in plans:
        load(store, tmp_path, make_design(plan=plan))
        with store.write() as connection:
            publish(connection, "pets", "link")
    with store.read() as connection:
        found = {posting.version: posting.plan for posting in study_status(connection, "pets").postings}
    assert found == {1: SHA256, 2: plan_hash(Plan.model_validate(plans[1])), 3: None}
    assert found[2] != SHA256


def test_the_pages_show_it(sqlite_store: Store, tmp_path: Path) -> None:
    """Before publishing what will be frozen, afterwards when it was."""
    make_images(tmp_path)
    load(sqlite_store, tmp_path, make_design(plan=PLAN))
    researcher = Researcher(create_app(sqlite_store), sqlite_store, "pets")
    page = researcher.page("publish")
    for said in (
        SHA256,
        "People are right more often than not.",
        "Outcome: whether the most probable class is the reference (share), means of people. Compared: items whose "
        "reference is cat with the number 0.5, expected to be greater. Only items whose reference is cat. "
        "Test: t-test of the mean against a number.",
        "Holm&#39;s correction over 1 p value; alpha is 0.05",
        "a median below 0.1 s per answer",
        "Once all places are filled.",
    ):
        assert said in page
    assert SHA256 not in researcher.page("")
    researcher.press("publish", "Publish", address="https://lab.example")
    assert SHA256 in researcher.page("")


def test_the_commands_say_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`publish` and `status`, from a file to the store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{tmp_path / 'store.db'}")
    make_images(tmp_path)
    (tmp_path / "pets.toml").write_text(_toml(), encoding="utf-8")
    run = CliRunner()
    for command in (["load", "pets.toml"], ["publish", "pets"], ["status", "pets"]):
        result = run.invoke(cli, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert (SHA256 in result.output) == (command[0] != "load")


@pytest.mark.slow
def test_a_rehearsal_carries_it_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words and in its JSON, as `analyse` finds it in the same answers."""
    monkeypatch.chdir(tmp_path)
    make_images(tmp_path)
    (tmp_path / "pets.toml").write_text(_toml(), encoding="utf-8")
    run = CliRunner()
    arguments = ["rehearse", "pets.toml", "--participants", "6", "--drop-out", "0", "--careless", "0"]
    result = run.invoke(cli, [*arguments, "--json", "--database", "x.db"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["plan"]
    assert (found["name"], found["claim"]) == ("H1", "People are right more often than not.")
    export = run.invoke(cli, ["analyse", "pets", "--out", "r.html", "--database", "x.db"], catch_exceptions=False)
    assert f"H1: {found['sentence']}" in export.output
    said = run.invoke(cli, arguments, catch_exceptions=False).output
    assert f"H1: {found['claim']}\n  {found['sentence']}" in said


def _toml() -> str:
    (hypothesis,) = PLAN["hypotheses"]
    said = "\n".join(f"{name} = {json.dumps(value)}" for name, value in hypothesis.items() if name != "where")
    return f"""
name = "pets"
title = "Which animal is it?"
task = "soft-label"
classes = ["cat", "dog", "frog"]
consent = "It is voluntary."
instructions = ["Look at each image."]
[items]
source = "folder"
path = "images"
[batches]
size = 2
responses_per_item = 2
[people]
minutes = 2
hold_minutes = 10
[plan]
stopping = "Once all places are filled."
[[plan.hypotheses]]
{said}
where = {{ reference = "cat" }}
[plan.exclusions]
seconds_per_answer = 0.1
"""
