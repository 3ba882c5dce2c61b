"""`crowdloom analyse` of a soft-label study with a million responses: its time and its peak memory, on two cores.

    python -m tests.bench.analyse [RESPONSES]

Some 37,000 people each gave 25 answers and 2 repeats, to 10,000 items; the plan has rules for leaving out and two
hypotheses. The command runs as users run it, in a process of its own, with 1,000 samples of each bootstrap. Beside the
seconds stand those of the processor, which other programs on the machine change less. The exit status is 1 where the
report does not tell of all these people.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from crowdloom.studies.database import open_store
from tests.bench._filled import PER_BATCH, fill, soft_label_design

RESPONSES = 1_000_000
CORES = 2
SECONDS, GIGABYTES = 60, 2
"""What it may take at most."""

PLACES = 92
REPEATS = (3, 11)
FURTHER = {
    "people": {"minutes": 9, "hold_minutes": 60, "reward": "1.50 GBP"},
    "debrief": [{"question": "Was it clear what to do?", "options": ["yes", "no"]}],
    "plan": {
        "stopping": "When all places are filled.",
        "exclusions": {"seconds_per_answer": 2.0, "same_answer": 0.9, "consistency": 0.05},
        "hypotheses": [
            {
                "name": "sharp",
                "claim": "People are less sure of images that are not sharp.",
                "outcome": "label_entropy",
                "test": "welch",
                "by": "sharp",
                "levels": ["0", "1"],
            },
            {
                "name": "better-than-half",
                "claim": "People name the reference class more often than not.",
                "outcome": "top1_accuracy",
                "test": "one-sample",
                "unit": "participant",
                "against": 0.5,
            },
        ],
    },
}


def measured(command: list[str], folder: Path) -> tuple[float, float, float]:
    """Seconds, seconds of the processor and peak resident gigabytes of a command that succeeds."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)  # waited for here, not by subprocess
    if process.returncode:
        raise SystemExit(f"analyse: the command failed with status {process.returncode}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e9


def main() -> int:
    """Print time and memory; 1 where the report lacks people."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else RESPONSES
    per_person = PER_BATCH + len(REPEATS)
    batches = -(-wanted // (PLACES * per_person))
    people = batches * PLACES
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)  # inherited by the command
    with tempfile.TemporaryDirectory(prefix="crowdloom-bench-") as name:
        folder = Path(name)
        store = open_store(f"sqlite:///{folder / 'bench.db'}")
        fill(store, soft_label_design(PLACES, REPEATS, **FURTHER), batches)
        store.close()
        crowdloom = str(Path(sys.executable).with_name("crowdloom"))
        load = os.getloadavg()[0]
        seconds, processor, gigabytes = measured(
            [crowdloom, "analyse", "bench", "--out", "report.html", "--database", "bench.db"], folder
        )
        with (folder / "report" / "tables" / "flow.csv").open(encoding="utf-8", newline="") as file:
            told = {row[0]: int(row[1]) for row in list(csv.reader(file))[1:]}
    print(
        f"analyse: {people * per_person:,} responses of {people:,} people to {batches * PER_BATCH:,} items on "
        f"{len(cores)} cores (load {load:.1f} before): {seconds:.1f} s ({processor:.1f} s of the processor), "
        f"{seconds / SECONDS:.2f} of the target of {SECONDS} s{'' if seconds <= SECONDS else ', missed'}; "
        f"{gigabytes:.2f} GB, {gigabytes / GIGABYTES:.2f} of the target of {GIGABYTES} GB"
        f"{'' if gigabytes <= GIGABYTES else ', missed'}"
    )
    if told["began"] != people:
        print(f"analyse: the report tells of {told['began']} people")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
