"""Signed names in our mails: the plus-address of a conversation, and the token that ends unasked mail.

Owns making and checking them. A plus-address is bound to our own address; an unsubscribe address to the recipient; an
unsubscribe link says nothing to who reads it (RFC 8058 §3.1: opaque), so it is encrypted.
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from core.ids import ConversationId

_TAG_CHARS = 10
_TAGGED = re.compile(
    r"(?P<local>[^+@]+)\+(?P<id>[a-z0-9_-]{4,48})\.(?P<tag>[a-z2-7]{10})@(?P<domain>.+)"
)
_STOP = "stop"
_MAX_LOCAL_PART = 64  # octets, RFC 5321 §4.5.3.1.1
_MAX_TOKEN = 1_000


def untagged(address: str) -> str:
    """Return an address without its plus-tag."""
    local, at, domain = address.rpartition("@")
    return f"{local.split('+', 1)[0]}{at}{domain}"


def plus_address(address: str, tag: str) -> str | None:
    """Return `local+tag@domain`, or None when that is longer than a local part may be."""
    local, _, domain = address.rpartition("@")
    tagged = f"{local}+{tag}"
    return f"{tagged}@{domain}" if len(tagged) <= _MAX_LOCAL_PART else None


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one mailbox. `secret` "" signs nothing and believes nothing."""

    address: str
    secret: str

    def reply_address(self, conversation: str) -> str | None:
        """Return the plus-address of a conversation."""
        tag = self._tag(conversation)
        return plus_address(self.address, f"{conversation}.{tag}") if tag else None

    def conversation_of(self, addresses: tuple[str, ...]) -> ConversationId | None:
        """Return the conversation that one of the addresses names, if its tag is ours."""
        for name, tag in self._named(addresses):
            if name != _STOP and self._is_tag(tag, name):
                return ConversationId(name)
        return None

    def stop_address(self, recipient: str) -> str | None:
        """Return the plus-address a mail to which ends unasked mail to this recipient."""
        tag = self._tag(f"{_STOP}|{recipient.lower()}")
        return plus_address(self.address, f"{_STOP}.{tag}") if tag else None

    def stops(self, addresses: tuple[str, ...], sender: str) -> bool:
        """Return whether the sender wrote to the stop address that only they were given."""
        subject = f"{_STOP}|{sender.lower()}"
        return any(
            name == _STOP and self._is_tag(tag, subject) for name, tag in self._named(addresses)
        )

    def stop_token(self, mail: str, recipient: str) -> str | None:
        """Return the opaque token of the unsubscribe link in the mail with this id."""
        if not self.secret:
            return None
        from cryptography.fernet import Fernet

        return Fernet(self._key()).encrypt(f"{mail}\n{recipient}".encode()).decode()

    def read_stop_token(self, token: str) -> tuple[str, str] | None:
        """Return (mail id, recipient) of a token of ours, or None."""
        if not self.secret or len(token) > _MAX_TOKEN:
            return None
        from cryptography.fernet import Fernet, InvalidToken

        try:
            # one way of writing each: base64 has bits to spare at its end
            if base64.urlsafe_b64encode(base64.urlsafe_b64decode(token)).decode() != token:
                return None
            plain = Fernet(self._key()).decrypt(token.encode("utf-8", "replace")).decode()
        except (InvalidToken, ValueError):
            return None
        mail, _, recipient = plain.partition("\n")
        return (mail, recipient) if mail and "@" in recipient else None

    def _key(self) -> bytes:
        mixed = f"unsubscribe|{self.address.lower()}".encode()
        digest = hmac.new(self.secret.encode(), mixed, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest)

    def _named(self, addresses: tuple[str, ...]) -> list[tuple[str, str]]:
        found = (_TAGGED.fullmatch(a) for a in addresses if untagged(a) == self.address.lower())
        return [(match["id"], match["tag"]) for match in found if match]

    def _tag(self, subject: str) -> str | None:
        if not self.secret:
            return None
        signed = f"{self.address.lower()}|{subject}".encode()
        digest = hmac.new(self.secret.encode(), signed, hashlib.sha256).digest()
        return base64.b32encode(digest).decode().lower()[:_TAG_CHARS]

    def _is_tag(self, given: str, subject: str) -> bool:
        expected = self._tag(subject)
        return expected is not None and hmac.compare_digest(expected, given)
