"""Telegram's Bot API as a bot sees it, in memory: send, files, webhook, and updates out.

Source: https://core.telegram.org/bots/api. Not here: who writes (tests say so).
"""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.simulator.switches import Failure, SignedRequest, Switches

MAX_TEXT = 4096


@dataclass(slots=True)
class TelegramStandIn:
    """One bot. `blocked` are chats that take nothing; `files` are file_id → bytes."""

    token: str
    secret: str
    webhook_url: str
    username: str = "lumen_help_bot"
    sent: list[dict[str, Any]] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    moved: dict[str, int] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    webhook: dict[str, Any] = field(default_factory=dict)
    rejects_html: bool = False
    switches: Switches = field(default_factory=Switches)

    def update(self, body: Mapping[str, Any]) -> SignedRequest:
        """Return an update as Telegram posts it."""
        headers = {
            "content-type": "application/json",
            "x-telegram-bot-api-secret-token": self.secret,
        }
        return SignedRequest("POST", self.webhook_url, headers, json.dumps(body).encode())

    def app(self) -> Starlette:
        """Return the API to mount at what the channel calls its base URL."""
        return Starlette(
            routes=[
                Route("/file/bot{token}/{path:path}", self._file, methods=["GET"]),
                Route("/bot{token}/{method}", self._method, methods=["POST"]),
            ]
        )

    async def _method(self, request: Request) -> Response:
        if request.path_params["token"] != self.token:
            return _refused(401, "Unauthorized")
        failure = self.switches.take()
        if failure is not None:
            return await self._fail(failure)
        payload = await _payload(request)
        match request.path_params["method"]:
            case "sendMessage" | "sendDocument":
                return self._send(payload)
            case "getFile" if payload.get("file_id") in self.files:
                path = f"documents/{payload['file_id']}"
                return _done({"file_id": payload["file_id"], "file_path": path})
            case "getMe":
                me = {"id": int(self.token.partition(":")[0]), "is_bot": True}
                return _done({**me, "username": self.username})
            case "getWebhookInfo":
                return _done({"url": "", "pending_update_count": 0, **self.webhook})
            case _:
                return _refused(400, "Bad Request: file not found")

    def _send(self, payload: dict[str, Any]) -> Response:
        chat, text = str(payload.get("chat_id")), str(payload.get("text", ""))
        if chat in self.blocked:
            return _refused(403, "Forbidden: bot was blocked by the user")
        if chat in self.moved:
            told = {"migrate_to_chat_id": self.moved[chat]}
            return _refused(400, "Bad Request: group chat was upgraded to a supergroup chat", told)
        if self.rejects_html and payload.get("parse_mode") == "HTML":
            return _refused(400, "Bad Request: can't parse entities: unsupported start tag")
        if shown_units(text, payload.get("parse_mode")) > MAX_TEXT or not (
            text or payload.get("document")
        ):
            return _refused(400, "Bad Request: message is too long")
        self.sent.append(payload)
        return _done({"message_id": 100 + len(self.sent), "chat": {"id": int(chat)}, "text": text})

    async def _fail(self, failure: Failure) -> Response:
        if failure.status == 0:
            await self.switches.hang()
        if failure.status == 429:
            wait = {"retry_after": failure.retry_after}
            return _refused(429, f"Too Many Requests: retry after {failure.retry_after}", wait)
        return _refused(failure.status or 504, "upstream trouble")

    async def _file(self, request: Request) -> Response:
        data = self.files.get(request.path_params["path"].removeprefix("documents/"))
        wrong = data is None or request.path_params["token"] != self.token
        return PlainTextResponse("", 404) if wrong else Response(data)


def shown_units(text: str, parse_mode: object) -> int:
    """Return the length Telegram counts: UTF-16 code units after its entities are parsed."""
    shown = html.unescape(re.sub(r"<[^<>]*>", "", text)) if parse_mode == "HTML" else text
    return len(shown.encode("utf-16-le")) // 2


async def _payload(request: Request) -> dict[str, Any]:
    if "json" in request.headers.get("content-type", ""):
        found = await request.json()
        return found if isinstance(found, dict) else {}
    async with request.form() as form:
        return {key: getattr(value, "filename", value) for key, value in form.items()}


def _done(result: object) -> JSONResponse:
    return JSONResponse({"ok": True, "result": result})


def _refused(
    status: int, description: str, parameters: Mapping[str, object] | None = None
) -> JSONResponse:
    body = {"ok": False, "error_code": status, "description": description}
    return JSONResponse({**body, **({"parameters": parameters} if parameters else {})}, status)
