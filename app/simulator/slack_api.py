"""Slack's Web API and webhooks as the SDK and the adapter see them, in memory: one workspace.

Owns the methods' answers and errors, messages by channel and thread, and signed events, button presses
and commands. Sources: Slack's pages per method, "Events API", "Handling user interaction" and
"Verifying requests from Slack". Not here: who says what (the simulator page and tests).
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.simulator.switches import Failure, SignedRequest, Switches
from core.clock import Clock

Message = dict[str, Any]
Arguments = Mapping[str, Any]

_MAX_TEXT = 40_000
_MAX_BLOCKS = 50


@dataclass(slots=True)
class SlackStandIn:
    """One workspace with our app in it. `webhook_url` is the app's request URL.

    `channels` maps a channel id to its messages, oldest first; `members` are the channels the bot is in
    (a direct message's channel is `D` + the user's id without its first letter).
    """

    clock: Clock
    team_id: str = "T0USHER"
    bot_token: str = "xoxb-stand-in"  # noqa: S105 - the stand-in's own
    signing_secret: str = "stand-in-secret"  # noqa: S105 - the stand-in's own
    bot_user_id: str = "U0USHER"
    bot_id: str = "B0USHER"
    webhook_url: str = "http://127.0.0.1/channels/slack"
    channels: dict[str, list[Message]] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    users: dict[str, str] = field(default_factory=dict)
    ephemeral: list[Message] = field(default_factory=list)
    views: list[Message] = field(default_factory=list)
    calls: list[tuple[str, Message]] = field(default_factory=list)
    switches: Switches = field(default_factory=Switches)
    scopes: str = "chat:write,im:history"
    no_direct: set[str] = field(default_factory=set)  # whom no app may write to directly
    _count: int = 0

    def settings(self, api_base_url: str, alert_channel: str) -> dict[str, str]:
        """Return the channel's settings that lead here, by field name."""
        return {
            "bot_token": self.bot_token,
            "signing_secret": self.signing_secret,
            "team_id": self.team_id,
            "bot_user_id": self.bot_user_id,
            "alert_channel": alert_channel,
            "api_base_url": api_base_url,
            "message_gap": "0",
        }

    def add_channel(self, channel: str) -> None:
        """Make a channel and invite the bot."""
        self.channels.setdefault(channel, [])
        self.members.add(channel)

    # ------------------------------------------------------------ REST

    def app(self) -> Starlette:
        """Return the API to mount at what the SDK calls its base URL (…/api)."""
        return Starlette(routes=[Route("/api/{method}", self._serve, methods=["GET", "POST"])])

    async def _serve(self, request: Request) -> Response:
        method = request.path_params["method"]
        arguments = await _arguments(request)
        self.calls.append((method, dict(arguments)))
        failure = self.switches.take()
        if failure and not failure.accepted:
            return await self._fail(failure)
        if refusal := self._unauthorized(method, request.headers.get("authorization", "")):
            return refuse(refusal)
        answer = self.methods().get(method)
        response = refuse("unknown_method") if answer is None else await answer(arguments)
        return await self._fail(failure) if failure else response

    def _unauthorized(self, method: str, given: str) -> str | None:
        return None if given == f"Bearer {self.bot_token}" else "invalid_auth"

    def methods(self) -> dict[str, Callable[[Arguments], Awaitable[Response]]]:
        """Return what can be called, by name."""
        return {
            "auth.test": self._auth_test,
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.postEphemeral": self._post_ephemeral,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.open": self._open,
            "views.open": self._open_view,
            "users.info": self._user,
        }

    async def _auth_test(self, _: Arguments) -> Response:
        answer = answer_ok(
            url="https://usher-stand-in.slack.com/",
            team="Stand-in",
            user="usher",
            team_id=self.team_id,
            user_id=self.bot_user_id,
            bot_id=self.bot_id,
            is_enterprise_install=False,
        )
        answer.headers["x-oauth-scopes"] = self.scopes
        return answer

    async def _post(self, arguments: Arguments) -> Response:
        channel = self._resolve(str(arguments.get("channel", "")))
        if str(arguments.get("channel")) in self.no_direct:
            return refuse("user_not_visible")
        if refusal := self._refusal(channel, arguments):
            return refuse(refusal)
        message: Message = {
            "type": "message",
            "user": self.bot_user_id,
            "bot_id": self.bot_id,
            "team": self.team_id,
            "text": str(arguments.get("text", "")),
            "ts": self._ts(),
            **{k: arguments[k] for k in ("blocks", "thread_ts", "metadata") if arguments.get(k)},
        }
        self.channels[channel].append(message)
        return answer_ok(channel=channel, ts=message["ts"], message=message)

    def _refusal(self, channel: str, arguments: Arguments) -> str | None:
        blocks = arguments.get("blocks") or []
        checks = (
            (channel not in self.channels, "channel_not_found"),
            (channel not in self.members, "not_in_channel"),
            (not arguments.get("text") and not blocks, "no_text"),
            (len(str(arguments.get("text", ""))) > _MAX_TEXT, "msg_too_long"),
            (len(blocks) > _MAX_BLOCKS or not _are_valid(blocks), "invalid_blocks"),
        )
        return next((code for wrong, code in checks if wrong), None)

    async def _update(self, arguments: Arguments) -> Response:
        channel = self._resolve(str(arguments.get("channel", "")))
        if refusal := self._refusal(channel, arguments):
            return refuse(refusal)
        message = self.find(channel, str(arguments.get("ts", "")))
        if message is None:
            return refuse("message_not_found")
        if message.get("bot_id") != self.bot_id:
            return refuse("cant_update_message")
        changed = {k: arguments[k] for k in ("text", "blocks", "metadata") if arguments.get(k)}
        message.update(changed, edited={"user": self.bot_user_id, "ts": self._ts()})
        return answer_ok(channel=channel, ts=message["ts"], text=message["text"], message=message)

    async def _post_ephemeral(self, arguments: Arguments) -> Response:
        channel = str(arguments.get("channel", ""))
        if channel not in self.members:
            return refuse("channel_not_found")
        self.ephemeral.append({**arguments, "ts": self._ts()})
        return answer_ok(message_ts=self.ephemeral[-1]["ts"])

    async def _history(self, arguments: Arguments) -> Response:
        channel = str(arguments.get("channel", ""))
        if channel not in self.members:
            return refuse("channel_not_found")
        roots = [
            m for m in self.channels[channel] if m.get("thread_ts") in (None, m["ts"])
        ]  # replies stand in their thread only
        return self._page(list(reversed(roots)), arguments)

    async def _replies(self, arguments: Arguments) -> Response:
        channel, root = str(arguments.get("channel", "")), str(arguments.get("ts", ""))
        if channel not in self.members:
            return refuse("channel_not_found")
        if self.find(channel, root) is None:
            return refuse("thread_not_found")
        thread = [m for m in self.channels[channel] if root in (m["ts"], m.get("thread_ts"))]
        return self._page(thread, arguments)

    def _page(self, messages: list[Message], arguments: Arguments) -> Response:
        oldest, latest = arguments.get("oldest") or "0", arguments.get("latest") or "9" * 12
        found = [m for m in messages if float(oldest) < float(m["ts"]) <= float(latest)]
        start, size = int(arguments.get("cursor") or 0), int(arguments.get("limit") or 100)
        wants_metadata = str(arguments.get("include_all_metadata", "")).lower() in ("1", "true")
        hidden = () if wants_metadata else ("metadata",)
        shown = [
            {k: v for k, v in m.items() if k not in hidden} for m in found[start : start + size]
        ]
        has_more = len(found) > start + size
        cursor = str(start + size) if has_more else ""
        return answer_ok(
            messages=shown, has_more=has_more, response_metadata={"next_cursor": cursor}
        )

    async def _open(self, arguments: Arguments) -> Response:
        user = str(arguments.get("users", ""))
        if user not in self.users:
            return refuse("user_not_found")
        return answer_ok(channel={"id": self._resolve(user)})

    async def _open_view(self, arguments: Arguments) -> Response:
        if not arguments.get("trigger_id"):
            return refuse("invalid_trigger")
        view = {"id": f"V{secrets.token_hex(5).upper()}", **dict(arguments.get("view") or {})}
        self.views.append(view)
        return answer_ok(view=view)

    async def _user(self, arguments: Arguments) -> Response:
        user = str(arguments.get("user", ""))
        if user not in self.users:
            return refuse("user_not_found")
        name = self.users[user]
        profile = {"real_name": name, "display_name": name}
        return answer_ok(
            user={"id": user, "team_id": self.team_id, "name": name, "profile": profile}
        )

    async def _fail(self, failure: Failure) -> Response:
        if failure.status == 0:
            await self.switches.hang()
            return PlainTextResponse("", status_code=504)
        if failure.status == 429:
            wait = str(failure.retry_after if failure.retry_after is not None else 1)
            body = {"ok": False, "error": "ratelimited"}
            return JSONResponse(body, status_code=429, headers={"Retry-After": wait})
        if failure.code:
            return refuse(failure.code)
        return PlainTextResponse("upstream trouble", status_code=failure.status)

    # ------------------------------------------------------------ webhooks

    def find(self, channel: str, ts: str) -> Message | None:
        """Return a message by place."""
        return next((m for m in self.channels.get(channel, []) if m["ts"] == ts), None)

    def say(
        self, user: str, channel: str, text: str, thread_ts: str | None = None
    ) -> list[SignedRequest]:
        """Let somebody write; return the webhooks Slack sends: a mention comes as two events."""
        channel = self._resolve(channel)
        message: Message = {
            "type": "message",
            "user": user,
            "text": text,
            "ts": self._ts(),
            "team": self.team_id,
            **({"thread_ts": thread_ts} if thread_ts else {}),
        }
        self.channels.setdefault(channel, []).append(message)
        kind = "im" if channel.startswith("D") else "channel"
        event = {**message, "channel": channel, "event_ts": message["ts"], "channel_type": kind}
        events = [event]
        if f"<@{self.bot_user_id}>" in text and kind == "channel":
            mention = {k: v for k, v in event.items() if k != "channel_type"}
            events.insert(0, {**mention, "type": "app_mention"})
        return [self.event(e) for e in events]

    def event(self, event: Message) -> SignedRequest:
        """Return an Events API request around the event."""
        now = self.clock.now()
        body = {
            "token": "deprecated",
            "team_id": self.team_id,
            "api_app_id": "A0USHER",
            "event": event,
            "type": "event_callback",
            "event_id": f"Ev{secrets.token_hex(5).upper()}",
            "event_time": int(now.timestamp()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self.team_id,
                    "user_id": self.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }
        return self.sign(json.dumps(body).encode(), "application/json")

    def press(self, user: str, channel: str, ts: str, action_id: str) -> SignedRequest:
        """Return the press of a button on a message of ours.

        Raises LookupError when the message shows no such button.
        """
        message = self.find(self._resolve(channel), ts)
        alone = next((m for m in self.ephemeral if m["ts"] == ts), None)
        message = message or alone
        blocks = (message or {}).get("blocks", [])
        buttons = [e for b in blocks for e in b.get("elements", []) if e.get("type") == "button"]
        button = next((b for b in buttons if b["action_id"] == action_id), None)
        if message is None or button is None:
            raise LookupError(f"no button {action_id!r} on {channel} {ts}")
        name = self.users.get(user, user)
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": name, "name": name, "team_id": self.team_id},
            "api_app_id": "A0USHER",
            "container": {
                "type": "message",
                "message_ts": ts,
                "channel_id": self._resolve(channel),
                "is_ephemeral": alone is not None,
                **({"thread_ts": message["thread_ts"]} if "thread_ts" in message else {}),
            },
            "trigger_id": f"{secrets.randbelow(10**9)}.1.{secrets.token_hex(8)}",
            "team": {"id": self.team_id, "domain": "usher-stand-in"},
            "channel": {"id": self._resolve(channel), "name": "somewhere"},
            **({} if alone else {"message": message}),
            "actions": [
                {
                    "action_id": action_id,
                    "block_id": "b1",
                    "text": button["text"],
                    "value": button.get("value", ""),
                    "type": "button",
                    "action_ts": self._ts(),
                }
            ],
        }
        return self.sign(urlencode({"payload": json.dumps(payload)}).encode())

    def command(self, user: str, channel: str, text: str) -> SignedRequest:
        """Return the slash command /usher."""
        form = {
            "token": "deprecated",
            "team_id": self.team_id,
            "team_domain": "usher-stand-in",
            "channel_id": self._resolve(channel),
            "channel_name": "somewhere",
            "user_id": user,
            "user_name": self.users.get(user, user),
            "command": "/usher",
            "text": text,
            "api_app_id": "A0USHER",
            "response_url": "https://hooks.slack.com/commands/none",
            "trigger_id": f"{secrets.randbelow(10**9)}.1.{secrets.token_hex(8)}",
        }
        return self.sign(urlencode(form).encode())

    def verification(self, challenge: str) -> SignedRequest:
        """Return the check Slack makes when the request URL is saved."""
        body = {"token": "deprecated", "challenge": challenge, "type": "url_verification"}
        return self.sign(json.dumps(body).encode(), "application/json")

    def sign(
        self, body: bytes, content_type: str = "application/x-www-form-urlencoded"
    ) -> SignedRequest:
        """Return the body as a request Slack signed: HMAC-SHA256 over v0:timestamp:body."""
        stamp = str(int(self.clock.now().timestamp()))
        signed = b"v0:" + stamp.encode() + b":" + body
        digest = hmac.new(self.signing_secret.encode(), signed, hashlib.sha256).hexdigest()
        headers = {
            "content-type": content_type,
            "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": f"v0={digest}",
        }
        return SignedRequest("POST", self.webhook_url, headers, body)

    def _resolve(self, channel: str) -> str:
        """Return the channel; for a user id their direct messages, opened at need."""
        if channel not in self.users:
            return channel
        direct = f"D{channel[1:]}"
        self.add_channel(direct)
        return direct

    def _ts(self) -> str:
        """Return a timestamp that names one message: the clock's second and a counter."""
        self._count += 1
        return f"{int(self.clock.now().timestamp())}.{self._count:06d}"


async def _arguments(request: Request) -> Arguments:
    body = await request.body()
    if "json" in request.headers.get("content-type", ""):
        loaded = json.loads(body or b"{}")
        return loaded if isinstance(loaded, dict) else {}
    return {**request.query_params, **dict(parse_qsl(body.decode(), keep_blank_values=True))}


def _are_valid(blocks: list[Message]) -> bool:
    """Check the limits we must keep: sections, headers, buttons."""
    texts = [(b["text"], 3000) for b in blocks if b["type"] == "section" and "text" in b]
    texts += [(b["text"], 150) for b in blocks if b["type"] == "header"]
    texts += [(f, 2000) for b in blocks for f in b.get("fields", [])]
    texts += [(e["text"], 75) for b in blocks if b["type"] == "actions" for e in b["elements"]]
    texts += [(e, 3000) for b in blocks if b["type"] == "context" for e in b["elements"]]
    return all(0 < len(text["text"]) <= limit for text, limit in texts)


def answer_ok(**fields: object) -> JSONResponse:
    """Return what a method that did it answers."""
    return JSONResponse({"ok": True, **fields})


def refuse(code: str) -> JSONResponse:
    """Return what a method that did not do it answers, with status 200 as Slack has it."""
    return JSONResponse({"ok": False, "error": code})
