"""Whenever the paying process is killed, and whatever the platform answers, everybody is paid exactly once.

`make chaos` runs every step with every fault; here it is every fortieth, beginning elsewhere for each fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crowdloom.studies.marketplace import open_market
from tests.prolific import StandIn
from tests.studies.killing.series import FAULTS, Payers, payers, run, series
from tests.studies.killing.worlds import MTurkWorld, ProlificWorld, World
from tests.studies.marketplace.running import running

EVERY = 40


@pytest.fixture(scope="module")
def payer() -> Iterator[Payers]:
    """Forks payers."""
    with payers() as made:
        yield made


def test_on_the_direct_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, payer: Payers) -> None:
    """What is recorded as paid by hand is recorded once, wherever the recording is interrupted."""
    counts = series(World(tmp_path, monkeypatch), payer)
    assert counts["killed"] == counts["points"] >= 9


@pytest.mark.slow
def test_on_the_marketplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, payer: Payers) -> None:
    """MTurk's protocol: 500 or a dropped connection after the effect, throttling, lost submits, reissued ids."""
    market = open_market(str(tmp_path / "market.db"))
    with running(market) as address:
        counts = series(MTurkWorld(tmp_path, monkeypatch, market, address), payer, EVERY)
    market.close()
    assert counts["killed"] > counts["points"] / 2
    assert counts["points"] >= 2 * len(FAULTS["mturk"])


@pytest.mark.slow
def test_on_prolific(tmp_path: Path, test_data: Path, monkeypatch: pytest.MonkeyPatch, payer: Payers) -> None:
    """Prolific's API, on which asking for a bonus twice pays it twice, and payments come later."""
    with StandIn(test_data) as prolific:
        counts = series(ProlificWorld(tmp_path, monkeypatch, prolific), payer, EVERY)
    assert counts["killed"] > counts["points"] / 2
    assert counts["points"] >= len(FAULTS["prolific"])


def test_a_bonus_that_may_still_come_is_unknown_and_not_paid_again(
    tmp_path: Path, test_data: Path, monkeypatch: pytest.MonkeyPatch, payer: Payers
) -> None:
    """Where the answer to `pay` got lost and nothing shows yet, the ledger says unknown, and says until when."""
    with StandIn(test_data) as prolific:
        world = ProlificWorld(tmp_path, monkeypatch, prolific)
        case = world.prepare("effect-then-drop")
        prolific.clear_faults()
        prolific.fault("pay-bonus-payments", "effect-then-drop")
        for _ in range(3):
            said = payer.run(case)
            assert [state for purpose, state in said["ledger"] if purpose == "bonus"] == ["unknown"] * 2
            assert {kind for kind, _, _ in said["differences"]} >= {"payment unknown"}
            assert all("known for certain after" in what for kind, _, what in said["differences"] if "unknown" in kind)
        prolific.settle()
        assert [state for _, state in payer.run(case)["ledger"]] == ["confirmed"] * 4
        assert world.truth(case) == case.owed


def test_the_series_sees_who_is_paid_twice(
    tmp_path: Path, test_data: Path, monkeypatch: pytest.MonkeyPatch, payer: Payers
) -> None:
    """A payer that takes what does not show yet for not paid is caught."""
    with StandIn(test_data) as prolific:
        world = ProlificWorld(tmp_path, monkeypatch, prolific)
        monkeypatch.setattr("tests.studies.killing.series.PATIENCE_H", 3.0)
        with pytest.raises(AssertionError, match="paid"):
            run(world, payer, "effect-then-drop", None, settle_late=True)
