"""What is built for others to install: everything that the code reads, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT


def build(target: str, source: Path, folder: Path) -> Path:
    """Build as an installer would, though with the hatchling that is here; the file."""
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder], cwd=source, check=True)
    (built,) = folder.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return built


@pytest.mark.slow
def test_a_wheel_built_from_the_sdist_is_whole(tmp_path: Path) -> None:
    """Every file of the five folders is inside, under our name; tests are not."""
    with tarfile.open(build("sdist", ROOT, tmp_path)) as sdist:
        sdist.extractall(tmp_path, filter="data")
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert not (unpacked / "tests").exists()
    with zipfile.ZipFile(build("wheel", unpacked, tmp_path)) as wheel:
        inside = set(wheel.namelist())
    ours = {
        path.relative_to(ROOT).as_posix()
        for folder in ("analysis", "models", "studies", "tasks", "templates")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {name for name in inside if ".dist-info/" not in name} == {f"crowdloom/{name}" for name in ours}
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in inside)
    for name in (
        "studies/designs/soft-label.toml",
        "studies/designs/wrong-label-1.toml",
        "studies/mappings/cifar10s.toml",
        "studies/mappings/hmix-infer.toml",
        "studies/migrations/env.py",
        "studies/py.typed",
        "templates/static/live.js",
        "templates/tasks/soft_label.html",
    ):
        assert f"crowdloom/{name}" in inside
