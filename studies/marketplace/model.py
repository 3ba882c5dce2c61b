"""The API's contract, out of the service model that botocore ships: what may come in, what may go out."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from botocore.model import ServiceModel, Shape
from botocore.session import get_session
from botocore.utils import parse_to_aware_datetime
from botocore.validate import ParamValidator

from crowdloom.studies.marketplace.errors import RequestError

TARGET = "MTurkRequesterServiceV20170117."
"""What stands before an operation's name in the header X-Amz-Target."""


@lru_cache(maxsize=1)
def service() -> ServiceModel:
    """botocore's model of MTurk's requester API; reading it takes a moment, so it is kept."""
    return get_session().get_service_model("mturk", "2017-01-17")


def read_input(operation: str, values: object) -> dict[str, Any]:
    """The parameters of a request, checked, with times as datetime.

    Raises RequestError naming every parameter that the model does not allow.
    """
    if not isinstance(values, dict):
        raise RequestError("The request must be a JSON object.", "ParameterValidationError")
    shape = service().operation_model(operation).input_shape
    given: dict[str, Any] = _without_nulls(values)
    for name, member in shape.members.items():
        if member.type_name == "timestamp" and name in given:
            if (time := _time(given[name])) is None:
                raise RequestError(f"{name}: {given[name]!r} is not a time.", "ParameterValidationError")
            given[name] = time
    problems = _problems(given, shape)
    if problems:
        missing = all(problem.startswith("Missing required parameter") for problem in problems)
        raise RequestError("\n".join(problems), "MissingParameter" if missing else "ParameterValidationError")
    return given


def check_output(operation: str, values: dict[str, Any]) -> None:
    """Hold what we answer against the model. Raises AssertionError: an answer that it forbids is a fault of ours."""
    problems = _problems(values, service().operation_model(operation).output_shape)
    if problems:
        raise AssertionError(f"{operation} would answer against its model: {'; '.join(problems)}")


def _problems(values: dict[str, Any], shape: Shape) -> list[str]:
    report = ParamValidator().validate(values, shape)
    if report.has_errors():
        return [str(line) for line in report.generate_report().splitlines()]
    return [f"{path}: {problem}" for path, problem in _limits(values, shape, "")]


def _limits(value: Any, shape: Shape, path: str) -> list[tuple[str, str]]:
    """What ParamValidator leaves out: patterns, enumerations, upper limits, and that True is no number."""
    if shape.type_name == "structure":
        members = shape.members
        return [found for name in value for found in _limits(value[name], members[name], f"{path}.{name}".lstrip("."))]
    if shape.type_name == "list":
        found = [] if len(value) <= shape.metadata.get("max", math.inf) else [(path, "has too many elements")]
        return found + [
            problem for i, element in enumerate(value) for problem in _limits(element, shape.member, f"{path}[{i}]")
        ]
    if shape.type_name in ("integer", "long"):
        return [(path, problem)] if (problem := _number_problem(value, shape)) else []
    if shape.type_name == "string":
        return [(path, problem)] if (problem := _text_problem(value, shape)) else []
    return []


def _number_problem(value: Any, shape: Shape) -> str | None:
    bits = 31 if shape.type_name == "integer" else 63
    if isinstance(value, bool) or not -(2**bits) <= value < 2**bits:
        return "is not a number of this size"
    most = shape.metadata.get("max", math.inf)
    return f"must be at most {most}" if value > most else None


def _text_problem(value: str, shape: Shape) -> str | None:
    if "\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        return "has a sign that no text can hold"  # nor a database
    if shape.enum and value not in shape.enum:
        return f"'{value}' is not one of {', '.join(shape.enum)}"
    most = shape.metadata.get("max", math.inf)
    if len(value) > most:
        return f"is longer than {most} characters"
    pattern = shape.metadata.get("pattern")
    if pattern and re.fullmatch(pattern, value) is None:
        return f"'{value}' does not match {pattern}"
    return None


def _without_nulls(values: Any) -> Any:
    """The JSON protocol counts a null as left out."""
    if isinstance(values, dict):
        return {key: _without_nulls(value) for key, value in values.items() if value is not None}
    return [_without_nulls(value) for value in values] if isinstance(values, list) else values


def _time(value: Any) -> datetime | None:
    try:
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        read: datetime = parse_to_aware_datetime(value)
        return read.astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return None
