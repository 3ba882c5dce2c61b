"""`crowdloom worker`: its limits, its sessions, its engines."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crowdloom.studies.cli import cli
from tests.conftest import missing


def crowdloom(*arguments: str) -> Result:
    """Run the command line."""
    return CliRunner().invoke(cli, ["worker", *arguments])


def test_the_help_states_what_a_step_may_take() -> None:
    """Time and memory, as the tasks declare them."""
    said = " ".join(crowdloom("--help").output.split())
    assert "latent-session train: 60 minutes, 4,096 MiB of memory" in said


def test_several_sessions_end_with_an_empty_queue(tmp_path: Path) -> None:
    """Nothing was to be done."""
    ran = crowdloom("--once", "--sessions", "2", "--database", str(tmp_path / "store.db"))
    assert (ran.exit_code, ran.output.splitlines()[-1]) == (0, "0 jobs done.")


def test_an_address_needs_a_cluster() -> None:
    """One sentence, and no worker that runs elsewhere than was meant."""
    ran = crowdloom("--address", "10.0.0.1:6379")
    assert str(ran.exception) == "--address is that of a Ray cluster; say --engine ray, too"


def test_a_cluster_that_cannot_be_reached_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once."""
    if importlib.util.find_spec("ray") is None:
        missing("Ray is not installed")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    ran = crowdloom("--engine", "ray", "--address", "127.0.0.1:9", "--database", str(tmp_path / "store.db"))
    assert "the Ray cluster at 127.0.0.1:9 cannot be reached" in str(ran.exception)
