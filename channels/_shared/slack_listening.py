"""Whom we answer on Slack: mentions, direct messages, threads of ours, channels set to auto; and when people do.

Owns what is kept per thread (`ours`: we are in it; `auto`: left to people first; `people`: a colleague
answered, so we only listen) and who is a colleague. Not here: what an event says (slack_reading.py), sending.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from channels._shared import slack_assistant
from channels._shared.slack_access import Tokens, workspace_of
from channels._shared.slack_events import Fields, files_of, first, part, word
from channels._shared.slack_reading import (
    Said,
    read_change,
    read_reaction,
    read_team_reply,
    thread_key,
    why_not_spoken,
)
from channels._shared.slack_settings import own
from channels._shared.slack_text import decode_text
from core.conversations import Inbox
from core.errors import AnomalousPayloadError, DeliveryError
from core.messages import Event, Ignored, Inbound, Overheard

Mode = Literal["ours", "auto", "people"]
PRIVATE_FOR = timedelta(hours=24)
"""So long a direct message goes on with the thread whose private answer came there before."""
_STAFF_FOR = 300.0  # seconds a list of colleagues is believed
_CHANGES = ("message_changed", "message_deleted")


@dataclass(slots=True)
class Ears:
    """Hears events. `looks_on`: for a look only, nothing is noted and nobody is asked."""

    tokens: Tokens
    looks_on: bool = False
    bot_users: dict[str, str] = field(default_factory=dict)

    async def event(self, outer: Fields, inbox: Inbox) -> Event:
        """Return what an Events API callback means. Raises AnomalousPayloadError."""
        event = part(outer, "event")
        kind = word(event, "type")
        if word(outer, "type") != "event_callback":
            return Ignored(f"event {word(outer, 'type')[:40]!r}")
        if kind in ("message", "app_mention"):
            return await self._message(outer, event, inbox)
        if kind in ("reaction_added", "reaction_removed"):
            bot_user = await self._bot_user(outer, inbox)
            return read_reaction(event, workspace_of(inbox).team, bot_user)
        if kind == "app_uninstalled" or (kind == "tokens_revoked" and _lost_bot(event)):
            if not self.looks_on:
                await self.tokens.forget(inbox)
            return Ignored("the app was removed from the workspace")
        if kind == "assistant_thread_started" and not self.looks_on:
            await slack_assistant.greet(self.tokens, inbox, part(event, "assistant_thread"))
        return Ignored(f"event {kind[:40]!r}")

    async def _message(self, outer: Fields, event: Fields, inbox: Inbox) -> Event:
        if word(event, "subtype") in _CHANGES:
            bot_user = await self._bot_user(outer, inbox)
            return read_change(event, workspace_of(inbox).team, bot_user)
        if reason := why_not_spoken(event):
            return Ignored(reason)
        place = workspace_of(inbox)
        said = Said(
            team=place.team,
            channel=word(event, "channel"),
            ts=word(event, "ts"),
            thread_ts=word(event, "thread_ts"),
            user=word(event, "user"),
            text=word(event, "text"),
            event=event,
            bot_user=await self._bot_user(outer, inbox),
            is_with_outsiders=outer.get("is_ext_shared_channel") is True,
        )
        if not (said.channel and said.ts and said.user):
            raise AnomalousPayloadError("a message without channel, ts or user")
        if said.user == said.bot_user:
            return Ignored("our own message")
        if said.channel == place.alerts:
            return read_team_reply(said)
        return await (self._direct(said, inbox) if said.is_direct else self._shared(said, inbox))

    # ------------------------------------------------------------ places

    async def _direct(self, said: Said, inbox: Inbox) -> Event:
        """Return what somebody wrote to us alone; for a day it goes on with the thread it was answered from."""
        if said.in_thread:
            if not self.looks_on:
                await slack_assistant.show_work(self.tokens, inbox, said.channel, said.thread_ts)
            return self._inbound(said, thread_key(said.team, said.channel, said.thread_ts))
        return self._inbound(said, await self._goes_on_with(inbox, said.channel))

    async def pressed(self, event: Event, inbox: Inbox) -> Event:
        """Return a button's press in a direct message as part of the talk that asked there."""
        if not isinstance(event, Inbound) or event.shared or event.thread:
            return event
        return replace(event, thread=await self._goes_on_with(inbox, event.reply_to or ""))

    async def _goes_on_with(self, inbox: Inbox, channel: str) -> str | None:
        """Return the thread whose private answer came into this direct message within a day."""
        context, team = self.tokens.context, workspace_of(inbox).team
        kept = await context.state.get("slack", inbox.tenant, f"private:{team}:{channel}")
        is_fresh = kept is not None and _is_fresh(kept.get("at"), context.clock.now())
        return str(kept["thread"]) if kept and is_fresh else None

    async def _shared(self, said: Said, inbox: Inbox) -> Event:
        root = said.thread_ts or said.ts
        thread = thread_key(said.team, said.channel, root)
        if said.is_mention:
            await self.note(inbox, said.channel, root, "ours")
            return self._inbound(said, thread)
        settings = own(inbox.settings)
        mode = await self.mode(inbox, said.channel, root) if said.in_thread else None
        if mode is None and (said.in_thread or said.channel not in settings.auto_channels):
            return Ignored("not addressed to us")
        if await self._is_colleague(said, inbox):
            return await self._colleague(said, inbox, thread, mode)
        if mode is None:
            await self.note(inbox, said.channel, root, "auto")
        if mode == "people":
            return self._inbound(said, thread, heard_only=True)
        wait = settings.auto_wait if mode in (None, "auto") else None
        return self._inbound(said, thread, wait=wait)

    async def _colleague(self, said: Said, inbox: Inbox, thread: str, mode: Mode | None) -> Event:
        if mode is None:
            return Ignored("a colleague's message")
        await self.note(inbox, said.channel, said.thread_ts, "people")
        return Overheard(
            channel="slack",
            external_id=said.external_id,
            thread=thread,
            actor=said.sender,
            text=decode_text(said.text, said.bot_user),
            actor_name=said.name,
        )

    def _inbound(
        self,
        said: Said,
        thread: str | None,
        *,
        wait: float | None = None,
        heard_only: bool = False,
    ) -> Event:
        files = files_of(said.event)
        # only our name was called: that is still somebody waiting for an answer
        text = decode_text(said.text, said.bot_user) or ("" if files else decode_text(said.text))
        if not text and not files:
            return Ignored("an empty message")
        return Inbound(
            channel="slack",
            external_id=said.external_id,
            sender=said.sender,
            text=text,
            reply_to=said.channel,
            thread=thread,
            display_name=said.name,
            attachments=files,
            automatic=heard_only,
            shared=not said.is_direct,
            wait=wait,
            metadata={"left_to_people": "1"} if wait is not None else {},
        )

    # ------------------------------------------------------------ what is kept

    async def mode(self, inbox: Inbox, channel: str, root: str) -> Mode | None:
        """Return how we stand to a thread, None when it is not ours."""
        key = f"thread:{channel}:{root}"
        kept = await self.tokens.context.state.get("slack", inbox.tenant, key)
        if kept is None:
            return None
        return "auto" if "auto" in kept else "people" if "people" in kept else "ours"

    async def note(self, inbox: Inbox, channel: str, root: str, mode: Mode) -> None:
        """Keep how we stand to a thread."""
        if not self.looks_on:
            key = f"thread:{channel}:{root}"
            await self.tokens.context.state.put("slack", inbox.tenant, key, {mode: 1})

    # ------------------------------------------------------------ who is who

    async def _is_colleague(self, said: Said, inbox: Inbox) -> bool:
        """Tell whether this is one of ours: in the alert channel, in `staff`, or our company's beside outsiders."""
        settings = own(inbox.settings)
        if said.user in settings.staff:
            return True
        if said.is_with_outsiders and said.sender.startswith(f"{said.team}:"):
            return True
        return said.user in await self._in_alert_channel(inbox)

    async def _in_alert_channel(self, inbox: Inbox) -> frozenset[str]:
        place, context = workspace_of(inbox), self.tokens.context
        if not place.alerts or self.looks_on:
            return frozenset()
        key = f"slack:staff:{place.team}:{place.alerts}"
        if kept := await context.cache.get(key):
            return frozenset(json.loads(kept))
        try:
            access = await self.tokens.access(inbox)
            query = {"channel": place.alerts, "limit": 1000}
            found = await self.tokens.api.read(access, "conversations.members", query)
        except DeliveryError:
            return frozenset()  # `usher channels check slack` says which scope is missing
        members = [str(member) for member in found.get("members") or []]
        await context.cache.put(key, json.dumps(members), _STAFF_FOR)
        return frozenset(members)

    async def _bot_user(self, outer: Fields, inbox: Inbox) -> str:
        settings, team = own(inbox.settings), workspace_of(inbox).team
        if settings.bot_user_id and team == settings.team_id:
            return settings.bot_user_id
        authorization = first(outer, "authorizations")
        if authorization.get("is_bot") is True and word(authorization, "user_id"):
            return word(authorization, "user_id")
        if team not in self.bot_users and not self.looks_on:
            kept = await self.tokens.installation(inbox.tenant, team)
            if kept.get("bot_user"):
                return str(kept["bot_user"])
            try:
                access = await self.tokens.access(inbox)
                self.bot_users[team] = word(
                    await self.tokens.api.post(access, "auth.test", {}), "user_id"
                )
            except DeliveryError:
                return ""  # app_mention still says when we are meant
        return self.bot_users.get(team, "")


def _lost_bot(event: Fields) -> bool:
    return bool(part(event, "tokens").get("bot"))


def _is_fresh(at: object, now: datetime) -> bool:
    try:
        return now - datetime.fromisoformat(str(at)) <= PRIVATE_FOR
    except ValueError:
        return False
