"""Twilio's REST API for a running call: change it, fetch a recording, look at the number.

Owns what a failed call means: refused, not taken, or unknown. Plain HTTP, for the SDK blocks and a call is short.
Source: Twilio's pages "Call resource", "Recording resource", "IncomingPhoneNumber resource".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from core.errors import (
    PermanentDeliveryError,
    RetryableDeliveryError,
    TooLargeError,
    UnknownOutcomeError,
)

TWILIO = "https://api.twilio.com"
CONNECT_TIMEOUT = 5.0  # seconds
_OVER = frozenset({20404, 21220})  # no such call any more, not in progress


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach one account; `timeout` in seconds."""

    account_sid: str
    auth_token: str
    base_url: str | None = None
    timeout: float = 10.0

    @property
    def base(self) -> str:
        """Where the API is."""
        return (self.base_url or TWILIO).rstrip("/")

    @property
    def account_url(self) -> str:
        """The account's own resource, without its ending."""
        return f"{self.base}/2010-04-01/Accounts/{self.account_sid}"

    def client(self) -> httpx.AsyncClient:
        """Return a client with timeouts and credentials; follows nothing."""
        return httpx.AsyncClient(
            auth=(self.account_sid, self.auth_token),
            timeout=httpx.Timeout(self.timeout, connect=CONNECT_TIMEOUT),
            trust_env=False,
        )


async def change_call(access: Access, sid: str, twiml: str) -> bool:
    """Let a call go on with this TwiML; False when the call is over.

    Raises RetryableDeliveryError (surely not taken), PermanentDeliveryError, UnknownOutcomeError.
    """
    url = f"{access.account_url}/Calls/{sid}.json"
    try:
        async with access.client() as client:
            answer = await client.post(url, data={"Twiml": twiml})
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise RetryableDeliveryError("Twilio could not be reached") from error
    except httpx.HTTPError as error:
        raise UnknownOutcomeError("Twilio did not answer; the caller may have heard it") from error
    if answer.is_success:
        return True
    code = _code(answer)
    if code in _OVER:
        return False
    if answer.status_code in (429, 503):
        wait = answer.headers.get("retry-after", "")
        after = float(wait) if wait.isascii() and wait.isdigit() else None
        raise RetryableDeliveryError("Twilio is busy", retry_after=after)
    if answer.status_code >= 500 or answer.status_code < 400:
        raise UnknownOutcomeError(f"Twilio answered {answer.status_code}; it may have been said")
    raise PermanentDeliveryError(f"Twilio refused to change the call (error {code})")


async def fetch_recording(access: Access, url: str, limit: int) -> bytes:
    """Return a recording's bytes.

    Raises TooLargeError over `limit`, PermanentDeliveryError for what is not Twilio's or is gone,
    RetryableDeliveryError.
    """
    if not _is_at(url, access.base):
        raise PermanentDeliveryError("that recording is not at Twilio")
    found = bytearray()
    try:
        async with access.client() as client, client.stream("GET", url) as answer:
            if answer.status_code in (429, 404) or answer.status_code >= 500:
                # a recording is there a moment after its webhook
                raise RetryableDeliveryError("the recording cannot be had yet")
            if not answer.is_success:
                raise PermanentDeliveryError(
                    f"Twilio answered {answer.status_code} for a recording"
                )
            async for chunk in answer.aiter_bytes():
                found += chunk
                if len(found) > limit:
                    raise TooLargeError("the recording is too large")
    except httpx.HTTPError as error:
        raise RetryableDeliveryError("the recording could not be fetched") from error
    return bytes(found)


async def read_account(access: Access) -> tuple[int, Mapping[str, Any]]:
    """Return the status and body of the account's resource. Raises RetryableDeliveryError."""
    return await _get(access, f"{access.account_url}.json", {})


async def read_number(access: Access, number: str) -> tuple[int, Mapping[str, Any]]:
    """Return the status and the number's resource, {} when it is not this account's."""
    url = f"{access.account_url}/IncomingPhoneNumbers.json"
    status, body = await _get(access, url, {"PhoneNumber": number})
    listed = body.get("incoming_phone_numbers")
    found = listed[0] if isinstance(listed, list) and listed else {}
    return status, found if isinstance(found, dict) else {}


async def _get(access: Access, url: str, query: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
    try:
        async with access.client() as client:
            answer = await client.get(url, params=dict(query))
    except httpx.HTTPError as error:
        raise RetryableDeliveryError("Twilio could not be reached") from error
    return answer.status_code, _body(answer)


def _code(answer: httpx.Response) -> int:
    code = _body(answer).get("code")
    return code if isinstance(code, int) else 0


def _body(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_at(url: str, base: str) -> bool:
    try:
        asked, ours = urlsplit(url), urlsplit(base)
        at = (asked.scheme, asked.hostname, asked.port)
    except ValueError:
        return False
    return at == (ours.scheme, ours.hostname, ours.port)
