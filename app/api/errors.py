"""core.errors to HTTP, once: `application/problem+json` (RFC 9457), never another server's words."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from core.errors import ServiceError

logger = logging.getLogger(__name__)


class Problem(BaseModel):
    """A problem document (RFC 9457). `errors` lists what does not fit a request's schema."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[str, str]] | None = None


# what every route may answer; without it FastAPI declares a shape of its own that nobody is sent
RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "The request is refused; says why.", "model": Problem},
    "5XX": {"description": "Our side cannot; says whether to try again.", "model": Problem},
}


def problem(
    status: int, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: object
) -> JSONResponse:
    """Return a problem document."""
    body = {
        "type": f"urn:usher:error:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    return JSONResponse(
        body, status, headers=dict(headers or {}), media_type="application/problem+json"
    )


def describe(app: FastAPI) -> None:
    """Name the media type of problems in the OpenAPI document, which FastAPI calls plain JSON."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        document = plain()
        for path in document["paths"].values():
            for operation in path.values():
                for status in RESPONSES:
                    content = operation["responses"].get(status, {}).get("content", {})
                    if "application/json" in content:
                        content["application/problem+json"] = content.pop("application/json")
        return document

    app.openapi = described  # type: ignore[method-assign]


def install(app: FastAPI) -> None:
    """Render every error of the app."""
    describe(app)

    @app.exception_handler(ServiceError)
    async def _service(_request: Request, error: ServiceError) -> JSONResponse:
        headers = {}
        if error.retry_after is not None:
            headers["retry-after"] = str(max(1, round(error.retry_after)))
        if error.status == HTTPStatus.UNAUTHORIZED:
            headers["www-authenticate"] = "Bearer"
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            logger.warning("request.failed", extra={"code": error.code})
        return problem(error.status, error.code, error.detail, headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        found = [
            {"at": ".".join(str(part) for part in e["loc"]), "problem": e["msg"]}
            for e in error.errors()
        ]
        malformed = any(e["type"] == "json_invalid" for e in error.errors())
        status = 400 if malformed else 422
        return problem(status, "bad_input", "the request does not fit its schema", errors=found)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        return problem(error.status_code, code, str(error.detail), error.headers)

    @app.exception_handler(Exception)
    async def _unexpected(_request: Request, _error: Exception) -> JSONResponse:
        # starlette logs the traceback itself, through the redacting handler
        return problem(500, "internal_error", "something went wrong on our side")
