"""Whether what networks are trained with is installed; it is an extra, as it is large."""

from __future__ import annotations

from importlib.util import find_spec

INSTALL = 'pip install "crowdloom[train]"'
_NEEDED = ("torch", "torchvision", "safetensors")


def lacking() -> str | None:
    """The beginning of a sentence that names what is not installed; None where all is."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if not missing:
        return None
    *most, last = missing
    return f"{', '.join(most)} and {last} are not installed" if most else f"{last} is not installed"
