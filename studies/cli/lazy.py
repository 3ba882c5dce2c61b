"""A group of commands that are loaded by name when they are called, so that `--help` is quick."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """`helps` are the commands by name, each with its help; `modules` says where the `command` of each one is."""

    def __init__(self, *args: Any, helps: Mapping[str, str], modules: Mapping[str, str], **options: Any) -> None:
        super().__init__(*args, **options)
        self.helps, self.modules = helps, modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """As they are listed in the help."""
        return list(self.helps)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Imports the command's module."""
        if cmd_name not in self.helps:
            return None
        command = import_module(self.modules[cmd_name]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.helps.items()))
