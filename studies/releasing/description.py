"""What the documents of a release are written from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from crowdloom.studies.releasing.labels import LabelSets
from crowdloom.studies.releasing.options import Options
from crowdloom.studies.releasing.submissions import Counts
from crowdloom.studies.releasing.tables import Table
from crowdloom.studies.words import count


@dataclass(frozen=True)
class Description:
    """A release, all of whose data are written."""

    study: str
    version: int
    day: date
    options: Options
    title: str
    task: str
    asks: str
    """What the task asks, in a line."""
    classes: Sequence[str]
    instructions: Sequence[str]
    """Of the newest design."""
    counts: Counts
    first_answers: int
    simulated: int
    """Submissions of simulated people."""
    items: int
    tables: Sequence[Table]
    labels: LabelSets
    picture_types: Sequence[str]
    """The media types of the pictures that are included; none where they are only referred to."""
    digests: dict[str, str]
    """The SHA-256 of every data file."""

    @property
    def name(self) -> str:
        """How the release is called, with its version."""
        return f"{self.study}-v{self.version}"

    @property
    def authors(self) -> list[dict[str, str]]:
        """The creators, each with `family` and `given` or with `name`; without any, the researchers of the study."""
        creators = self.options.creators or (f"The researchers of the study {self.study}",)
        return [_person(creator) for creator in creators]

    @property
    def all_tables(self) -> list[Table]:
        """The tables and the label sets."""
        return [*self.tables, *self.labels.tables]

    @property
    def summary(self) -> str:
        """The release in two sentences."""
        number = self.counts.participants
        people = "1 person" if number == 1 else f"{number:,} people"
        return (
            f"{count(self.counts.responses, 'answer')} of {people} to {count(self.items, 'item')} in the study "
            f"“{self.title}”. What was asked: {self.asks[0].lower()}{self.asks[1:]}.{self._made_up}"
        )

    @property
    def _made_up(self) -> str:
        if not self.simulated:
            return ""
        everybody = self.simulated == sum(self.counts.submissions.values())
        which = "All" if everybody else f"{self.simulated:,}"
        return f" {which} of the submissions are of simulated people, sent by a rehearsal."


def _person(creator: str) -> dict[str, str]:
    """A creator as given: `Family, Given` is a person, anything else stands for itself.

    >>> _person("Curie, Marie"), _person("The Radium Institute")
    ({'family': 'Curie', 'given': 'Marie'}, {'name': 'The Radium Institute'})
    """
    family, comma, given = creator.partition(",")
    if comma and family.strip() and given.strip():
        return {"family": family.strip(), "given": given.strip()}
    return {"name": creator.strip()}
