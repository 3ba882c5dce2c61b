"""A proposal in words: where a participant would add to what they wrote, and where leave out.

The words and the marks in the picture are of one list, that of `coach_changes`: the words name the most telling
changes, the marks show all of them, and where there is none that could be drawn, neither says that there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crowdloom.tasks.coach_changes import AS_IT_IS, Change, Changes, changes
from crowdloom.tasks.coach_records import PIXELS

_LOST = 0.1  # of the drawing's ink: a proposal with less has nothing left of it
_MOST = 2  # changes that are named
_BESIDE_THE_FIRST = 0.4  # of the most ink at a place: what is less is not worth a word
_VOWEL_SOUND = frozenset("AEFHILMNORSXaefhilmnorsx")
_NO_MARKS = bytes([AS_IT_IS]) * PIXELS


@dataclass(frozen=True)
class Advice:
    """What the coach says of a proposal, and the marks that show it; see `coach_changes.Changes`."""

    words: str
    marks: bytes


def advice(picture: bytes, proposal: bytes, *, asked: str, read: str, proposed_read: str) -> Advice:
    """One line that says what the coach would change in a picture, both of 784 bytes, and its marks.

    `asked` is the class that was to be written, `read` the one that the recogniser reads in the picture,
    `proposed_read` the one that it reads in the proposal. Whoever is read rightly is not advised to do what would be
    misread: then there are no marks.

    >>> bar = bytes(255 if 4 <= row < 20 and 13 <= column < 16 else 0 for row in range(28) for column in range(28))
    >>> advice(bar, bar, asked="1", read="1", proposed_read="1").words
    'It reads a 1 already; the coach would only change how thick and how dark the lines are.'
    >>> longer = bytes(255 if 4 <= row < 25 and 13 <= column < 16 else 0 for row in range(28) for column in range(28))
    >>> advised = advice(bar, longer, asked="1", read="7", proposed_read="1")
    >>> advised.words, advised.marks[28 * 10 + 14], advised.marks[28 * 23 + 14]
    ('Draw the line further at the bottom.', 128, 255)
    """
    if read == asked != proposed_read:
        misread = f"the proposal would be read as {a(proposed_read)}, so do not follow it"
        return Advice(f"It reads {a(asked)} already; {misread}.", _NO_MARKS)
    if sum(proposal) < _LOST * sum(picture):
        if read == asked:
            return Advice(f"It reads {a(asked)} already; the coach has nothing better.", _NO_MARKS)
        return Advice(f"The coach has no proposal for this drawing; try a plainer {asked}.", _NO_MARKS)
    all_ = changes(picture, proposal)
    if not all_.found:
        return Advice(_nothing_to_draw(all_, asked, read, proposed_read), all_.marks)
    *first, last = _told(all_.found)
    said = f"{', '.join(first)}, and {last}" if first else last
    if read == asked:
        return Advice(f"It reads {a(asked)} already; the coach would {said}.", all_.marks)
    said = said[0].upper() + said[1:]
    if proposed_read != asked:
        said += f"; even so it would be read as {a(proposed_read)}, not {a(asked)}"
    return Advice(f"{said}.", all_.marks)


def _nothing_to_draw(all_: Changes, asked: str, read: str, proposed_read: str) -> str:
    """What is said of a proposal that differs from the drawing in nothing that could be drawn."""
    only = "make the lines thicker" if all_.thicker else "change how thick and how dark the lines are"
    if read == asked:
        return f"It reads {a(asked)} already; the coach would only {only}."
    if proposed_read != asked:
        misread = f"even so it would be read as {a(proposed_read)}"
        return f"The coach would only {only}, and {misread}; try a plainer {asked}."
    return f"The coach would only {only}, which is hard to draw; try a plainer {asked}."


def a(name: str) -> str:
    """A class with its article.

    >>> a("8"), a("7"), a("11"), a("S"), a("ox"), a("T")
    ('an 8', 'a 7', 'an 11', 'an S', 'an ox', 'a T')
    """
    vowel = name in _VOWEL_SOUND if len(name) == 1 else name[:1].lower() in "aeiou"
    return f"{'an' if vowel or name[:1] == '8' or name in ('11', '18') else 'a'} {name}"


def _told(found: Sequence[Change]) -> Iterator[str]:
    """The most telling changes; one that is to be made at two places in one phrase. Others are only marked."""
    worth = _BESIDE_THE_FIRST * max((one.ink or 0 for one in found), default=0)
    most = [one for one in found if one.ink is None or one.ink >= worth][:_MOST]
    for what in dict.fromkeys(one.what for one in most):
        yield f"{what} {' and '.join(dict.fromkeys(one.where for one in most if one.what == what))}"
    if len(most) < len(found):
        yield "make the other changes that are marked"
