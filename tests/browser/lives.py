"""What the whole life of a study needs on every platform: the commands, the server, a person at the pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from playwright.sync_api import FrameLocator, Page
from sqlalchemy import select, update

from crowdloom.studies.cli import cli
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.rehearsal import serving
from crowdloom.studies.tables import Submission

DESIGN = """
name = "life"
title = "Which digit is it?"
task = "soft-label"
classes = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
consent = "You will look at two small images."
instructions = ["Imagine what 100 people would say."]
[items]
source = "digits"
sample = 2
image_size = {image_size}
[batches]
size = 2
responses_per_item = 2
[people]
minutes = 3
hold_minutes = 30
reward = "0.50 USD"
hourly_floor = "8.00 USD"
spending_cap = "20.00 USD"
[bonus]
rule = "agreement"
amount = "0.25 USD"
share = 1.0
[checks]
seconds_per_answer = 0.01
{more}
"""


class Lab:
    """A researcher with a store, a server and the command line."""

    def __init__(self, store: Store, address: str, environ: dict[str, str], folder: Path) -> None:
        self.store, self.address, self.environ, self.folder = store, address, environ, folder

    def run(self, *arguments: str, fails: bool = False) -> str:
        """A command; what it prints."""
        environ = {**self.environ, "CROWDLOOM_DATABASE": self.store.url}
        result = CliRunner().invoke(cli, list(arguments), env=environ)
        said = result.output + (str(result.exception) if result.exception else "")
        assert (result.exit_code != 0) == fails, f"{arguments}: {said}"
        return said

    def differences(self) -> list[tuple[str, str]]:
        """What `reconcile` finds: kind, and whom it concerns."""
        found = json.loads(self.run("reconcile", "life", "--json"))
        return [(one["kind"], one["who"]) for posting in found.values() for one in posting["differences"]]

    def codes(self, state: str = "completed") -> list[str]:
        """The codes of the submissions in a state, oldest first."""
        with self.store.read() as connection:
            return list(
                connection.scalars(
                    select(Submission.pseudonym).where(Submission.state == state).order_by(Submission.id)
                )
            )

    def let_minutes_pass(self, minutes: int) -> None:
        """Everybody began so much earlier."""
        with self.store.write() as connection:
            for row in connection.execute(select(Submission.id, Submission.started_at)).all():
                earlier = row.started_at - timedelta(minutes=minutes)
                connection.execute(update(Submission).where(Submission.id == row.id).values(started_at=earlier))


@contextmanager
def lab(folder: Path, environ: dict[str, str], more: str = "", image_size: int = 160) -> Iterator[Lab]:
    """A lab with the study loaded, whose pages are served."""
    store = open_store(str(folder / "store.db"))
    try:
        with serving(store.url, workers=1) as address:
            made = Lab(store, address, environ, folder)
            (folder / "life.toml").write_text(DESIGN.format(more=more, image_size=image_size))
            made.run("load", str(folder / "life.toml"))
            yield made
    finally:
        store.close()


def consent(where: Page | FrameLocator) -> None:
    """Take part, and read the instructions."""
    where.get_by_text("I agree and take part").click()
    where.get_by_text("Begin", exact=True).click()


def answer(where: Page | FrameLocator, number: int) -> None:
    """Answer the trial of this number."""
    where.locator(f"h1:text-is('Image {number} of 2')").wait_for()
    where.locator("[name=top1][value='3']").check()
    where.locator("[name=top1_probability]").fill("80")
    where.locator("[name=top2][value=no-alternative]").check()
    where.get_by_text("Save and go on").click()


def take(where: Page | FrameLocator) -> None:
    """From consent to the last answer."""
    consent(where)
    for number in (1, 2):
        answer(where, number)
    where.get_by_text("Every answer is saved").wait_for()


def exported(made: Lab) -> Any:
    """The long table as `crowdloom export` writes it."""
    import pandas as pd

    out = made.folder / "answers.csv"
    made.run("export", "life", "--out", str(out))
    return pd.read_csv(out)
