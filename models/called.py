"""What PACKAGE.MODULE:CALLABLE gives: anybody's code, named on a command line or in a design."""

from __future__ import annotations

from importlib import import_module
from typing import TypeVar

from crowdloom.models.errors import ModelError, first_line

_Made = TypeVar("_Made")


def called(name: str, kind: type[_Made], *, what: str, gives: str, instead: str) -> _Made:
    """Calls, without arguments, the callable that `name` names, and gives what it makes.

    `what` is what is looked for, `gives` what the callable must give, `instead` what else can be written; all three
    stand in the messages. Raises ModelError where there is none, where it fails, or where it gives something else.

    >>> called("decimal:Decimal", object, what="number", gives="a number", instead="write PACKAGE.MODULE:CALLABLE")
    Decimal('0')
    """
    module, _, attribute = name.partition(":")
    try:
        make = getattr(import_module(module), attribute)
    except Exception as error:  # the module is anybody's code
        raise ModelError(f"{name!r} names no {what} ({first_line(error)}); {instead}") from error
    try:
        made = make()
    except Exception as error:  # and so is the callable
        raise ModelError(
            f"{name} raised {type(error).__name__} ({first_line(error)}); name a callable that takes no arguments and "
            f"gives {gives}"
        ) from error
    if not isinstance(made, kind):
        raise ModelError(
            f"{name} gives an object of type {type(made).__name__}, not {gives}; name a callable that gives one"
        )
    return made
