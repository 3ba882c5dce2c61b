"""The names that people and their submissions have in one version of a release."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

_KEY_BYTES = 32
_LETTERS = 12  # of base 32, so 60 bits: among a million names two are alike once in two million releases


def new_key() -> bytes:
    """A fresh key for a version's pseudonyms."""
    return secrets.token_bytes(_KEY_BYTES)


class Pseudonyms:
    """Names made from ours by a key (HMAC-SHA256): the same in every build, and in no other version.

    >>> names = Pseudonyms(bytes(32))
    >>> names.participant("one"), names.participant("one") == names.submission("one")
    ('p-my4ofqiokacj', False)
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def participant(self, pseudonym: str) -> str:
        """The name of a participant, from the pseudonym in the store."""
        return f"p-{self._name('participant', pseudonym)}"

    def submission(self, pseudonym: str) -> str:
        """The name of a submission, from the pseudonym in the store."""
        return f"s-{self._name('submission', pseudonym)}"

    def _name(self, kind: str, pseudonym: str) -> str:
        digest = hmac.digest(self._key, f"{kind}:{pseudonym}".encode(), hashlib.sha256)
        return base64.b32encode(digest).decode()[:_LETTERS].lower()
