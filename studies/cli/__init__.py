"""The command line. Commands are loaded by name when they are called, so that `--help` is quick."""

from __future__ import annotations

import sys

import click

from crowdloom.studies.cli.lazy import LazyGroup
from crowdloom.studies.errors import CrowdloomError

COMMANDS = {
    "catalogue": "List the designs that `new` can write.",
    "new": "Write a commented design to start from.",
    "plan": "Try a design's plan: how often it finds what is there, and what is not.",
    "validate": "Check a design file without touching the store.",
    "load": "Put a design with its items into the store.",
    "rehearse": "Run a study with simulated participants over real HTTP.",
    "power": "Say how likely a design would find an effect, and what that costs.",
    "cost": "Show what a study can cost on a platform, before it is published.",
    "publish": "Open a study to participants, on a platform or by a link.",
    "pause": "Let nobody new into a study for the time being.",
    "resume": "Let people into a paused study again.",
    "add-places": "Ask for as many people as a study still lacks, or for more answers.",
    "invite": "Make personal links to a study.",
    "close": "Close a study to new participants.",
    "serve": "Serve the pages of all studies in the store.",
    "worker": "Run live tasks' long steps, and what the pages ask of platforms.",
    "marketplace": "Serve an MTurk-compatible marketplace of your own.",
    "status": "Show how a study stands: places, submissions, answers, hourly pay.",
    "review": "Approve or reject submissions; a rejected one frees its place.",
    "pay": "Pay what is owed: rewards, bonuses and additions.",
    "bonus": "Show who gets a bonus or an addition, and pay it.",
    "reconcile": "Compare the store with the platform, and say what would mend each difference.",
    "watch": "Reconcile again and again, and say what is new.",
    "exclude": "Leave a submission out of the analysis, with a reason.",
    "import": "Read the raw file of a study that was run elsewhere, or a release.",
    "interpret": "Find a classifier's mistakes, and draw what it looked at.",
    "coders": "Add researchers who code a study's items, and show how far they are.",
    "describe": "Describe a study's answers in numbers.",
    "figures": "Draw the figures of a study's answers.",
    "analyse": "Carry out a study's plan, and write its report.",
    "labels": "Build labels from a study's answers.",
    "simulate-labels": "Simulate soft labels for images with hard ones, as a study's people would give them.",
    "train": "Train networks on collected labels, and compare kinds of labels.",
    "tables": "Rebuild the tables and figures of the thesis on learning from soft labels and mixes.",
    "hill": "Studies in which people reshape a network's latent space.",
    "coach": "Studies in which a network coaches people to be understood.",
    "aggregate": "Turn any table of people's labels into probabilities for each task.",
    "export": "Write a study's answers as one long table.",
    "release": "Write a study as a data set that others can load.",
    "encrypt-identities": "Seal participants' platform ids with a key.",
    "forget-identities": "Erase the platform ids of a study's participants.",
    "upgrade": "Bring a database to this version's schema.",
    "demo": "Run a whole study with simulated people, then leave it open for you.",
}
"""Every command with its help; its module is `crowdloom.studies.cli.NAME` (`_` for `-`) and has a `command`."""

_MODULES = {name: f"{__name__}.{name.replace('-', '_')}" for name in COMMANDS}
_MODULES["import"] = f"{__name__}.importing"  # `import` cannot name a module


@click.group(cls=LazyGroup, helps=COMMANDS, modules=_MODULES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="crowdloom")
def cli() -> None:
    """Studies in which people teach machines.

    A study's life: new, validate, power, plan, rehearse, load, cost, publish, serve, status, review, pay, close,
    analyse, labels, train, export, release.
    """


def main() -> None:
    """Run the command line; an error that a user can mend is one sentence and exit status 2."""
    try:
        cli()
    except CrowdloomError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        click.echo(f"Error: {what}; nothing was written", err=True)
        sys.exit(2)
