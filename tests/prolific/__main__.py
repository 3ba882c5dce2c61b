"""Run the stand-in as a process of its own; its address is the first line that it prints."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.prolific.standin import TOKEN, StandIn


def main() -> None:
    """Read the options and serve."""
    root = Path(__file__).parents[2]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--data", type=Path, required=True, help="the file in which it remembers")
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--currency", choices=("USD", "GBP"), default="USD")
    parser.add_argument("--settle-after", type=float, help="seconds until what is asynchronous happens")
    options = parser.parse_args()
    test_data = Path(os.environ.get("CROWDLOOM_TEST_DATA", root.parent / "shared" / "data"))
    stand_in = StandIn(
        test_data,
        options.data,
        port=options.port,
        token=options.token,
        currency=options.currency,
        settle_after=options.settle_after,
    )
    sys.stdout.write(f"{stand_in.url}\n")
    sys.stdout.flush()
    stand_in.wait()


if __name__ == "__main__":
    main()
