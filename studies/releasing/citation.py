"""How a release is cited: CITATION.cff (Citation File Format 1.2.0) and BibTeX."""

from __future__ import annotations

import json
import re

from crowdloom.studies.releasing.description import Description

NAME = "CITATION.cff"


def citation_cff(about: Description) -> str:
    """The file CITATION.cff; JSON's texts are YAML's too."""
    people = []
    for said in about.authors:
        if "name" in said:
            people.append(f"  - name: {_text(said['name'])}")
        else:
            people.append(f"  - family-names: {_text(said['family'])}\n    given-names: {_text(said['given'])}")
    return "\n".join(
        [
            "cff-version: 1.2.0",
            "type: dataset",
            'message: "If you use this data set, please cite it as below."',
            f"title: {_text(title(about))}",
            "authors:",
            *people,
            f'version: "{about.version}"',
            f"date-released: {about.day.isoformat()}",
            f"license: {about.options.terms.spdx}",
            "",
        ]
    )


def bibtex(about: Description) -> str:
    """The same as a BibTeX entry."""
    authors = [
        f"{{{said['name']}}}" if "name" in said else f"{said['family']}, {said['given']}" for said in about.authors
    ]
    key = re.sub(r"\W", "", about.study) + str(about.day.year)
    return (
        f"@misc{{{key}, author = {{{' and '.join(authors)}}}, title = {{{_plain(title(about))}}}, "
        f"year = {{{about.day.year}}}, version = {{{about.version}}}}}"
    )


def title(about: Description) -> str:
    """The title of the data set."""
    return f"{about.study}: answers to “{about.title}”"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(value: str) -> str:
    return re.sub(r"[{}\\]", "", value)
