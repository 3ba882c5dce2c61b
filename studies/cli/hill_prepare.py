"""`crowdloom hill prepare`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from crowdloom.studies.cli.preparing import preparing
from crowdloom.studies.cli.training_options import require_training


@click.command()
@click.argument("name")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Where the data of cifar10, pamap2, hapt or your own scenario is.",
)
def command(name: str, data: Path | None) -> None:
    """Read a scenario's data and pretrain its network, once.

    NAME is digits or signals, which need no data; cifar10 (--data: the folder that has cifar-10-batches-py in it, or an
    .npz with images and label); pamap2 (the folder that has Protocol in it); hapt (an .npz with X, label, subject and
    session); or PACKAGE.MODULE:CALLABLE, which gives a Scenario of your own. It is kept below $CROWDLOOM_SCENARIOS, or
    in your data folder, for all sessions. Stopped or killed, the same command goes on where it was; once all is done it
    only says so. Do it before a study opens: workers on other machines need the folder, too.
    """
    require_training()
    from crowdloom.models.latent_cache import prepare
    from crowdloom.models.latent_items import scenarios_folder
    from crowdloom.models.latent_scenarios import scenario

    began = time.monotonic()
    heard: list[tuple[float, float]] = []
    with preparing(name, scenarios_folder()) as show:

        def hear(share: float, said: str) -> None:
            show(share, said)
            if share:
                heard.append((time.monotonic(), share))

        made = prepare(scenario(name), data, hear)
    last = made.curve[-1]
    click.echo(
        f"{name}: {len(made.data.x):,} training examples and {len(made.data.validation_x):,} to validate on, "
        f"{len(made.scenario.classes)} classes.\n"
        f"After {last.epoch} epochs accuracy {100 * last.accuracy:.1f} %, macro-F1 {100 * last.macro_f1:.1f} %; "
        f"{time.monotonic() - began:.1f} s.\n"
        f"{_waiting(heard, last.epoch)}"
        f"It is in {made.folder}"
    )


def _waiting(heard: Sequence[tuple[float, float]], epochs: int) -> str:
    """What is to be known of the time that an epoch took, by when which share of them was done; nothing if none was."""
    if len(heard) < 2:
        return ""
    (first_at, first), (last_at, last) = heard[0], heard[-1]
    seconds = (last_at - first_at) / (last - first) / epochs
    return f"An epoch took about {seconds:.2f} s; participants wait for a study's epochs, beside their own time.\n"
