"""Twilio's messaging API as its SDK sees it, in memory: create, list, fetch, webhooks out, for texts and WhatsApp.

Owns the REST shapes of api version 2010-04-01, error bodies, opt-out blocks, WhatsApp's window and webhook signatures.
Sources: Twilio's pages "Message resource", "Messaging webhooks", "Security" and its error list.
Not here: when a phone answers (the simulator page and tests say so), numbers, services, senders, content and files
(twilio_account_api.py).
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.simulator.switches import Failure, SignedRequest, Switches
from app.simulator.twilio_account_api import AccountApi, Holdings
from core.clock import Clock

_MESSAGES = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    21211: "Invalid 'To' Phone Number",
    21602: "Message body is required.",
    21603: "A 'From' phone number is required.",
    21610: "Attempt to send to unsubscribed recipient",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21655: "The ContentSid is Invalid",
    21656: "The ContentVariables Parameter is invalid",
    63007: "Twilio could not find a Channel with the specified From address",
}
MAX_BODY = 1600  # UTF-16 code units
MAX_PAGE = 1000
OUTSIDE_WINDOW = 63016
WINDOW = timedelta(hours=24)


@dataclass(slots=True)
class TextMessage:
    """One message the stand-in took, in either direction."""

    sid: str
    to: str
    from_: str
    body: str
    created_at: datetime
    status: str = "queued"
    direction: str = "outbound-api"
    messaging_service_sid: str | None = None
    status_callback: str | None = None
    media: tuple[str, ...] = ()
    error_code: int | None = None
    sent_at: datetime | None = None
    content_sid: str | None = None
    buttons: tuple[tuple[str, str], ...] = ()  # (title, id)


@dataclass(slots=True)
class TwilioStandIn:
    """One account. `webhook_url` is what the account's numbers are configured with, as we sign it.

    `pool` maps a Messaging Service to the number it sends from. `accounts` are subaccounts with their auth tokens,
    `keys` API keys with their secrets. `signs_as` is the account whose token signs webhooks, "" for the main one.
    """

    clock: Clock
    account_sid: str = "AC" + "0" * 32
    auth_token: str = "stand-in-token"  # noqa: S105 - the stand-in's own
    webhook_url: str = "http://127.0.0.1/channels/sms"
    pool: Mapping[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    signs_as: str = ""
    holdings: Holdings = field(default_factory=Holdings)
    messages: list[TextMessage] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)  # WhatsApp addresses whose window is over early
    switches: Switches = field(default_factory=Switches)

    @property
    def whatsapp_url(self) -> str:
        """What the account's WhatsApp senders are configured with."""
        return f"{self.webhook_url.removesuffix('/channels/sms')}/channels/whatsapp"

    def settings(self, api_base_url: str, from_number: str) -> dict[str, str]:
        """Return the settings that lead here, of SMS and WhatsApp alike, by field name."""
        return {
            "account_sid": self.account_sid,
            "auth_token": self.auth_token,
            "from_number": from_number,
            "public_url": self.webhook_url.removesuffix("/channels/sms"),
            "api_base_url": api_base_url,
        }

    # ------------------------------------------------------------ REST

    def app(self) -> Starlette:
        """Return the API to mount at what the SDK calls its base URL."""
        base = "/2010-04-01/Accounts/{account}"
        return Starlette(
            routes=[
                Route(f"{base}/Messages.json", self._create, methods=["POST"]),
                Route(f"{base}/Messages.json", self._list, methods=["GET"]),
                Route(f"{base}/Messages/{{sid}}.json", self._fetch, methods=["GET"]),
                Route(f"{base}.json", self._account, methods=["GET"]),
                *AccountApi(self.holdings, self._is_authentic).routes(),
            ]
        )

    async def _create(self, request: Request) -> Response:
        failure = self.switches.take()
        if failure and not failure.accepted:
            return await self._fail(failure)
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        refused = self._refusal(request, form)
        if refused:
            return _error(*refused)
        message = self._message(form)
        self.messages.append(message)
        if failure:
            return await self._fail(failure)
        return JSONResponse(self._resource(message), status_code=201)

    def _message(self, form: Mapping[str, str]) -> TextMessage:
        service, content = form.get("MessagingServiceSid"), form.get("ContentSid")
        body, buttons = form.get("Body", ""), tuple[tuple[str, str], ...]()
        if content:
            body, buttons = self.holdings.shown(content, form.get("ContentVariables", "{}"))
        is_free = not (content and self.holdings.approvals.get(content) == "approved")
        late = form["To"].startswith("whatsapp:") and is_free and not self.is_open(form["To"])
        return TextMessage(
            sid=f"{'MM' if 'MediaUrl' in form else 'SM'}{secrets.token_hex(16)}",
            to=form["To"],
            from_=form.get("From") or self.pool.get(service or "", ""),
            body=body,
            created_at=self.clock.now(),
            messaging_service_sid=service,
            status_callback=form.get("StatusCallback"),
            status="accepted" if service else "queued",
            media=(form["MediaUrl"],) if "MediaUrl" in form else (),
            # told by the status callback, for Twilio takes it first
            error_code=OUTSIDE_WINDOW if late else None,
            content_sid=content,
            buttons=buttons,
        )

    def is_open(self, address: str) -> bool:
        """Tell whether somebody wrote by WhatsApp within the last 24 hours."""
        until = self.open_until(address)
        return until is not None and self.clock.now() < until

    def open_until(self, address: str) -> datetime | None:
        """Return when free text is no longer taken; None when they never wrote, or it was closed early."""
        heard = (
            m.created_at for m in self.messages if m.from_ == address and m.direction == "inbound"
        )
        last = max(heard, default=None)
        return last + WINDOW if last and address not in self.closed else None

    def _refusal(self, request: Request, form: Mapping[str, str]) -> tuple[int, int] | None:
        to, body, content = form.get("To", ""), form.get("Body", ""), form.get("ContentSid")
        number = to.removeprefix("whatsapp:")
        sender = form.get("From", "")
        is_whatsapp = to.startswith("whatsapp:")
        checks = (
            (not self._is_authentic(request), (401, 20003)),
            (
                not (number.startswith("+") and number[1:].isdigit() and 7 < len(number) < 17),
                (400, 21211),
            ),
            (not (body or content) and "MediaUrl" not in form, (400, 21602)),
            (not (sender or form.get("MessagingServiceSid")), (400, 21603)),
            (bool(sender) and sender.startswith("whatsapp:") != is_whatsapp, (400, 63007)),
            (len(body.encode("utf-16-le")) // 2 > MAX_BODY, (400, 21617)),
            (bool(content) and content not in self.holdings.contents, (400, 21655)),
            (not self.holdings.fits(content, form.get("ContentVariables")), (400, 21656)),
            (to in self.blocked, (400, 21610)),
        )
        return next((refusal for wrong, refusal in checks if wrong), None)

    async def _list(self, request: Request) -> Response:
        failure = self.switches.take()
        if failure:
            return await self._fail(failure)
        if not self._is_authentic(request):
            return _error(401, 20003)
        query = request.query_params
        found = [m for m in reversed(self.messages) if _matches(m, query)]
        size = min(int(query.get("PageSize", "50")), MAX_PAGE)
        page = int(query.get("Page", "0"))
        path = f"/2010-04-01/Accounts/{self.account_sid}/Messages.json"

        def uri(number: int) -> str:
            kept = [(k, v) for k, v in query.multi_items() if k not in ("Page", "PageSize")]
            return f"{path}?{urlencode([*kept, ('PageSize', size), ('Page', number)])}"

        shown = found[page * size : (page + 1) * size]
        return JSONResponse(
            {
                "messages": [self._resource(m) for m in shown],
                "page": page,
                "page_size": size,
                "start": page * size,
                "end": page * size + max(len(shown) - 1, 0),
                "uri": uri(page),
                "first_page_uri": uri(0),
                "next_page_uri": uri(page + 1) if len(found) > (page + 1) * size else None,
                "previous_page_uri": uri(page - 1) if page else None,
            }
        )

    async def _fetch(self, request: Request) -> Response:
        if not self._is_authentic(request):
            return _error(401, 20003)
        found = next((m for m in self.messages if m.sid == request.path_params["sid"]), None)
        return JSONResponse(self._resource(found)) if found else _error(404, 20404)

    async def _account(self, request: Request) -> Response:
        if not self._is_authentic(request):
            return _error(401, 20003)
        sid = request.path_params["account"]
        return JSONResponse({"sid": sid, "status": self.holdings.status, "type": "Full"})

    def _is_authentic(self, request: Request) -> bool:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme != "Basic":
            return False
        user, _, secret = base64.b64decode(given).decode().partition(":")
        account = request.path_params.get("account", self.account_sid)
        known = {self.account_sid: self.auth_token, **self.accounts}
        if user in self.keys:
            return self.keys[user] == secret and account in known
        return user in (account, self.account_sid) and known.get(user) == secret

    async def _fail(self, failure: Failure) -> Response:
        if failure.status == 0:
            await self.switches.hang()
            return PlainTextResponse("", status_code=504)
        if failure.status == 429:
            return _error(429, 20429, retry_after=failure.retry_after)
        if failure.code:
            return _error(failure.status, int(failure.code))
        return PlainTextResponse("upstream trouble", status_code=failure.status)

    def _resource(self, message: TextMessage) -> dict[str, object]:
        path = f"/2010-04-01/Accounts/{self.account_sid}/Messages/{message.sid}"
        return {
            "account_sid": self.account_sid,
            "api_version": "2010-04-01",
            "body": message.body,
            "date_created": _rfc2822(message.created_at),
            "date_sent": _rfc2822(message.sent_at) if message.sent_at else None,
            "date_updated": _rfc2822(message.sent_at or message.created_at),
            "direction": message.direction,
            "error_code": message.error_code,
            "error_message": None,
            "from": message.from_ or None,
            "messaging_service_sid": message.messaging_service_sid,
            "num_media": str(len(message.media)),
            "num_segments": "0" if message.messaging_service_sid else "1",
            "price": None,
            "price_unit": "USD",
            "sid": message.sid,
            "status": message.status,
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": message.to,
            "uri": f"{path}.json",
        }

    # ------------------------------------------------------------ webhooks

    def incoming(
        self,
        from_: str,
        to: str,
        body: str,
        *,
        service: str | None = None,
        media: Sequence[tuple[str, str]] = (),
        opt_out_type: str | None = None,
        more: Mapping[str, str] | None = None,
    ) -> SignedRequest:
        """Return the webhook of a message somebody sent; `media` are (URL, content type), `more` further fields.

        It is WhatsApp's where the addresses say so.
        """
        self.closed.discard(from_)
        sid = f"SM{secrets.token_hex(16)}"
        self.messages.append(
            TextMessage(
                sid=sid,
                to=to,
                from_=from_,
                body=body,
                created_at=self.clock.now(),
                status="received",
                direction="inbound",
                messaging_service_sid=service,
                media=tuple(url for url, _ in media),
            )
        )
        form = {
            "ToCountry": "US",
            "ToState": "",
            "SmsMessageSid": sid,
            "NumMedia": str(len(media)),
            "ToCity": "",
            "SmsSid": sid,
            "SmsStatus": "received",
            "Body": body,
            "FromCountry": "US",
            "To": to,
            "NumSegments": "1",
            "MessageSid": sid,
            "AccountSid": self.signs_as or self.account_sid,
            "From": from_,
            "ApiVersion": "2010-04-01",
        }
        if service:
            form["MessagingServiceSid"] = service
        if opt_out_type:
            form["OptOutType"] = opt_out_type
        for index, (url, content_type) in enumerate(media):
            form |= {f"MediaUrl{index}": url, f"MediaContentType{index}": content_type}
        form |= more or {}
        to_whatsapp = from_.startswith("whatsapp:")
        return self.sign(self.whatsapp_url if to_whatsapp else self.webhook_url, list(form.items()))

    def status(self, sid: str, status: str, error_code: int | None = None) -> SignedRequest | None:
        """Move a message on and return its status callback; None when it asked for none."""
        message = next(m for m in self.messages if m.sid == sid)
        message.status, message.error_code = status, error_code
        if status in ("sent", "delivered", "read"):
            message.sent_at = message.sent_at or self.clock.now()
        if not message.status_callback:
            return None
        form = {
            "SmsSid": sid,
            "SmsStatus": status,
            "MessageStatus": status,
            "To": message.to,
            "MessageSid": sid,
            "AccountSid": self.signs_as or self.account_sid,
            "From": message.from_,
            "ApiVersion": "2010-04-01",
        }
        if message.messaging_service_sid:
            form["MessagingServiceSid"] = message.messaging_service_sid
        if error_code:
            form["ErrorCode"] = str(error_code)
        return self.sign(message.status_callback, list(form.items()))

    def sign(self, url: str, form: Sequence[tuple[str, str]]) -> SignedRequest:
        """Return the form as a request Twilio signed: HMAC-SHA1 over URL, keys and values."""
        values: dict[str, set[str]] = {}
        for key, value in form:
            values.setdefault(key, set()).add(value)
        signed = url + "".join(k + v for k in sorted(values) for v in sorted(values[k]))
        token = self.accounts.get(self.signs_as, self.auth_token)
        mac = hmac.new(token.encode(), signed.encode(), hashlib.sha1)
        return SignedRequest(
            "POST",
            url,
            {
                "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
                "user-agent": "TwilioProxy/1.1",
                "x-twilio-signature": base64.b64encode(mac.digest()).decode(),
            },
            urlencode(list(form)).encode(),
        )


def _matches(message: TextMessage, query: Mapping[str, str]) -> bool:
    sent = (message.sent_at or message.created_at).astimezone(UTC).strftime("%Y-%m-%d")
    return (
        query.get("To", message.to) == message.to
        and query.get("From", message.from_) == message.from_
        and query.get("DateSent", sent)[:10] == sent
        and query.get("DateSent>", sent)[:10] <= sent
        and query.get("DateSent<", sent)[:10] >= sent
    )


def _rfc2822(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC).replace(microsecond=0))


def _error(status: int, code: int, retry_after: int | None = None) -> JSONResponse:
    body = {
        "code": code,
        "message": _MESSAGES.get(code, "Refused"),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
    }
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return JSONResponse(body, status_code=status, headers=headers)
