"""The Croissant description of a release (version 1.0), JSON-LD that loaders of data sets read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from crowdloom.studies.releasing import pictures
from crowdloom.studies.releasing.citation import bibtex, title
from crowdloom.studies.releasing.description import Description
from crowdloom.studies.releasing.tables import Column, Table

NAME = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
DATA_TYPES = {
    "text": "sc:Text",
    "whole": "sc:Integer",
    "number": "sc:Float",
    "truth": "sc:Boolean",
    "texts": "sc:Text",
    "numbers": "sc:Float",
    "json": "sc:Text",
}
_FORMATS = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".npz": "application/x-npz",
    ".parquet": "application/x-parquet",
}
_CR = ("citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet", "format",
       "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
       "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform")  # fmt: skip
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{name: f"cr:{name}" for name in _CR},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "sc": "https://schema.org/",
}
"""The context that the specification gives."""


def croissant(about: Description) -> str:
    """The file croissant.json: every data file, and the records of every table."""
    said = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": about.name,
        "description": f"{title(about)}. {about.summary}",
        "conformsTo": CONFORMS_TO,
        "license": about.options.terms.uri,
        "citeAs": bibtex(about),
        "creator": [_creator(said) for said in about.authors],
        "datePublished": about.day.isoformat(),
        "version": f"{about.version}.0.0",
        "keywords": ["crowdsourcing", "annotation", about.task],
        "distribution": [*_files(about), *_picture_files(about)],
        "recordSet": [*map(_records, about.all_tables), *map(_picture_records, _file_sets(about))],
    }
    return json.dumps(said, indent=2, ensure_ascii=False) + "\n"


def _creator(said: dict[str, str]) -> dict[str, str]:
    if "name" in said:
        return {"@type": "sc:Organization", "name": said["name"]}
    return {
        "@type": "sc:Person",
        "name": f"{said['given']} {said['family']}",
        "familyName": said["family"],
        "givenName": said["given"],
    }


def _files(about: Description) -> Iterator[dict[str, Any]]:
    for table in about.all_tables:
        for file, suffix in zip(table.files, table.suffixes, strict=True):
            yield {
                "@type": "cr:FileObject",
                "@id": file,
                "name": file,
                "description": table.meaning,
                "contentUrl": file,
                "encodingFormat": _FORMATS[suffix],
                "sha256": about.digests[file],
            }


def _records(table: Table) -> dict[str, Any]:
    ids = _ids(table)
    return {
        "@type": "cr:RecordSet",
        "@id": table.stem,
        "name": table.stem,
        "description": table.meaning,
        "field": [_field(table, column, ids[column.name]) for column in table.columns],
    }


def _field(table: Table, column: Column, name: str) -> dict[str, Any]:
    described = f"{column.meaning} ({column.unit})" if column.unit else column.meaning
    field = {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "description": described,
        "dataType": DATA_TYPES[column.kind],
        "source": {"fileObject": {"@id": table.parquet}, "extract": {"column": column.name}},
    }
    return field | ({"repeated": True} if column.kind in ("texts", "numbers") else {})


def _ids(table: Table) -> dict[str, str]:
    """The ids of a table's fields: its columns' names with what is no letter or digit as one `_`, each once."""
    used: Counter[str] = Counter()
    ids = {}
    for column in table.columns:
        plain = "_".join(part for part in "".join(c if c.isalnum() else " " for c in column.name).split()) or "column"
        used[plain] += 1
        ids[column.name] = f"{table.stem}/{plain}" + (f"_{used[plain]}" if used[plain] > 1 else "")
    return ids


def _file_sets(about: Description) -> list[tuple[str, str]]:
    """The media types of included pictures, and the suffix of their files."""
    return [(kind, pictures.SUFFIXES.get(kind, "")) for kind in about.picture_types]


def _picture_files(about: Description) -> Iterator[dict[str, Any]]:
    for kind, suffix in _file_sets(about):
        yield {
            "@type": "cr:FileSet",
            "@id": _set_name(suffix),
            "name": _set_name(suffix),
            "description": f"the pictures of type {kind}, each named by its SHA-256",
            "encodingFormat": kind,
            "includes": f"{pictures.FOLDER}/*{suffix}",
        }


def _picture_records(kind_and_suffix: tuple[str, str]) -> dict[str, Any]:
    files = _set_name(kind_and_suffix[1])
    name = f"{files}_content"

    def field(of: str, meaning: str, kind: str, source: dict[str, Any]) -> dict[str, Any]:
        source = {"fileSet": {"@id": files}, **source}
        return {"@type": "cr:Field", "@id": f"{name}/{of}", "name": f"{name}/{of}", "description": meaning,
                "dataType": kind, "source": source}  # fmt: skip

    digest = {"extract": {"fileProperty": "filename"}, "transform": {"regex": "^([0-9a-f]+)"}}
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"the pictures of type {kind_and_suffix[0]}",
        "field": [
            field("sha256", "the SHA-256 of its bytes, as in the table images", "sc:Text", digest),
            field("image", "the picture", "sc:ImageObject", {"extract": {"fileProperty": "content"}}),
        ],
    }


def _set_name(suffix: str) -> str:
    return f"pictures_{suffix.removeprefix('.') or 'other'}"
