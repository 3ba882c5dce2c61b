"""`crowdloom coach`: its commands are loaded by name when they are called, as those of `crowdloom` itself."""

from __future__ import annotations

import click

from crowdloom.studies.cli.lazy import LazyGroup

COMMANDS = {
    "prepare": "Train a recogniser and its coach, once.",
    "demo": "Run a small study with simulated writers, then leave it open for you to be coached.",
    "simulate": "Let simulated people write, be read and write again, over real HTTP.",
    "analyse": "Say what coaching did to a study's drawings: recognition, effort, change, learning, transfer.",
    "table": "Rebuild the paper's Table 1: accuracy, change and effort by the weights of the losses.",
    "figures": "Draw what coaches propose, as the paper's figures 4 and 5, and what can be had at which price.",
}
"""Every command with its help; its module is `crowdloom.studies.cli.coach_NAME` and has a `command`."""


@click.group(cls=LazyGroup, helps=COMMANDS, modules={name: f"crowdloom.studies.cli.coach_{name}" for name in COMMANDS})
def command() -> None:
    """Studies in which a network coaches people to be understood.

    A recogniser reads what somebody wrote, and a coach proposes a drawing that is like it, easier to read and less
    effort to write. Source: J. Schneider, Human-to-AI Coach: Improving Human Inputs to AI Systems (IDA 2020).
    """
