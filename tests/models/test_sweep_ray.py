"""The same runs on a real Ray cluster of two nodes, one of which is lost on the way."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from crowdloom.models.errors import ArgumentError
from crowdloom.models.sweeps import sweep
from tests.conftest import ROOT, missing
from tests.models.small_runs import done, long_run, same_weights, small_images, small_run, weights

pytestmark = pytest.mark.slow

CLUSTER = """
import json, os, sys
from dataclasses import asdict
from pathlib import Path

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray
from ray.cluster_utils import Cluster

from crowdloom.models.sweeps import sweep
from tests.models.small_runs import long_run, small_images

folder, temporary = Path(sys.argv[1]), sys.argv[2]
os.environ["RAY_TMPDIR"] = temporary
# Without an address, Ray is started for the call, and ended.
(own,) = sweep(small_images(), [long_run()], folder / "own", "ray", workers=1, device="cpu")
assert not ray.is_initialized()

node = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args=node | {"temp_dir": temporary})
second = cluster.add_node(**node)
os.environ["RAY_ADDRESS"] = cluster.address
said = {"nodes": [cluster.head_node.node_id, second.node_id], "lost": [], "own": asdict(own)}

def lose(progress):
    # The second node disappears, without a word, while it does a run.
    for path in (folder / "cluster").glob("*/record.json"):
        record = json.loads(path.read_text())
        seed = record["run"]["seed"]
        under_way = any(one.title.endswith(f"seed {seed}") and one.epoch >= 2 for one in progress.running)
        if not said["lost"] and under_way and record.get("node") == second.node_id and record["state"] == "running":
            said["lost"].append(seed)
            cluster.remove_node(second, allow_graceful=False)

try:
    runs = [long_run(seed, 30) for seed in range(3)]
    results = sweep(small_images(), runs, folder / "cluster", "ray", device="cpu", on_progress=lose)
    said["cluster"] = [asdict(result) for result in results]
    assert not ray.is_initialized()
    print("said:" + json.dumps(said))
finally:
    cluster.shutdown()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What all nodes share."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def said(folder: Path) -> dict[str, Any]:
    """What sweeps on a cluster of our own and on one of two nodes gave, in a process of its own; a node was lost."""
    if importlib.util.find_spec("ray") is None:
        missing("Ray is not installed")
    # Ray has its sockets there, whose paths must be short.
    with (
        tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as temporary,
        subprocess.Popen(
            [sys.executable, "-c", CLUSTER, str(folder), temporary],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
            | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        printed, errors = process.communicate(timeout=500)
        assert process.returncode == 0, errors[-3000:]
        left = [one for one in psutil.process_iter(["cmdline"]) if temporary in " ".join(one.info["cmdline"] or [])]
        assert not left
    (line,) = [line for line in printed.splitlines() if line.startswith("said:")]
    found: dict[str, Any] = json.loads(line.removeprefix("said:"))
    return found


def test_a_cluster_computes_what_this_machine_computes(said: dict[str, Any], folder: Path) -> None:
    """All numbers and weights are those of one process, to the last bit, though one of two nodes is lost on the way.

    The run that it did goes on elsewhere, from the checkpoint that it wrote to the shared folder.
    """
    (lost,) = said["lost"]
    for seed, far in enumerate(said["cluster"]):
        near = done(folder / "here", long_run(seed, 30)).result
        assert (far["state"], far["seed"], far["digest"]) == ("done", seed, near.digest)
        assert far["metrics"] == near.metrics
        assert same_weights(weights(folder / "cluster", near), weights(folder / "here", near))
    assert said["cluster"][lost]["record"]["node"] == said["nodes"][0]
    assert said["cluster"][lost]["record"]["checkpoint"].startswith("went on after epoch")


def test_without_a_cluster_one_is_started(said: dict[str, Any], folder: Path) -> None:
    """On this machine and for the call, with the same numbers."""
    near = done(folder / "here", long_run()).result
    assert (said["own"]["state"], said["own"]["metrics"]) == ("done", near.metrics)
    assert said["own"]["record"]["node"] not in said["nodes"]
    assert same_weights(weights(folder / "own", near), weights(folder / "here", near))


def test_what_a_cluster_has_done_is_done(said: dict[str, Any], folder: Path) -> None:
    """This machine need not do it again."""
    runs = [long_run(seed, 30) for seed in range(3)]
    again = sweep(small_images(), runs, folder / "cluster", workers=2, device="cpu")
    assert [result.seconds for result in again] == [result["seconds"] for result in said["cluster"]]
    assert [result.record["engine"] for result in again] == ["ray"] * len(runs)


def test_without_ray_a_sweep_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence, with the command."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ArgumentError, match=r'not installed; run: pip install "crowdloom\[cluster\]"'):
        sweep(small_images(), [small_run()], tmp_path, "ray")


@pytest.mark.parametrize("address", ["127.0.0.1:9", "nowhere"])
def test_a_cluster_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Within moments, with the address and where it came from."""
    if importlib.util.find_spec("ray") is None:
        missing("Ray is not installed")
    monkeypatch.setenv("RAY_ADDRESS", address)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    with pytest.raises(ArgumentError, match=rf"the Ray cluster at {address} \(from \$RAY_ADDRESS\) cannot be reached"):
        sweep(small_images(), [small_run()], tmp_path, "ray", device="cpu")
