"""One run: people who are owed money, a payer that is killed at a step, others after it, and what was really paid."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.conftest import ROOT
from tests.studies.killing.worlds import ANSWERS, ON_SET_UP, Case, World

FAULTS = {
    "link": (None,),
    "mturk": (None, *ANSWERS, "lost-submit", "reissue-assignment-id"),
    "prolific": (None, *ANSWERS, *(kind + ON_SET_UP for kind in ANSWERS), "lost-submit"),
}
MOST_ROUNDS = 6
PATIENCE_H = 0.0
"""How many hours pass for the first payers after the killed one: none, so that what is unknown has to stay so."""


class Payers:
    """Forks payers, one at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.studies.killing.payer"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, case: Case, *, kill_at: int | None = None, hours: float = 0) -> dict[str, Any]:
        """One payer from its start to its end, or to the step at which it is killed."""
        order = {
            "store": str(case.store),
            "posting": case.posting,
            "environ": case.environ,
            "kill_at": kill_at,
            "hours": hours,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in said, said["error"]
        return said

    def close(self) -> None:
        """End the process that forks them."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@contextmanager
def payers() -> Iterator[Payers]:
    """The process that forks payers, for as long as the block lasts."""
    made = Payers()
    try:
        yield made
    finally:
        made.close()


@dataclass
class Run:
    """What came of a run."""

    killed: bool
    steps: int
    """Of the payer that was not killed; 0 where it was."""
    rounds: int
    """Payers after it, until the ledger was settled."""


def run(world: World, payer: Payers, fault: str | None, kill_at: int | None, *, settle_late: bool = False) -> Run:
    """Kill a payer, start others; at each moment nobody may be paid too often, and at the end nobody too little.

    `settle_late`: what the platform does later, it does only after the second payer has looked.
    """
    case = world.prepare(fault)
    first = payer.run(case, kill_at=kill_at)
    world.clear()
    rounds = 0
    hours = PATIENCE_H
    while True:
        if not settle_late or rounds > 1:
            world.settle()
        truth = world.truth(case)
        if truth is not None:
            too_often = truth - case.owed
            assert not too_often, f"paid too often, fault {fault}, step {kill_at}, round {rounds}: {too_often}"
        said = payer.run(case, hours=hours)
        rounds += 1
        states = [state for _, state in said["ledger"]]
        if states == ["confirmed"] * len(states) and len(states) == len(case.people) * 2:
            break
        assert rounds < MOST_ROUNDS, f"fault {fault}, step {kill_at}: {said}"
        hours = PATIENCE_H if rounds < 3 else 3.0 * rounds
    world.settle()
    truth = world.truth(case)
    if truth is not None:
        assert truth == case.owed, f"fault {fault}, step {kill_at}: paid {truth}, owed {case.owed}"
    _check_ledger(said, truth is not None)
    case.store.unlink()
    return Run(first["killed"], first.get("steps", 0), rounds)


def _check_ledger(said: dict[str, Any], pays: bool) -> None:
    """What the store says at the end is what the platform says."""
    kinds = {kind for kind, _, _ in said["differences"]}
    assert not kinds & {"owed", "payment unknown", "bonus by hand", "bonus missing"}, said["differences"]


def series(world: World, payer: Payers, every: int = 1) -> dict[str, int]:
    """Runs over faults and steps (each `every`-th, another beginning for each fault); counts of points and runs."""
    points = runs = killed = 0
    for number, fault in enumerate(FAULTS[world.platform]):
        steps = run(world, payer, fault, None).steps
        runs += 1
        assert steps > 0
        for kill_at in range(1 + number % every, steps + 1, every):
            done = run(world, payer, fault, kill_at, settle_late=kill_at % 2 == 0)
            points += 1
            runs += 1
            killed += done.killed
    return {"points": points, "runs": runs, "killed": killed}
