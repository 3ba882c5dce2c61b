"""The direct link: anybody who has it, or a panel that adds its own `?participant=ID`. It pays nobody."""

from __future__ import annotations

from collections.abc import Mapping


class Link:
    """The platform `link`."""

    name = "link"
    frame_ancestors: tuple[str, ...] = ()

    def participant(self, query: Mapping[str, str]) -> str | None:
        """The panel's id, where the link carries one."""
        return query.get("participant") or None
