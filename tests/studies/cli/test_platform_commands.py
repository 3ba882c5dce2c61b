"""The commands that publish, watch, review and pay, as their users call them; and what they never show."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from crowdloom.studies.cli import cli, main
from crowdloom.studies.database import Store, open_store
from crowdloom.studies.tables import Listing, Place, Posting, Submission, Table
from tests.studies.conftest import Publish
from tests.studies.published import OnLink, Published
from tests.studies.test_paying import LONG

pytestmark = pytest.mark.slow

ON_A_STUDY = [
    "cost", "publish", "pause", "resume", "add-places", "invite", "close", "pay", "bonus", "reconcile", "watch",
    "review", "status", "forget-identities",
]  # fmt: skip
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "SECRET-of-aws-3f9c",
    "AWS_SESSION_TOKEN": "SECRET-of-the-session-77aa",
    "PROLIFIC_WEBHOOK_SECRET": "SECRET-of-webhooks-12ab",
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store that the commands find by themselves."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CROWDLOOM_DATABASE", f"sqlite:///{tmp_path / 'store.db'}")
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


def call(*arguments: str) -> str:
    """Run a command that must succeed; what it prints."""
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refused(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Run a command that must refuse, in one sentence and with exit status 2; the sentence."""
    monkeypatch.setattr(sys, "argv", ["crowdloom", *arguments])
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    error = io.StringIO()
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2, error.getvalue()
    lines = error.getvalue().splitlines()
    assert "Traceback" not in error.getvalue()
    assert len(lines) == 1 or lines[0].startswith("Usage:")
    return lines[-1]


def everything(store: Store) -> dict[str, list[Any]]:
    """All rows of all tables."""
    with store.read() as connection:
        return {table.name: connection.execute(select(table)).all() for table in Table.metadata.sorted_tables}


@pytest.mark.parametrize("name", ON_A_STUDY)
def test_a_slip_in_the_name_changes_nothing(
    here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Every command that works on a study says which there are."""
    OnLink(here, tmp_path)
    before = everything(here)
    options = {"forget-identities": ["--yes"], "watch": ["--once"]}.get(name, [])
    assert "no study is called 'pest'; there are: pets" in refused(monkeypatch, name, "pest", *options)
    assert everything(here) == before


@pytest.mark.parametrize("name", ["pause", "resume", "add-places", "close", "pay", "bonus", "reconcile"])
def test_a_platform_on_which_it_is_not_changes_nothing(
    here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Neither an unknown one nor one on which the study is not published."""
    OnLink(here, tmp_path, people={"minutes": 2, "hold_minutes": 9, "hourly_floor": "8 USD", "reward": "1.20 USD"})
    before = everything(here)
    extra = ["--top-up"] if name == "bonus" else []
    assert "there is no such platform; there are: link" in refused(
        monkeypatch, name, "pets", "--on", "facebook", *extra
    )
    assert "pets is not published on prolific yet" in refused(monkeypatch, name, "pets", "--on", "prolific", *extra)
    assert everything(here) == before


@pytest.mark.parametrize("platform", ["link", "mturk"])
def test_a_draft_where_there_are_none_leaves_nothing(
    here: Store, on_mturk: Publish, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    """Neither an open link nor a planned listing."""
    on_mturk(here, put=False)
    sentence = refused(monkeypatch, "publish", "pets", "--on", platform, "--draft", "--yes", "--address", "https://x.y")
    assert f"{platform} has no drafts" in sentence
    assert everything(here)["posting"] == everything(here)["listing"] == []


def test_money_is_not_spent_without_a_word(here: Store, on_paying: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody can be asked the answer is no; with `--yes` the whole life runs, each step once."""
    study = on_paying(here, put=False)
    publish = ("publish", "pets", "--on", study.platform, "--address", "https://lab.example")
    sentence = refused(monkeypatch, *publish)
    assert "repeat the command with --yes. Nothing was done" in sentence
    assert everything(here)["posting"] == []
    assert "pets, version 1, is now open" in call(*publish, "--yes")
    assert "is already open" in call(*publish)
    with here.read() as connection:
        study.posting = connection.execute(select(Posting.token)).scalar_one()
    done = study.take()
    assert "1 submission there, 1 changed" in call("reconcile", "pets")
    code = study.code_of(done.token)
    call("review", "pets", "--approve", code)
    assert "repeat the command with --yes" in refused(monkeypatch, "pay", "pets")
    assert study.paid(done) == []  # type: ignore[attr-defined]
    for _ in range(2):
        call("pay", "pets", "--yes")
    assert study.paid(done) == [("reward", 120)]  # type: ignore[attr-defined]
    assert "cannot be rejected" in refused(
        monkeypatch, "review", "pets", "--reject", code, "--reason", LONG, *_category(study)
    )
    assert "it has all the places" in call("add-places", "pets", "--yes")
    assert "payments: 1 confirmed" in call("status", "pets")
    assert [one["kind"] for one in _differences(study)] == []
    call("close", "pets")
    assert "is closed" not in refused(monkeypatch, "close", "pets")
    assert "are erased" in call("forget-identities", "pets", "--yes")


def _category(study: Published) -> list[str]:
    found = study.capabilities.rejection_categories[:1]
    return ["--category", *found] if found else []


def _differences(study: Published) -> list[dict[str, str]]:
    found = json.loads(call("reconcile", "pets", "--json"))
    return [one for posting in found.values() for one in posting["differences"]]


def test_more_places_above_the_cap_change_nothing(
    here: Store, on_mturk: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also not what the study wants: neither above the cap, nor where nobody confirms."""
    people = {"minutes": 2, "hold_minutes": 30, "reward": "1.20 USD", "spending_cap": "4.50 USD"}
    study = on_mturk(here, people=people)
    before = everything(here)
    assert "above the design's people.spending_cap" in refused(
        monkeypatch, "add-places", "pets", "--responses-per-item", "4", "--yes"
    )
    assert "--yes" in refused(monkeypatch, "add-places", "pets", "--responses-per-item", "3")
    for table in (Place, Posting, Listing):
        assert everything(here)[table.__tablename__] == before[table.__tablename__]
    assert "2 -> 3 places" in call("add-places", "pets", "--responses-per-item", "3", "--yes")
    assert study.account.listing(study.listings()[0].remote_id).places == 3


def test_pausing_and_resuming(here: Store, on_prolific: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resuming works, too, where only the platform is paused; what is open is not resumed."""
    study = on_prolific(here)
    assert "is published, but open" in refused(monkeypatch, "resume", "pets")
    assert "is paused" in call("pause", "pets")
    assert "is published, but paused" in refused(monkeypatch, "pause", "pets")
    assert "is open again" in call("resume", "pets")
    study.account.pause(study.listings()[0].remote_id)
    assert "crowdloom resume pets" in call("reconcile", "pets")
    assert "is open again" in call("resume", "pets")
    assert study.account.listing(study.listings()[0].remote_id).state == "open"


def test_by_hand_is_for_the_link_alone(
    here: Store, on_mturk: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a study that is on both, nothing is recorded until it is said which; the list names whom to pay."""
    study = on_mturk(here)
    link = OnLink.__new__(OnLink)
    link.__dict__.update(study.__dict__)
    link.publish()
    link.take("ann@panel")
    call("review", "pets", "--approve-all")
    assert "choose --on link" in refused(monkeypatch, "pay", "pets", "--by-hand", "--yes")
    assert everything(here)["payment"] == []
    assert "1 payment owed, 1.20 USD" in call("pay", "pets", "--on", "link")
    call("pay", "pets", "--on", "link", "--list", "pay.csv")
    assert "ann@panel" in (tmp_path / "pay.csv").read_text()
    assert "1 payment recorded" in call("pay", "pets", "--on", "link", "--by-hand", "--yes")
    assert "0 payments owed" in call("pay", "pets", "--on", "link")
    assert "no folder" in refused(monkeypatch, "pay", "pets", "--list", "nowhere/pay.csv")


def test_invitations_are_personal(here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each link lets one person in; the bare link nobody."""
    study = OnLink(here, tmp_path, link={"invited_only": True})
    links = call("invite", "pets", "--count", "2", "--address", "https://lab.example/").splitlines()
    assert len(set(links)) == 2
    assert all(link.startswith(f"https://lab.example/join/{study.posting}?participant=") for link in links)
    token = links[0].rsplit("=", 1)[1]
    assert study.arrive(token) == study.arrive(token)
    with pytest.raises(Exception, match="open to invited people"):
        study.arrive("somebody")
    assert "Wrote 1 link" in call("invite", "pets", "--out", "links.txt")
    assert "no folder" in refused(monkeypatch, "invite", "pets", "--out", "nowhere/links.txt")


@pytest.mark.parametrize("arguments", [["--reject", "CODE"], ["--request-return", "CODE"]])
def test_a_decision_needs_a_reason(
    here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """And a category where the platform knows none is refused; nothing is decided."""
    study = OnLink(here, tmp_path)
    code = study.code_of(study.take("ann").token)
    given = [code if one == "CODE" else one for one in arguments]
    before = everything(here)
    assert "needs --reason" in refused(monkeypatch, "review", "pets", *given)
    assert refused(monkeypatch, "review", "pets", *given, "--reason", "x", "--category", "OTHER")
    assert "decide on one" in refused(monkeypatch, "review", "pets", "--reject", code, "--approve", code)
    assert everything(here) == before


def test_sealing_and_a_key(here: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh key is printed and kept nowhere; with it what is there is sealed, once."""
    OnLink(here, tmp_path).arrive("ann@panel")
    assert "set CROWDLOOM_IDENTITY_KEY first" in refused(monkeypatch, "encrypt-identities")
    key = call("encrypt-identities", "--new-key").strip()
    monkeypatch.setenv("CROWDLOOM_IDENTITY_KEY", key)
    assert "1 platform id sealed" in call("encrypt-identities")
    assert "0 platform ids sealed" in call("encrypt-identities")
    files = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
    assert b"ann@panel" not in files
    assert key.encode() not in files


def test_credentials_are_shown_nowhere(
    here: Store, on_paying: Publish, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in what commands print or refuse, in the store, in exports, nor in any log, httpx's included."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    study = on_paying(here)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("botocore").setLevel(logging.INFO)  # its DEBUG log is for who wants to see requests
    done = study.take()
    study.hand_in(study.come())
    said = [
        call("cost", "pets"),
        call("publish", "pets", "--on", study.platform, "--yes"),
        call("reconcile", "pets"),
        call("reconcile", "pets", "--json"),
        call("review", "pets", "--approve-all"),
        call("pay", "pets", "--yes"),
        call("pay", "pets", "--list", "pay.csv"),
        call("watch", "pets", "--once"),
        call("status", "pets", "--json"),
        call("add-places", "pets", "--responses-per-item", "3", "--yes"),
        call("export", "pets", "--responses", "all", "--out", "answers.csv"),
        call("close", "pets"),
    ]
    secrets = [*SECRETS.values(), str(getattr(study, "prolific", None) and study.prolific.token)]  # type: ignore[attr-defined]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PROLIFIC_TOKEN"):
        monkeypatch.setenv(name, "SECRET-that-is-wrong-5b1d")
    monkeypatch.setenv("AWS_ENDPOINT_URL_MTURK", "http://user:SECRET-in-a-url-9e2f@127.0.0.1:1")
    said += [refused(monkeypatch, "publish", "pets", "--on", study.platform, "--yes")]
    if study.platform == "prolific":
        said += [refused(monkeypatch, "reconcile", "pets")]
    secrets += ["SECRET-"]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    for secret in secrets:
        assert not [one for one in said if secret in one]
        assert secret not in caplog.text
        assert not [one for one in files if secret.encode() in one]
    with here.read() as connection:
        assert connection.execute(select(Submission.id)).first() is not None
    assert done.token
