"""How far a study is coded: who has coded how much, how well they agree, what is to be decided; codes as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from crowdloom.studies.coding import (
    Code,
    CoderLink,
    Decision,
    coders,
    final_category,
    read_codes,
    read_decisions,
)
from crowdloom.studies.coding_items import Scheme, read_scheme
from crowdloom.studies.coding_units import CodedItem
from crowdloom.studies.words import count

if TYPE_CHECKING:
    import pandas as pd

    from crowdloom.analysis.kappa import CoderAgreement, Kappa


@dataclass(frozen=True)
class ItemCodes:
    """An item with what its coders say and what was decided."""

    item: CodedItem
    codes: Mapping[int, Code]
    """By the internal id of the coder."""
    decision: Decision | None
    final: str | None

    @property
    def differs(self) -> bool:
        """Whether its coders disagree."""
        return len({code.category for code in self.codes.values()}) > 1

    @property
    def is_open(self) -> bool:
        """Whether somebody is to decide."""
        return self.differs and self.decision is None


@dataclass(frozen=True)
class Overview:
    """A study's coding as it stands."""

    scheme: Scheme
    coders: Sequence[CoderLink]
    items: Sequence[ItemCodes]

    def coded(self, coder: CoderLink) -> int:
        """How many items a coder has coded."""
        return sum(coder.id in item.codes for item in self.items)

    def agreement(self) -> CoderAgreement:
        """How far those who have coded anything agree, decisions left out."""
        import pandas as pd

        from crowdloom.analysis.kappa import coder_agreement

        rows = [
            (item.item.key, coder.name, item.codes[coder.id].category)
            for coder in self.coders
            for item in self.items
            if coder.id in item.codes
        ]
        return coder_agreement(pd.DataFrame(rows, columns=["item", "coder", "category"]), self.scheme.names)


def read_overview(connection: Connection, study: str) -> Overview:
    """A study's coding. Raises StudyError for an unknown study, and one that is not coded."""
    scheme = read_scheme(connection, study)
    codes, decisions = read_codes(connection, scheme), read_decisions(connection, scheme)
    items = []
    for position, item in enumerate(scheme.items):
        said, decided = codes.get(position, {}), decisions.get(position)
        items.append(ItemCodes(item, said, decided, final_category(said, decided)))
    return Overview(scheme, coders(connection, study), items)


def codes_table(connection: Connection, study: str) -> pd.DataFrame:
    """The newest code of each item and coder: item, coder, category, note, at (UTC), and the item's final category.

    Where interactions are coded, `submission` (its pseudonym) and `interaction` (its number) stand after the item.
    `final` is missing where coders differ and nobody has decided, or only one has coded. Raises StudyError as
    `read_overview` does.
    """
    import pandas as pd

    overview = read_overview(connection, study)
    rows = [
        (*_named(item.item), coder.name, code.category, code.note, code.at, item.final)
        for item in overview.items
        for coder in overview.coders
        if (code := item.codes.get(coder.id)) is not None
    ]
    what = ["item"] if overview.scheme.unit == "item" else ["item", "submission", "interaction"]
    table = pd.DataFrame(rows, columns=[*what, "coder", "category", "note", "at", "final"], dtype=object)
    table["at"] = pd.to_datetime(table["at"], utc=True)
    return table


def _named(item: CodedItem) -> tuple[str | int, ...]:
    if item.interaction is None:
        return (item.key,)
    return item.interaction.item, item.interaction.submission, item.interaction.number


def kappa_sentence(kappa: Kappa, noun: str = "item") -> str:
    """A kappa with its interval, its meaning in words and what it counts, or why there is none."""
    if kappa.value is None:
        return str(kappa.problem)
    interval = f" (95% interval {kappa.low:.2f} to {kappa.high:.2f})" if kappa.low is not None else ""
    where = count(kappa.items, noun)
    whose = {"Cohen": "Cohen’s", "Fleiss": "Fleiss’"}[kappa.kind]
    both, two = ("both", "they") if len(kappa.coders) == 2 else ("all", "two of them")
    return (
        f"{whose} kappa is {kappa.value:.2f}{interval}: {kappa.words} agreement. "
        f"It counts the {where} that {both} coded; {two} agree on {kappa.observed:.0%}."
    )
