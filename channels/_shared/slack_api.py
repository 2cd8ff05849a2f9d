"""Slack's Web API through its SDK: one call, and what a failed one means.

Imported inside the channel's `build`, because it imports the SDK. The SDK's own retries are off: it
repeats a post after a lost connection, which may post twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from core.errors import (
    PermanentDeliveryError,
    RetryableDeliveryError,
    TooLargeError,
    UnknownOutcomeError,
)

FILES_HOST = "files.slack.com"
PAGES = 5  # of 200 messages a search reads

_PASSING = frozenset(
    {"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "request_timeout"}
)
# "It's possible some aspect of the operation succeeded before the error was raised."
_UNCLEAR = frozenset({"fatal_error", "internal_error"})
_REASONS = {
    "not_in_channel": "the app is not a member of the channel: /invite it",
    "channel_not_found": "the channel does not exist, or the app cannot see it",
    "is_archived": "the channel is archived",
    "invalid_auth": "the bot token is wrong",
    "token_revoked": "the bot token was revoked: reinstall the app",
    "account_inactive": "the app was removed from the workspace",
    "missing_scope": "the app lacks a scope: add it and reinstall the app",
    "msg_too_long": "the message is too long",
    "message_not_found": "the message to edit is gone",
    "restricted_action": "a workspace setting forbids posting there",
    "cannot_dm_bot": "the address is a bot",
    "thread_not_found": "the thread is gone",
}


@dataclass(frozen=True, slots=True)
class SlackAccess:
    """How to reach one workspace. `base_url` None is Slack; `timeout` in seconds, per call."""

    token: str
    base_url: str | None = None
    timeout: float = 10.0


async def post(access: SlackAccess, method: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Call a method that changes something and return its answer.

    Raises RetryableDeliveryError (surely not done), PermanentDeliveryError, UnknownOutcomeError.
    """
    return await _call(access, method, json=dict(body))


async def read(access: SlackAccess, method: str, query: Mapping[str, Any]) -> dict[str, Any]:
    """Call a method that only reads. Repeating it is harmless, so no answer is retryable.

    Raises RetryableDeliveryError, PermanentDeliveryError.
    """
    try:
        return await _call(access, method, http_verb="GET", params=dict(query))
    except UnknownOutcomeError as error:
        raise RetryableDeliveryError(error.detail) from error


async def look(
    access: SlackAccess, method: str, query: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Call a method that only reads; return its answer and its headers, names in lower case.

    Raises RetryableDeliveryError, PermanentDeliveryError.
    """
    try:
        answer = await _answer(access, method, http_verb="GET", params=dict(query))
    except UnknownOutcomeError as error:
        raise RetryableDeliveryError(error.detail) from error
    data = dict(answer.data) if isinstance(answer.data, dict) else {}
    return data, {str(k).lower(): str(v) for k, v in answer.headers.items()}


async def exchange(access: SlackAccess, form: Mapping[str, str]) -> dict[str, Any]:
    """Exchange an OAuth code for a workspace's token.

    Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
    """
    return await _call(access, "oauth.v2.access", data=dict(form))


async def share(access: SlackAccess, name: str, data: bytes) -> str:
    """Upload a file nobody sees yet and return its permalink: who gets the link gets the file.

    Raises RetryableDeliveryError (also without an answer: what nobody sees may be uploaded again),
    PermanentDeliveryError.
    """
    try:
        asked = {"filename": name[:200], "length": len(data)}
        place = await _call(access, "files.getUploadURLExternal", data=asked)
        await _upload(access, str(place.get("upload_url", "")), data)
        listed = [{"id": place.get("file_id"), "title": name[:200]}]
        done = await _call(access, "files.completeUploadExternal", json={"files": listed})
    except UnknownOutcomeError as error:
        raise RetryableDeliveryError(error.detail) from error
    files = done.get("files") or [{}]
    return str(files[0].get("permalink") or "")


async def _upload(access: SlackAccess, url: str, data: bytes) -> None:
    _require_slacks(access, url)
    timeout = aiohttp.ClientTimeout(total=access.timeout * 2)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=data, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise RetryableDeliveryError(f"Slack answered {answer.status} to an upload")
    except (TimeoutError, aiohttp.ClientError) as error:
        raise RetryableDeliveryError("Slack took no file") from error


async def download(access: SlackAccess, url: str, limit: int) -> bytes:
    """Return a file of at most `limit` bytes, asked for with the bot token at Slack's file host alone.

    Raises TooLargeError, RetryableDeliveryError, PermanentDeliveryError.
    """
    _require_slacks(access, url)
    headers = {"Authorization": f"Bearer {access.token}"}
    timeout = aiohttp.ClientTimeout(total=access.timeout * 3)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            # a redirect leads to a login page, and must not be shown our token
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            if answer.status in (429, 500, 502, 503, 504):
                raise RetryableDeliveryError(f"Slack answered {answer.status} to a download")
            if answer.status != 200:
                raise PermanentDeliveryError(
                    f"Slack answered {answer.status} to a download: is the scope files:read there?"
                )
            return await _read(answer, limit)
    except (TimeoutError, aiohttp.ClientError) as error:
        raise RetryableDeliveryError("Slack gave no file") from error


async def _read(answer: aiohttp.ClientResponse, limit: int) -> bytes:
    chunks, size = [], 0
    async for chunk in answer.content.iter_chunked(65_536):
        size += len(chunk)
        if size > limit:
            raise TooLargeError("the file is too large")
        chunks.append(chunk)
    return b"".join(chunks)


def _require_slacks(access: SlackAccess, url: str) -> None:
    """Let our token, and our files, go to Slack's file host only; where the API is another host, to that one."""
    target = urlsplit(url)
    own = urlsplit(access.base_url) if access.base_url else None
    if own is not None and (target.scheme, target.netloc) == (own.scheme, own.netloc):
        return
    if own is None and target.scheme == "https" and target.netloc == FILES_HOST:
        return
    raise PermanentDeliveryError("the file does not lie at Slack")


async def find_marked(
    access: SlackAccess, method: str, query: Mapping[str, Any], mark: str
) -> str | None:
    """Return the ts of the message whose metadata carries `mark`, or None when it is not there.

    Raises UnknownOutcomeError when there is more to read than we read.
    """
    cursor = ""
    for _ in range(PAGES):
        page = await read(access, method, {**query, **({"cursor": cursor} if cursor else {})})
        for message in page.get("messages") or []:
            payload = (message.get("metadata") or {}).get("event_payload") or {}
            if payload.get("id") == mark:
                return str(message["ts"])
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return None
    raise UnknownOutcomeError("too many messages since then to find it")


async def _call(access: SlackAccess, method: str, **arguments: Any) -> dict[str, Any]:
    answer = await _answer(access, method, **arguments)
    return dict(answer.data) if isinstance(answer.data, dict) else {}


async def _answer(access: SlackAccess, method: str, **arguments: Any) -> AsyncSlackResponse:
    base = access.base_url.rstrip("/") + "/" if access.base_url else AsyncWebClient.BASE_URL
    client = AsyncWebClient(
        token=access.token,
        base_url=base,
        timeout=access.timeout,  # type: ignore[arg-type] # aiohttp takes fractions
        retry_handlers=[],
    )
    try:
        return await client.api_call(method, **arguments)
    except SlackApiError as error:
        raise _refusal(error) from error
    except (aiohttp.ClientConnectorError, aiohttp.ClientProxyConnectionError) as error:
        raise RetryableDeliveryError("Slack could not be reached") from error
    # AttributeError: what the SDK 3.47 raises for an answer in plain text.
    except (
        TimeoutError,
        aiohttp.ClientError,
        SlackClientError,
        ValueError,
        AttributeError,
    ) as error:
        raise UnknownOutcomeError("Slack did not answer; it may have taken the message") from error


def _refusal(
    error: SlackApiError,
) -> RetryableDeliveryError | PermanentDeliveryError | UnknownOutcomeError:
    response: Any = error.response
    status = getattr(response, "status_code", None) or getattr(response, "status", 0)
    data = getattr(response, "data", response)
    code = str(data.get("error") or "") if isinstance(data, dict) else ""
    if code in _PASSING or status in (429, 503):
        wait = str((getattr(response, "headers", None) or {}).get("Retry-After", ""))
        after = float(wait) if wait.isascii() and wait.isdigit() else None
        return RetryableDeliveryError(f"Slack is busy ({code or status})", retry_after=after)
    if code in _UNCLEAR or not code:
        return UnknownOutcomeError(f"Slack answered {code or status}; it may have done it")
    reason = _REASONS.get(code, "see Slack's error list")
    return PermanentDeliveryError(f"Slack refused ({code[:60]}): {reason}")
