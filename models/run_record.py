"""With what a run is computed: the code, the libraries, the machine. It goes into every record."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import socket
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from crowdloom.models.runs import Run

SOURCES = Path(__file__).resolve().parent


def record_of(run: Run, digest: str, images_digest: str) -> dict[str, Any]:
    """What is known before a run begins, as JSON values; with the same data it can be done again from this.

    Its `run` says what the digest is made of; `code`, `libraries` and `machine` say with what it is computed.
    """
    known = {
        "run": {
            "experiment": run.experiment,
            "row": run.row,
            "seed": run.seed,
            "settings": run.settings.as_json(),
            "metrics": list(run.metrics),
            "images": len(run.index),
            "labels": len(run.pool.labels),
            "evaluations": [{"name": one.name, "images": len(one.index), "bin": one.bin} for one in run.evaluations],
            "digest": digest,
            "images_digest": images_digest,
        },
        "origin": dict(run.origin),
        "code": code_version(),
        "libraries": library_versions(),
        "machine": {"host": socket.gethostname(), "system": platform.platform(), "processors": os.cpu_count()},
    }
    plain: dict[str, Any] = json.loads(json.dumps(known))  # as it is read back: lists for tuples
    return plain


@cache
def code_version() -> dict[str, str | None]:
    """The code: `crowdloom`, its version; `commit`, where this is a checkout; `models`, a digest of this folder."""
    seen = hashlib.sha256()
    for path in sorted(SOURCES.rglob("*.py")):
        seen.update(f"{path.relative_to(SOURCES)} {path.stat().st_size} ".encode() + path.read_bytes())
    return {"crowdloom": _version("crowdloom"), "commit": _commit(), "models": seen.hexdigest()}


def library_versions() -> dict[str, str | None]:
    """The versions of what computes."""
    return {"python": platform.python_version()} | {name: _version(name) for name in ("torch", "numpy", "safetensors")}


def machine(device: str = "cpu") -> str:
    """The processor, or the graphics card, that computes, as a reader of a table would name it."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name} with {os.cpu_count()} processors"


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    root = SOURCES.parent
    if not (root / ".git").exists():  # installed; a checkout around that would be of another project
        return None
    try:
        git = ["git", "-C", str(root), "rev-parse", "HEAD"]
        return subprocess.run(git, capture_output=True, check=True, text=True, timeout=10).stdout.strip()  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
