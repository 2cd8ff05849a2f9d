"""Digests that tell one body from another."""

import hashlib


def body_digest(body: bytes) -> str:
    """Return the SHA-256 of a body in hex."""
    return hashlib.sha256(body).hexdigest()
