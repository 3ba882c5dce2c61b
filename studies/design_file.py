"""Reading design files (and other TOML files): every complaint names file, line, field and what was expected."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from crowdloom.studies.design import Design
from crowdloom.studies.design_types import in_our_words
from crowdloom.studies.errors import CrowdloomError, DesignError, ItemError

Path_ = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


def read_design(path: Path) -> tuple[Design, str]:
    """The design in a TOML file, and its text.

    Raises DesignError with one line for each thing that is wrong, such as
    `study.toml:14: batches.size: expected a number of at least 1, got 0`.
    """
    source = read_text(path, "a design file", DesignError)
    return parse_design(source, str(path)), source


def parse_design(source: str, name: str) -> Design:
    """The design in a TOML text; `name` stands for the file in messages. Raises DesignError."""
    return parse_toml(source, name, Design, DesignError)


def read_text(path: Path, what: str, wrong: type[CrowdloomError]) -> str:
    """A file's text; `what` says which file was wanted. Raises `wrong` where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
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
        lines = line_numbers(source)
        problems = error.errors()
        # Of an array whose elements are wrong pydantic says, besides, that it has too few.
        said = {problem["loc"][:n] for problem in problems for n in range(len(problem["loc"]))}
        listed = [p for p in problems if not (p["type"] == "too_short" and p["loc"] in said)]
        raise wrong("\n".join(_say(name, lines, problem) for problem in listed)) from error


@contextmanager
def located(source: str, name: str) -> Iterator[None]:
    """Add file and line to what turns out to be wrong with a design when it meets its items.

    Such a message begins with the field, as in `items.sample: 50 items are asked for, the source has 40`.
    """
    try:
        yield
    except (DesignError, ItemError) as error:
        field, is_field, _ = str(error).partition(": ")
        lines = line_numbers(source)
        location = tuple(int(part) - 1 if part.isdecimal() else part for part in field.split("."))
        if not is_field or location[:1] not in lines:
            raise
        raise type(error)(f"{name}:{_line(lines, location)}: {error}") from error


def _say(name: str, lines: dict[Path_, int], problem: Any) -> str:
    location: Path_ = tuple(problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    field, is_field, rest = message.partition(": ")
    named: Path_ = tuple(int(part) if part.isdecimal() else part for part in field.split("."))
    if problem["type"] == "value_error" and is_field and any((*location, *named[:n]) in lines for n in (1, len(named))):
        location, message = (*location, *named), rest  # a rule that combines fields names the one to look at
    else:
        message = in_our_words(problem)
    words = ".".join(str(part + 1) if isinstance(part, int) else part for part in location)
    return f"{name}:{_line(lines, location)}: {words + ': ' if words else ''}{message}"


def _line(lines: dict[Path_, int], location: Path_) -> int:
    """The line of a field, or of the innermost table around it that is there."""
    return next((lines[location[:n]] for n in range(len(location), 0, -1) if location[:n] in lines), 1)


def line_numbers(source: str) -> dict[Path_, int]:
    """The line on which each key and table of a valid TOML text begins.

    What stands inside an array or an inline table counts to its key.

    >>> line_numbers("a = 1\\n[[b]]\\nc.d = [\\n2]")
    {('a',): 1, ('b',): 2, ('b', 0): 2, ('b', 0, 'c'): 3, ('b', 0, 'c', 'd'): 3, ('b', 0, 'c', 'd', 0): 3}
    """
    lines: dict[Path_, int] = {}
    arrays: dict[Path_, int] = {}
    table: Path_ = ()
    statement, start = "", 0
    for number, line in enumerate(source.split("\n"), start=1):
        start = start if statement else number
        statement += line + "\n"
        try:
            values = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue  # it goes on in the next line
        if statement.lstrip().startswith("["):
            table = _enter(values, arrays, lines, start)
        else:
            _note(values, table, lines, start)
        statement = ""
    return lines


def _enter(header: dict[str, Any], arrays: dict[Path_, int], lines: dict[Path_, int], line: int) -> Path_:
    """The path of the table that a header opens, with the number of the element where it is one of an array."""
    path: Path_ = ()
    inside: Any = header
    while inside:
        ((key, inside),) = inside.items()
        path = (*path, key)
        if isinstance(inside, list):
            arrays[path] = arrays.get(path, -1) + 1
            inside = inside[0]
        lines.setdefault(path, line)
        if path in arrays:
            path = (*path, arrays[path])
            lines.setdefault(path, line)
    return path


def _note(value: Any, path: Path_, lines: dict[Path_, int], line: int) -> None:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        lines.setdefault((*path, key), line)
        _note(part, (*path, key), lines, line)
