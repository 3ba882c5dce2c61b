"""How long `crowdloom --help` takes, against importing click alone.

python -m tests.bench.startup
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

TARGET = 2.5
ROUNDS = 25


def seconds(command: list[str]) -> float:
    """The time of one run."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> int:
    """Print the ratio of the medians; the two take turns, so that a busy moment hits both."""
    crowdloom = [str(Path(sys.executable).with_name("crowdloom")), "--help"]
    click = [sys.executable, "-c", "import click"]
    times = [(seconds(click), seconds(crowdloom)) for _ in range(ROUNDS)]
    base, ours = (sorted(column)[ROUNDS // 2] for column in zip(*times, strict=True))
    ratio = ours / base
    print(
        f"start: import click {base * 1000:.0f} ms, crowdloom --help {ours * 1000:.0f} ms, ratio {ratio:.2f} "
        f"(target at most {TARGET}{'' if ratio <= TARGET else ', missed'})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
