"""Mail that Amazon SES hands over through SNS: a signed notification with the raw mail inside.

Owns the proof (the signature of either version, by a certificate that may only come from an SNS host of Amazon's over
TLS) and the one-time confirmation of a subscription to our own topic. Not here: the other shapes (mail_doors.py).
"""

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from core.clock import Clock
from core.contracts import WebhookRequest
from core.errors import AnomalousPayloadError, SignatureError, UnavailableError

Fetch = Callable[[str], Awaitable[bytes]]

_HOST = re.compile(r"sns\.[a-z0-9-]{3,40}\.amazonaws\.com(?:\.cn)?")
_MAX_AGE = timedelta(
    hours=24
)  # SNS repeats for about an hour by default, with the first time stamp
_MAX_FETCHED = 100_000
_TIMEOUT = 10.0
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_RECIPIENTS = re.compile(rb'\\"recipients\\"\s*:\s*\[([^\]]{1,4000})\]')
_ADDRESS = re.compile(rb'\\"([^"\\\s]{3,320}@[^"\\\s]{3,320})\\"')


def is_sns(request: WebhookRequest) -> bool:
    """Return whether the request says that it comes from SNS."""
    return "x-amz-sns-message-type" in request.headers


def quick_sns_recipients(body: bytes) -> list[str]:
    """Return the envelope's recipients without reading the whole body."""
    found = _RECIPIENTS.search(body)
    return [a.decode("utf-8", "replace") for a in _ADDRESS.findall(found[1])[:50]] if found else []


async def open_sns(request: WebhookRequest, topic: str, clock: Clock, fetch: Fetch) -> bytes | None:
    """Return the raw mail in a notification; None for a confirmation, which was given.

    Raises SignatureError, AnomalousPayloadError, UnavailableError when Amazon's certificate cannot be had now.
    """
    said = read_envelope(request.body)
    if not topic or said.get("TopicArn") != topic:
        raise SignatureError("this is not the topic of this mailbox")
    _require_recent(said, clock.now())
    if not is_amazon(said.get("SigningCertURL", ""), ".pem"):
        raise SignatureError("the certificate is not one of Amazon's")
    certificate = await fetch(said["SigningCertURL"])
    await asyncio.to_thread(_require_signature, said, certificate)
    if said.get("Type") == "SubscriptionConfirmation":
        if not is_amazon(said.get("SubscribeURL", ""), ""):
            raise SignatureError("the confirmation's address is not one of Amazon's")
        await fetch(said["SubscribeURL"])
        return None
    if said.get("Type") != "Notification":
        return None
    return mail_in(said)


def read_envelope(body: bytes) -> Mapping[str, str]:
    """Return the texts of SNS's envelope. Raises AnomalousPayloadError."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise AnomalousPayloadError("this is no message of SNS") from error
    if not isinstance(found, dict):
        raise AnomalousPayloadError("this is no message of SNS")
    return {key: value for key, value in found.items() if isinstance(value, str)}


def mail_in(said: Mapping[str, str]) -> bytes:
    """Return the raw mail that a notification of SES carries. Raises AnomalousPayloadError."""
    try:
        notice = json.loads(said.get("Message", ""))
        content = notice.get("content")
        action = notice.get("receipt", {}).get("action", {})
        is_base64 = str(action.get("encoding", "")).upper() == "BASE64"
    except (ValueError, AttributeError, RecursionError) as error:
        raise AnomalousPayloadError("this is no notification of SES") from error
    if not isinstance(content, str) or not content:
        raise AnomalousPayloadError("no content: the receipt rule needs an SNS action, not S3")
    try:
        return (
            base64.b64decode(content, validate=False)
            if is_base64
            else content.encode("utf-8", "replace")
        )
    except (ValueError, binascii.Error) as error:
        raise AnomalousPayloadError("the mail in the notification is broken") from error


def is_amazon(url: str, suffix: str) -> bool:
    """Return whether a URL leads to SNS over TLS, at its usual port, and its path ends so."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    plain = parts.scheme == "https" and port in (None, 443) and not parts.username
    return plain and bool(_HOST.fullmatch(parts.hostname or "")) and parts.path.endswith(suffix)


def _require_recent(said: Mapping[str, str], now: datetime) -> None:
    try:
        at = datetime.fromisoformat(said.get("Timestamp", ""))
        is_recent = abs(now - at) <= _MAX_AGE
    except (ValueError, TypeError) as error:
        raise SignatureError("the timestamp is missing or malformed") from error
    if not is_recent:
        raise SignatureError("the timestamp is too old or in the future")


def signed_text(said: Mapping[str, str]) -> bytes:
    """Return what SNS signs: the names and values of its fields, a line each."""
    names = _NOTIFICATION if said.get("Type") == "Notification" else _CONFIRMATION
    return "".join(f"{name}\n{said[name]}\n" for name in names if name in said).encode()


def _require_signature(said: Mapping[str, str], certificate: bytes) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256
    from cryptography.x509 import load_pem_x509_certificate

    kinds: dict[str, SHA1 | SHA256] = {"1": SHA1(), "2": SHA256()}  # noqa: S303 - version 1 is Amazon's choice
    kind = kinds.get(said.get("SignatureVersion", ""))
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        signature = exact_base64(said.get("Signature", ""))
    except (ValueError, binascii.Error) as error:
        raise SignatureError("the notification's signature is missing or wrong") from error
    if kind is None or not isinstance(key, rsa.RSAPublicKey):
        raise SignatureError("the notification's signature is of no known kind")
    try:
        key.verify(signature, signed_text(said), padding.PKCS1v15(), kind)
    except InvalidSignature as error:
        raise SignatureError("the notification's signature is missing or wrong") from error


def exact_base64(text: str) -> bytes:
    """Return the bytes; one text per value, so that a bent signature is another one. Raises ValueError."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not as base64 is written")
    return data


async def fetch_amazon(url: str) -> bytes:
    """Return what stands at an address of Amazon's that was checked before. Raises UnavailableError."""
    import httpx

    try:
        async with (
            httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code != 200:
                raise UnavailableError("Amazon did not answer as expected")
            body = b""
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > _MAX_FETCHED:
                    raise UnavailableError("Amazon's answer is too long")
            return body
    except httpx.HTTPError as error:
        raise UnavailableError("Amazon cannot be reached") from error
