"""What can go wrong with networks and the images given to them."""

from __future__ import annotations


class ModelError(ValueError):
    """A classifier, or what it was given, cannot be used; the message is one sentence that says what to do."""


class ArgumentError(ModelError):
    """An argument is missing or does not fit; `argument` is the name of the one that would mend it."""

    def __init__(self, message: str, argument: str) -> None:
        super().__init__(message)
        self.argument = argument


class MistakesError(ModelError):
    """Stimuli cannot be drawn from a classifier's mistakes: too few mistakes, labels or classes."""


class TrainingError(ModelError):
    """A training came to numbers that are not finite; another attempt with the same settings would, too."""


def first_line(error: BaseException) -> str:
    """What somebody else's error says, cut to its first line so that it fits into a sentence."""
    lines = str(error).strip().splitlines()
    return lines[0][:200].rstrip(".") if lines else type(error).__name__
