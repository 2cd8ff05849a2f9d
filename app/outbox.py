"""Deliver queued Outbound: retry what certainly failed, reconcile what may have gone, bury the rest with a person."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from core.contracts import Channel
from core.conversations import Inbox
from core.crash import crash_point
from core.errors import (
    NotFoundError,
    PermanentDeliveryError,
    RetryableDeliveryError,
    UnknownOutcomeError,
)
from core.logs import log_context
from core.messages import Outbound
from core.ports import Fanout, Job, Metrics, Outbox

logger = logging.getLogger(__name__)

_BACKOFF = (1.0, 5.0, 20.0, 60.0, 300.0, 900.0)
_TIMEOUT = 40.0  # under the claim's 60 s, so that a claim never outlives its send


class Sender:
    """Drains the outbox. Any number of senders may share it: a job is claimed by changing its state."""

    def __init__(
        self,
        outbox: Outbox,
        channel: Callable[[str], Channel],
        complete: Callable[[Inbox], Inbox],
        fanout: Fanout,
        metrics: Metrics,
        load: Callable[[Outbound], Awaitable[Outbound]] | None = None,
    ) -> None:
        """Send through `channel`; `load` gives a message the bytes of its files."""
        self._outbox = outbox
        self._channel = channel
        self._complete = complete
        self._fanout = fanout
        self._metrics = metrics
        self._load = load or _as_it_is

    async def drain(self) -> int:
        """Deliver what is due now; returns how many jobs were handled."""
        jobs = await self._outbox.claim()
        await asyncio.gather(*(self._handle(job) for job in jobs))
        return len(jobs)

    async def _handle(self, job: Job) -> None:
        out = job.outbound
        with log_context(channel=out.channel, conversation=out.conversation_id or ""):
            try:
                state = await (self._deliver(job) if job.state == "claimed" else self._ask(job))
            except Exception:
                # the claim runs out and the job comes back as unknown: asked about, never sent again blindly
                logger.exception("outbox.failed", extra={"job": out.id})
                state = "failed"
            self._metrics.count("outbox", channel=out.channel, state=state)
            logger.info("outbox.handled", extra={"job": out.id, "state": state})
        if out.conversation_id:
            await self._fanout.publish(
                f"tenant:{out.tenant}",
                {"type": "conversation", "conversation_id": out.conversation_id},
            )

    async def _deliver(self, job: Job) -> str:
        out = job.outbound
        try:
            async with asyncio.timeout(_TIMEOUT):
                channel = self._channel(out.channel)
                out = await self._load(out)
                sent = await channel.deliver(out, self._complete(job.inbox))
        except RetryableDeliveryError as error:
            return await self._retry(job, error)
        except (PermanentDeliveryError, NotFoundError) as error:
            await self._outbox.dead(out.id, error.detail, "undeliverable")
            return "dead"
        except (UnknownOutcomeError, TimeoutError) as error:
            await self._outbox.unknown(out.id, _BACKOFF[0], str(error) or "timed out")
            return "unknown"
        crash_point("outbox.delivered")
        await self._outbox.sent(out.id, sent)
        return "sent"

    async def _retry(self, job: Job, error: RetryableDeliveryError) -> str:
        if job.attempts >= len(_BACKOFF):
            await self._outbox.dead(job.outbound.id, error.detail, "undeliverable")
            return "dead"
        after = error.retry_after if error.retry_after is not None else _BACKOFF[job.attempts - 1]
        await self._outbox.retry(job.outbound.id, after, error.detail)
        return "retry"

    async def _ask(self, job: Job) -> str:
        """Ask the provider what became of an earlier send."""
        out = job.outbound
        try:
            async with asyncio.timeout(_TIMEOUT):
                channel = self._channel(out.channel)
                out = await self._load(out)
                sent = await channel.reconcile(out, self._complete(job.inbox))
        except (RetryableDeliveryError, TimeoutError) as error:
            await self._outbox.unknown(out.id, _BACKOFF[2], str(error) or "timed out")
            return "unknown"
        except (UnknownOutcomeError, PermanentDeliveryError, NotFoundError) as error:
            await self._outbox.dead(out.id, error.detail, "unknown_send")
            return "dead"
        if sent is None:
            await self._outbox.retry(out.id, 0.0, "certainly not sent")
            return "retry"
        await self._outbox.sent(out.id, sent)
        return "reconciled"


async def _as_it_is(outbound: Outbound) -> Outbound:
    return outbound
