"""`crowdloom hill`: its commands are loaded by name when they are called, as those of `crowdloom` itself."""

from __future__ import annotations

import click

from crowdloom.studies.cli.lazy import LazyGroup

COMMANDS = {
    "prepare": "Read a scenario's data and pretrain its network, once.",
    "demo": "Run a small study of the latent loop with simulated people, then leave it open for you.",
    "simulate": "Let simulated people go through a scenario, over real HTTP.",
    "analyse": "Say what people did with the latent space, and what training made of it.",
    "compare": "Compare strategies with the training without a person.",
    "audio": "Write the recordings of people who thought aloud.",
}
"""Every command with its help; its module is `crowdloom.studies.cli.hill_NAME` and has a `command`."""


@click.group(cls=LazyGroup, helps=COMMANDS, modules={name: f"crowdloom.studies.cli.hill_{name}" for name in COMMANDS})
def command() -> None:
    """Studies in which people reshape a network's latent space.

    A network learns, people see its latent space in the plane and rearrange it, and the network learns on towards what
    they want. Source: D. Geissler et al., Human in the Latent Loop (HILL).
    """
