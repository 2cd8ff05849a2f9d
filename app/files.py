"""Files on their way: fetched in after the commit, carried out with a message or linked beside it.

Owns what is fetched from where (the channel's own credentials, or the open web behind the guard), how often it is
tried, and which file a channel carries itself. Not here: what may be kept (core/files.py), rows and links
(app/store/files.py).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, cast
from urllib.parse import urljoin

import httpx
from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from core.contracts import Capabilities, Channel, Fetches
from core.conversations import Inbox
from core.errors import (
    BadInputError,
    ForbiddenError,
    NotFoundError,
    PermanentDeliveryError,
    RetryableDeliveryError,
    TooLargeError,
    UnavailableError,
)
from core.files import MAX_BYTES, TOO_LARGE, UNREACHABLE, Judged, fits, judge, plain_type
from core.ids import TenantId
from core.logs import log_context
from core.messages import Attachment, Outbound
from core.ports import Fanout, FileQueue, Files, Lines, Metrics, PendingFile, TenantPolicy
from core.reach import Reach, web_address
from core.settings import Section
from ingest.guarded import GuardedTransport

logger = logging.getLogger(__name__)

AT_ONCE = 4
MAX_HOPS = 5
LINKS_LAST = timedelta(days=7)
_BACKOFF = (5.0, 30.0, 120.0, 600.0)  # seconds; then it cannot be reached
_AGAIN = frozenset((408, 425, 429))
_ANY = "application/octet-stream"


class FilesSettings(Section):
    """Fetching what customers send by URL.

    `allow_hosts` are names, addresses or networks inside ours that may be fetched from, comma-separated; all else
    must be public. `timeout` is seconds for a whole file.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_FILES_")

    allow_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    timeout: float = Field(default=30.0, gt=0, le=60)

    @field_validator("allow_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(piece.strip() for piece in value.split(",") if piece.strip())
        return value


class Download:
    """One file of the open web: guarded at every hop, cut off at the limit, whole within the time."""

    def __init__(self, settings: FilesSettings, reach: Reach | None = None) -> None:
        self._timeout = settings.timeout
        guard = reach or Reach(settings.allow_hosts, setting="USHER_FILES_ALLOW_HOSTS")
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(guard),
            timeout=settings.timeout,
            # a compressed answer could be a thousand times its size
            headers={"accept-encoding": "identity", "user-agent": "usher"},
            trust_env=False,  # a proxy would connect for us, past the guard
        )

    async def get(self, url: str, limit: int) -> tuple[bytes, str]:
        """Return the bytes and the content type the server names.

        Raises TooLargeError, PermanentDeliveryError for what will never come, RetryableDeliveryError for later.
        """
        try:
            async with asyncio.timeout(self._timeout):
                for _hop in range(MAX_HOPS + 1):
                    found = await self._one(web_address(url), limit)
                    if not isinstance(found, str):
                        return found
                    url = urljoin(url, found)
        except (TimeoutError, httpx.HTTPError, UnavailableError) as error:
            raise RetryableDeliveryError(f"not fetched ({type(error).__name__})") from error
        except (ForbiddenError, TooLargeError):
            raise
        except (BadInputError, ValueError) as error:
            raise PermanentDeliveryError("no address to fetch from") from error
        raise PermanentDeliveryError("redirects in circles")

    async def _one(self, url: str, limit: int) -> tuple[bytes, str] | str:
        async with self._client.stream("GET", url) as response:
            if response.status_code // 100 == 3 and "location" in response.headers:
                return str(response.headers["location"])
            _require_fine(response, limit)
            body = bytearray()
            async for piece in response.aiter_raw(65_536):
                body += piece
                if len(body) > limit:
                    raise TooLargeError(f"larger than {limit} bytes")
        return bytes(body), response.headers.get("content-type", "")

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


def _require_fine(response: httpx.Response, limit: int) -> None:
    status = response.status_code
    if status in _AGAIN or status >= 500:
        after = response.headers.get("retry-after", "")
        raise RetryableDeliveryError(
            f"answered {status}", retry_after=float(after) if after.isdigit() else None
        )
    if status != 200:
        raise PermanentDeliveryError(f"answered {status}")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise PermanentDeliveryError("comes compressed, though not asked for")
    declared = response.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise TooLargeError(f"larger than {limit} bytes")


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches what is due, a few at once; a file that never comes is refused and its sender told."""

    queue: FileQueue
    download: Download
    channel: Callable[[str], Channel]
    complete: Callable[[Inbox], Inbox]
    policy: Callable[[TenantId], Awaitable[TenantPolicy]]
    lines_for: Callable[[TenantPolicy], Lines]
    fanout: Fanout
    metrics: Metrics

    async def round(self) -> int:
        """Fetch until nothing is due; returns how many files were tried."""
        tried = 0
        while files := await self.queue.claim(AT_ONCE):
            await asyncio.gather(*(self._handle(file) for file in files))
            tried += len(files)
        return tried

    async def _handle(self, file: PendingFile) -> None:
        with log_context(channel=file.channel):
            try:
                state = await self._fetch(file)
            except Exception:
                # the claim runs out and it comes back, until it was tried often enough
                logger.exception("files.failed", extra={"file": file.id})
                state = "failed"
            self.metrics.count("files", channel=file.channel, state=state)
            logger.info("files.handled", extra={"file": file.id, "state": state})

    async def _fetch(self, file: PendingFile) -> str:
        if file.attempts > len(_BACKOFF) + 1:  # broken off again and again
            return await self._refuse(file, UNREACHABLE)
        try:
            data, named = await self._bytes(file)
        except TooLargeError:
            return await self._refuse(file, TOO_LARGE)
        except (PermanentDeliveryError, ForbiddenError) as error:
            logger.info("files.unreachable", extra={"file": file.id, "kind": type(error).__name__})
            return await self._refuse(file, UNREACHABLE)
        except RetryableDeliveryError as error:
            if file.attempts > len(_BACKOFF):
                return await self._refuse(file, UNREACHABLE)
            wait = _BACKOFF[file.attempts - 1]
            await self.queue.retry(file, max(wait, min(error.retry_after or 0.0, _BACKOFF[-1])))
            return "retry"
        said = file.content_type if file.content_type != _ANY else plain_type(named)
        judged = await asyncio.to_thread(judge, file.name, said, data)
        if judged.refused:
            return await self._refuse(file, judged.refused, judged)
        await self._hint(file, await self.queue.kept(file, judged, data))
        return "kept"

    async def _bytes(self, file: PendingFile) -> tuple[bytes, str]:
        """Fetch with the channel's own credentials where it has some, else from the open web."""
        attachment = Attachment(file.name, file.content_type, file.size, url=file.url)
        inbox = file.inbox
        if inbox is not None and inbox.channel == file.channel:
            channel = self.channel(inbox.channel)
            if hasattr(channel, "fetch"):
                fetches = cast("Fetches", channel)
                data = await fetches.fetch(attachment, self.complete(inbox), MAX_BYTES)
                return data, file.content_type
        return await self.download.get(file.url, MAX_BYTES)

    async def _refuse(self, file: PendingFile, reason: str, judged: Judged | None = None) -> str:
        judged = judged or Judged(file.name, file.content_type, reason)
        policy = await self.policy(file.tenant)
        notice = refusal(self.lines_for(policy), reason, file.locale or policy.locale, file.channel)
        await self._hint(file, await self.queue.refuse(file, judged, notice))
        return reason

    async def _hint(self, file: PendingFile, conversation: str | None) -> None:
        if conversation is not None:
            found = {"type": "conversation", "conversation_id": conversation}
            await self.fanout.publish(f"tenant:{file.tenant}", found)
            await self.fanout.publish(
                f"conv:{conversation}", {"type": "status", "conversation_id": conversation}
            )


def refusal(lines: Lines, reason: str, locale: str, channel: str) -> str:
    """Return the plain sentence on why a file was not taken."""
    return lines.say(f"files.{reason}", locale, channel, limit=MAX_BYTES // 1_000_000)


@dataclass(frozen=True, slots=True)
class Carrier:
    """Gives an outgoing message its bytes and links; what its channel cannot carry is named in the text.

    The same message is always given the same text: a provider is searched for it.
    """

    files: Files
    capabilities: Mapping[str, Capabilities]

    async def load(self, outbound: Outbound) -> Outbound:
        """Return the message as its channel sends it. Files erased meanwhile are left out."""
        if not outbound.attachments:
            return outbound
        known = self.capabilities.get(outbound.channel, Capabilities())
        loaded = [
            each
            for each in [await self._load(outbound, a) for a in outbound.attachments]
            if each is not None
        ]
        carried = [
            each
            for each in loaded
            if fits(each.content_type, each.size, known.media, known.media_bytes)
        ]
        linked = [each for each in loaded if each not in carried and each.url]
        return replace(outbound, attachments=tuple(carried), text=with_links(outbound.text, linked))

    async def _load(self, outbound: Outbound, attachment: Attachment) -> Attachment | None:
        if attachment.id is None:
            return attachment if attachment.data is not None else None
        try:
            stored = await self.files.get(outbound.tenant, attachment.id)
            until = outbound.created_at + LINKS_LAST
            url = await self.files.link(outbound.tenant, attachment.id, until)
        except NotFoundError:
            return None
        return replace(attachment, data=stored.data, url=url)


def with_links(text: str, linked: Sequence[Attachment]) -> str:
    """Return the text with `name: link` of each file on a line of its own below it."""
    lines = "\n".join(f"{each.name}: {each.url}" for each in linked)
    return "\n\n".join(part for part in (text, lines) if part)
