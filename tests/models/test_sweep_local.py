"""Many runs in processes of this machine, some of which are killed, run out of disk or diverge."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from crowdloom.models.errors import ArgumentError, ModelError
from crowdloom.models.runs import Run, RunResult, digest_of
from crowdloom.models.sweep_book import Progress
from crowdloom.models.sweeps import sweep
from tests.conftest import ROOT
from tests.models.small_runs import same_weights, small_images, small_run, weights

pytestmark = pytest.mark.slow

SWEEPING = """
import sys
from pathlib import Path
from crowdloom.models.sweeps import sweep
from tests.models.test_sweep_local import long_runs, small_images

def told(progress):
    print(*sorted(one.epoch for one in progress.running), flush=True)

if __name__ == "__main__":
    sweep(small_images(), long_runs(), Path(sys.argv[1]), workers=2, device="cpu", on_progress=told)
"""
UNGUARDED = """
import sys
from pathlib import Path
from crowdloom.models.sweeps import sweep
from tests.models.small_runs import small_images, small_run

sweep(small_images(), [small_run()], Path(sys.argv[1]), workers=1)
"""


def long_runs() -> list[Run]:
    """Two, which are done at once."""
    return [small_run(seed, epochs=16, milestones=(8, 12), batch=1) for seed in (0, 1)]


def whose(folder: Path, seed: int) -> int:
    """The process that does a run."""
    digest = small_run(seed).digest(digest_of(small_images()))
    return int((folder / digest / "lock").read_text(encoding="utf-8").split()[1])


def test_results_do_not_depend_on_who_computes_them(tmp_path: Path) -> None:
    """One worker or two, in any order: the same numbers and weights to the last bit, in the order of the runs."""
    runs = [small_run(seed) for seed in range(3)]
    one = sweep(small_images(), runs, tmp_path / "one", workers=1, device="cpu")
    two = sweep(small_images(), runs[::-1], tmp_path / "two", workers=2, device="cpu")[::-1]
    assert [result.seed for result in one] == [0, 1, 2]
    for left, right in zip(one, two, strict=True):
        assert left.state == right.state == "done"
        assert left.metrics == right.metrics
        assert same_weights(weights(tmp_path / "one", left), weights(tmp_path / "two", right))
    assert len({result.metrics["held-out"]["cross_entropy"] for result in one}) == 3


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    """Neither by the next call, nor for another table that asks for the same run."""
    runs = [small_run(), replace(small_run(), experiment="other", row="the same")]
    seen: list[Progress] = []
    first = sweep(small_images(), runs, tmp_path, workers=2, device="cpu", on_progress=seen.append)
    assert [(result.experiment, result.row) for result in first] == [("small", "apart"), ("other", "the same")]
    assert first[0].metrics == first[1].metrics
    assert {progress.total for progress in seen} == {1}
    assert seen[0].done == 0
    assert seen[-1] == Progress(1, 0, 1, ())
    assert any(one.epoch == 2 and one.epochs == 3 for progress in seen for one in progress.running)

    seen.clear()
    again = sweep(small_images(), runs, tmp_path, workers=2, device="cpu", on_progress=seen.append)
    assert [result.seconds for result in again] == [result.seconds for result in first]
    assert seen == [Progress(1, 0, 1, ())]


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    """Its run goes on after the last checkpoint, and comes to the same."""
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        if not killed and any("seed 1" in one.title and one.epoch == 2 for one in progress.running):
            killed.append(whose(tmp_path / "killed", 1))
            os.kill(killed[0], signal.SIGKILL)

    runs = [small_run(seed) for seed in range(3)]
    results = sweep(small_images(), runs, tmp_path / "killed", workers=1, device="cpu", on_progress=kill)
    assert killed
    assert [result.state for result in results] == ["done"] * 3
    assert "went on after epoch" in results[1].record["checkpoint"]
    (whole,) = sweep(small_images(), runs[1:2], tmp_path / "whole", workers=1, device="cpu")
    assert same_weights(weights(tmp_path / "killed", results[1]), weights(tmp_path / "whole", whole))


def test_a_run_whose_worker_dies_twice_has_failed(tmp_path: Path) -> None:
    """The others go on; its record says what killed it."""

    def kill(progress: Progress) -> None:
        if any("seed 0" in one.title for one in progress.running):
            os.kill(whose(tmp_path, 0), signal.SIGKILL)

    runs = [small_run(seed) for seed in range(2)]
    lost, kept = sweep(small_images(), runs, tmp_path, workers=2, device="cpu", on_progress=kill)
    assert lost.state == "failed"
    assert lost.error == (
        "small, apart, small-cnn, seed 0 failed: its process was ended by SIGKILL, which often means that memory was "
        "short, 2 times"
    )
    assert lost.record["error"] == lost.error
    assert lost.record["run"]["seed"] == 0
    assert kept.state == "done"


def test_a_diverging_run_ends_alone(tmp_path: Path) -> None:
    """At once, as another attempt would diverge too; the other is done, and the progress counts the failure."""
    seen: list[Progress] = []
    runs = [small_run(rate=1e30, clip=None), small_run()]
    diverged, kept = sweep(small_images(), runs, tmp_path, workers=1, device="cpu", on_progress=seen.append)
    assert diverged.state == "failed"
    assert "not finite" in (diverged.error or "")
    assert kept.state == "done"
    assert (seen[-1].done, seen[-1].failed) == (2, 1)


def test_an_error_ends_one_run(tmp_path: Path) -> None:
    """After a second attempt in a fresh process; its words are in the result, where it arose in the record."""
    wrong, kept = sweep(small_images(), [small_run(rate=-1), small_run()], tmp_path, workers=1, device="cpu")
    assert wrong.state == "failed"
    assert (wrong.error or "").endswith("failed after 0 of 3 epochs: ValueError: Invalid learning rate: -1")
    assert "training_loop.py" in wrong.record["traceback"]
    assert kept.state == "done"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder in which no file of a megabyte fits: a small disk where one can be mounted, else a limit on files."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    if not mounted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    yield folder
    if mounted:
        subprocess.run(["umount", str(folder)], check=True)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_ends_one_run(small_disk: Path) -> None:
    """The network that does not fit is told of, and the others are saved."""
    runs = [small_run(0), small_run(1, width=128), small_run(2)]
    results = sweep(small_images(), runs, small_disk, workers=1, device="cpu")
    assert [result.state for result in results] == ["done", "failed", "done"]
    assert "there is no room for files in" in (results[1].error or "")
    assert "Traceback" in results[1].record["traceback"]


def sweeping(folder: Path, script: str = SWEEPING) -> subprocess.Popen[str]:
    """A sweep in a process group of its own, as a terminal starts it."""
    path = folder / "sweeping.py"
    path.write_text(script, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(path), str(folder / "runs")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(ROOT)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until_both_train(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Waits until both runs have done two epochs, and gives the processes below."""
    assert process.stdout is not None
    for line in process.stdout:
        epochs = [int(word) for word in line.split()]
        if len(epochs) == 2 and epochs[0] >= 2:
            return [*psutil.Process(process.pid).children(recursive=True)]
    pytest.fail("the sweep has ended too early")


def soon(true: Callable[[], bool]) -> bool:
    """Whether something comes true within five seconds."""
    end = time.monotonic() + 5
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


def test_after_ctrl_c_the_next_call_goes_on(tmp_path: Path) -> None:
    """Everything stops within seconds; the next call goes on where it was, to the same bits."""
    process = sweeping(tmp_path)
    below = until_both_train(process)
    os.killpg(process.pid, signal.SIGINT)
    _, printed = process.communicate(timeout=5)
    assert process.returncode != 0
    assert printed.count("KeyboardInterrupt") == 1  # only the leading process says so
    assert soon(lambda: not any(one.is_running() for one in below))

    went_on = sweep(small_images(), long_runs(), tmp_path / "runs", workers=2, device="cpu")
    whole = sweep(small_images(), long_runs(), tmp_path / "whole", workers=2, device="cpu")
    for left, right in zip(went_on, whole, strict=True):
        assert left.record["checkpoint"].startswith("went on after epoch")
        assert same_weights(weights(tmp_path / "runs", left), weights(tmp_path / "whole", right))
        assert left.metrics == right.metrics


def test_workers_do_not_outlive_a_killed_sweep(tmp_path: Path) -> None:
    """They would hold the runs that the next call wants."""
    process = sweeping(tmp_path)
    below = until_both_train(process)
    process.kill()
    process.communicate()
    assert soon(lambda: not any(one.is_running() for one in below))


def test_a_script_that_sweeps_wherever_it_is_imported_is_told(tmp_path: Path) -> None:
    """It would start itself again and again."""
    process = sweeping(tmp_path, UNGUARDED)
    _, printed = process.communicate(timeout=120)
    assert process.returncode == 1
    assert 'put the call under `if __name__ == "__main__":`' in printed


def test_sweeps_share_a_folder(tmp_path: Path) -> None:
    """Two at once do each run once, and both have all results."""
    runs = [small_run(seed, epochs=8) for seed in range(4)]
    found: dict[int, list[RunResult]] = {}

    def one(number: int) -> None:
        found[number] = sweep(small_images(), runs[:: 1 - 2 * number], tmp_path, workers=1, device="cpu")

    threads = [threading.Thread(target=one, args=(number,)) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.seconds for result in found[0]] == [result.seconds for result in found[1][::-1]]
    assert all(result.record["checkpoint"] is None for result in found[0])


def test_memory_does_not_grow(tmp_path: Path) -> None:
    """A worker is as large after 60 runs as after 10."""
    sizes: dict[int, int] = {}

    def measure(progress: Progress) -> None:
        if progress.done in {10, 60} and progress.done not in sizes:
            workers = [one for one in psutil.Process().children() if "spawn_main" in " ".join(one.cmdline())]
            sizes[progress.done] = max(one.memory_info().rss for one in workers)

    runs = [small_run(seed, width=16) for seed in range(60)]
    results = sweep(small_images(), runs, tmp_path, workers=1, device="cpu", on_progress=measure)
    assert all(result.state == "done" for result in results)
    print(f"RSS after 10 runs {sizes[10] / 2**20:.1f} MiB, after 60 {sizes[60] / 2**20:.1f} MiB")
    assert sizes[60] - sizes[10] < 6 * 2**20


def test_nothing_to_do_is_done(tmp_path: Path) -> None:
    """No run, no process, no images written."""
    assert sweep(small_images(), [], tmp_path, workers=1) == []
    assert not list(tmp_path.iterdir())


def test_what_a_sweep_cannot_begin_with_is_said(tmp_path: Path) -> None:
    """One sentence each, with the argument that would mend it."""
    images, run = small_images(), small_run()
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    for given, argument, message in (
        ((images, [run], tmp_path, "slurm"), "engine", "there is no engine 'slurm'; choose local or ray"),
        ((images, [run], tmp_path / "file" / "runs"), "folder", "cannot be written to (Not a directory)"),
        ((images[:60], [run], tmp_path), "images", "asks for image 63, there are 60"),
        ((images[0], [run], tmp_path), "images", "these are uint8 [3, 8, 8]"),
        ((images / np.float32(255), [run], tmp_path), "images", "these are float32"),
    ):
        with pytest.raises(ArgumentError) as caught:
            sweep(*given)
        assert message in str(caught.value)
        assert caught.value.argument == argument
    with pytest.raises(ArgumentError, match="at least one worker"):
        sweep(images, [run], tmp_path, workers=0)
    with pytest.raises(ModelError, match="there is no device 'cuda:99' here"):
        sweep(images, [run], tmp_path, device="cuda:99")
