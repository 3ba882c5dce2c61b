"""How far the runs on a cluster are; apart from the engine, as the process that holds it needs no PyTorch."""

from __future__ import annotations


class Board:
    """Where tasks write how many epochs are done, and the leading process reads it."""

    def __init__(self) -> None:
        self.epochs: dict[str, int] = {}

    def tell(self, digest: str, epoch: int) -> None:
        """So many epochs of a run are done."""
        self.epochs[digest] = epoch

    def read(self) -> dict[str, int]:
        """What was written since the last time."""
        news, self.epochs = self.epochs, {}
        return news
