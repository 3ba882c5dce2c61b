"""The whole series (`make chaos`): every step, every fault, every platform; prints how many runs there were."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest

from crowdloom.studies.marketplace import open_market
from tests.conftest import ROOT
from tests.prolific import StandIn
from tests.studies.killing.series import FAULTS, payers, series
from tests.studies.killing.worlds import MTurkWorld, ProlificWorld, World
from tests.studies.marketplace.running import running


def main() -> None:
    """Run it; an AssertionError ends it."""
    data = Path(os.environ.get("CROWDLOOM_TEST_DATA", ROOT.parent / "shared" / "data"))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch, payers() as payer:
        folders = [Path(folder) / name for name in ("link", "mturk", "prolific")]
        for path in folders:
            path.mkdir()
        market = open_market(str(Path(folder) / "market.db"))
        with running(market) as address, StandIn(data) as prolific:
            for world in (
                World(folders[0], patch),
                MTurkWorld(folders[1], patch, market, address),
                ProlificWorld(folders[2], patch, prolific),
            ):
                began = time.monotonic()
                counts = series(world, payer)
                took = time.monotonic() - began
                print(
                    f"{world.platform}: {counts['points']} kill points over {len(FAULTS[world.platform])} kinds of "
                    f"fault, {counts['runs']} runs, {counts['killed']} payers killed, everybody paid exactly once; "
                    f"{took:.0f} s",
                    flush=True,
                )
        market.close()


if __name__ == "__main__":
    main()
