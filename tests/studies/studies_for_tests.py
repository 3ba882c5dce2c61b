"""Small studies for tests, and people who take them through the app's test client."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from crowdloom.studies.database import Store
from crowdloom.studies.design_file import parse_design
from crowdloom.studies.loading import Loaded, load_design
from crowdloom.studies.posting import publish

DESIGN = """
name = "small"
title = "What digit is this?"
task = "soft-label"
seed = 1
classes = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
consent = "We study digits."
instructions = ["First page.", "Second page."]
[items]
source = "digits"
sample = 6
[batches]
size = 3
responses_per_item = 2
repeats = [2]
[people]
minutes = 5
hold_minutes = 20
reward = "1.50 USD"
"""


def load_small(store: Store, folder: Path, design: str = DESIGN) -> Loaded:
    """Load a small study: 6 digits in 2 batches of 3 with one repeat, 2 responses each."""
    return load_design(store, parse_design(design, "small.toml"), design, folder)


def open_small(store: Store, folder: Path, design: str = DESIGN) -> str:
    """Load and publish it; the posting's token."""
    loaded = load_small(store, folder, design)
    with store.write() as connection:
        return publish(connection, loaded.study, "link").token


def begin(client: FlaskClient, posting: str, participant: str) -> str:
    """Consent and read the instructions; the address of the submission."""
    answer = client.post(f"/join/{posting}", data={"participant": participant, "decision": "agree"})
    assert answer.status_code == 303, answer.text
    client.post(f"{answer.location}/instructions")
    return answer.location


def trial_id(client: FlaskClient, base: str) -> str | None:
    """The id of the current trial, or None where there is none."""
    found = re.search(r'name="trial" value="([^"]+)"', client.get(base).text)
    return found[1] if found else None


def answer(client: FlaskClient, base: str, **changes: Any) -> int:
    """Answer the current trial; the status code."""
    form = {
        "trial": trial_id(client, base),
        "top1": "3",
        "top1_probability": "80",
        "top2": "no-alternative",
        "top2_probability": "",
        "timing": '{"rt_ms": 2500}',
    }
    return client.post(f"{base}/answer", data=form | changes).status_code


def complete(client: FlaskClient, posting: str, participant: str) -> str:
    """A whole participation; the address of the submission."""
    base = begin(client, posting, participant)
    while trial_id(client, base):
        assert answer(client, base) == 303
    return base
