"""Files of conversations at the console: downloaded, pictures shown, put for a reply. Only for who is signed in."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.console.gate import Id, Reader, Uses, Writer
from app.console.inbox import row_of
from core.downloads import headers_for
from core.errors import BadInputError, TooLargeError
from core.files import MAX_BYTES

router = APIRouter()

_WHY = {
    "too_large": f"a file may be {MAX_BYTES // 1_000_000} MB at most",
    "not_allowed": "this kind of file is not sent: pictures, PDFs, office documents, text, sound and video are",
    "not_what_it_says": "the file is not the kind its name says",
}


@router.get("/files/{file}")
async def one(
    file: Id, services: Uses, who: Reader, *, shown: Annotated[bool, Query()] = False
) -> Response:
    """Return a file of the tenant; `shown` as a picture in the page. Raises NotFoundError."""
    found = await services.files.get(who.tenant, file)
    return Response(found.data, headers=headers_for(found.name, found.content_type, shown=shown))


@router.post("/conversations/{conversation}/files")
async def put(
    conversation: Id,
    request: Request,
    services: Uses,
    who: Writer,
    name: Annotated[str, Query(max_length=400)],
) -> dict[str, object]:
    """Keep a file that a reply in this conversation will carry; the body is the file. Raises BadInputError."""
    await row_of(services, who, conversation)
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MAX_BYTES:
            raise TooLargeError(_WHY["too_large"])
    kind = request.headers.get("content-type", "")
    kept = await services.files.put(who.tenant, name.replace("\x00", ""), kind, bytes(data))
    if kept.id is None:
        raise BadInputError(_WHY.get(kept.refused, _WHY["not_allowed"]))
    return {"id": kept.id, "name": kept.name, "size": kept.size}
