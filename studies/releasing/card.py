"""The data card: README.md, with the block of metadata that data set hubs read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from crowdloom.analysis.summary import MEANINGS
from crowdloom.studies.releasing.citation import bibtex, title
from crowdloom.studies.releasing.description import Description
from crowdloom.studies.releasing.licences import hub_id
from crowdloom.studies.releasing.session_tables import STEM as SESSIONS
from crowdloom.studies.releasing.submissions import STANDINGS
from crowdloom.studies.releasing.tables import Table
from crowdloom.studies.releasing.writing_tables import STEM as WRITINGS

NAME = "README.md"
_SIZES = {
    1_000: "n<1K",
    10_000: "1K<n<10K",
    100_000: "10K<n<100K",
    1_000_000: "100K<n<1M",
    10_000_000: "1M<n<10M",
}
"""Below how many rows hubs call a data set how large."""


def data_card(about: Description) -> str:
    """The file README.md."""
    return "\n".join(
        [
            *_metadata(about),
            "",
            f"# {_line(title(about))}",
            "",
            f"Version {about.version}, {about.day.isoformat()}. {_line(about.summary)}",
            "",
            *_asked(about),
            *_numbers(about),
            *_files(about),
            *_labels(about),
            *_who_counts(about),
            *_left_out(about),
            *_loading(about),
            *_terms(about),
        ]
    )


def _metadata(about: Description) -> Iterator[str]:
    yield "---"
    yield f"license: {hub_id(about.options.terms)}"
    yield f"pretty_name: {json.dumps(title(about), ensure_ascii=False)}"
    yield "task_categories:\n  - image-classification"
    size = next((name for most, name in _SIZES.items() if about.counts.responses < most), "10M<n<100M")
    yield f"size_categories:\n  - {size}"
    yield f"annotations_creators:\n  - {'machine-generated' if about.simulated else 'crowdsourced'}"
    yield f"tags:\n  - crowdsourcing\n  - human-annotation\n  - {about.task}"
    yield "configs:"
    for number, table in enumerate(about.all_tables):
        yield f"  - config_name: {table.stem}"
        yield f"    data_files: {table.parquet}"
        if not number:
            yield "    default: true"
    yield "---"


def _asked(about: Description) -> Iterator[str]:
    yield "## What people were asked"
    yield ""
    yield f"{about.asks} (the task `{about.task}` of crowdloom). The classes: {', '.join(about.classes)}."
    yield ""
    yield "The instructions that they read, page by page:"
    yield ""
    for page in about.instructions:
        yield "\n".join(f"> {line}".rstrip() for line in page.strip().splitlines())
        yield ""


def _numbers(about: Description) -> Iterator[str]:
    numbers = {
        "participants": about.counts.participants,
        "submissions": sum(about.counts.submissions.values()),
        "items": about.items,
        "responses_first": about.first_answers,
        "responses_repeat": about.counts.responses - about.first_answers,
    }
    meanings = MEANINGS | {
        "participants": "people in the tables",
        "submissions": "passes through a batch in the tables",
        "items": "items in the tables",
    }
    yield "## In numbers"
    yield ""
    yield from _table(("", "", "meaning"), [(name, f"{value:,}", meanings[name]) for name, value in numbers.items()])


def _files(about: Description) -> Iterator[str]:
    yield "## Files"
    yield ""
    rows = [(_named(table), f"{table.rows:,} rows", table.meaning) for table in about.all_tables]
    if about.picture_types:
        rows.append(("`images/`", "", "the pictures, each named by its SHA-256; `data/images` says whose they are"))
    rows += [
        ("`codebook.csv`", "", "every column of every table: meaning, type, unit, values"),
        ("`release.json`", "", "the study as it was run: its designs, conditions and batches, for programs"),
        ("`croissant.json`", "", "all of this as Croissant 1.0 metadata"),
        ("`CITATION.cff`, `LICENSE`", "", "how to cite it, and its licence"),
        ("`SHA256SUMS`", "", "the digest of every file; `sha256sum -c SHA256SUMS` checks them"),
    ]
    yield from _table(("file", "", "what is in it"), rows)
    if not about.picture_types and any(table.stem == "images" for table in about.tables):
        yield "The pictures themselves are not part of this release; `data/images` refers to them by their SHA-256."
        yield ""


def _named(table: Table) -> str:
    return f"`{table.folder}/{table.stem}` {' '.join(table.suffixes)}"


def _labels(about: Description) -> Iterator[str]:
    yield "## Labels"
    yield ""
    if about.labels.problem:
        yield f"There are no label sets: {_line(about.labels.problem)}."
        yield ""
        return
    settings = ", ".join(f"{name} {value}" for name, value in about.labels.settings.items() if value is not None)
    yield (
        f"The label sets are built from the accepted answers by {settings}. Numbers stand in the order of the classes "
        "above. JSON holds an object with the items as keys (the layout in which CIFAR-10S was released): for "
        "each a list of labels, or in the means one label. NPZ and Parquet also say whose label each is."
    )
    yield ""
    if about.labels.left_out:
        yield f"{about.labels.left_out:,} accepted answers say too little for a label and have none."
        yield ""


def _who_counts(about: Description) -> Iterator[str]:
    yield "## Which answers count"
    yield ""
    yield (
        "The data of everybody who got a batch are here, with their standing, so that the exclusions can be checked "
        "and undone. Labels use those that are accepted, and copies, as their authors do; analyses leave copies out. "
        "Take the others out unless you study them."
    )
    yield ""
    rows = [(name, f"{number:,}", STANDINGS[name]) for name, number in about.counts.submissions.items()]
    yield from _table(("standing", "submissions", "meaning"), rows)
    if about.counts.never:
        never = sum(about.counts.never.values())
        yield f"{never:,} more came and got no batch, for instance for want of consent; nothing of them is here."
        yield ""


def _left_out(about: Description) -> Iterator[str]:
    yield "## What was taken out"
    yield ""
    yield (
        "- Who the people are: participants and submissions have random names, made for this version alone; in another "
        "version or study the same person has another. (Answers in two versions can still be matched by what "
        "they say.) Ids of platforms, tokens and payments are not here."
    )
    yield (
        "- When they came: times are seconds since the start of a submission. Rows stand in the order in which people "
        "began. Where there was a plan, `release.json` says on which day it was published, and its SHA-256."
    )
    if about.options.free_text:
        yield (
            "- Of what people typed, and of the reasons of exclusions, e-mail addresses, IP addresses and ids. Nobody "
            "can promise that a text says nothing else about its author."
        )
    else:
        yield "- What was typed: answers to questions with free text, and the reasons for which people were excluded."
    if any(table.stem == SESSIONS for table in about.tables):
        yield (
            "- Where each single point of an arrangement lay, of which the classes' centres and spreads are here; what "
            "people said aloud; and the trainings without a person, which are made again from the seeds."
        )
    yield "- Consent forms, contacts, and the settings of platforms."
    if any(table.stem == WRITINGS for table in about.tables):
        yield ""
        yield (
            "Strokes are here as they were made, with their times. Handwriting can be told from that of others: who "
            "has other writing of the same person may recognise them."
        )
    yield ""


def _loading(about: Description) -> Iterator[str]:
    yield "## Loading it"
    yield ""
    yield "```python"
    yield "import pandas as pd"
    yield ""
    yield 'responses = pd.read_parquet("data/responses.parquet")'
    yield 'counted = responses[responses["standing"].isin(["accepted", "copy"])]'
    yield "```"
    yield ""
    yield f"With crowdloom: `crowdloom import release FOLDER --study {about.study}`."
    yield ""


def _terms(about: Description) -> Iterator[str]:
    terms = about.options.terms
    yield "## Licence and citation"
    yield ""
    yield f"{terms.name} ([{terms.spdx}]({terms.uri})). {terms.says}".rstrip()
    yield ""
    yield "```bibtex"
    yield _line(bibtex(about))
    yield "```"
    yield ""


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield _row(head)
    yield _row(tuple("---" for _ in head))
    for row in rows:
        yield _row(row)
    yield ""


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(_line(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def _line(text: str) -> str:
    return " ".join(text.split())
