"""Slack's assistant pane: the greeting with prompts to choose from, and a sign that we are at work.

Both are niceties: a call that fails or takes long is let go, the talk itself is plain direct messages.
Source: Slack's "AI apps" and the methods assistant.threads.*.
"""

import asyncio
import contextlib
from collections.abc import Mapping

from channels._shared.slack_access import Tokens, workspace_of
from channels._shared.slack_events import Fields, word
from core.conversations import Inbox
from core.errors import DeliveryError

_PATIENCE = 2.0  # seconds: Slack wants its event acknowledged within three
_PROMPTS = ("fallback.book", "fallback.person")


async def greet(tokens: Tokens, inbox: Inbox, thread: Fields) -> None:
    """Offer prompts in an assistant thread that was opened, and remember that it is one."""
    channel, ts = word(thread, "channel_id"), word(thread, "thread_ts")
    if not (channel and ts):
        return
    state, say = tokens.context.state, tokens.context.lines.say
    await state.put("slack", inbox.tenant, _key(inbox, channel, ts), {"assistant": 1})
    prompts = [
        {"title": say(key, "en", "slack"), "message": say(key, "en", "slack")} for key in _PROMPTS
    ]
    place = {"channel_id": channel, "thread_ts": ts}
    title = say("slack.assistant_title", "en", "slack")
    await _tried(
        tokens,
        inbox,
        "assistant.threads.setSuggestedPrompts",
        {**place, "title": title, "prompts": prompts},
    )


async def show_work(tokens: Tokens, inbox: Inbox, channel: str, ts: str) -> None:
    """Show under an assistant thread that an answer is being made; posting it takes the sign away."""
    if await tokens.context.state.get("slack", inbox.tenant, _key(inbox, channel, ts)) is None:
        return
    status = tokens.context.lines.say("slack.assistant_status", "en", "slack")
    body = {"channel_id": channel, "thread_ts": ts, "status": status}
    await _tried(tokens, inbox, "assistant.threads.setStatus", body)


async def _tried(tokens: Tokens, inbox: Inbox, method: str, body: Mapping[str, object]) -> None:
    with contextlib.suppress(DeliveryError, TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            await tokens.api.post(await tokens.access(inbox), method, body)


def _key(inbox: Inbox, channel: str, ts: str) -> str:
    return f"assistant:{workspace_of(inbox).team}:{channel}:{ts}"
