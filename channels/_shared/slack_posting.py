"""Posting to Slack: answers, alerts, private answers and files, one after the other per channel; what became of them.

Owns where a message goes, its mark, the pace per channel, and that a private answer never stands where others
read. Not here: blocks (slack_blocks.py), calls (slack_api.py), which token (slack_access.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from channels._shared import slack_blocks
from channels._shared.pace import Pace
from channels._shared.render import render, words_for
from channels._shared.slack_access import Tokens, workspace_of
from channels._shared.slack_events import BY_ID, part, word
from channels._shared.slack_listening import Ears
from channels._shared.slack_reading import thread_key
from channels._shared.slack_settings import own
from channels._shared.unsure import remember_unsure, require_settled
from core.contracts import Capabilities
from core.conversations import Inbox
from core.errors import PermanentDeliveryError, RetryableDeliveryError, UnknownOutcomeError
from core.messages import Attachment, Outbound, Sent

CAPABILITIES = Capabilities(
    buttons=True,
    markup="mrkdwn",
    max_chars=12_000,  # all text blocks of one message together
    attachments=True,
    threads=True,
    quiet=3.0,
    idle_hours=72.0,
    max_buttons=slack_blocks.BUTTONS,
    media=("*/*",),
    media_bytes=50_000_000,
    corrections=True,
)

_SKEW = timedelta(seconds=120)  # between our clock and Slack's
_PEOPLE = ("U", "W")


@dataclass(slots=True)
class Post:
    """Delivers and reconciles."""

    tokens: Tokens
    ears: Ears
    pace: Pace = field(default_factory=Pace)

    async def deliver(self, outbound: Outbound, inbox: Inbox) -> Sent:
        """Post the message, or edit the alert that `update_of` names.

        Raises RetryableDeliveryError, PermanentDeliveryError, UnknownOutcomeError.
        """
        access = await self.tokens.access(inbox)
        if outbound.private:
            return await self._privately(outbound, inbox, access)
        return await self._posted(outbound, inbox, access)

    async def _posted(self, outbound: Outbound, inbox: Inbox, access: object) -> Sent:
        channel, root = place_of(outbound)
        body = {
            "channel": channel,
            **await self._content(outbound, access),
            "metadata": _mark(outbound),
        }
        method = "chat.update" if outbound.update_of else "chat.postMessage"
        if outbound.update_of:
            body["ts"] = outbound.update_of.rsplit(":", 1)[-1]
        else:
            body |= {"unfurl_links": False, "unfurl_media": False}
            body |= {"thread_ts": root} if root else {}
        answer = await self._paced(outbound, inbox, access, method, body)
        posted = word(answer, "channel") or channel
        return await self._sent(inbox, posted, root, word(answer, "ts"))

    async def _paced(
        self,
        outbound: Outbound,
        inbox: Inbox,
        access: object,
        method: str,
        body: Mapping[str, object],
    ) -> dict[str, object]:
        """Call when it is this channel's turn; what Slack says about waiting holds for all that goes there."""
        place = f"{workspace_of(inbox).team}:{body['channel']}"
        await self.pace.turn(place, own(inbox.settings).message_gap, outbound.id)
        try:
            answer: dict[str, object] = await self.tokens.api.post(access, method, body)
        except RetryableDeliveryError as error:
            self.pace.hold(place, error.retry_after or 0.0, outbound.id)
            raise
        except UnknownOutcomeError:
            await remember_unsure(self.tokens.context, outbound)
            raise
        return answer

    # ------------------------------------------------------------ for one pair of eyes

    async def _privately(self, outbound: Outbound, inbox: Inbox, access: object) -> Sent:
        """Write a direct message; where Slack allows none, show it in the thread to that person alone.

        Raises PermanentDeliveryError rather than let others read it.
        """
        person, _ = place_of(outbound)
        if not person.startswith((*_PEOPLE, "D")):
            raise PermanentDeliveryError("a private answer, and no person to write it to")
        try:
            sent = await self._posted(replace(outbound, thread=None), inbox, access)
        except PermanentDeliveryError as refused:
            return await self._shown_alone(outbound, inbox, access, person, refused)
        channel = sent.provider_id.split(":")[1]
        if outbound.thread and channel.startswith("D"):
            await self._goes_on(outbound, inbox, channel)
        return sent

    async def _goes_on(self, outbound: Outbound, inbox: Inbox, channel: str) -> None:
        """Remember which talk the next direct message goes on with."""
        context, team = self.tokens.context, workspace_of(inbox).team
        note = {"thread": outbound.thread, "at": context.clock.now().isoformat()}
        try:
            await context.state.put("slack", inbox.tenant, f"private:{team}:{channel}", note)
        except Exception as error:
            # Slack has it and we could not write that down: never "not sent"
            raise UnknownOutcomeError("sent, but that could not be noted") from error

    async def _shown_alone(
        self,
        outbound: Outbound,
        inbox: Inbox,
        access: object,
        person: str,
        refused: PermanentDeliveryError,
    ) -> Sent:
        pieces = (outbound.thread or "").split(":")
        if len(pieces) < 2 or not person.startswith(_PEOPLE):
            raise refused
        channel, root = pieces[-2], pieces[-1]
        body = {
            "channel": channel,
            "user": person,
            "thread_ts": root,
            **await self._content(outbound, access),
        }
        answer = await self._paced(outbound, inbox, access, "chat.postEphemeral", body)
        ts = word(answer, "message_ts")
        return Sent(
            f"{workspace_of(inbox).team}:{channel}:{ts}:ephemeral",
            thread_key(workspace_of(inbox).team, channel, root),
        )

    # ------------------------------------------------------------ what became of it

    async def reconcile(self, outbound: Outbound, inbox: Inbox) -> Sent | None:
        """Look for the message by the mark in its metadata. An edit is simply made again.

        What was shown to one person alone cannot be looked for. Raises UnknownOutcomeError when it cannot be
        decided, RetryableDeliveryError for later.
        """
        if outbound.update_of:
            return None
        await require_settled(self.tokens.context, outbound)
        if outbound.private:
            outbound = replace(outbound, thread=None)
        channel, root = place_of(outbound)
        try:
            access = await self.tokens.access(inbox)
            if channel.startswith(_PEOPLE):
                opened = await self.tokens.api.post(
                    access, "conversations.open", {"users": channel}
                )
                channel = word(part(opened, "channel"), "id") or channel
            query = {
                "channel": channel,
                "oldest": f"{(outbound.created_at - _SKEW).timestamp():.6f}",
                "include_all_metadata": True,
                "limit": 200,
                **({"ts": root} if root else {}),
            }
            method = "conversations.replies" if root else "conversations.history"
            ts = await self.tokens.api.find_marked(access, method, query, str(outbound.id))
        except PermanentDeliveryError as error:
            raise UnknownOutcomeError(f"cannot look for it: {error.detail}") from error
        return await self._sent(inbox, channel, root, ts) if ts else None

    async def _sent(self, inbox: Inbox, channel: str, root: str, ts: str) -> Sent:
        if not ts:
            raise UnknownOutcomeError("Slack's answer names no message")
        team, is_direct = workspace_of(inbox).team, channel.startswith("D")
        has_thread = bool(root) or not is_direct
        try:
            if inbox.kind == "customer" and not is_direct:
                await self._own(inbox, channel, root or ts)
        except Exception as error:
            # Slack has it and we could not write that down: never "not sent".
            raise UnknownOutcomeError("sent, but that could not be noted") from error
        thread = thread_key(team, channel, root or ts) if has_thread else None
        return Sent(f"{team}:{channel}:{ts}", thread)

    async def _own(self, inbox: Inbox, channel: str, root: str) -> None:
        """Make a thread ours by having spoken in it, unless a colleague has taken it meanwhile."""
        if await self.ears.mode(inbox, channel, root) != "people":
            await self.ears.note(inbox, channel, root, "ours")

    # ------------------------------------------------------------ what is shown

    async def _content(self, outbound: Outbound, access: object) -> dict[str, object]:
        if outbound.card is not None:
            return {
                "text": slack_blocks.card_text(outbound.card),
                "blocks": slack_blocks.card_blocks(outbound.card),
            }
        lines = self.tokens.context.lines
        words = words_for(outbound, lines, CAPABILITIES)
        links = await self._files(outbound.attachments, access)
        whole = f"{outbound.text}\n{links}" if links else outbound.text
        parts = render(whole, CAPABILITIES, citations=outbound.citations, words=words)
        if not parts:
            raise PermanentDeliveryError("there is nothing to send")
        text = parts[0]
        if len(parts) > 1:
            text = f"{text}\n{lines.say('channel.truncated', outbound.locale, 'slack')}"
        if not (outbound.quick_replies or outbound.citations):
            return {"text": text}
        said = render(whole, CAPABILITIES, words=replace(words, sources=""))
        shortened = text.removeprefix(parts[0]) if len(parts) > 1 else ""
        choose = lines.say("channel.reply_with_number", outbound.locale, "slack")
        blocks = slack_blocks.reply_blocks(
            said[0] + shortened,
            outbound.quick_replies,
            outbound.citations,
            words.sources,
            choose,
        )
        return {"text": text, "blocks": blocks}

    async def _files(self, attachments: tuple[Attachment, ...], access: object) -> str:
        """Upload the files and return links; a posted link shares its file with whoever reads there."""
        links = []
        for file in attachments:
            link = file.url or ""
            if file.data is not None:
                link = await self.tokens.api.share(access, file.name, file.data)
            if link:
                links.append(f"[{file.name.replace('[', '(').replace(']', ')')}]({link})")
        return "\n".join(links)

    # ------------------------------------------------------------ files that came

    async def fetch(self, attachment: Attachment, inbox: Inbox, limit: int) -> bytes:
        """Return a file somebody sent, with the bot's token and from Slack's own host alone.

        Raises TooLargeError, RetryableDeliveryError, PermanentDeliveryError.
        """
        access, url = await self.tokens.access(inbox), attachment.url or ""
        if url.startswith(BY_ID):
            query = {"file": url.removeprefix(BY_ID)}
            found = await self.tokens.api.read(access, "files.info", query)
            file = part(found, "file")
            url = word(file, "url_private_download") or word(file, "url_private")
        data: bytes = await self.tokens.api.download(access, url, limit)
        return data


def place_of(outbound: Outbound) -> tuple[str, str]:
    """Return (channel, thread ts or ""). Addresses are `C1`, `T1/C1` or `T1:U1`.

    A thread of another channel is not followed: what goes by direct message stays there.
    """
    channel = outbound.address.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    if not channel:
        raise PermanentDeliveryError("the address names no channel")
    pieces = (outbound.thread or "").split(":")
    is_here = len(pieces) < 2 or pieces[-2] == channel
    return channel, pieces[-1] if is_here else ""


def _mark(outbound: Outbound) -> Mapping[str, object]:
    return {"event_type": "usher", "event_payload": {"id": str(outbound.id)}}
