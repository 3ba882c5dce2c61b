"""What can go wrong with networks and the images given to them."""

from __future__ import annotations


class ModelError(ValueError):
    """A classifier, or what it was given, cannot be used; the message is one sentence that says what to do."""


class MistakesError(ModelError):
    """Stimuli cannot be drawn from a classifier's mistakes: too few mistakes, labels or classes."""
