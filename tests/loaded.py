"""`crowdloom` with all loaded that takes long: `python -m tests.loaded` forks a process for each command it reads.

A command of the README spends most of its time on importing what the one before it has imported. What is loaded here
has done nothing yet: each command has a process, a folder and an environment of its own, as from a shell.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent
HEAVY = ("matplotlib.figure", "pandas", "pyarrow.parquet", "scipy.stats", "sqlalchemy", "torch._dynamo")
OURS = ("studies.cli", "studies.loading", "studies.database", "studies.reading", "analysis.frame")


class Loaded:
    """Runs commands, one after the other."""

    def __init__(self, process: subprocess.Popen[str], output: IO[str]) -> None:
        self._process, self._output = process, output

    def run(self, arguments: Sequence[str], folder: Path, environ: dict[str, str]) -> tuple[int, str]:
        """What `crowdloom` with these arguments exits with, and all that it prints."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._output.seek(0)
        self._output.truncate()
        order = {"arguments": list(arguments), "folder": str(folder), "environ": environ, "output": self._output.name}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        self._output.seek(0)
        return status, self._output.read()


@contextmanager
def loaded() -> Iterator[Loaded]:
    """The process that forks commands, for as long as the block lasts."""
    with (
        tempfile.NamedTemporaryFile("w+", encoding="utf-8") as output,
        subprocess.Popen(
            [sys.executable, "-m", "tests.loaded"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        try:
            yield Loaded(process, output)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(60)


def main() -> None:
    """Read orders, one JSON object a line; answer each with the status that its process ended with."""
    for name in (*HEAVY, *(f"crowdloom.{name}" for name in OURS)):
        import_module(name)
    gc.freeze()  # so that no process copies it by looking through it
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(order)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(order: dict[str, object]) -> None:
    """From here on this process is the command."""
    from crowdloom.studies.cli import main as command

    output = os.open(str(order["output"]), os.O_WRONLY | os.O_APPEND)
    for number, source in ((0, os.open(os.devnull, os.O_RDONLY)), (1, output), (2, output)):
        os.dup2(source, number)
    environ = order["environ"]
    assert isinstance(environ, dict)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(str(order["folder"]))
    assert isinstance(order["arguments"], list)
    sys.argv = ["crowdloom", *order["arguments"]]
    status = 0
    try:
        command()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001 - whatever it was, the test is to see it
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # to take everything loaded apart would take longer than most commands


if __name__ == "__main__":
    main()
