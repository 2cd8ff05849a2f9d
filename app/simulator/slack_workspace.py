"""The rest of a Slack workspace: who is in a channel, OAuth, files, the socket, edits, reactions, the assistant pane.

Sources: Slack's pages "Installing with OAuth", "Using Socket Mode", "Working with files", "AI apps" and per event.
Not here: messages, blocks, signatures (slack_api.py).
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.simulator.slack_api import (
    Arguments,
    Message,
    SlackStandIn,
    answer_ok,
    refuse,
)
from app.simulator.switches import SignedRequest

Envelope = dict[str, Any]


@dataclass(slots=True)
class SlackWorkspace(SlackStandIn):
    """A workspace with all we use of it.

    `present` maps a channel to the people in it; `files` a file id to (name, bytes); `base_url` is where this
    stand-in is reached, without `/api`; `codes` are the OAuth codes it will exchange, once each, for the
    installation given; `acknowledged` the envelopes the app has taken.
    """

    base_url: str = "http://127.0.0.1"
    app_token: str = "xapp-stand-in"  # noqa: S105 - the stand-in's own
    client_id: str = "1.2"
    client_secret: str = "stand-in-client-secret"  # noqa: S105 - the stand-in's own
    present: dict[str, set[str]] = field(default_factory=dict)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    codes: dict[str, Message] = field(default_factory=dict)
    statuses: list[Message] = field(default_factory=list)
    acknowledged: list[Envelope] = field(default_factory=list)
    sockets: int = 0
    _waiting: "asyncio.Queue[Envelope]" = field(default_factory=asyncio.Queue)

    def app(self) -> Starlette:
        """Return the API, the consent page, the file host and the socket."""
        return Starlette(
            routes=[
                Route("/api/{method}", self._serve, methods=["GET", "POST"]),
                Route("/oauth/v2/authorize", self._consent),
                Route("/files/{file}", self._file, methods=["GET", "POST"]),
                WebSocketRoute("/socket", self._socket),
            ]
        )

    def _unauthorized(self, method: str, given: str) -> str | None:
        if method == "oauth.v2.access":
            return None
        wanted = self.app_token if method == "apps.connections.open" else self.bot_token
        return None if given == f"Bearer {wanted}" else "invalid_auth"

    def methods(self) -> dict[str, Callable[[Arguments], Awaitable[Response]]]:
        """Return what can be called, by name."""
        # the base is named: zero-argument super() does not survive slots=True
        return {
            **SlackStandIn.methods(self),
            "apps.connections.open": self._open_socket,
            "assistant.threads.setStatus": self._status,
            "assistant.threads.setSuggestedPrompts": self._status,
            "conversations.info": self._info,
            "conversations.members": self._members,
            "files.completeUploadExternal": self._complete,
            "files.getUploadURLExternal": self._upload_url,
            "files.info": self._file_info,
            "oauth.v2.access": self._exchange,
        }

    # ------------------------------------------------------------ channels

    async def _info(self, arguments: Arguments) -> Response:
        channel = str(arguments.get("channel", ""))
        if channel not in self.channels:
            return refuse("channel_not_found")
        is_member = channel in self.members
        return answer_ok(channel={"id": channel, "is_member": is_member, "is_archived": False})

    async def _members(self, arguments: Arguments) -> Response:
        channel = str(arguments.get("channel", ""))
        if channel not in self.members:
            return refuse("channel_not_found")
        people = sorted(self.present.get(channel, set()) | {self.bot_user_id})
        return answer_ok(members=people, response_metadata={"next_cursor": ""})

    # ------------------------------------------------------------ OAuth

    async def _consent(self, request: Request) -> Response:
        """Allow at once, as somebody who clicks Allow."""
        asked = request.query_params
        if asked.get("client_id") != self.client_id:
            return PlainTextResponse("invalid client_id", status_code=400)
        code = self.allow()
        back = urlencode({"code": code, "state": asked.get("state", "")})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}", 302)

    def allow(self, **changes: object) -> str:
        """Return a code for an installation of this workspace, or one with other fields."""
        code = secrets.token_hex(8)
        self.codes[code] = {
            "app_id": "A0USHER",
            "access_token": self.bot_token,
            "token_type": "bot",
            "scope": self.scopes,
            "bot_user_id": self.bot_user_id,
            "team": {"id": self.team_id, "name": "Stand-in"},
            "enterprise": None,
            "is_enterprise_install": False,
            **changes,
        }
        return code

    async def _exchange(self, arguments: Arguments) -> Response:
        if (arguments.get("client_id"), arguments.get("client_secret")) != (
            self.client_id,
            self.client_secret,
        ):
            return refuse("bad_client_secret")
        found = self.codes.pop(str(arguments.get("code", "")), None)
        return refuse("invalid_code") if found is None else answer_ok(**found)

    # ------------------------------------------------------------ files

    def add_file(self, name: str, data: bytes, content_type: str) -> Message:
        """Keep a file somebody uploads; return it as a message lists it."""
        file_id = f"F{secrets.token_hex(4).upper()}"
        self.files[file_id] = (name, data)
        return {
            "id": file_id,
            "name": name,
            "mimetype": content_type,
            "size": len(data),
            "mode": "hosted",
            "url_private": f"{self.base_url}/files/{file_id}",
        }

    async def _file(self, request: Request) -> Response:
        file_id = request.path_params["file"]
        if request.method == "POST":
            self.files[file_id] = (self.files[file_id][0], await request.body())
            return PlainTextResponse("OK")
        if request.headers.get("authorization") != f"Bearer {self.bot_token}":
            return RedirectResponse(f"{self.base_url}/login", 302)
        found = self.files.get(file_id)
        return PlainTextResponse("", 404) if found is None else Response(found[1])

    async def _file_info(self, arguments: Arguments) -> Response:
        file_id = str(arguments.get("file", ""))
        if file_id not in self.files:
            return refuse("file_not_found")
        return answer_ok(file={"id": file_id, "url_private": f"{self.base_url}/files/{file_id}"})

    async def _upload_url(self, arguments: Arguments) -> Response:
        file = self.add_file(str(arguments.get("filename", "")), b"", "application/octet-stream")
        return answer_ok(upload_url=file["url_private"], file_id=file["id"])

    async def _complete(self, arguments: Arguments) -> Response:
        done = [
            {**file, "permalink": f"{self.base_url}/show/{file['id']}"}
            for file in arguments.get("files", [])
        ]
        return answer_ok(files=done)

    # ------------------------------------------------------------ assistant

    async def _status(self, arguments: Arguments) -> Response:
        self.statuses.append(dict(arguments))
        return answer_ok()

    def open_assistant(self, user: str) -> SignedRequest:
        """Let somebody open the assistant pane."""
        channel = self._resolve(user)
        thread = {
            "user_id": user,
            "context": {},
            "channel_id": channel,
            "thread_ts": self._ts(),
        }
        return self.event({"type": "assistant_thread_started", "assistant_thread": thread})

    # ------------------------------------------------------------ changes and thumbs

    def edit(self, channel: str, ts: str, text: str) -> SignedRequest:
        """Let somebody change what they wrote. Raises LookupError when it is not there."""
        message, before = self._found(channel, ts)
        message.update(text=text, edited={"user": message["user"], "ts": self._ts()})
        return self.event(
            {
                "type": "message",
                "subtype": "message_changed",
                "hidden": True,
                "channel": channel,
                "ts": self._ts(),
                "message": dict(message),
                "previous_message": before,
            }
        )

    def delete(self, channel: str, ts: str) -> SignedRequest:
        """Let somebody take back what they wrote. Raises LookupError when it is not there."""
        message, before = self._found(channel, ts)
        self.channels[channel].remove(message)
        return self.event(
            {
                "type": "message",
                "subtype": "message_deleted",
                "hidden": True,
                "channel": channel,
                "ts": self._ts(),
                "deleted_ts": ts,
                "previous_message": before,
            }
        )

    def react(
        self, user: str, channel: str, ts: str, reaction: str, *, added: bool = True
    ) -> SignedRequest:
        """Let somebody react to a message, or take it back. Raises LookupError when it is not there."""
        message, _ = self._found(channel, ts)
        given: dict[str, list[str]] = message.setdefault("thumbs", {})
        given[reaction] = [*given.get(reaction, []), user] if added else []
        return self.event(
            {
                "type": "reaction_added" if added else "reaction_removed",
                "user": user,
                "reaction": reaction,
                "item": {"type": "message", "channel": channel, "ts": ts},
                "item_user": message["user"],
                "event_ts": self._ts(),
            }
        )

    def _found(self, channel: str, ts: str) -> tuple[Message, Message]:
        message = self.find(channel, ts)
        if message is None:
            raise LookupError(f"no message {ts} in {channel}")
        return message, dict(message)

    # ------------------------------------------------------------ the socket

    async def _open_socket(self, _: Arguments) -> Response:
        host = self.base_url.replace("http", "ws", 1)
        return answer_ok(url=f"{host}/socket?ticket={secrets.token_hex(4)}")

    def bring(self, kind: str, payload: Mapping[str, Any]) -> str:
        """Queue an envelope (`events_api`, `interactive`, `slash_commands`) for the socket; return its id."""
        envelope = {
            "envelope_id": secrets.token_hex(8),
            "type": kind,
            "payload": dict(payload),
            "accepts_response_payload": kind != "events_api",
        }
        self._waiting.put_nowait(envelope)
        return str(envelope["envelope_id"])

    def goodbye(self, reason: str = "refresh_requested") -> None:
        """Queue the frame with which Slack ends a socket."""
        self._waiting.put_nowait({"type": "disconnect", "reason": reason})

    async def _socket(self, socket: WebSocket) -> None:
        """Bring one envelope after the other; what is not acknowledged before the socket ends comes again."""
        await socket.accept()
        self.sockets += 1
        await socket.send_json({"type": "hello", "num_connections": 1})
        hearing = asyncio.ensure_future(socket.receive_json())
        try:
            while await self._brought(socket, hearing):
                hearing = asyncio.ensure_future(socket.receive_json())
            await socket.close()
        except WebSocketDisconnect:
            pass
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    async def _brought(self, socket: WebSocket, hearing: "asyncio.Future[Any]") -> bool:
        """Bring one envelope and take its acknowledgement; False after a goodbye."""
        waiting = asyncio.ensure_future(self._waiting.get())
        await asyncio.wait({waiting, hearing}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            await hearing  # the app has gone
            return True
        envelope = waiting.result()
        try:
            await socket.send_json(envelope)
            if envelope["type"] == "disconnect":
                return False
            self.acknowledged.append(await hearing)
        except WebSocketDisconnect:
            self._waiting.put_nowait(envelope)
            raise
        return True
