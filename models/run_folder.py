"""The folder of one run: who works in it, how far it is, what came of it. Every file in it appears whole.

lock                who works here now
record.json         what the run is, with which code, libraries and machine, and how it ended
state.safetensors   the checkpoint of a run that is under way
result.json         its numbers, written last: where it says `done`, the run is not done again
model.safetensors, config.json, README.md   the finished network (`saved_models.py`)
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from crowdloom.analysis.files import whole_file
from crowdloom.models.errors import ModelError, first_line
from crowdloom.models.folders import write_json

LOCK, RECORD, STATE, RESULT = "lock", "record.json", "state.safetensors", "result.json"
VALUES = "crowdloom"
"""The entry of a safetensors file's header that holds plain values, as JSON."""


class BusyError(ModelError):
    """Another process works in the folder."""


@dataclass(frozen=True)
class RunFolder:
    """One run's folder, which need not exist yet."""

    path: Path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Makes the folder and keeps it to this process; what writers that were killed left behind is removed.

        The lock is the system's: it ends with the process however that ends, also on another machine that shares the
        folder. Raises BusyError where somebody else holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / LOCK).open("a+", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                who = lock.read().strip() or "another process"
                raise BusyError(f"{self.path} is in use by {who}; wait until it has ended") from error
            lock.truncate(0)
            lock.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            lock.flush()
            for part in self.path.glob(".*.part"):
                part.unlink(missing_ok=True)
            yield

    def write_state(self, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
        """The checkpoint, in place of an earlier one."""
        write_tensors(self.path / STATE, tensors, values)

    def read_state(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """The checkpoint; None where there is none. Raises ModelError for a file that `write_state` did not write."""
        path = self.path / STATE
        return read_tensors(path) if path.exists() else None

    def drop_state(self) -> None:
        """Remove the checkpoint, which a finished run does not need."""
        (self.path / STATE).unlink(missing_ok=True)

    def write_record(self, record: Mapping[str, Any]) -> None:
        """In place of an earlier one."""
        write_json(self.path / RECORD, record)

    def read_record(self) -> dict[str, Any]:
        """The record, empty where there is none that can be read."""
        return _json(self.path / RECORD)

    def write_result(self, result: Mapping[str, Any]) -> None:
        """In place of an earlier one."""
        write_json(self.path / RESULT, result)

    def read_result(self, digest: str) -> dict[str, Any] | None:
        """The numbers of the run with this digest; None where they are not there."""
        result = _json(self.path / RESULT)
        return result if result.get("digest") == digest and isinstance(result.get("metrics"), dict) else None


def write_tensors(path: Path, tensors: Mapping[str, Tensor], values: Mapping[str, Any]) -> None:
    """A safetensors file that appears whole, with plain values in its header. Raises OSError, as for a full disk."""
    kept = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # As bytes: the library's own writer hides what the system said of a disk.
    content = save(kept, {VALUES: json.dumps(values)})
    with whole_file(path) as part:
        part.write_bytes(content)


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `write_tensors` wrote: tensors in memory of their own, and the values. Nothing is ever unpickled.

    Raises ModelError for a file that is damaged or somebody else's.
    """
    try:
        with safe_open(path, framework="pt") as file:
            values = json.loads((file.metadata() or {})[VALUES])
            if not isinstance(values, dict):
                raise TypeError(f"its values are a {type(values).__name__}")
            return {name: file.get_tensor(name).clone() for name in file.keys()}, values  # noqa: SIM118  # no mapping
    except KeyError as error:
        raise ModelError(f"{path} was not written by crowdloom; remove it") from error
    except (OSError, SafetensorError, ValueError, TypeError) as error:
        raise ModelError(f"{path} cannot be read ({first_line(error)}); remove it") from error


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
