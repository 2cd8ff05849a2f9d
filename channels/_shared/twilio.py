"""Twilio for every channel it carries: signatures of webhooks, and its blocking client in threads.

Imported inside a channel's `build`, because it imports the SDK. Owns what a failed call means:
refused, not taken, or unknown. Not here: what a webhook says (twilio_form.py), what an error code means
(twilio_errors.py), looking at an account (twilio_account.py).
"""

import asyncio
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from requests import exceptions as http_errors
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from channels._shared.twilio_errors import PASSING, reason
from core.errors import (
    PermanentDeliveryError,
    RetryableDeliveryError,
    SignatureError,
    UnknownOutcomeError,
)

CONNECT_TIMEOUT = 5.0  # seconds
LONGEST_WAIT = 86_400.0  # seconds
T = TypeVar("T")

LISTED = 100  # how far back a list looks


class FormFields(dict[str, list[str]]):
    """A form with repeated keys, as the SDK's validator reads it."""

    def getlist(self, key: str) -> list[str]:
        """Return every value of the key."""
        return self.get(key, [])


def require_signature(
    token: str,
    url: str,
    fields: Sequence[tuple[str, str]],
    signature: str | None,
    algorithm: str | None = None,
) -> None:
    """Check X-Twilio-Signature over the public URL and the form (Twilio's page "Security").

    The URL counts as it stands, and with and without its default port, as the SDK has it: Twilio is not of one
    mind about that. `algorithm` is HMAC_SHA256 where a webhook signing key signs, in place of the auth token.
    Raises SignatureError for anything but a right signature. It holds no timestamp: a replay
    verifies, and is a duplicate by its MessageSid.
    """
    if not signature:
        raise SignatureError("X-Twilio-Signature is missing")
    form = FormFields()
    for key, value in fields:
        form.setdefault(key, []).append(value)
    try:
        validator = RequestValidator(token)
        # the SDK takes the URL apart and puts it together again, which loses an empty query
        exact = validator.compute_signature(url, form, algorithm)
        is_valid = hmac.compare_digest(
            exact.encode(), signature.encode("utf-8", "replace")
        ) or validator.validate(url, form, signature, algorithm)
    except (ValueError, UnicodeError) as error:
        raise SignatureError("the request cannot have been signed by Twilio") from error
    if not is_valid:
        raise SignatureError("X-Twilio-Signature is wrong")


def require_json_signature(token: str, url: str, body: str, signature: str | None) -> None:
    """Check a JSON webhook, whose body is signed through `bodySHA256` in the query.

    Raises SignatureError; also without `bodySHA256`, for then nothing covers the body.
    """
    if not signature:
        raise SignatureError("X-Twilio-Signature is missing")
    try:
        is_covered = "bodySHA256" in parse_qs(urlsplit(url).query)
        is_valid = is_covered and RequestValidator(token).validate(url, body, signature)
    except (ValueError, UnicodeError) as error:
        raise SignatureError("the request cannot have been signed by Twilio") from error
    if not is_valid:
        raise SignatureError("X-Twilio-Signature is wrong or does not cover the body")


@dataclass(frozen=True, slots=True)
class TwilioAccess:
    """How to reach one account. `base_url` None is Twilio; `timeout` in seconds, for the answer.

    `key_sid` and `key_secret` are an API key's, used in place of the auth token.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    base_url: str | None = None
    timeout: float = 15.0
    key_sid: str = ""
    key_secret: str = field(default="", repr=False)

    def credentials(self) -> tuple[str, str]:
        """Return (username, password)."""
        if self.key_sid:
            return self.key_sid, self.key_secret
        return self.account_sid, self.auth_token


@dataclass(frozen=True, slots=True)
class Listed:
    """A message as Twilio lists it."""

    sid: str
    body: str
    created_at: datetime | None
    direction: str
    media: int = 0


class _HttpClient(TwilioHttpClient):  # type: ignore[misc] # the SDK is untyped
    """The SDK's client, with both timeouts, maybe another host, and Retry-After kept."""

    def __init__(self, access: TwilioAccess) -> None:
        super().__init__(timeout=access.timeout)
        self.timeout = (CONNECT_TIMEOUT, access.timeout)
        self._base_url = access.base_url

    def request(self, method: str, url: str, **options: Any) -> Any:
        if self._base_url:
            parts = urlsplit(url)
            query = f"?{parts.query}" if parts.query else ""
            url = self._base_url.rstrip("/") + parts.path + query
        response = super().request(method, url, **options)
        if response.status_code in (429, 503):
            wait = retry_after(response.headers or {})
            raise RetryableDeliveryError(
                f"Twilio answered {response.status_code}", retry_after=wait
            )
        return response


async def create_message(access: TwilioAccess, fields: Mapping[str, Any]) -> str:
    """Create one message and return its SID.

    Raises RetryableDeliveryError (surely not taken), PermanentDeliveryError, UnknownOutcomeError.
    """

    def send(client: Any) -> str:
        return str(client.messages.create(**fields).sid)

    return await call(access, send)


async def list_messages(access: TwilioAccess, to: str, since: datetime) -> list[Listed]:
    """Return the messages sent to a number since a moment, newest first.

    Not filtered by DateSent: a queued message has none yet. Raises RetryableDeliveryError when
    Twilio cannot say now, UnknownOutcomeError when there are too many to look through.
    """

    def read(client: Any) -> list[Listed]:
        found = client.messages.list(to=to, limit=LISTED, page_size=LISTED)
        return [
            Listed(m.sid, m.body or "", m.date_created, m.direction or "", int(m.num_media or 0))
            for m in found
        ]

    try:
        listed = await call(access, read)
    except (PermanentDeliveryError, UnknownOutcomeError) as error:
        raise RetryableDeliveryError(f"could not list messages: {error.detail}") from error
    recent = [m for m in listed if m.created_at is None or m.created_at >= since]
    if len(recent) == LISTED:
        raise UnknownOutcomeError("too many messages to that number to tell which is which")
    return [m for m in recent if m.direction.startswith("outbound")]


async def create_content(access: TwilioAccess, content: Mapping[str, Any]) -> str:
    """Create a content template and return its SID (HX…). Raises as `create_message` does."""

    def send(client: Any) -> str:
        # not by the SDK's request class: it adds a null for every other type of content
        kind = {"Content-Type": "application/json", "Accept": "application/json"}
        made = client.content.v1.create("POST", "/Content", data=dict(content), headers=kind)
        return str(made["sid"])

    return await call(access, send)


async def call(access: TwilioAccess, use: Callable[[Any], T]) -> T:
    """Let `use` work with the SDK's client in a thread; failures become delivery errors."""

    def run() -> T:
        http = _HttpClient(access)
        username, password = access.credentials()
        try:
            return use(Client(username, password, access.account_sid, http_client=http))
        finally:
            http.session.close()

    try:
        return await asyncio.to_thread(run)
    except TwilioRestException as error:
        raise _refusal(error.status, error.code) from error
    except TwilioException as error:
        raise UnknownOutcomeError("Twilio's answer could not be read") from error
    except http_errors.RequestException as error:
        raise _unreached(error) from error
    except ValueError as error:
        raise UnknownOutcomeError("Twilio's answer could not be read") from error


def _refusal(
    status: int, code: int | None
) -> PermanentDeliveryError | RetryableDeliveryError | UnknownOutcomeError:
    if code in PASSING or status in (408, 429, 503):
        return RetryableDeliveryError(f"Twilio is busy (error {code})")
    if status >= 500 or status < 400:
        return UnknownOutcomeError(f"Twilio answered {status}; it may have taken the message")
    return PermanentDeliveryError(f"Twilio refused the message (error {code}): {reason(code)}")


def _unreached(error: Exception) -> RetryableDeliveryError | UnknownOutcomeError:
    """Tell "never got there" from "no answer": only the first may be sent again."""
    never_left = (
        http_errors.ConnectTimeout,
        http_errors.ProxyError,
        http_errors.SSLError,
        http_errors.InvalidURL,
        http_errors.InvalidSchema,
    )
    # urllib3: MaxRetryError(reason=NewConnectionError | NameResolutionError).
    cause = type(getattr(error.args[0] if error.args else None, "reason", None)).__name__
    if isinstance(error, never_left) or cause in ("NewConnectionError", "NameResolutionError"):
        return RetryableDeliveryError("Twilio could not be reached")
    return UnknownOutcomeError("Twilio did not answer; it may have taken the message")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a Retry-After header asks for, at most a day; None when it says nothing readable.

    A date counts from the answer's own Date, so that our clock does not matter.
    """
    value = (headers.get("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT)
    try:
        until, since = (parsedate_to_datetime(v) for v in (value, headers.get("Date") or ""))
        return min(max((until - since).total_seconds(), 0.0), LONGEST_WAIT)
    except (TypeError, ValueError):
        return None
