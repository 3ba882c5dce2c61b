"""Prolific's API description: which operation a request calls, and whether bodies are as its schemas demand.

The document as a whole is no valid one for validators (names of components have spaces), its single schemas are.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

_URN = "urn:prolific"


class Description:
    """The description in a file; `operations` are found by method and path."""

    def __init__(self, path: Path) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._document: dict[str, Any] = yaml.load(path.read_text(), loader)
        self._registry: Registry[Any] = Registry().with_resource(_URN, DRAFT202012.create_resource(self._document))
        self._validators: dict[str, Draft202012Validator] = {}
        self._routes = [
            (method.upper(), re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))), path)
            for path, methods in self._document["paths"].items()
            for method in methods
        ]

    def operation(self, method: str, path: str) -> tuple[str, dict[str, str]] | None:
        """The id of the operation and the parameters in its path; None where there is none."""
        for known, pattern, template in self._routes:
            if known == method and (match := pattern.fullmatch(path)):
                return str(self._at(template, method)["operationId"]), match.groupdict()
        return None

    def is_path(self, path: str) -> bool:
        """Whether any method is known for this path."""
        return any(pattern.fullmatch(path) for _, pattern, _ in self._routes)

    def problem_of_query(self, method: str, path: str, query: Mapping[str, str], further: set[str]) -> str | None:
        """What is wrong with a query string; `further` names what the description leaves out."""
        parameters = [each for each in self._at(path, method).get("parameters", ()) if each["in"] == "query"]
        known = {each["name"]: each for each in parameters}
        for each in parameters:
            names = self._properties(each["schema"])
            if names:  # an object is written as its properties
                known.update(dict.fromkeys(names))
                if each.get("required") and not names & query.keys():
                    return f"one of {', '.join(sorted(names))} is required"
            elif each.get("required") and each["name"] not in query:
                return f"{each['name']} is required"
        if unknown := set(query) - known.keys() - further:
            return f"unknown parameters: {', '.join(sorted(unknown))}"
        for name, value in query.items():
            schema = known[name]["schema"] if known.get(name) else {}
            if schema.get("type") == "integer" and not value.isdecimal():
                return f"{name} is no number"
            if "$ref" in schema and (problem := self._problem({"$ref": _URN + schema["$ref"]}, value)):
                return f"{name}: {problem}"
        return None

    def problem_of_request(self, method: str, path: str, body: Any) -> str | None:
        """What is wrong with a request's body, fields that the description does not know among it."""
        template = self._template(method, path)
        if "requestBody" not in self._at(path, method):
            return None if body is None else "this operation takes no body"
        schema = _pointer("paths", template, method.lower(), "requestBody", "content", "application/json", "schema")
        known = self._properties({"$ref": schema})
        if isinstance(body, dict) and known and (unknown := body.keys() - known):
            return f"unknown fields: {', '.join(sorted(unknown))}"
        return self._problem({"$ref": schema}, body)

    def problem_of_response(self, method: str, path: str, status: int, body: Any) -> str | None:
        """What is wrong with an answer of ours; every error has the form that stands for 400."""
        template, responses = self._template(method, path), self._at(path, method)["responses"]
        named = str(status) if status < 400 else "400"
        if named not in responses:
            return f"the description knows no answer {status} of this operation"
        schema = _pointer(
            "paths", template, method.lower(), "responses", named, "content", "application/json", "schema"
        )
        return self._problem({"$ref": schema}, {} if body is None else body)

    def is_wrapped(self, method: str, path: str) -> bool:
        """Whether this operation's errors come inside `error`."""
        schema = self._at(path, method)["responses"]["400"]["content"]["application/json"]["schema"]
        return str(schema["$ref"]).endswith("/Error")

    def _at(self, path: str, method: str) -> dict[str, Any]:
        found: dict[str, Any] = self._document["paths"][self._template(method, path)][method.lower()]
        return found

    def _template(self, method: str, path: str) -> str:
        if path in self._document["paths"]:
            return path
        templates = (
            template for known, pattern, template in self._routes if known == method and pattern.fullmatch(path)
        )
        return str(next(templates))

    def _properties(self, schema: dict[str, Any]) -> set[str]:
        while "$ref" in schema:
            schema = self._registry.resolver(_URN).lookup(schema["$ref"]).contents
        parts = [schema, *schema.get("oneOf", ())]
        own = {name for each in parts for name in each.get("properties", ())}
        return own | {name for each in parts if each is not schema for name in self._properties(each)}

    def _problem(self, schema: dict[str, Any], value: Any) -> str | None:
        reference = schema["$ref"]
        if reference not in self._validators:
            self._validators[reference] = Draft202012Validator({"$ref": reference}, registry=self._registry)
        error = best_match(self._validators[reference].iter_errors(value))
        return None if error is None else f"{error.json_path}: {error.message}"


@functools.cache
def describe(path: Path) -> Description:
    """The description in this file, read once."""
    return Description(path)


def _pointer(*parts: str) -> str:
    return f"{_URN}#/" + "/".join(quote(each.replace("~", "~0").replace("/", "~1"), safe="~") for each in parts)
