"""A stand-in of an OpenAI-compatible endpoint: scripted answers, streamed or whole, and ways to fail.

Owns the wire shapes of POST /v1/chat/completions (OpenAI API reference, "Chat Completions" and its
streaming chunks) and of Azure's deployments. Knows nothing of language: without a script it says the fallback;
`writes` makes a script of what was asked.
"""

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

_CREATED = 1_767_225_600  # any time will do; a fixed one keeps answers comparable


@dataclass(frozen=True, slots=True)
class Script:
    """One answer. `pieces` overrides how `text` is cut; `delay` is seconds between pieces.

    `status` other than 200 is an error before any text. `hang_after` stops for good after that many
    pieces, 0 before the first. `drop_after` breaks the connection there. `model` limits it to one
    model. `finish` is the reason given at the end; `refusal` is said instead of the text; `code` and `headers` are
    the error's. `garbled` ends the stream in half a JSON document. `counts` tells tokens at the end.
    """

    text: str = ""
    pieces: tuple[str, ...] = ()
    delay: float = 0.0
    status: int = 200
    hang_after: int | None = None
    drop_after: int | None = None
    body: str | None = None
    model: str | None = None
    finish: str = "stop"
    refusal: str | None = None
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    garbled: bool = False
    counts: bool = True

    @property
    def cut(self) -> tuple[str, ...]:
        """The pieces the text is streamed in: words, unless said otherwise."""
        return self.pieces or tuple(re.findall(r"\s*\S+", self.text))


@dataclass(slots=True)
class ScriptedModel:
    """The endpoint. `requests` are the bodies it was sent, oldest first; `asked` is set by each."""

    scripts: deque[Script] = field(default_factory=deque)
    fallback: Script = field(default_factory=lambda: Script(text="UNKNOWN"))
    requests: list[dict[str, object]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    paths: list[str] = field(default_factory=list)
    writes: Callable[[dict[str, Any]], Script] | None = None
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, *scripts: Script) -> None:
        """Queue answers; each is used once, by the first request it fits."""
        self.scripts.extend(scripts)

    def release(self) -> None:
        """Let everything that hangs go on (before the server is stopped)."""
        self._released.set()

    @property
    def app(self) -> Starlette:
        """The application to serve; its base URL for clients ends in /v1."""
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self._complete, methods=["POST"]),
                Route(
                    "/openai/deployments/{deployment}/chat/completions",
                    self._complete,
                    methods=["POST"],
                ),
                Route("/v1/models", self._models),
            ]
        )

    async def _models(self, request: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": "scripted", "object": "model"}]})

    async def _complete(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.requests.append(body)
        headers = request.headers
        self.keys.append(headers.get("authorization") or headers.get("api-key", ""))
        self.paths.append(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
        self.asked.set()
        model = request.path_params.get("deployment") or str(body.get("model"))
        script = self._next(model) if self.writes is None else self.writes(body)
        if script.status != 200:
            error = {"message": "scripted failure", "type": "server_error", "code": script.code}
            return JSONResponse({"error": error}, script.status, headers=script.headers)
        if script.body is not None:
            return Response(script.body, media_type="application/json")
        if body.get("stream"):
            return StreamingResponse(self._stream(script, model), media_type="text/event-stream")
        return await self._whole(script, model)

    def _next(self, model: str) -> Script:
        for script in self.scripts:
            if script.model in (None, model):
                self.scripts.remove(script)
                return script
        return self.fallback

    async def _whole(self, script: Script, model: str) -> Response:
        if script.hang_after is not None:
            await self._released.wait()
        await asyncio.sleep(script.delay * len(script.cut))
        said = None if script.refusal else "".join(script.cut)
        message = {"role": "assistant", "content": said, "refusal": script.refusal}
        return JSONResponse(
            {
                "id": "chatcmpl-scripted",
                "object": "chat.completion",
                "created": _CREATED,
                "model": model,
                "choices": [{"index": 0, "message": message, "finish_reason": script.finish}],
                "usage": _usage(script.cut) if script.counts else None,
            }
        )

    async def _stream(self, script: Script, model: str) -> AsyncIterator[str]:
        yield _event(model, {"role": "assistant", "content": ""})
        for at, piece in enumerate(script.cut):
            if script.hang_after == at:
                await self._released.wait()
                return
            if script.drop_after == at:
                raise ConnectionResetError("scripted")
            if script.delay:
                await asyncio.sleep(script.delay)
            yield _event(model, {"content": piece})
        if script.hang_after is not None:
            await self._released.wait()
            return
        for event in _ending(script, model):
            yield event


def _ending(script: Script, model: str) -> Iterator[str]:
    """Yield what follows the text."""
    if script.garbled:
        yield 'data: {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "choi\n\n'
        return
    if script.refusal:
        yield _event(model, {"refusal": script.refusal})
    yield _event(model, {}, script.finish)
    if script.counts:
        yield _event(model, usage=_usage(script.cut))
    yield "data: [DONE]\n\n"


def _event(
    model: str,
    delta: dict[str, str] | None = None,
    finish: str | None = None,
    usage: dict[str, int] | None = None,
) -> str:
    chunk: dict[str, object] = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": model,
        "choices": [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}],
        "usage": usage,
    }
    return f"data: {json.dumps(chunk)}\n\n"


def _usage(pieces: Sequence[str]) -> dict[str, int]:
    return {
        "prompt_tokens": 100,
        "completion_tokens": len(pieces),
        "total_tokens": 100 + len(pieces),
    }
