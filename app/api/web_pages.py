"""What a browser loads: the widget's two scripts, the page a link opens, its QR code, and the demo page.

Owns serving our scripts made small, once per version of a file, and the policies of our pages (no inline
script, no foreign host). Not here: making links (links.py), what is said on their pages (web_opening.py).
"""

import asyncio
import hashlib
import html
import io
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

import channels
from app.api.web_chat import WebChat
from channels._shared.web_links import Link, Resume, read_link, read_resume
from channels._shared.web_minify import minify
from core.errors import NotFoundError
from core.ports import TenantPolicy

STATIC = Path(channels.__file__).parent / "static"
SCRIPTS = ("widget.js", "widget-more.js", "widget-es.js")
SCRIPT_HEADERS = {
    "cache-control": "public, max-age=300",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
}
DEMO_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",  # the address holds the link's token
    "x-robots-tag": "noindex",
    "x-content-type-options": "nosniff",
}
_LANGUAGES = ("en", "es")
_IMAGES = {"svg": "image/svg+xml", "png": "image/png"}


def widget_script(name: str = "widget.js") -> str:
    """Return a script as it is served: without comments, indentation, idle breaks and long local names."""
    return minify((STATIC / name).read_text(encoding="utf-8"))


class _Scripts:
    """The scripts as served, made small once per version of their file."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[int, str]] = {}

    def get(self, name: str) -> str:
        """Return a script. Blocking."""
        version = (STATIC / name).stat().st_mtime_ns
        kept = self._made.get(name)
        if kept is None or kept[0] != version:
            kept = self._made[name] = (version, widget_script(name))
        return kept[1]


def qr_code(url: str, kind: str) -> bytes:
    """Return a QR code (ISO/IEC 18004, level M) as SVG or PNG. Blocking."""
    import segno  # here: only these two routes need it

    out = io.BytesIO()
    code = segno.make(url, error="m", micro=False)
    if kind == "svg":
        code.save(out, kind="svg", scale=8, border=4, dark="#000", light="#fff", nl=False)
    else:
        code.save(out, kind="png", scale=8, border=4)
    return out.getvalue()


def build_router(  # noqa: C901 - a list of routes, one after the other
    chat_of: Callable[[HTTPConnection], WebChat],
) -> APIRouter:
    """Return the routes; `chat_of` finds the ports of the running app."""
    router = APIRouter()
    scripts = _Scripts()

    async def script(request: Request) -> Response:
        name = request.url.path.rpartition("/")[2]
        text = await asyncio.to_thread(scripts.get, name)
        return _cached(request, text, "text/javascript; charset=utf-8")

    for name in SCRIPTS:
        router.add_api_route(f"/{name}", script, include_in_schema=False)

    @router.get("/web/page.css", include_in_schema=False)
    async def style(request: Request) -> Response:
        text = await asyncio.to_thread((STATIC / "page.css").read_text, encoding="utf-8")
        return _cached(request, text, "text/css; charset=utf-8")

    @router.get("/c/{token}", include_in_schema=False)
    async def linked(token: str, request: Request) -> Response:
        chat = chat_of(request)
        kind = next((k for k in _IMAGES if token.endswith(f".{k}")), "")
        token = token.removesuffix(f".{kind}") if kind else token
        link = read_link(token, chat.visitor_secret, chat.clock.now())
        if kind:
            return await _code(chat, request, token, kind, known=link is not None)
        return await _opened(chat, request, token, link)

    @router.get("/r/{token}", include_in_schema=False)
    async def resumed(token: str, request: Request) -> Response:
        chat = chat_of(request)
        resume = read_resume(token, chat.visitor_secret, chat.clock.now())
        return await _back(chat, request, token, resume)

    @router.get("/", include_in_schema=False)
    async def demo(request: Request) -> Response:
        key = chat_of(request).demo_key
        if key is None:
            return RedirectResponse("/docs")
        page = await asyncio.to_thread((STATIC / "demo.html").read_text, encoding="utf-8")
        # The key holds only letters, digits, '.', '_' and '-' (channels/web.py).
        return HTMLResponse(
            page.replace("{{key}}", key), headers={"content-security-policy": DEMO_POLICY}
        )

    return router


def _cached(request: Request, text: str, media: str) -> Response:
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    headers = SCRIPT_HEADERS | {"etag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(text, media_type=media, headers=headers)


async def _code(chat: WebChat, request: Request, token: str, kind: str, *, known: bool) -> Response:
    if not known:
        raise NotFoundError("there is no such link")
    base = chat.base_url or str(request.base_url).rstrip("/")
    image = await asyncio.to_thread(qr_code, f"{base}/c/{token}", kind)
    headers = {"cache-control": "private, max-age=3600", "x-content-type-options": "nosniff"}
    return Response(image, media_type=_IMAGES[kind], headers=headers)


async def _opened(chat: WebChat, request: Request, token: str, link: Link | None) -> Response:
    if link is None:
        return await _expired(chat, request)
    # every link is a talk of its own, and the same link the same one
    own = hashlib.sha256(token.encode()).hexdigest()[:12]
    policy = await chat.directory.policy(link.tenant)
    data = {"key": link.key, "link": token, "apart": own}
    return await _page(policy, link.locale or policy.locale, data)


async def _back(chat: WebChat, request: Request, token: str, resume: Resume | None) -> Response:
    if resume is None:
        return await _expired(chat, request)
    own = hashlib.sha256(resume.conversation.encode()).hexdigest()[:12]
    policy = await chat.directory.policy(resume.tenant)
    data = {"key": resume.key, "resume": token, "apart": own}
    return await _page(policy, policy.locale, data)


async def _page(policy: TenantPolicy, locale: str, data: dict[str, str]) -> Response:
    page = await asyncio.to_thread((STATIC / "page.html").read_text, encoding="utf-8")
    attributes = " ".join(f'data-{name}="{html.escape(value)}"' for name, value in data.items())
    shown = page.replace("{{brand}}", html.escape(policy.brand)).replace("{{lang}}", locale)
    return HTMLResponse(shown.replace("{{data}}", attributes), headers=PAGE_HEADERS)


async def _expired(chat: WebChat, request: Request) -> Response:
    """Say that a link is over, in the browser's language: whose it was, nobody can say."""
    wanted = request.headers.get("accept-language", "")[:2].lower()
    locale = wanted if wanted in _LANGUAGES else _LANGUAGES[0]
    lines = chat.lines_for(TenantPolicy())
    page = await asyncio.to_thread((STATIC / "expired.html").read_text, encoding="utf-8")
    for name in ("link.expired_title", "link.expired"):
        page = page.replace("{{" + name + "}}", html.escape(lines.say(name, locale, "web")))
    return HTMLResponse(page.replace("{{lang}}", locale), 404, headers=PAGE_HEADERS)
