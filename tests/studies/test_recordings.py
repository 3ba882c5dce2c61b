"""What people say aloud: consent, pieces in any order, limits, deletion, files, and that no release has it."""

from __future__ import annotations

import csv
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from crowdloom.studies import recordings
from crowdloom.studies.cli import hill_audio
from crowdloom.studies.cli.forget_identities import command as forget_command
from crowdloom.studies.database import Store, now
from crowdloom.studies.errors import OptionError, StudyError
from crowdloom.studies.participation import Assigned
from crowdloom.studies.recorded import Span, recordings_of_study, spans
from crowdloom.studies.recordings import delete_recordings
from crowdloom.studies.tables import Event, Recording, Submission
from crowdloom.studies.voice_files import write_recordings
from crowdloom.studies.web import create_app
from tests.studies.latent_studies import Loops, open_loops, rows
from tests.studies.takers import close_all
from tests.studies.webms import HEADER, pieces, recording, times

SOUND = HEADER + b"sound"
ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
"""For what has nothing to do with the database."""


class Speaker:
    """Somebody at their first scenario, and their page."""

    def __init__(self, loops: Loops, name: str = "ann") -> None:
        self.loops = loops
        self.client: FlaskClient = create_app(loops.store).test_client()
        self.submission: Assigned = loops.arrive(name)
        self.base = f"/take/{self.submission.token}"
        self.trial = loops.trial_id(self.submission)

    def decide(self, decision: str) -> TestResponse:
        """Say whether they may be recorded."""
        return self.client.post(f"{self.base}/audio/consent?trial={self.trial}", data={"decision": decision})

    def send(self, chunk: int, content: bytes = SOUND, mime: str = "audio/webm", **values: Any) -> TestResponse:
        """Send a piece; it began 5 s before, and 7 s after the page was opened."""
        said = {"trial": self.trial, "recording": 1, "chunk": chunk, "at_ms": 7000, "sent_ms": 12_000} | values
        return self.client.post(f"{self.base}/audio", query_string=said, data=content, content_type=mime)

    def state(self) -> Any:
        """What the page asks for before it records."""
        return self.client.get(f"{self.base}/audio?trial={self.trial}").json

    def events(self, kind: str) -> list[Any]:
        """What its events of a kind say."""
        return [event.values for event in rows(self.loops.store, Event) if event.kind == kind]


@pytest.fixture
def loops(store: Store, tmp_path: Path) -> Loops:
    """The study."""
    return open_loops(store, tmp_path)


@pytest.fixture
def ann(loops: Loops) -> Speaker:
    """Somebody who agreed to be recorded."""
    speaker = Speaker(loops)
    assert speaker.decide("yes").json == {"consent": True, "pieces": 0, "next": 1}
    return speaker


def kept(store: Store) -> list[tuple[int, int, bytes]]:
    """The stored pieces by their numbers."""
    return sorted((row.number, row.chunk, row.content) for row in rows(store, Recording))


def test_pieces_come_in_any_order_and_any_number_of_times(store: Store, ann: Speaker) -> None:
    """Each is kept once, with the time of both clocks; late ones are not taken for late speech."""
    moment = now()
    for chunk in (2, 0, 1, 0, 2):
        answer = ann.send(chunk, HEADER + f"piece {chunk}".encode())
        assert answer.status_code == 200
    assert [answer.json for answer in (ann.send(3), ann.send(3))] == [{"kept": True}, {"kept": False}]
    assert [content for *_, content in kept(store)] == [*(HEADER + b"piece %d" % n for n in range(3)), SOUND]
    first = rows(store, Recording)[0]
    assert (first.chunk, first.offset_ms, first.mime) == (2, 7000, "audio/webm")
    assert timedelta(seconds=4) < moment - first.at < timedelta(seconds=5)
    assert ann.state() == {"consent": True, "pieces": 4, "next": 2}


def test_two_pages_do_not_mix(store: Store, ann: Speaker) -> None:
    """Who sends something else under a number that is taken is told to begin the next recording."""
    one, other = HEADER + b"one page", HEADER + b"another page"
    ann.send(0, one)
    answer = ann.send(0, other)
    assert (answer.status_code, "next recording" in answer.json["error"]) == (412, True)
    assert ann.send(0, other, recording=2).status_code == 200
    assert kept(store) == [(1, 0, one), (2, 0, other)]


@ON_SQLITE
@pytest.mark.parametrize(
    ("mime", "begins"),
    [("audio/webm", HEADER), ("audio/ogg", b"OggS\0\2"), ("audio/mp4", b"\0\0\0\x1cftypiso5")],
)
def test_a_recording_begins_as_its_kind_does(store: Store, ann: Speaker, mime: str, begins: bytes) -> None:
    """Other bytes are refused; later pieces begin anywhere, and a browser's first may be of a single byte."""
    for content in (b"<html>", b"MZ\x90\0\3\0\0\0\4", begins[1:], b"\0" + begins, b"\0\0\0\x1cftpy"):
        answer = ann.send(0, content, mime)
        assert (answer.status_code, answer.json) == (
            422,
            {"error": f"This recording does not begin as {mime} does, so nothing was kept."},
        )
    assert kept(store) == []
    assert ann.send(0, begins, mime).status_code == 200
    assert ann.send(1, b"sound", mime).status_code == 200
    assert ann.send(0, begins[:1], mime, recording=2).status_code == 200


def test_nothing_without_consent(store: Store, loops: Loops) -> None:
    """Not before it, not after a no, not after it was withdrawn; the same answer twice is one event."""
    bob = Speaker(loops, "bob")
    assert bob.state() == {"consent": None, "pieces": 0, "next": 1}
    assert bob.send(0).status_code == 409
    for _ in range(2):
        assert bob.decide("no").json["consent"] is False
    assert bob.send(0).status_code == 409
    bob.decide("yes")
    assert bob.send(0).status_code == 200
    bob.decide("no")
    assert bob.send(1).status_code == 409
    assert bob.events("audio_consent") == [{"consent": False}, {"consent": True}, {"consent": False}]
    assert len(kept(store)) == 1  # only what is asked for is deleted
    assert bob.decide("maybe").status_code == 422


def test_consent_is_withdrawn_with_all_that_was_recorded(store: Store, ann: Speaker, loops: Loops) -> None:
    """Theirs goes, others' stays; the answers stay, too, and who agrees again is recorded again."""
    bob = Speaker(loops, "bob")
    bob.decide("yes")
    bob.send(0, HEADER + b"bob")
    loops.answer(ann.submission)
    for chunk in range(3):
        ann.send(chunk)
    assert ann.decide("delete").json == {"consent": False, "pieces": 0, "next": 1}
    assert kept(store) == [(1, 0, HEADER + b"bob")]
    assert ann.events("audio_deleted") == [{"pieces": 3, "why": "consent was withdrawn"}]
    assert ann.decide("delete").status_code == 200
    assert len(ann.events("audio_deleted")) == 1
    ann.decide("yes")
    assert ann.send(0).status_code == 200
    assert len(kept(store)) == 2


def test_the_database_lets_go_only_of_what_was_asked_for(store: Store, ann: Speaker) -> None:
    """It refuses every change of a piece, and deleting without an event that says who asked."""
    ann.send(0)
    for statement in ("UPDATE recording SET chunk = 9", "DELETE FROM recording"):
        with pytest.raises(DBAPIError, match="recording is"), store.write() as connection:
            connection.execute(text(statement))
    with store.write() as connection:
        assert delete_recordings(connection, [ann.submission.id], "a test") == 1
        assert delete_recordings(connection, [ann.submission.id], "a test") == 0
    assert kept(store) == []


@ON_SQLITE
def test_what_is_no_piece_is_refused(store: Store, ann: Speaker, loops: Loops, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too large, too much, of another kind, with wrong numbers, of another trial: refused with a sentence."""
    wrong: list[tuple[int, dict[str, Any]]] = [
        (413, {"content": bytes(1024 * 1024 + 1)}),
        (422, {"content": b""}),
        (422, {"mime": "text/html"}),
        (422, {"recording": 0}),
        (422, {"recording": "x"}),
        (422, {"recording": 501}),
        (422, {"chunk": -1}),
        (422, {"chunk": 20_000}),
        (422, {"at_ms": 13_000}),
        (422, {"sent_ms": 10**10}),
        (422, {"at_ms": "9" * 30}),
        (409, {"trial": "nowhere.0"}),
        (409, {"trial": loops.trial_id(ann.submission, 1)}),
    ]
    for status, values in wrong:
        answer = ann.send(**({"chunk": 0} | values))
        assert (answer.status_code, list(answer.json)) == (status, ["error"]), values
    assert ann.send(0, HEADER.ljust(1024 * 1024, b"\0")).status_code == 200
    monkeypatch.setattr(recordings, "LARGEST_TRIAL", 1024 * 1024 + 5)
    assert ann.send(1, b"12345").status_code == 200
    assert ann.send(2, b"6").status_code == 413
    assert len(kept(store)) == 2
    assert ann.client.post("/take/nobody/audio?trial=x").status_code == 404


@ON_SQLITE
def test_only_where_people_think_aloud(store: Store, tmp_path: Path) -> None:
    """A design that does not ask for it has no recordings, and its page no part that asks."""
    speaker = Speaker(open_loops(store, tmp_path, options={"interactions": 2}))
    assert speaker.decide("yes").status_code == 404
    assert speaker.send(0).status_code == 404
    assert "data-voice" not in speaker.client.get(speaker.base).text


def test_after_the_end(store: Store, ann: Speaker, loops: Loops) -> None:
    """What was on its way with the last answer still comes, and nothing after that; who left is not recorded."""
    for _ in range(2):
        loops.answer(ann.submission)
    assert ann.send(0).status_code == 200
    with store.write() as connection:
        connection.execute(update(Submission).values(completed_at=now() - timedelta(minutes=2)))
    assert ann.send(1).status_code == 409
    assert ann.decide("yes").status_code == 409
    bob = Speaker(loops, "bob")
    bob.decide("yes")
    bob.client.post(f"{bob.base}/leave")
    assert bob.send(0).status_code == 409


@ON_SQLITE
def test_taking_it_back_without_javascript(store: Store, ann: Speaker, loops: Loops) -> None:
    """The receipt leads to a page that says what there is, at any time, and deletes it."""
    for _ in range(2):
        loops.answer(ann.submission)
    receipt = ann.client.get(ann.base).text
    assert "voice" not in receipt
    ann.send(0)
    assert f'href="{ann.base}/voice"' in ann.client.get(ann.base).text
    page = ann.client.get(f"{ann.base}/voice").text
    assert 'value="delete"' in page
    answer = ann.client.post(f"{ann.base}/voice", data={"decision": "delete"})
    assert (answer.status_code, answer.location) == (303, f"{ann.base}/voice")
    assert kept(store) == []
    page = ann.client.get(f"{ann.base}/voice").text
    assert "Nothing of your voice is stored." in page
    assert "<button" not in page
    assert ann.client.post(f"{ann.base}/voice", data={"decision": "yes"}).status_code == 409


@ON_SQLITE
def test_headers_let_the_page_and_nobody_else_use_the_microphone(ann: Speaker) -> None:
    """The participant's pages may ask for it; sound plays from our own address alone."""
    page = ann.client.get(ann.base)
    assert "microphone=(self)" in page.headers["Permissions-Policy"]
    assert "media-src 'self';" in page.headers["Content-Security-Policy"]
    assert "microphone=()" in ann.client.get("/nowhere").headers["Permissions-Policy"]


def record(ann: Speaker, seconds: float, count: int, **values: Any) -> bytes:
    """A whole recording in pieces, which ends now."""
    sound, length = recording(seconds), int(1000 * seconds)
    for chunk, piece in enumerate(pieces(sound, count)):
        assert ann.send(chunk, piece, at_ms=chunk * length // count, sent_ms=length, **values).status_code == 200
    return sound


def test_interactions_have_their_time(store: Store, ann: Speaker, loops: Loops) -> None:
    """From the end of the training before to the end of their own; what was paused counts to its true end."""
    record(ann, 60, 4)
    began = rows(store, Recording)[0].at
    loops.train(ann.submission, 1, began + timedelta(seconds=10), 10)
    loops.train(ann.submission, 2, began + timedelta(seconds=40), 5)
    with store.read() as connection:
        (recorded,) = recordings_of_study(connection, "loops")
        found = spans(connection, ann.submission.id, recorded.trial)
    assert found == {
        1: Span(None, began + timedelta(seconds=20)),
        2: Span(began + timedelta(seconds=20), began + timedelta(seconds=45)),
    }
    assert found[2].within(began) == (20, 45)


def test_files(store: Store, ann: Speaker, loops: Loops, tmp_path: Path) -> None:
    """One for each recording, for its owner alone, with tables that say what and when; whole or not at all."""
    sound = record(ann, 60, 4)
    ann.send(0, b"\0\0\0\x1cftypiso5", "audio/mp4", recording=2)
    began = rows(store, Recording)[0].at
    loops.train(ann.submission, 1, began + timedelta(seconds=10), 10)
    out = tmp_path / "voices"
    done = CliRunner().invoke(hill_audio.command, ["loops", "--out", str(out), "--database", store.url])
    assert done.output == f"Wrote 2 recordings to {out}; times are UTC.\n"
    item = rows_of(out / "recordings.csv")[0]["item"]
    names = [f"{ann.submission.pseudonym}-{item}-{number}" for number in ("1.webm", "2.m4a")]
    assert sorted(path.name for path in out.iterdir()) == sorted([*names, "recordings.csv", "interactions.csv"])
    assert times((out / names[0]).read_bytes()) == times(sound)
    assert all((out / name).stat().st_mode & 0o777 == 0o600 for name in names)
    first, second = rows_of(out / "recordings.csv")
    assert float(first.pop("seconds")) == pytest.approx(60, abs=0.1)
    assert first == {
        "file": names[0],
        "submission": ann.submission.pseudonym,
        "item": item,
        "repeat_index": "0",
        "recording": "1",
        "began_at": began.isoformat(),
        "page_clock_ms": "0",
        "pieces": "4",
        "missing_pieces": "0",
    }
    assert (second["file"], second["seconds"]) == (names[1], "")
    said = [(row["file"], row["interaction"], row["from_s"], row["to_s"]) for row in rows_of(out / "interactions.csv")]
    assert said == [(names[0], "1", "0.0", "20.0")]
    with store.read() as connection:
        with pytest.raises(OptionError, match="there is something already"):
            write_recordings(connection, "loops", out)
        with pytest.raises(StudyError):
            write_recordings(connection, "nowhere", tmp_path / "other")
    with store.write() as connection:
        delete_recordings(connection, [ann.submission.id], "a test")
    with store.read() as connection, pytest.raises(StudyError, match="nobody of loops was recorded"):
        write_recordings(connection, "loops", tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir() if "voices" in path.name or "other" in path.name) == [
        "voices"
    ]


def rows_of(path: Path) -> list[dict[str, str]]:
    """A table's rows."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_forgetting_people_forgets_their_voices(store: Store, ann: Speaker, loops: Loops) -> None:
    """A voice identifies: it goes with the platform ids, and nothing of it stays in the database's files."""
    ann.send(0, HEADER + b"a voice that nobody else has")
    for _ in range(2):
        loops.answer(ann.submission)
    close_all(store, "loops")
    done = CliRunner().invoke(forget_command, ["loops", "--yes", "--database", store.url])
    assert "What 1 submission recorded of voices is deleted." in done.output
    assert kept(store) == []
    assert ann.events("audio_deleted") == [{"pieces": 1, "why": "identities were forgotten"}]
    if store.engine.dialect.name == "sqlite":
        files = [Path(store.url), Path(f"{store.url}-wal")]
        assert not any(b"a voice that nobody else has" in path.read_bytes() for path in files if path.exists())


@ON_SQLITE
def test_a_release_has_no_voice(store: Store, ann: Speaker, loops: Loops, tmp_path: Path) -> None:
    """Neither the sound nor that it was recorded is in any file that is given away."""
    from crowdloom.studies.cli.release import command as release_command

    ann.send(0, HEADER + b"a voice that nobody else has")
    for _ in range(2):
        loops.answer(ann.submission)
    out = tmp_path / "release"
    arguments = ["loops", "--out", str(out), "--licence", "CC-BY-4.0", "--database", store.url]
    done = CliRunner().invoke(release_command, arguments)
    assert done.exit_code == 0, done.output + repr(done.exception)
    found = [path for path in out.rglob("*") if path.is_file()]
    assert len(found) > 3
    for path in found:
        contents = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                contents += [archive.read(name) for name in archive.namelist()]
        assert not any(
            word in content for content in contents for word in (b"a voice that", b"audio_consent", b"audio/webm")
        )


def test_a_voice_is_deleted_by_the_table_alone(store: Store, ann: Speaker) -> None:
    """The event lets the rows of its own submission go, and no others."""
    bob = Speaker(ann.loops, "bob")
    bob.decide("yes")
    bob.send(0)
    ann.send(0)
    with store.write() as connection:
        delete_recordings(connection, [ann.submission.id], "a test")
    with pytest.raises(DBAPIError, match="audio_deleted"), store.write() as connection:
        connection.execute(delete(Recording).where(Recording.submission_id == bob.submission.id))
