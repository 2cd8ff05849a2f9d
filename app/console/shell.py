"""The console's two pages and its files: server-rendered, nothing inline, everything from this server.

Files are served under a path that holds their common digest, so they may be kept for ever.
"""

import asyncio
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.console.gate import COOKIE_PATH, Uses, seat_of
from core.errors import NotFoundError

FOLDER = FilePath(__file__).parent / "static"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
# `make run` shows these; the accounts exist in a development database only (app/store/demo.py)
DEMO_PASSWORD = "lumen-demo-2026"  # noqa: S105
DEMO_ACCOUNTS = (
    ("Maya Okafor", "admin", "maya@lumen.example"),
    ("Noah Lindqvist", "CSM", "noah@lumen.example"),
    ("Vera Santos", "viewer, cannot write", "vera@lumen.example"),
)


@dataclass(frozen=True, slots=True)
class Assets:
    """The files as they are served, and the digest of them all."""

    files: Mapping[str, bytes]
    version: str

    @classmethod
    def read(cls) -> "Assets":
        """Read the folder. Blocking."""
        files = {p.name: p.read_bytes() for p in sorted(FOLDER.iterdir()) if p.is_file()}
        digest = hashlib.sha256()
        for name, data in files.items():
            digest.update(name.encode() + b"\0" + data + b"\0")
        return cls(files, digest.hexdigest()[:12])

    def page(self, name: str, **values: str) -> HTMLResponse:
        """Return a page; `values` are put in as they are, so they must be escaped."""
        text = self.files[name].decode()
        for key, value in {"version": self.version, **values}.items():
            text = text.replace(f"{{{{{key}}}}}", value)
        return HTMLResponse(text, headers={**HEADERS, "cache-control": "no-store"})


class _Shelf:
    """Reads the files once."""

    def __init__(self) -> None:
        self._assets: Assets | None = None

    async def assets(self) -> Assets:
        if self._assets is None:
            self._assets = await asyncio.to_thread(Assets.read)
        return self._assets


def add_to(router: APIRouter) -> None:
    """Add the pages and files; last, because they take every other path."""
    shelf = _Shelf()

    @router.get("/static/{version}/{name}")
    async def file(version: str, name: str) -> Response:
        assets = await shelf.assets()
        kind = TYPES.get(FilePath(name).suffix)
        if kind is None or name not in assets.files:
            raise NotFoundError("no such file")
        # a page of an older server asks for older files: it gets ours, unkept
        kept = "public, max-age=31536000, immutable" if version == assets.version else "no-store"
        headers = {**HEADERS, "cache-control": kept}
        return Response(assets.files[name], media_type=kind, headers=headers)

    @router.get("/login")
    async def login(request: Request, services: Uses) -> Response:
        if await seat_of(request, services):
            return RedirectResponse(COOKIE_PATH, 303)
        demo = _demo() if services.settings.development else ""
        return (await shelf.assets()).page("login.html", demo=demo)

    @router.get("/api/{rest:path}")
    async def unknown(rest: str) -> Response:
        raise NotFoundError("no such address")

    @router.get("")
    @router.get("/")
    @router.get("/{rest:path}")
    async def shell(request: Request, services: Uses) -> Response:
        if await seat_of(request, services) is None:
            wanted = request.url.path
            back = f"?next={quote(wanted)}" if wanted.rstrip("/") != COOKIE_PATH else ""
            return RedirectResponse(f"{COOKIE_PATH}/login{back}", 303)
        return (await shelf.assets()).page("shell.html")


def _demo() -> str:
    """Return the buttons that fill in a demo account."""
    buttons = "".join(
        f'<button type="button" class="demo" data-email="{html.escape(email)}" '
        f'data-password="{html.escape(DEMO_PASSWORD)}"><b>{html.escape(name)}</b>'
        f"<span>{html.escape(role)}</span></button>"
        for name, role, email in DEMO_ACCOUNTS
    )
    return f'<section class="demos" aria-label="Demo accounts"><h2>Demo accounts</h2>{buttons}</section>'
