"""POST /web/files: a visitor's file, kept before it is sent with a message.

Owns the size read from the wire, whose the file is, and what other origins may see of this door. The body is
the file; its name comes percent-encoded in `x-file-name`.
Not here: which kinds of file are kept (port `Files`), the message that carries it (web_extras.py).
"""

from collections.abc import Callable
from urllib.parse import unquote

from fastapi import APIRouter
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from app.api.web_chat import WebChat, admit_upload
from app.api.web_extras import file_key
from core.errors import (
    BadInputError,
    NotFoundError,
    RateLimitedError,
    ServiceError,
    TooLargeError,
)
from core.files import MAX_BYTES

FILES_PER_MINUTE = 10


def build_router(chat_of: Callable[[HTTPConnection], WebChat]) -> APIRouter:
    """Return the routes; `chat_of` finds the ports of the running app."""
    router = APIRouter()

    @router.options("/web/files", include_in_schema=False)
    async def preflight(request: Request) -> Response:
        return Response(status_code=204, headers=_cors(request))

    @router.post("/web/files", include_in_schema=False)
    async def upload(request: Request) -> Response:
        try:
            kept = await _keep(chat_of(request), request)
        except (
            ServiceError
        ) as fault:  # said here: another origin's page may only read what carries its name
            body = {"code": fault.code, "detail": fault.detail}
            return JSONResponse(body, fault.status, headers=_cors(request))
        return JSONResponse(kept, 201, headers=_cors(request))

    return router


async def _keep(chat: WebChat, request: Request) -> dict[str, object]:
    headers = request.headers
    scheme, _, token = headers.get("authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else ""
    visitor, _policy = await admit_upload(
        chat, token or None, headers.get("origin"), headers.get("host", "")
    )
    if chat.files is None:
        raise NotFoundError("no files are taken here")
    if not await chat.cache.allow(
        f"web:files:{visitor.tenant}:{visitor.id}", FILES_PER_MINUTE, 60.0
    ):
        raise RateLimitedError("too many files in a minute", retry_after=20.0)
    name = unquote(headers.get("x-file-name", ""))[:200] or "file"
    data = await _body(request)
    kind = headers.get("content-type", "application/octet-stream")
    file = await chat.files.put(visitor.tenant, name, kind, data)
    if file.refused or file.id is None:
        raise BadInputError(f"this file is not kept: {file.refused or 'not_allowed'}")
    values = {"name": file.name, "content_type": file.content_type, "size": file.size}
    await chat.state.put("web", visitor.tenant, file_key(visitor.id, file.id), values)
    return {"id": file.id, **values}


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise TooLargeError(f"a file holds at most {MAX_BYTES // 1_000_000} MB")
    if not body:
        raise BadInputError("the file is empty")
    return bytes(body)


def _cors(request: Request) -> dict[str, str]:
    """Let the page's script read the answer: the token it must show goes by no cookie."""
    return {
        "access-control-allow-origin": request.headers.get("origin", "*"),
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "authorization, content-type, x-file-name",
        "access-control-max-age": "600",
        "vary": "origin",
    }
