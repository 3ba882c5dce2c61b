"""WebM: its length, and parts of it, of what browsers write and of what is broken."""

from __future__ import annotations

import random

import pytest

from crowdloom.studies.webm import cut, seconds
from tests.studies.webms import BLOCK_MS, HEADER, TRACKS, pieces, recording, times


def test_how_long_a_recording_is() -> None:
    """To the end of its last block, wherever its clusters begin."""
    assert seconds(recording(10)) == pytest.approx(10, abs=0.06)
    assert seconds(recording(10, cluster_ms=700)) == pytest.approx(10, abs=0.06)


def test_a_part_of_a_recording() -> None:
    """It has just the blocks of that time, begins at 0, says its length and has an index with a point each cluster."""
    part = cut(recording(30), 4000, 19_000)
    assert part is not None
    assert times(part) == list(range(4020, 19_000, BLOCK_MS))
    assert seconds(part) == pytest.approx(15, abs=0.07)
    assert part.startswith(HEADER)
    assert TRACKS in part
    assert part.count(bytes.fromhex("1c53bb6b")) == 1
    segment = part.index(bytes.fromhex("18538067")) + 12
    found = [at for at in range(len(part)) if part.startswith(bytes.fromhex("1f43b675"), at)]
    pointed = [
        segment + int.from_bytes(part[at + 9 : at + 17]) for at in range(segment, found[0]) if _is_place(part, at)
    ]
    assert pointed == found
    assert len(found) == 4


def _is_place(part: bytes, at: int) -> bool:
    return part[at : at + 9] == b"\xf1\x01\x00\x00\x00\x00\x00\x00\x08"


def test_a_whole_recording_stays_whole() -> None:
    """Written anew it has all its blocks; and once more, it stays the same."""
    whole = cut(recording(12))
    assert whole is not None
    assert times(whole) == times(recording(12))
    assert cut(whole) == whole


def test_where_there_is_nothing() -> None:
    """Before it, after it, and of what is no sound."""
    for begin, end in ((10_000, 20_000), (-5, 0), (3000, 3000)):
        assert cut(recording(10), begin, end) is None
    for data in (b"", b"RIFF and so on", HEADER + TRACKS, recording(1)[len(HEADER) :]):
        assert cut(data) is None
        assert seconds(data) is None


def test_a_piece_that_is_missing_leaves_a_gap() -> None:
    """What comes after it is found again at the next cluster."""
    sent = pieces(recording(30), 6)
    del sent[2]
    found = times(cut(b"".join(sent)) or b"")
    assert found[0] == 0
    assert found[-1] == times(recording(30))[-1]
    assert len(found) > 0.6 * len(times(recording(30)))
    assert set(found) <= set(times(recording(30)))


def test_broken_files_break_nothing() -> None:
    """Whatever bytes are changed, cut off or made up, there is a file or None, at once."""
    rng, data = random.Random(1), recording(10)
    for _ in range(300):
        broken = bytearray(data[: rng.randrange(1, len(data))])
        for _ in range(rng.randrange(1, 20)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        found = cut(bytes(broken))
        assert found is None or seconds(found) is not None
        cut(rng.randbytes(2000))
    never = recording(1).replace(b"\xe7\x84" + bytes(4), b"\xe7\x88" + b"\xff" * 8)
    assert times(cut(never) or b"") == times(recording(1))
