"""The pictures of drawings that were rendered a moment ago, so that what is asked twice is drawn once."""

from __future__ import annotations

from array import array
from hashlib import sha256
from threading import Lock

from crowdloom.tasks.coach_drawing import render
from crowdloom.tasks.coach_records import Strokes

_MOST = 5_000
_pictures: dict[bytes, bytes] = {}
"""By a digest of the strokes, since drawings may be large; the oldest first."""
_changing = Lock()


def rendered(strokes: Strokes) -> bytes:
    """As `coach_drawing.render`, which see; of the last drawings it is known.

    >>> rendered([[(0.5, 0.5, 0.0)]]) == render([[(0.5, 0.5, 10.0)]]) == rendered([[(0.5, 0.5, 20.0)]])
    True
    """
    digest = sha256()
    for stroke in strokes:
        digest.update(array("d", [number for x, y, _ in stroke for number in (x, y)]).tobytes())
        digest.update(b"lifted")
    key = digest.digest()
    picture = _pictures.get(key)
    if picture is None:
        picture = render(strokes)
        with _changing:
            _pictures[key] = picture
            if len(_pictures) > _MOST:
                del _pictures[next(iter(_pictures))]
    return picture
