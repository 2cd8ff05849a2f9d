"""GET /files/{token}: one file by a signed link that ends. Downloaded, never shown as a page of ours."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.api.deps import Uses
from core.downloads import headers_for

router = APIRouter(tags=["files"])


@router.get("/files/{token}", response_class=Response)
@router.head("/files/{token}", include_in_schema=False)
async def download(token: Annotated[str, Path(max_length=200)], services: Uses) -> Response:
    """Return the file a signed link stands for; 404 once it is over, and for any other token."""
    file = await services.files.linked(token)
    # providers fetch media from here, whatever page asks
    open_to_all = {"cross-origin-resource-policy": "cross-origin"}
    headers = {**headers_for(file.name, file.content_type), **open_to_all}
    return Response(file.data, headers=headers)
