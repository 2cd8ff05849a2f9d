"""Hand a message to Twilio in parts, each once: a repeat goes on where it stopped, a lost answer is looked for.

Owns the notes of what was sent (`context.state`) and which listed message is the one that got no answer.
Not here: what the parts say (the channel's file), what a failed call means (twilio.py).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType
from typing import Any

from channels._shared.segments import plain_marks
from channels._shared.twilio_settings import TwilioFields
from channels._shared.unsure import remember_unsure, require_settled
from core.contracts import ChannelContext
from core.errors import PermanentDeliveryError, UnknownOutcomeError
from core.messages import Attachment, Outbound, Sent

_SKEW = timedelta(seconds=120)  # between our clock and Twilio's, which lists whole seconds


@dataclass(frozen=True, slots=True)
class Part:
    """One message at Twilio. `fields` are the call's; `shown` are the bodies Twilio may list it with.

    `shown` None is any body (an approved template's words are not ours); `media` counts its files.
    """

    fields: Mapping[str, Any]
    shown: tuple[str, ...] | None = None
    media: int = 0
    instead: "Part | None" = field(default=None)


def text_part(body: str) -> Part:
    """Return a part that is just text."""
    return Part({"body": body}, (body,))


def public_link(attachment: Attachment, public_url: str) -> str | None:
    """Return where a provider can fetch a file of ours, or None when it has no address.

    `url` is absolute, or a path of this server such as `/files/{token}`.
    """
    url = attachment.url or ""
    if url.startswith("/"):
        return public_url.rstrip("/") + url
    return url if url.startswith(("https://", "http://")) else None


def access(twilio: ModuleType, own: TwilioFields) -> Any:
    """Return how to reach the account the sender belongs to."""
    username, password = own.credentials()
    key = {"key_sid": username, "key_secret": password} if username != own.owner_sid else {}
    token = own.tokens().get(own.owner_sid, "")
    return twilio.TwilioAccess(own.owner_sid, token, own.api_base_url, own.timeout, **key)


@dataclass(slots=True)
class PartSender:
    """Sends for one channel (`name`)."""

    name: str
    context: ChannelContext
    twilio: ModuleType

    async def deliver(
        self, outbound: Outbound, own: TwilioFields, to: str, parts: Sequence[Part]
    ) -> Sent:
        """Send what was not sent yet.

        Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
        """
        if not parts:
            raise PermanentDeliveryError("there is nothing to send")
        sids = await self._sent_parts(outbound)
        for part in parts[len(sids) :]:
            sids = [*sids, await self._send(outbound, own, to, part)]
            await self._note_sent(outbound, sids)
        return Sent(sids[-1])

    async def reconcile(
        self, outbound: Outbound, own: TwilioFields, to: str, parts: Sequence[Part]
    ) -> Sent | None:
        """Look for the message at Twilio: the part that got no answer, not counting known ones.

        Raises UnknownOutcomeError when several could be it, RetryableDeliveryError for later.
        """
        await require_settled(self.context, outbound)
        sids = await self._sent_parts(outbound)
        if len(sids) < len(parts):
            found = await self._find(outbound, own, to, parts[len(sids)])
            if found is None:
                return None
            sids = [*sids, found]
            await self._note_sent(outbound, sids)
        # Parts still to come: the next delivery sends just those.
        return Sent(sids[-1]) if sids and len(sids) == len(parts) else None

    async def has_begun(self, outbound: Outbound) -> bool:
        """Tell whether a part of it is known to be with Twilio."""
        return bool(await self._sent_parts(outbound))

    async def _send(self, outbound: Outbound, own: TwilioFields, to: str, part: Part) -> str:
        try:
            return await self._create(outbound, own, to, part)
        except PermanentDeliveryError:
            # refused, so certainly not sent: the plainer form is no second message
            if part.instead is None:
                raise
            return await self._create(outbound, own, to, part.instead)

    async def _create(self, outbound: Outbound, own: TwilioFields, to: str, part: Part) -> str:
        fields = {
            "to": to,
            "status_callback": f"{own.public_url.rstrip('/')}/channels/{self.name}",
            **self._sender(own),
            **part.fields,
        }
        try:
            return str(await self.twilio.create_message(access(self.twilio, own), fields))
        except (UnknownOutcomeError, asyncio.CancelledError):
            # Cancelled: the thread goes on, and so does the request in it.
            await remember_unsure(self.context, outbound)
            raise

    def _sender(self, own: TwilioFields) -> Mapping[str, str]:
        if own.messaging_service_sid:
            return {"messaging_service_sid": own.messaging_service_sid}
        number = own.from_number.removeprefix("whatsapp:")
        if not number:
            raise PermanentDeliveryError(f"no sender is configured for {self.name}")
        return {"from_": f"whatsapp:{number}" if self.name == "whatsapp" else number}

    async def _find(self, outbound: Outbound, own: TwilioFields, to: str, part: Part) -> str | None:
        since = outbound.created_at - _SKEW
        listed = await self.twilio.list_messages(access(self.twilio, own), to, since)
        # Identical texts happen ("Thanks!"): one that another send answers for is not this one.
        unclaimed = [
            message.sid
            for message in listed
            if _fits(message, part) and not await self._owner(outbound, message.sid)
        ]
        if len(unclaimed) > 1:
            raise UnknownOutcomeError(f"{len(unclaimed)} identical messages could be this one")
        return unclaimed[0] if unclaimed else None

    async def _sent_parts(self, outbound: Outbound) -> list[str]:
        note = await self.context.state.get(self.name, outbound.tenant, f"parts:{outbound.id}")
        sids = (note or {}).get("sids", [])
        return [str(sid) for sid in sids] if isinstance(sids, list) else []

    async def _note_sent(self, outbound: Outbound, sids: list[str]) -> None:
        try:
            state, tenant = self.context.state, outbound.tenant
            await state.put(self.name, tenant, f"parts:{outbound.id}", {"sids": sids})
            await state.put(self.name, tenant, f"sid:{sids[-1]}", {"outbound": str(outbound.id)})
        except Exception as error:
            # Twilio has it and we could not write that down: never "not sent".
            raise UnknownOutcomeError("sent, but that could not be noted") from error

    async def _owner(self, outbound: Outbound, sid: str) -> str | None:
        note = await self.context.state.get(self.name, outbound.tenant, f"sid:{sid}")
        return str(note["outbound"]) if note else None


def _fits(message: Any, part: Part) -> bool:
    if part.shown is None:
        return True
    shown = {_plain(body) for alike in (part, part.instead) if alike for body in alike.shown or ()}
    return message.media >= part.media and _plain(message.body) in shown


def _plain(body: str) -> str:
    """Return the text as it survives Twilio's own Smart Encoding."""
    return " ".join(plain_marks(body).split())
