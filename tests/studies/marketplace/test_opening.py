"""The marketplace's database and its commands."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from crowdloom.studies.cli import cli
from crowdloom.studies.database import open_store
from crowdloom.studies.errors import CrowdloomError, StoreError
from crowdloom.studies.marketplace import open_market
from tests.studies.marketplace.running import hit_values, requester


def test_a_database_of_ones_own(database: str) -> None:
    """It is made once, found again, and refused where it is of another version."""
    with pytest.raises(StoreError, match="is empty"):
        open_market(database, create=False)
    first = open_market(database)
    first.add_worker()
    again = open_market(database, create=False)
    assert again.count("workers") == 1
    assert again.cookie_key() == first.cookie_key()
    again.close()
    with first.store.write() as connection:
        connection.execute(text("UPDATE marketplace SET version = '2'"))
    first.close()
    with pytest.raises(StoreError, match="schema 2, and this crowdloom knows 1"):
        open_market(database)


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """The database holds requesters' secrets, which they are verified by; nobody else on the machine reads it."""
    open_market(str(tmp_path / "market.db")).close()
    assert (tmp_path / "market.db").stat().st_mode & 0o077 == 0


def test_the_studies_store_is_another(database: str) -> None:
    """Neither opens the other's database, nor changes it."""
    open_store(database).close()
    with pytest.raises(StoreError, match="is a database of something else"):
        open_market(database)
    open_store(database, create=False).close()


def test_a_marketplace_is_no_store(tmp_path: Path) -> None:
    """A study's command that is given the marketplace's file says so."""
    open_market(str(tmp_path / "market.db")).close()
    with pytest.raises(StoreError, match="is a database of something else"):
        open_store(str(tmp_path / "market.db"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a marketplace of its own, in which commands are run."""
    monkeypatch.setenv("CROWDLOOM_MARKETPLACE", str(tmp_path / "market.db"))
    return tmp_path


def call(*arguments: str) -> Result:
    """Run a subcommand that must succeed."""
    result = CliRunner().invoke(cli, ["marketplace", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def test_the_keepers_commands(here: Path) -> None:
    """invite, requester, deposit, fault and advance do what they say, in the database that is named."""
    lines = call("invite", "--count", "2", "--country", "ca", "--address", "https://m.example.org/").output.splitlines()
    assert all(re.fullmatch(r"A[A-Z0-9]{13}  https://m\.example\.org/enter/[A-Za-z0-9]+", line) for line in lines)
    assert len(lines) == 2
    key = call("requester", "Lab").output.splitlines()[0].removeprefix("AWS_ACCESS_KEY_ID=")
    assert "Added 25.50 USD" in call("deposit", key, "25.50").output
    assert "The next 2 calls of SendBonus" in call("fault", "SendBonus", "effect-then-500", "--times", "2").output
    assert "2 faults cleared" in call("fault", "--clear").output
    assert "UTC in the marketplace" in call("advance", "60").output
    call("invite", "--database", str(here / "other.db"))
    call("--database", str(here / "other.db"), "invite")
    counted = [open_market(str(here / name)) for name in ("market.db", "other.db")]
    assert [market.count("workers") for market in counted] == [2, 2]
    for market in counted:
        market.close()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["invite", "--country", "Canada"], "is none; write US or US-WA"),
        (["invite", "--address", "example.org"], "is not an address such as"),
        (["requester", " "], "has 1 to 100 characters"),
        (["deposit", "nobody", "1"], "is empty"),
        (["fault", "SendBonus"], "takes an OPERATION and a KIND"),
        (["fault", "SendBonus", "500", "--clear"], "or --clear alone"),
        (["fault", "SendBonus", "broken"], "there are: 500, drop, effect-then-500, effect-then-drop, throttle"),
        (["advance", "5"], "is empty"),
    ],
)
def test_mistakes(here: Path, arguments: list[str], sentence: str) -> None:
    """Each mistake is one sentence of ours, not a traceback."""
    with pytest.raises(CrowdloomError, match=re.escape(sentence)):
        CliRunner().invoke(cli, ["marketplace", *arguments], catch_exceptions=False)


class Served:
    """`crowdloom marketplace` in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "crowdloom.studies.cli", "marketplace", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline().strip()]
        while "/enter/" not in self.lines[-1]:
            self.lines.append(self.process.stdout.readline().strip())
        self.address = re.sub(r".*(http://[^ ]+)  \(Ctrl-C ends it\)", r"\1", self.lines[0])

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: Any) -> None:
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(30) == 0
        assert self.process.stdout is not None
        self.process.stdout.close()


def test_serving(here: Path) -> None:
    """The first line says where; boto3 finds it by the environment; a dropped answer is tried again."""
    with Served() as served:
        assert served.lines[0] == f"Serving the marketplace at {served.address}  (Ctrl-C ends it)"
        script = (
            "import boto3; client = boto3.client('mturk', region_name='us-east-1');"
            "print(client.get_account_balance()['AvailableBalance'])"
        )
        keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_ENDPOINT_URL_MTURK": served.address}
        done = subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, **keys}, capture_output=True, text=True, check=True
        )
        assert done.stdout == "10000.00\n"
        call("fault", "CreateHIT", "effect-then-drop")
        client = requester(served.address)
        with pytest.raises(client.exceptions.RequestError, match="already exists"):
            client.create_hit(**hit_values(UniqueRequestToken="one"))
        assert client.list_hits()["NumResults"] == 1


def test_behind_a_web_server(here: Path) -> None:
    """With --address the links are public ones, and only requesters with a secret are let in."""
    key, secret = (line.split("=")[1] for line in call("requester", "Lab").output.splitlines())
    with Served("--address", "https://market.example.org/", "--rate", "100") as served:
        assert served.lines[-1].startswith("https://market.example.org/enter/")
        assert requester(served.address, key, secret).list_hits()["HITs"] == []
        stranger = requester(served.address)
        with pytest.raises(stranger.exceptions.ClientError, match="UnrecognizedClientException"):
            stranger.list_hits()
