"""Sound in WebM as browsers record it: cut to a time, with the length and the index that recordings lack.

A browser writes WebM as it goes, without saying how long it is or where what lies, so that no player can jump in it,
and a part of it is no file. Here its blocks (of 60 ms or less) are read and written anew. Only what recordings have is
understood: one track, in simple blocks, times in milliseconds.

Source: the Matroska specification, RFC 9559; EBML, RFC 8794.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

EBML, SEGMENT, INFO, TRACKS, CUES = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1C53BB6B
CLUSTER, TIMESTAMP, SIMPLE_BLOCK = 0x1F43B675, 0xE7, 0xA3
_ENTERED = (SEGMENT, CLUSTER)
_CLUSTER_MS = 5_000
_LONGEST_MS = 10**9  # eleven days
_LAST_BLOCK_MS = 60
"""How long the last block is taken to last: as long as browsers make them."""


@dataclass(frozen=True)
class _Sound:
    header: bytes
    """The elements EBML and Tracks as they are."""
    tracks: bytes
    blocks: Sequence[tuple[int, bytes]]
    """Each with its milliseconds since the recording began; the content as in the file."""


def seconds(data: bytes) -> float | None:
    """How long a recording is; None for what is none, or has no sound."""
    sound = _read(data)
    return None if sound is None else (sound.blocks[-1][0] + _LAST_BLOCK_MS) / 1000


def cut(data: bytes, begin_ms: float = 0, end_ms: float = float("inf")) -> bytes | None:
    """The part of a recording between two times since it began, as a file that players can jump in.

    None where there is no sound in it. Pieces that are missing leave a gap.
    """
    sound = _read(data)
    blocks = [block for block in sound.blocks if begin_ms <= block[0] < end_ms] if sound else []
    if sound is None or not blocks:
        return None
    first = blocks[0][0]
    length = blocks[-1][0] + _LAST_BLOCK_MS - first
    clusters = [_cluster(first, list(part)) for _, part in groupby(blocks, lambda block: block[0] // _CLUSTER_MS)]
    info = _element(
        INFO,
        _element(0x2AD7B1, _number(1_000_000))  # nanoseconds in a tick
        + _element(0x4489, struct.pack(">d", length))
        + _element(0x4D80, b"crowdloom")
        + _element(0x5741, b"crowdloom"),
    )
    before = info + sound.tracks
    size_of_cues = len(_cues(0, clusters))
    cues = _cues(len(before) + size_of_cues, clusters)
    body = before + cues + b"".join(cluster for _, cluster in clusters)
    return sound.header + _element(SEGMENT, body)


def _read(data: bytes) -> _Sound | None:
    header = tracks = b""
    blocks: list[tuple[int, bytes]] = []
    cluster_ms = 0
    for id_, start, content, end in _elements(data):
        if id_ == EBML:
            header = data[start:end]
        elif id_ == TRACKS:
            tracks = data[start:end]
        elif id_ == TIMESTAMP and (begins := int.from_bytes(data[content:end])) < _LONGEST_MS:
            cluster_ms = begins
        elif id_ == SIMPLE_BLOCK and end - content > 4:
            relative = int.from_bytes(data[content + 1 : content + 3], signed=True)
            blocks.append((cluster_ms + relative, data[content:end]))
    blocks.sort(key=lambda block: block[0])
    return _Sound(header, tracks, blocks) if header and tracks and blocks else None


def _elements(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Each element but those that are entered: its id, where it starts, where its content does, and where it ends.

    What cannot be an element (after a piece that is missing) is passed over, up to the next cluster.
    """
    mark = CLUSTER.to_bytes(4)
    at = 0
    while at < len(data):
        head = _head(data, at)
        if head is None:
            at = data.find(mark, at + 1)
            if at < 0:
                return
            continue
        id_, content, size = head
        if id_ in _ENTERED:
            at = content
            continue
        yield id_, at, content, content + size
        at = content + size


_KNOWN = {EBML, SEGMENT, INFO, TRACKS, CUES, CLUSTER, TIMESTAMP, SIMPLE_BLOCK, 0x1254C367, 0x114D9B74, 0xEC, 0xBF, 0xA0}
"""Also tags, seek head, void, checksum and block group, which are passed over."""


def _head(data: bytes, at: int) -> tuple[int, int, int] | None:
    """The id, the place of the content and its size; None where no known element stands whole."""
    length = 9 - data[at].bit_length()
    id_ = int.from_bytes(data[at : at + length])
    start = at + length
    if id_ not in _KNOWN or start >= len(data):
        return None
    width = 9 - data[start].bit_length()
    if width > 8:
        return None
    size = int.from_bytes(data[start : start + width]) & ((1 << 7 * width) - 1)
    content = start + width
    if id_ not in _ENTERED and content + size > len(data):
        return None
    return id_, content, size


def _element(id_: int, content: bytes) -> bytes:
    """An element, its size written in eight bytes, so that it does not depend on what it counts."""
    return id_.to_bytes((id_.bit_length() + 7) // 8) + (len(content) | 1 << 56).to_bytes(8) + content


def _number(value: int) -> bytes:
    return value.to_bytes(8)


def _cluster(first_ms: int, blocks: Sequence[tuple[int, bytes]]) -> tuple[int, bytes]:
    """When a cluster begins, counted from `first_ms`, and the cluster."""
    begins = blocks[0][0] - first_ms
    parts = [_element(TIMESTAMP, _number(begins))]
    for at, block in blocks:
        relative = (at - first_ms - begins).to_bytes(2, signed=True)
        parts.append(_element(SIMPLE_BLOCK, block[:1] + relative + block[3:]))
    return begins, _element(CLUSTER, b"".join(parts))


def _cues(at: int, clusters: Sequence[tuple[int, bytes]]) -> bytes:
    """The index: when each cluster begins, and where, the first at `at`."""
    points = []
    for begins, cluster in clusters:
        where = _element(0xF7, _number(1)) + _element(0xF1, _number(at))
        points.append(_element(0xBB, _element(0xB3, _number(begins)) + _element(0xB7, where)))
        at += len(cluster)
    return _element(CUES, b"".join(points))
