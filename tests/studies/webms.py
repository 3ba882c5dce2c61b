"""Sound in WebM as a browser writes it while it records: of unknown length, without an index, cut into pieces."""

from __future__ import annotations

HEADER = bytes.fromhex("1a45dfa3 84 42868101")
TRACKS = bytes.fromhex("1654ae6b 85 ae 83 d78101")
UNKNOWN = bytes.fromhex("01ffffffffffffff")
BLOCK_MS = 60


def block(at_ms: int, cluster_ms: int) -> bytes:
    """A block whose content says when it is."""
    content = b"\x81" + (at_ms - cluster_ms).to_bytes(2) + b"\x80" + f"{at_ms:08d}".encode()
    return b"\xa3" + bytes([0x80 | len(content)]) + content


def recording(seconds: float, cluster_ms: int = 3000) -> bytes:
    """A whole recording."""
    data = HEADER + bytes.fromhex("18538067") + UNKNOWN + bytes.fromhex("1549a966 80") + TRACKS
    begun = None
    for at in range(0, int(1000 * seconds), BLOCK_MS):
        if begun != at // cluster_ms:
            begun = at // cluster_ms
            cluster = begun * cluster_ms
            data += bytes.fromhex("1f43b675") + UNKNOWN + b"\xe7\x84" + cluster.to_bytes(4)
        data += block(at, cluster)
    return data


def pieces(data: bytes, count: int) -> list[bytes]:
    """A recording in so many pieces, cut anywhere."""
    size = -(-len(data) // count)
    return [data[start : start + size] for start in range(0, len(data), size)]


def times(data: bytes) -> list[int]:
    """When the blocks of a file are that carry their time as text, by what they carry."""
    parts = data.split(b"\x80")
    return [int(part[:8]) for part in parts if part[:8].isdigit()]
