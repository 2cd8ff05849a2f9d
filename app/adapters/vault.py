"""Sealing with AES-256-GCM under keys derived from USHER_SECRET, one per purpose (HKDF-SHA256, RFC 5869).

Not here: where the secret comes from (compose.visitor_secret) and what is sealed (the channels).
"""

import base64
import binascii
import secrets
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import MisconfiguredError, SignatureError

_NONCE = 12  # bytes, random per seal: fit for far more seals than a server makes in its life
_VERSION = "v1."


class SealedVault:
    """Port `Vault`. The secret is asked for once, by `load` or at the first use; asking may read a file."""

    def __init__(self, secret: Callable[[], str]) -> None:
        self._ask = secret
        self._secret: bytes | None = None
        self._keys: dict[str, AESGCM] = {}

    def load(self) -> None:
        """Ask for the secret now. Blocking. Raises MisconfiguredError when there is none."""
        if self._secret is None:
            self._secret = self._ask().encode()
            if not self._secret:
                raise MisconfiguredError(
                    "USHER_SECRET is not set: it seals the tokens that are kept"
                )

    def seal(self, text: str, purpose: str) -> str:
        """See the port."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._key(purpose).encrypt(nonce, text.encode(), purpose.encode())
        return _VERSION + base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, sealed: str, purpose: str) -> str:
        """See the port."""
        if not sealed.startswith(_VERSION) or not sealed.isascii():
            raise SignatureError("this was not sealed here")
        body = sealed.removeprefix(_VERSION)
        try:
            raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
            opened = self._key(purpose).decrypt(raw[:_NONCE], raw[_NONCE:], purpose.encode())
            return opened.decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise SignatureError("this was not sealed here") from error

    def _key(self, purpose: str) -> AESGCM:
        if purpose not in self._keys:
            self.load()
            derived = HKDF(SHA256(), 32, salt=None, info=b"usher:" + purpose.encode())
            self._keys[purpose] = AESGCM(derived.derive(self._secret or b""))
        return self._keys[purpose]
