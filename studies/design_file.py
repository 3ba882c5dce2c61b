"""Reading design files (and other TOML files): every complaint names file, line, field and what was expected."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from crowdloom.studies.design import Design
from crowdloom.studies.errors import CrowdloomError, DesignError

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_-]+|\"[^\"]+\")\s*=")

Path_ = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


def read_design(path: Path) -> tuple[Design, str]:
    """The design in a TOML file, and its text.

    Raises DesignError with one line for each thing that is wrong, such as
    `study.toml:14: batches.size: input should be greater than or equal to 1 (got 0)`.
    """
    source = read_text(path, "a design file", DesignError)
    return parse_design(source, str(path)), source


def parse_design(source: str, name: str) -> Design:
    """The design in a TOML text; `name` stands for the file in messages. Raises DesignError."""
    return parse_toml(source, name, Design, DesignError)


def read_text(path: Path, what: str, wrong: type[CrowdloomError]) -> str:
    """A file's text; `what` says which file was wanted. Raises `wrong` where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise wrong(f"{path}: cannot be read ({error.strerror}); give the path of {what}") from error
    except UnicodeDecodeError as error:
        raise wrong(f"{path}: is not UTF-8 text; save it as UTF-8") from error


def parse_toml(source: str, name: str, model: type[Model], wrong: type[CrowdloomError]) -> Model:
    """A TOML text as a model; raises `wrong` with file, line, field and what was expected."""
    try:
        values = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line = found[1] if found else str(source.count("\n") + 1)
        what = re.sub(r"\s*\(at .*\)$", "", str(error))
        raise wrong(f"{name}:{line}: not valid TOML: {what}; correct this line") from error
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = _line_numbers(source)
        raise wrong("\n".join(_say(name, lines, problem) for problem in error.errors())) from error


def _say(name: str, lines: dict[Path_, int], problem: Any) -> str:
    location: Path_ = tuple(problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    got = problem.get("input")
    if problem["type"] == "missing":
        message = "is missing; add it"
    elif problem["type"] == "extra_forbidden":
        message = "is not a field here; check its spelling or take it out"
    elif problem["type"] != "value_error" and isinstance(got, str | int | float | bool):
        message = f"{message[0].lower()}{message[1:]} (got {got!r})"
    elif problem["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:]}"
    known = next((lines[location[:n]] for n in range(len(location), -1, -1) if location[:n] in lines), 1)
    field = ".".join(str(part + 1) if isinstance(part, int) else part for part in location)
    return f"{name}:{known}: {field + ': ' if field else ''}{message}"


def _line_numbers(source: str) -> dict[Path_, int]:
    """The line on which each key and table stands; what is inside inline tables counts to its key."""
    lines: dict[Path_, int] = {(): 1}
    table: Path_ = ()
    seen: dict[Path_, int] = {}
    closing: str | None = None  # of a multi-line string that is open
    for number, line in enumerate(source.splitlines(), start=1):
        if closing is not None:
            if closing in line:
                closing = None
            continue
        if header := _HEADER.match(line):
            table = tuple(part.strip().strip('"') for part in header[2].split("."))
            if header[1] == "[[":
                seen[table] = seen.get(table, -1) + 1
                lines.setdefault(table, number)
                table = (*table, seen[table])
            lines[table] = number
        elif key := _KEY.match(line):
            lines[(*table, key[1].strip('"'))] = number
        for quotes in ('"""', "'''"):
            if line.count(quotes) % 2:
                closing = quotes
    return lines
