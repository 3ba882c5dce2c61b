"""Commands that are called in the tests' own process, which has loaded what takes long."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from crowdloom.studies.cli import main


class CommandLine:
    """Calls commands of a group, and hears what they print."""

    def __init__(self, group: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._group, self._monkeypatch, self._capsys = group, monkeypatch, capsys

    def run(self, arguments: Sequence[str]) -> tuple[int, str, str]:
        """The exit status of a command, and what it prints: its words and its errors."""
        self._monkeypatch.setattr(sys, "argv", ["crowdloom", self._group, *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *self._capsys.readouterr()

    def assert_refused(self, arguments: Sequence[str], said: str, folder: Path) -> None:
        """It is refused in a sentence that begins so, and in the folder, where it is called, nothing changes."""
        (folder / "note.txt").write_text("mine")
        status, _, errors = self.run(arguments)
        assert status == 2
        assert errors.startswith(f"Error: {said}")
        assert [path.name for path in folder.iterdir()] == ["note.txt"]
