"""Secrets that must be kept: sealed before they are stored, opened when they are used."""

from typing import Protocol


class Vault(Protocol):
    """Seals text under the server's own secret. What is sealed for one purpose opens for no other."""

    def seal(self, text: str, purpose: str) -> str:
        """Return the text encrypted and authenticated, as URL-safe ASCII. Raises MisconfiguredError."""
        ...

    def open(self, sealed: str, purpose: str) -> str:
        """Return the text. Raises SignatureError for what was not sealed here, or for another purpose."""
        ...
