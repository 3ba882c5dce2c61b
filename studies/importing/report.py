"""What an import came to; every row of the file is counted once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from crowdloom.studies.words import count


@dataclass(frozen=True)
class Double:
    """A session that stands in the file twice: the lines of the copy and of the original."""

    lines: tuple[int, int]
    original: tuple[int, int]
    rows: int
    answers: int


@dataclass
class Report:
    """The sum of first, repeats, events, refused, doubled and known is `rows`."""

    file: str
    study: str
    rows: int
    first: int = 0
    repeats: int = 0
    events: int = 0
    """Screens without an answer, stored as events."""
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Answers that could not be read, with line and reason; stored as events too."""
    doubled: int = 0
    """Rows left out because they stand in the file twice."""
    known: int = 0
    """Rows that the store had already."""
    corrected: Counter[str] = field(default_factory=Counter)
    contradictory: Counter[str] = field(default_factory=Counter)
    doubles: list[Double] = field(default_factory=list)
    keep_doubles: bool = False
    again: list[tuple[int, int]] = field(default_factory=list)
    """Lines of further sessions of a person, other than the first."""
    incomplete: list[tuple[int, int]] = field(default_factory=list)
    """Lines of sessions that do not reach the end of their batch."""
    submissions: int = 0
    participants: int = 0
    """New ones."""

    @property
    def stored(self) -> int:
        """Rows of the file that this import added to the store."""
        return self.first + self.repeats + self.events + len(self.refused)

    def text(self) -> str:
        """The report in words, one finding on each line."""
        if not self.stored:
            lines = [f"The study {self.study} has everything in {self.file} already; nothing was added."]
        else:
            lines = [
                f"Imported {self.file} into the study {self.study}: "
                f"{count(self.submissions, 'submission')}, {count(self.participants, 'new participant')}."
            ]
        lines += [
            f"{self.rows:>8,} rows read, of which",
            f"{self.first:>8,} stored as first responses",
            f"{self.repeats:>8,} stored as repeat responses",
            f"{self.events:>8,} stored as events (screens without an answer)",
            f"{self.doubled:>8,} left out, because they stand in the file twice",
            f"{len(self.refused):>8,} refused (stored as events, with the reason)",
            f"{self.known:>8,} known already",
        ]
        for line, reason in self.refused:
            lines.append(f"Refused, line {line}: {reason}")
        for what, number in self.corrected.items():
            lines.append(f"Corrected, {count(number, 'response')}: {what}")
        for what, number in self.contradictory.items():
            lines.append(f"Contradictory and stored as given, {count(number, 'response')}: {what}")
        for double in self.doubles:
            lines.append(
                f"Doubled: lines {_span(double.lines)} repeat lines {_span(double.original)} "
                f"({count(double.rows, 'row')}, {count(double.answers, 'answer')}); "
                + ("kept as a submission marked as a copy" if self.keep_doubles else "stored once (--keep-doubles)")
            )
        for span in self.again:
            lines.append(f"A further session of the same person, stored as another submission: lines {_span(span)}")
        for span in self.incomplete:
            lines.append(f"An unfinished session, stored without a place: lines {_span(span)}")
        return "\n".join(lines)


def _span(lines: tuple[int, int]) -> str:
    return f"{lines[0]}-{lines[1]}"
