"""What the sources share: the record of an item, reading its file, the entropy that is its difficulty."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crowdloom.studies.errors import ItemError


@dataclass(frozen=True)
class SourceItem:
    """A stimulus as its source gives it; `name` is what messages call it, `image` None where it has no picture."""

    key: str
    name: str
    image: Callable[[], bytes] | None
    reference: str | None = None
    difficulty: float | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    pixels: bytes | None = None
    """What it and its views are made from, where `image` encodes them; encoders differ between versions."""
    views: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    """Further pictures by name, such as what an interpreter drew."""
    array: Any = None
    """Its pixels, uint8 [H, W] or [H, W, 3], where the source has them at hand and `image` encodes them as PNG."""

    def digest(
        self, content: bytes, image_size: int = 0, enlarge: str = "lanczos", views: Mapping[str, str] | None = None
    ) -> str:
        """What makes it the same item in another version: its pictures, its size on the page, and what is said of it.

        `views` are the SHA-256 of its further pictures.
        """
        difficulty = None if self.difficulty is None else f"{self.difficulty:.9g}"  # computed: its last digits vary
        said: list[Any] = [self.reference, difficulty, self.attributes, image_size]
        if views or enlarge != "lanczos":
            # Items that know neither keep the digest of earlier versions. What drawn views show, `pixels` says.
            said += [enlarge, dict.fromkeys(views or {}) if self.pixels else dict(views or {})]
        written = json.dumps(said, sort_keys=True).encode()
        return hashlib.sha256((self.pixels or content) + written).hexdigest()


def read_file(path: Path) -> bytes:
    """The bytes of an image file. Raises ItemError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ItemError(f"{path} cannot be read ({error.strerror}); check the file and its rights") from error


def entropy(shares: Any) -> Any:
    """The entropy in nats of each row of class shares [N, K] (thesis, section 3.2.1); 0 log 0 is 0."""
    from scipy.special import entr

    return entr(shares).sum(axis=1)
