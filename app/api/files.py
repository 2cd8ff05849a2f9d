"""GET /files/{token}: one file by a signed link that ends. Downloaded, never shown as a page of ours."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Response

from app.api.deps import Uses
from core.ports import StoredFile

router = APIRouter(tags=["files"])

HEADERS = {
    "content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "cross-origin",
    "x-robots-tag": "noindex, nofollow",
    "cache-control": "private, max-age=600",
}


@router.get("/files/{token}", response_class=Response)
@router.head("/files/{token}", include_in_schema=False)
async def download(token: Annotated[str, Path(max_length=200)], services: Uses) -> Response:
    """Return the file a signed link stands for; 404 once it is over, and for any other token."""
    return answer_with(await services.files.linked(token))


def answer_with(file: StoredFile, *, shown: bool = False) -> Response:
    """Return a file as a download; `shown` lets a page of ours show it as a picture."""
    plain = file.name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    how = "inline" if shown else "attachment"
    disposition = f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
    headers = {**HEADERS, "content-disposition": disposition}
    return Response(file.data, media_type=_served(file.content_type), headers=headers)


def _served(content_type: str) -> str:
    """Return the type a browser is told: texts of every kind as plain text."""
    is_text = content_type.startswith(("text/", "message/")) or content_type == "application/json"
    return "text/plain; charset=utf-8" if is_text else content_type
