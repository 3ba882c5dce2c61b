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
from typing import NamedTuple

import numpy as np
import psutil
import pytest

from crowdloom.models.errors import ArgumentError, ModelError
from crowdloom.models.runs import RunResult, digest_of
from crowdloom.models.sweep_book import Progress
from crowdloom.models.sweeps import sweep
from tests.conftest import ROOT
from tests.models.small_runs import done, long_run, same_weights, small_images, small_run, weights

pytestmark = pytest.mark.slow

SWEEPING = """
import sys
from pathlib import Path
from crowdloom.models.sweeps import sweep
from tests.models.small_runs import long_run, small_images

def told(progress):
    print(*sorted(one.epoch for one in progress.running), flush=True)

if __name__ == "__main__":
    runs = [long_run(seed) for seed in range(int(sys.argv[2]))]
    sweep(small_images(), runs, Path(sys.argv[1]), workers=len(runs), device="cpu", on_progress=told)
"""
UNGUARDED = """
import sys
from pathlib import Path
from crowdloom.models.sweeps import sweep
from tests.models.small_runs import small_images, small_run

sweep(small_images(), [small_run()], Path(sys.argv[1]), workers=1)
"""


class Undisturbed(NamedTuple):
    """A sweep with one worker, and what it told."""

    folder: Path
    results: list[RunResult]
    progress: list[Progress]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Seeds 0, 1 and 2, seed 0 for two tables, beside a run that diverges and one that cannot begin."""
    folder = tmp_path_factory.mktemp("undisturbed")
    wrong = [small_run(rate=1e30, clip=None), small_run(rate=-1)]
    runs = [*wrong, *map(small_run, range(3)), replace(small_run(), experiment="other", row="the same")]
    seen: list[Progress] = []
    results = sweep(small_images(), runs, folder, workers=1, device="cpu", on_progress=seen.append)
    return Undisturbed(folder, results, seen)


def whose(folder: Path, seed: int) -> int:
    """The process that does a run."""
    digest = small_run(seed).digest(digest_of(small_images()))
    return int((folder / digest / "lock").read_text(encoding="utf-8").split()[1])


def test_each_run_is_done_once(undisturbed: Undisturbed) -> None:
    """Also where two tables ask for it; results are in the order of the runs, and the progress tells of each epoch."""
    results, seen = undisturbed.results[2:], undisturbed.progress
    assert [result.state for result in results] == ["done"] * 4
    assert [(result.experiment, result.row) for result in results] == [("small", "apart")] * 3 + [("other", "the same")]
    assert [result.seed for result in results] == [0, 1, 2, 0]
    assert results[0].metrics == results[3].metrics
    assert len({result.metrics["held-out"]["cross_entropy"] for result in results}) == 3
    assert {progress.total for progress in seen} == {5}
    assert seen[0].done == 0
    assert seen[-1] == Progress(5, 2, 5, ())
    assert any(one.epoch == 2 and one.epochs == 3 for progress in seen for one in progress.running)


def test_what_is_done_is_not_done_again(undisturbed: Undisturbed) -> None:
    """The next call begins with all results."""
    runs = [small_run(seed) for seed in range(3)]
    seen: list[Progress] = []
    again = sweep(small_images(), runs, undisturbed.folder, workers=2, device="cpu", on_progress=seen.append)
    assert [result.seconds for result in again] == [result.seconds for result in undisturbed.results[2:5]]
    assert seen == [Progress(3, 0, 3, ())]


def test_a_diverging_run_ends_alone(undisturbed: Undisturbed) -> None:
    """At once, as another attempt would diverge too; the others are done, and the progress counts the failure."""
    diverged = undisturbed.results[0]
    assert diverged.state == "failed"
    assert "not finite" in (diverged.error or "")
    ended = [(progress.done, progress.failed) for progress in undisturbed.progress]
    assert ended.index((1, 1)) < ended.index((2, 1))  # it was the first, and the next one was done


def test_an_error_ends_one_run(undisturbed: Undisturbed) -> None:
    """After a second attempt in a fresh process; its words are in the result, where it arose in the record."""
    wrong = undisturbed.results[1]
    assert wrong.state == "failed"
    assert (wrong.error or "").endswith("failed after 0 of 3 epochs: ValueError: Invalid learning rate: -1")
    assert "training_loop.py" in wrong.record["traceback"]
    ended = [(progress.done, progress.failed) for progress in undisturbed.progress]
    assert ended[-2:] == [(4, 1), (5, 2)]  # the second attempt came after all others


def test_killed_workers_are_replaced(undisturbed: Undisturbed, tmp_path: Path) -> None:
    """A run whose worker was killed goes on after the last checkpoint, one whose worker died twice has failed.

    All others come to the same numbers and weights to the last bit, with two workers and in another order.
    """
    killed: list[int] = []

    def kill(progress: Progress) -> None:
        for one in progress.running:
            if one.title.endswith("seed 3") or (one.title.endswith("seed 1") and one.epoch == 2 and 1 not in killed):
                seed = int(one.title[-1])
                killed.append(seed)
                os.kill(whose(tmp_path, seed), signal.SIGKILL)

    runs = [small_run(seed) for seed in (3, 2, 1, 0)]
    lost, *kept = sweep(small_images(), runs, tmp_path, workers=2, device="cpu", on_progress=kill)
    assert lost.state == "failed"
    assert lost.error == (
        "small, apart, small-cnn, seed 3 failed: its process was ended by SIGKILL, which often means that memory was "
        "short, 2 times"
    )
    assert lost.record["error"] == lost.error
    assert lost.record["run"]["seed"] == 3

    assert 1 in killed
    assert "went on after epoch" in kept[1].record["checkpoint"]
    for left, right in zip(kept[::-1], undisturbed.results[2:5], strict=True):
        assert left.state == "done"
        assert (left.seed, left.digest, left.metrics) == (right.seed, right.digest, right.metrics)
        assert same_weights(weights(tmp_path, left), weights(undisturbed.folder, right))


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


def sweeping(folder: Path, runs: int, script: str = SWEEPING) -> subprocess.Popen[str]:
    """A sweep of so many runs in a process group of its own, as a terminal starts it."""
    path = folder / "sweeping.py"
    path.write_text(script, encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, str(path), str(folder / "runs"), str(runs)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([os.environ.get("PYTHONPATH", ""), str(ROOT)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def until_all_train(process: subprocess.Popen[str], runs: int) -> list[psutil.Process]:
    """Waits until all runs have done two epochs, and gives the processes below."""
    assert process.stdout is not None
    for line in process.stdout:
        epochs = [int(word) for word in line.split()]
        if len(epochs) == runs and epochs[0] >= 2:
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
    process = sweeping(tmp_path, 2)
    below = until_all_train(process, 2)
    os.killpg(process.pid, signal.SIGINT)
    _, printed = process.communicate(timeout=30)
    assert process.returncode != 0
    assert printed.count("KeyboardInterrupt") == 1  # only the leading process says so
    assert soon(lambda: not any(one.is_running() for one in below))

    runs = [long_run(seed) for seed in (0, 1)]
    for run, went_on in zip(runs, sweep(small_images(), runs, tmp_path / "runs", workers=1, device="cpu"), strict=True):
        whole = done(tmp_path / "whole", run).result
        assert went_on.record["checkpoint"].startswith("went on after epoch")
        assert same_weights(weights(tmp_path / "runs", went_on), weights(tmp_path / "whole", whole))
        assert went_on.metrics == whole.metrics


def test_no_worker_hears_ctrl_c(tmp_path: Path) -> None:
    """It goes to all processes of the terminal, and is the leading process's to answer."""
    process = sweeping(tmp_path, 1)
    (worker,) = [one for one in until_all_train(process, 1) if "resource_tracker" not in " ".join(one.cmdline())]
    worker.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=120)
    assert (process.returncode, printed) == (0, "")


def test_workers_do_not_outlive_a_killed_sweep(tmp_path: Path) -> None:
    """They would hold the runs that the next call wants."""
    process = sweeping(tmp_path, 1)
    below = until_all_train(process, 1)
    process.kill()
    process.communicate()
    assert soon(lambda: not any(one.is_running() for one in below))


def test_a_script_that_sweeps_wherever_it_is_imported_is_told(tmp_path: Path) -> None:
    """It would start itself again and again."""
    process = sweeping(tmp_path, 1, UNGUARDED)
    _, printed = process.communicate(timeout=120)
    assert process.returncode == 1
    assert 'put the call under `if __name__ == "__main__":`' in printed


def test_sweeps_share_a_folder(tmp_path: Path) -> None:
    """Two at once do each run once, and both have all results."""
    runs = [small_run(seed, epochs=6) for seed in range(4)]
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
            living = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
            workers = [one for one in living if "spawn_main" in " ".join(one.cmdline())]
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
