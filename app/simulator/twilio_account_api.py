"""What an account at Twilio holds besides messages, as the SDK sees it: numbers, services, senders, content, files.

Sources: Twilio's pages "IncomingPhoneNumber resource", "Service resource" (messaging v1), "Senders API" (v2),
"Content API" and "Media resource". Not here: messages and webhooks (twilio_api.py).
"""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

_VARIABLE = re.compile(r"\{\{(\w+)\}\}")


@dataclass(slots=True)
class Holdings:
    """Everything by its id. `numbers`: number → (webhook, method). `services`: SID → service fields.

    `senders`: WhatsApp address → (status, webhook, method). `contents`: SID → content; `approvals`: SID → status.
    `files`: media id → (bytes, content type).
    """

    status: str = "active"
    numbers: dict[str, tuple[str, str]] = field(default_factory=dict)
    services: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    senders: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    contents: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    approvals: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    accepts_content: bool = True

    def template(self, body: str, status: str = "approved") -> str:
        """Add a text template and return its SID."""
        sid = f"HX{secrets.token_hex(16)}"
        self.contents[sid] = {"types": {"twilio/text": {"body": body}}}
        self.approvals[sid] = status
        return sid

    def file(self, data: bytes, content_type: str, account: str) -> tuple[str, str]:
        """Add a file somebody sent; returns its path and content type."""
        sid = f"ME{secrets.token_hex(16)}"
        self.files[sid] = (data, content_type)
        path = f"/2010-04-01/Accounts/{account}/Messages/MM{secrets.token_hex(16)}/Media/{sid}"
        return path, content_type

    def shown(self, sid: str, variables: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Return (text, buttons as (title, id)) of a content filled in."""
        values: Mapping[str, str] = json.loads(variables or "{}")

        def fill(text: str) -> str:
            return _VARIABLE.sub(lambda m: str(values.get(m[1], "")), text)

        (kind,) = self.contents[sid]["types"].values()
        buttons = tuple((fill(a["title"]), fill(a["id"])) for a in kind.get("actions", ()))
        return fill(kind["body"]), buttons

    def fits(self, sid: str | None, variables: str | None) -> bool:
        """Tell whether the variables are an object of single-line texts, as templates want them."""
        if sid is None or variables is None:
            return True
        try:
            values = json.loads(variables)
        except ValueError:
            return False
        return isinstance(values, dict) and not any(
            not isinstance(v, str) or re.search(r"[\n\r\t]| {5}", v) for v in values.values()
        )


class AccountApi:
    """The routes to mount beside those of messages."""

    def __init__(self, held: Holdings, is_authentic: Callable[[Request], bool]) -> None:
        """Serve what is held to whoever has the account's credentials."""
        self._held = held
        self._is_authentic = is_authentic

    def routes(self) -> list[Route]:
        """Return them."""
        base = "/2010-04-01/Accounts/{account}"
        return [
            Route(f"{base}/IncomingPhoneNumbers.json", self._guarded(self._numbers)),
            Route(f"{base}/Messages/{{message}}/Media/{{media}}", self._guarded(self._media)),
            Route("/v1/Services/{sid}", self._guarded(self._service)),
            Route("/v2/Channels/Senders", self._guarded(self._senders)),
            Route("/v1/Content", self._guarded(self._create), methods=["POST"]),
            Route("/v1/Content/{sid}/ApprovalRequests", self._guarded(self._approval)),
            Route("/files/{media}", self._file),
        ]

    def _guarded(self, answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def check(request: Request) -> Response:
            if not self._is_authentic(request):
                return _refused(401, 20003, "Authenticate")
            found = await answer(request)
            if found is None:
                return _refused(404, 20404, "The requested resource was not found")
            return found if isinstance(found, Response) else JSONResponse(found)

        return check

    async def _numbers(self, request: Request) -> Mapping[str, Any]:
        asked = request.query_params.get("PhoneNumber", "")
        known = self._held.numbers.get(asked)
        listed = [] if known is None else [_number(asked, *known)]
        return {"incoming_phone_numbers": listed, "page": 0, "page_size": 50, "next_page_uri": None}

    async def _service(self, request: Request) -> Mapping[str, Any] | None:
        sid = request.path_params["sid"]
        known = self._held.services.get(sid)
        return None if known is None else {"sid": sid, **known}

    async def _senders(self, _: Request) -> Mapping[str, Any]:
        listed = [_sender(address, *about) for address, about in self._held.senders.items()]
        return {"senders": listed, "meta": {"key": "senders", "page": 0, "next_page_url": None}}

    async def _create(self, request: Request) -> Response:
        if not self._held.accepts_content:
            return _refused(400, 20001, "Bad Request")
        sid = f"HX{secrets.token_hex(16)}"
        self._held.contents[sid] = await request.json()
        return JSONResponse({"sid": sid, **self._held.contents[sid]}, 201)

    async def _approval(self, request: Request) -> Mapping[str, Any] | None:
        sid = request.path_params["sid"]
        if sid not in self._held.contents:
            return None
        status = self._held.approvals.get(sid, "unsubmitted")
        return {"sid": sid, "whatsapp": {"status": status}}

    async def _media(self, request: Request) -> Response | None:
        sid = request.path_params["media"]
        if sid not in self._held.files:
            return None
        return RedirectResponse(f"{request.scope.get('root_path', '')}/files/{sid}")

    async def _file(self, request: Request) -> Response:
        data, content_type = self._held.files[request.path_params["media"]]
        return Response(data, media_type=content_type)


def _refused(status: int, code: int, message: str) -> JSONResponse:
    return JSONResponse({"code": code, "message": message, "status": status}, status)


def _number(number: str, url: str, method: str) -> Mapping[str, Any]:
    return {
        "sid": f"PN{'0' * 32}",
        "phone_number": number,
        "sms_url": url,
        "sms_method": method,
        "capabilities": {"sms": True, "mms": True, "voice": True},
    }


def _sender(address: str, status: str, url: str, method: str) -> Mapping[str, Any]:
    return {
        "sid": f"XE{'0' * 32}",
        "sender_id": address,
        "status": status,
        "webhook": {"callback_url": url, "callback_method": method},
    }
