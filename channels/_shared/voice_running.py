"""What is remembered of calls that run: who is on the line, what is being said, whether it is over.

In the cache, for some hours: losing it costs a text message, never a word of the conversation. Numbers are kept as
hashes. Only whose call is being recorded is a row: the finished recording names nobody.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from channels._shared.voice_call import Call, Place
from channels._shared.voice_desk import Said
from core.contracts import ChannelContext
from core.ids import MessageId, TenantId

_REMEMBERED = 4 * 3600.0  # seconds: no call is longer


@dataclass(frozen=True, slots=True)
class RunningCalls:
    """The running calls of one tenant."""

    context: ChannelContext
    tenant: TenantId

    async def heard(self, call: Call, place: Place, said: Said | None) -> None:
        """Note a request: who calls again has heard what was said before."""
        doing = said.doing if said is not None else "talk"
        if place.at in ("start", "dialed") or doing != "talk":
            await self._put_line(call, doing)
        if place.at in ("talk", "offer", "dialed", "left"):
            await self.context.cache.drop(self._key("said", call.sid))
        if said is not None and said.records:
            caller = {"caller": call.caller}
            await self.context.state.put("voice", self.tenant, f"call:{call.sid}", caller)

    async def says(
        self, call: Call, said: Said, message: MessageId | None, *, unsaid: bool = False
    ) -> None:
        """Note what is being said of a message, and until when; `unsaid`: its answer is still to come."""
        if said.doing != "talk":
            await self._put_line(call, said.doing)
        if message is None:
            return
        until = None if unsaid else self.context.clock.now().timestamp() + said.seconds
        await self._put("said", call.sid, {"message": message, "until": until})
        if not unsaid:
            await self._put("answered", message, {"call": call.sid})

    async def was_said(self, message: MessageId) -> bool:
        """Return whether the message's answer was given to its call."""
        return bool(await self._get("answered", message))

    async def is_over(self, call: Call) -> bool:
        """Return whether nobody is on the line any more."""
        return call.ended or bool(await self._get("over", call.sid))

    async def listening(self, caller: str) -> str | None:
        """Return the call in which this number listens now: neither through to a person nor being recorded."""
        line = await self._get("line", caller)
        return str(line["call"]) if line.get("doing") == "talk" else None

    async def ended(self, call: Call) -> MessageId | None:
        """Forget the line; returns the message whose answer was not said to its end."""
        await self._put("over", call.sid, {"status": call.status})
        if (await self._get("line", call.caller)).get("call") == call.sid:
            await self.context.cache.drop(self._key("line", call.caller))
        note = await self._get("said", call.sid)
        until, message = note.get("until"), note.get("message")
        if isinstance(until, int | float) and until <= self.context.clock.now().timestamp():
            return None
        return MessageId(str(message)) if message else None

    async def with_caller(self, call: Call) -> Call:
        """Return the call with its caller, whom a finished recording does not name."""
        kept = await self.context.state.get("voice", self.tenant, f"call:{call.sid}") or {}
        return replace(call, caller=str(kept.get("caller") or call.caller))

    async def _put_line(self, call: Call, doing: str) -> None:
        await self._put("line", call.caller, {"call": call.sid, "doing": doing})

    async def _put(self, what: str, name: str, note: Mapping[str, object]) -> None:
        await self.context.cache.put(self._key(what, name), json.dumps(note), _REMEMBERED)

    async def _get(self, what: str, name: str) -> Mapping[str, object]:
        text = await self.context.cache.get(self._key(what, name))
        found = json.loads(text) if text else {}
        return found if isinstance(found, dict) else {}

    def _key(self, what: str, name: str) -> str:
        return f"voice:{what}:{self.tenant}:{hashlib.sha256(name.encode()).hexdigest()[:32]}"
