"""The shapes in which raw mail is posted to us, each with the proof it brings.

Owns telling them apart and refusing what proves nothing: our own (HMAC over timestamp and body), Mailgun's /mime routes
(HMAC over a token), SendGrid's raw Inbound Parse (ECDSA over timestamp and body), Postmark's inbound JSON (Basic
credentials in the URL, the only proof Postmark offers). Amazon's is in mail_sns.py. Not here: reading the mail.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from channels._shared.mail_form import form_fields, has_form, quick_field
from channels._shared.mail_headers import recipients as named_recipients
from channels._shared.mail_reading import read_headers
from channels._shared.mail_sns import exact_base64, is_sns, quick_sns_recipients
from channels._shared.mail_tokens import untagged
from core.contracts import ChannelContext, WebhookRequest
from core.errors import AnomalousPayloadError, SignatureError

_WINDOW = timedelta(minutes=5)
_TOKEN_SECONDS = 900.0
_SENDGRID = "x-twilio-email-event-webhook-signature"
_SENDGRID_TIME = "x-twilio-email-event-webhook-timestamp"
_POSTMARK_TO = re.compile(rb'"OriginalRecipient"\s*:\s*"([^"\\]{1,320})"')


@dataclass(frozen=True, slots=True)
class DoorKeys:
    """The secrets of one mailbox; "" closes a door. `sendgrid` is a public key, `postmark` is `user:password`."""

    own: str = ""
    mailgun: str = ""
    sendgrid: str = ""
    postmark: str = ""


def stated_inbox(request: WebhookRequest) -> str:
    """Return the mailbox that the webhook's URL names (`?inbox=`), "" when it names none."""
    try:
        query = parse_qs(urlsplit(request.url).query, max_num_fields=50)
    except ValueError:
        return ""
    return query.get("inbox", [""])[0].strip().lower()[:320]


def mailboxes(request: WebhookRequest) -> tuple[str, ...]:
    """Return every mailbox a posted mail may be for, likeliest first; believes nothing.

    The envelope's recipient decides where it is given; a mail lists several, and which of them is ours is not known
    here.
    """
    if inbox := stated_inbox(request):
        return (untagged(inbox),)
    stated = [request.headers.get("x-usher-recipient", "")]
    if has_form(request):
        stated += [quick_field(request, "recipient"), *_envelope(quick_field(request, "envelope"))]
    elif is_sns(request):
        stated += quick_sns_recipients(request.body)
    elif _is_json(request):
        stated += [m.decode("utf-8", "replace") for m in _POSTMARK_TO.findall(request.body)[:1]]
    addresses = [a.strip().lower() for part in stated for a in part.split(",") if "@" in a]
    if not addresses and not has_form(request) and not _is_json(request) and not is_sns(request):
        addresses = list(named_recipients(read_headers(request.body)))
    return tuple(dict.fromkeys(untagged(address) for address in addresses))


def _envelope(text: str) -> list[str]:
    try:
        found = json.loads(text).get("to", [])
    except (ValueError, AttributeError, RecursionError):
        return []
    return [a for a in found if isinstance(a, str)][:50] if isinstance(found, list) else []


def _is_json(request: WebhookRequest) -> bool:
    return request.headers.get("content-type", "").lower().startswith("application/json")


async def open_mail(request: WebhookRequest, keys: DoorKeys, context: ChannelContext) -> bytes:
    """Return the raw mail of a request that proves where it comes from.

    Raises SignatureError, AnomalousPayloadError.
    """
    if _is_json(request):
        _require_basic(request, keys.postmark)
        return await asyncio.to_thread(_postmark_mail, request.body)
    if not has_form(request):
        _require_own(request, keys.own, context)
        return request.body
    if _SENDGRID in request.headers:
        await asyncio.to_thread(_require_sendgrid, request, keys.sendgrid, context)
        fields = await asyncio.to_thread(form_fields, request)
        return _field(fields, "email", "no raw mail: tick “POST the raw, full MIME message”")
    fields = await asyncio.to_thread(form_fields, request)
    await _require_mailgun(fields, keys.mailgun, context)
    return _field(fields, "body-mime", "no body-mime: the route's URL must end in /mime")


def read_mail_of(request: WebhookRequest) -> bytes:
    """Return the raw mail of a request without asking for proof: for `usher inspect`. Raises AnomalousPayloadError."""
    if _is_json(request):
        return _postmark_mail(request.body)
    if not has_form(request):
        return request.body
    fields = form_fields(request)
    return fields.get("email") or _field(fields, "body-mime", "the form holds no raw mail")


def _field(fields: Mapping[str, bytes], name: str, missing: str) -> bytes:
    raw = fields.get(name, b"")
    if not raw:
        raise AnomalousPayloadError(missing)
    return raw


def _require_own(request: WebhookRequest, secret: str, context: ChannelContext) -> None:
    stamp = request.headers.get("x-usher-timestamp", "")
    given = request.headers.get("x-usher-signature", "")
    _require_recent(stamp, context)
    signed = stamp.encode() + b"." + request.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    offered = [part.strip() for part in given.split(",")]
    if not secret or not any(_same(f"v1={expected}", part) for part in offered):
        raise SignatureError("the mail's signature is missing or wrong")


async def _require_mailgun(fields: Mapping[str, bytes], key: str, context: ChannelContext) -> None:
    """Check Mailgun's signature.

    It covers no body, so a token stays with the first body it came with.
    """
    stamp, token, given = (
        fields.get(n, b"").decode("utf-8", "replace") for n in ("timestamp", "token", "signature")
    )
    _require_recent(stamp, context)
    expected = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    if not key or not token or not _same(expected, given):
        raise SignatureError("the form's signature is missing or wrong")
    place = f"email:mailgun:{hashlib.sha256(token.encode()).hexdigest()}"
    body = hashlib.sha256(fields.get("body-mime", b"")).hexdigest()
    before = await context.cache.get(place)
    if before is not None and before != body:
        raise SignatureError("the form's token was used for another mail")
    await context.cache.put(place, body, _TOKEN_SECONDS)


def _require_sendgrid(request: WebhookRequest, key: str, context: ChannelContext) -> None:
    """Check SendGrid's signature: ECDSA with SHA-256 over timestamp and body as they came. Blocking."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    stamp = request.headers.get(_SENDGRID_TIME, "")
    _require_recent(stamp, context)
    try:
        public = load_der_public_key(base64.b64decode(key, validate=True))
        signature = exact_base64(request.headers.get(_SENDGRID, ""))
    except (ValueError, binascii.Error) as error:
        raise SignatureError("the mail's signature is missing or wrong") from error
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise SignatureError("SENDGRID_PUBLIC_KEY is no key of this kind")
    try:
        public.verify(signature, stamp.encode() + request.body, ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise SignatureError("the mail's signature is missing or wrong") from error


def _require_basic(request: WebhookRequest, credentials: str) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    expected = base64.b64encode(credentials.encode()).decode()
    if not credentials or scheme.lower() != "basic" or not _same(expected, given.strip()):
        raise SignatureError("the webhook's user name or password is missing or wrong")


def _postmark_mail(body: bytes) -> bytes:
    try:
        raw = json.loads(body).get("RawEmail")
    except (ValueError, AttributeError, RecursionError) as error:
        raise AnomalousPayloadError("this is no inbound webhook of Postmark's") from error
    if not isinstance(raw, str) or not raw:
        raise AnomalousPayloadError("no RawEmail: tick “Include raw email content in JSON payload”")
    return raw.encode("utf-8", "replace")


def _require_recent(stamp: str, context: ChannelContext) -> None:
    if not re.fullmatch(r"[0-9]{9,11}", stamp):
        raise SignatureError("the timestamp is missing or malformed")
    age = abs(context.clock.now().timestamp() - int(stamp))
    if age > _WINDOW.total_seconds():
        raise SignatureError("the timestamp is too old or in the future")


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
