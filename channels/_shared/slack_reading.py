"""Slack's messages, buttons and commands as events of ours.

Pure functions. Not here: whom we answer in a channel (channels/slack.py), bodies and signatures
(slack_events.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from channels._shared.slack_access import Workspace
from channels._shared.slack_blocks import ACTIONS, REPLY_ACTION
from channels._shared.slack_events import Fields, objects, part, word
from channels._shared.slack_text import decode_text, mentions
from core.errors import AnomalousPayloadError
from core.ids import ConversationId
from core.messages import Correction, Event, Ignored, Inbound, Reaction, TeamAction

_KINDS = {action_id: kind for kind, action_id in ACTIONS.items()}
THUMBS: Mapping[str, Literal["up", "down"]] = {
    "+1": "up",
    "thumbsup": "up",
    "-1": "down",
    "thumbsdown": "down",
}
_SPOKEN = frozenset({"", "file_share", "thread_broadcast", "me_message"})


@dataclass(frozen=True, slots=True)
class Said:
    """A message event, unfolded."""

    team: str
    channel: str
    ts: str
    thread_ts: str
    user: str
    text: str
    event: Fields
    bot_user: str
    is_with_outsiders: bool = False

    @property
    def external_id(self) -> str:
        """The message's own name: the same under each of its events."""
        return f"{self.team}:{self.channel}:{self.ts}"

    @property
    def is_direct(self) -> bool:
        """Whether it was said in a direct message."""
        return self.event.get("channel_type") == "im" or self.channel.startswith("D")

    @property
    def in_thread(self) -> bool:
        """Whether it stands under another message."""
        return bool(self.thread_ts) and self.thread_ts != self.ts

    @property
    def sender(self) -> str:
        """Who said it, with their own company's team in a shared channel."""
        return sender_of(self.event, self.team, self.user)

    @property
    def name(self) -> str | None:
        """What they are called, where Slack says it."""
        return word(part(self.event, "user_profile"), "real_name") or None

    @property
    def is_mention(self) -> bool:
        """Whether it names the bot."""
        named = bool(self.bot_user) and mentions(self.text, self.bot_user)
        return named or self.event.get("type") == "app_mention"


def thread_key(team: str, channel: str, ts: str) -> str:
    """Return the conversation's key for a thread."""
    return f"slack:{team}:{channel}:{ts}"


def why_not_spoken(event: Fields) -> str | None:
    """Return why a message event is nothing a person said to us."""
    subtype = word(event, "subtype")
    if subtype not in _SPOKEN:
        return f"message {subtype[:40]!r}"
    if event.get("bot_id") or event.get("bot_profile") or word(event, "user") == "USLACKBOT":
        return "a bot's message"
    return "a hidden message" if event.get("hidden") else None


def read_team_reply(said: Said) -> Event:
    """Return what a person wrote under an alert: a reply, or a note when it begins with //."""
    if not said.in_thread:
        return Ignored("talk in the alert channel, outside threads")
    text = decode_text(said.text, said.bot_user)
    is_note = text.startswith("//")
    text = text.removeprefix("//").strip() if is_note else text
    if not text:
        return Ignored("an empty message")
    return TeamAction(
        kind="note" if is_note else "reply",
        actor=said.user,
        external_id=said.external_id,
        thread=thread_key(said.team, said.channel, said.thread_ts),
        text=text,
        actor_name=said.name,
    )


def read_change(event: Fields, team: str, bot_user: str) -> Event:
    """Return an edit or a deletion of a message somebody wrote. Raises AnomalousPayloadError."""
    now, before = part(event, "message"), part(event, "previous_message")
    is_gone = word(event, "subtype") == "message_deleted" or word(now, "subtype") == "tombstone"
    message = before if is_gone else now
    channel = word(event, "channel")
    ts = word(event, "deleted_ts") or word(now, "ts") or word(before, "ts")
    user = word(message, "user")
    if why_not_spoken({**message, "hidden": False}) or user == bot_user:
        return Ignored("a change of a bot's message")
    if not (channel and ts and user):
        raise AnomalousPayloadError("a change without channel, ts or user")
    if not is_gone and word(now, "text") == word(before, "text"):
        return Ignored("a change of what a message shows")  # a link's preview came
    return Correction(
        channel="slack",
        external_id=f"{team}:{channel}:{ts}",
        sender=sender_of(message, team, user),
        text=None if is_gone else decode_text(word(now, "text"), bot_user),
    )


def read_reaction(event: Fields, team: str, bot_user: str) -> Event:
    """Return a thumb under a message of ours; any other reaction says nothing. Raises AnomalousPayloadError."""
    item, user = part(event, "item"), word(event, "user")
    thumb = THUMBS.get(word(event, "reaction").partition("::")[0])
    if thumb is None or word(item, "type") != "message":
        return Ignored("a reaction that is no thumb")
    if user == bot_user or (bot_user and word(event, "item_user") not in ("", bot_user)):
        return Ignored("a thumb under somebody else's message")
    channel, ts = word(item, "channel"), word(item, "ts")
    if not (channel and ts and user):
        raise AnomalousPayloadError("a reaction without channel, ts or user")
    return Reaction(
        channel="slack",
        provider_id=f"{team}:{channel}:{ts}",
        sender=f"{team}:{user}",
        value=thumb if word(event, "type") == "reaction_added" else "",
    )


def read_command(form: Fields, place: Workspace) -> Event:
    """Return a slash command as a message. Raises AnomalousPayloadError."""
    user, channel = word(form, "user_id"), word(form, "channel_id")
    trigger = word(form, "trigger_id")
    if not (user and trigger):
        raise AnomalousPayloadError("a command without user or trigger")
    if channel == place.alerts:
        return Ignored("a command in the alert channel")
    # What is asked with a command nobody else sees; the answer goes by direct message.
    return Inbound(
        channel="slack",
        external_id=f"{place.team}:{channel}:{trigger}",
        sender=sender_of(form, place.team, user),
        text=decode_text(word(form, "text")) or word(form, "command"),
        reply_to=channel if channel.startswith("D") else user,
        display_name=word(form, "user_name") or None,
    )


def read_presses(payload: Fields, place: Workspace) -> list[Event]:
    """Return the button presses of an interaction. Raises AnomalousPayloadError."""
    if word(payload, "type") != "block_actions":
        return [Ignored(f"interaction {word(payload, 'type')[:40]!r}")]
    events = [_press(payload, action, place) for action in objects(payload, "actions")]
    return events or [Ignored("an interaction without actions")]


def _press(payload: Fields, action: Fields, place: Workspace) -> Event:
    container, message = part(payload, "container"), part(payload, "message")
    channel = word(part(payload, "channel"), "id") or word(container, "channel_id")
    ts = word(container, "message_ts") or word(message, "ts")
    user, action_id = word(part(payload, "user"), "id"), word(action, "action_id")
    if not (channel and ts and user):
        raise AnomalousPayloadError("a press without channel, message or user")
    root = word(message, "thread_ts") or word(container, "thread_ts")
    external_id = f"{place.team}:{channel}:{ts}:{action_id}:{word(action, 'action_ts')}"
    person = part(payload, "user")
    name = word(person, "name") or word(person, "username") or None
    if channel == place.alerts:
        return _team_press(action, user, external_id, thread_key(place.team, channel, ts), name)
    value = word(action, "value")
    if not action_id.startswith(REPLY_ACTION) or not value:
        return Ignored(f"button {action_id[:40]!r}")
    is_direct = channel.startswith("D")
    root = root or ("" if is_direct else ts)
    return Inbound(
        channel="slack",
        external_id=external_id,
        sender=sender_of(person, place.team, user),
        text=value,
        reply_to=channel,
        thread=thread_key(place.team, channel, root) if root else None,
        display_name=name,
        shared=not is_direct,
    )


def _team_press(
    action: Fields, user: str, external_id: str, thread: str, name: str | None
) -> Event:
    match _KINDS.get(word(action, "action_id")):
        case "claim" | "hand_back" | "resolve" as kind if word(action, "value"):
            return TeamAction(
                kind=kind,
                actor=user,
                external_id=external_id,
                conversation_id=ConversationId(word(action, "value")),
                thread=thread,
                actor_name=name,
            )
        case _:
            return Ignored(f"button {word(action, 'action_id')[:40]!r}")


def sender_of(fields: Fields, team: str, user: str) -> str:
    """Return `team:user`; in a shared channel the team is the person's own."""
    own_team = word(fields, "user_team") or word(fields, "team") or word(fields, "team_id")
    return f"{own_team or team}:{user}"
