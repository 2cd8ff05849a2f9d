"""Looking from outside: what is understood of a mail or a captured webhook. Nothing is stored, sent or asked."""

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass, replace
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Annotated, Any, cast
from urllib.parse import urlencode

import typer

from app.cli.shared import ENV_FILE, err, show
from core.clock import FrozenClock, SystemClock
from core.contracts import Channel, Reads, Received, WebhookRequest
from core.conversations import Inbox
from core.errors import BadInputError, ServiceError, SignatureError, UnsupportedEventError
from core.ids import InboxId, TenantId
from core.ports import PluginState

app = typer.Typer()
inspect = typer.Typer(no_args_is_help=True, help="What is understood of a mail or a webhook.")
app.add_typer(inspect, name="inspect")

_KEYS = frozenset(("method", "url", "headers", "body", "body_base64", "form"))
_LONGEST = 50_000_000


@inspect.command("mail")
def mail(
    file: Annotated[Path, typer.Argument(help="A raw mail (.eml).")],
    prefix: Annotated[str, typer.Option(help="Settings under another prefix.")] = "",
) -> None:
    """Print as JSON what was understood: new text, signature, thread, sender, automatic or not, attachments."""
    from app.compose import settings_of
    from channels._shared.mail_inspect import describe_mail

    settings: Any = settings_of("email", prefix, ENV_FILE)
    show(
        describe_mail(
            _read(file),
            authserv_id=settings.authserv_id,
            address=settings.address,
            reply_secret=settings.reply_secret.get_secret_value(),
        )
    )


@inspect.command("webhook")
def webhook(
    name: Annotated[str, typer.Argument(help="A channel: sms, slack, …")],
    file: Annotated[Path, typer.Argument(help="A capture as JSON, or a raw HTTP request.")],
    prefix: Annotated[str, typer.Option(help="Settings under another prefix.")] = "",
    at: Annotated[
        str, typer.Option(help="When it came (ISO 8601): signatures grow old within minutes.")
    ] = "",
) -> None:
    """Print as JSON the events a webhook means and whether its signature holds; stores nothing.

    A capture is {"method", "url", "headers", "body" | "body_base64" | "form"}; any other JSON is taken as the body.
    """
    from app import describe
    from app.compose import scratch_channel, settings_of

    spec = describe.channels().get(name)
    if spec is None:
        err.print(
            f"[red]there is no channel {name!r}; there are {', '.join(describe.channels())}[/]"
        )
        raise typer.Exit(1)
    request = parse_capture(_read(file), name)
    settings = settings_of(name, prefix, ENV_FILE)
    clock = FrozenClock(_moment(at)) if at else SystemClock()

    channel = scratch_channel(spec, clock, _Scratch())
    addresses = [address for address, kind in spec.configured(settings) if kind == "customer"]

    async def look() -> dict[str, object]:
        located = _located(channel, request)
        known = next((a for a in located if a in addresses), None)
        inbox = Inbox(
            InboxId("inspect"),
            TenantId("demo"),
            name,
            known or next(iter(addresses), next(iter(located), "")),
            settings=settings,
        )
        try:
            return {
                "channel": name,
                "inbox": {"named": located, "is_ours": known is not None},
                **await _understood(channel, request, inbox),
            }
        finally:
            await channel.close()

    found = asyncio.run(look())
    show(found)
    if found["events"] is None:
        raise typer.Exit(1)


async def _understood(channel: Channel, request: WebhookRequest, inbox: Inbox) -> dict[str, object]:
    received: Received | None = None
    signature: dict[str, object] = {"holds": True, "why": ""}
    problem = ""
    try:
        received = await channel.receive(request, inbox)
    except SignatureError as error:
        signature = {"holds": False, "why": error.detail}
        if hasattr(channel, "read"):
            received, problem = await _read_only(cast("Reads", channel), request, inbox)
        else:
            problem = "not read: this channel reads nothing that it cannot verify"
    except UnsupportedEventError as error:
        problem = f"ignored on purpose: {error.detail}"
    except ServiceError as error:
        problem = f"{error.code}: {error.detail}"
    return {
        "signature": signature,
        "problem": problem,
        "events": None if received is None else [_event(event) for event in received.events],
        "reply": None
        if received is None
        else {
            "status": received.reply.status,
            "headers": dict(received.reply.headers),
            "body": received.reply.body.decode("utf-8", "replace"),
            "waits": received.waits,
        },
    }


async def _read_only(
    channel: Reads, request: WebhookRequest, inbox: Inbox
) -> tuple[Received | None, str]:
    try:
        return await channel.read(request, inbox), ""
    except UnsupportedEventError as error:
        return None, f"ignored on purpose: {error.detail}"
    except ServiceError as error:
        return None, f"{error.code}: {error.detail}"


def _event(event: object) -> dict[str, object]:
    fields = asdict(event) if is_dataclass(event) and not isinstance(event, type) else {}
    plain: dict[str, object] = json.loads(json.dumps(fields, default=_plain))
    return {"kind": type(event).__name__, **plain}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return {"bytes": len(value)}
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _located(channel: Channel, request: WebhookRequest) -> list[str]:
    candidates = getattr(channel, "candidates", None)
    first = channel.locate(request)
    return list(candidates(request)) if candidates else [first] if first else []


# ---------------------------------------------------------------- captures


def parse_capture(raw: bytes, channel: str) -> WebhookRequest:
    """Return the request a file holds: our JSON, a raw HTTP request, or a bare body. Raises BadInputError."""
    start = raw.lstrip()[:10]
    if start.startswith((b"{", b"[")):
        return _from_json(raw, channel)
    if start.split()[:1] in ([b"POST"], [b"GET"], [b"PUT"]):
        return _from_http(raw.lstrip(), channel)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return WebhookRequest("POST", _url(channel), headers, raw.strip())


def _from_json(raw: bytes, channel: str) -> WebhookRequest:
    try:
        found = json.loads(raw)
    except ValueError as error:
        raise BadInputError(f"this is no JSON: {error}") from error
    bare = WebhookRequest("POST", _url(channel), {"content-type": "application/json"}, raw)
    if not isinstance(found, dict) or not _KEYS & set(found):
        return bare
    headers = {str(k).lower(): str(v) for k, v in dict(found.get("headers") or {}).items()}
    body, kind = _body(found)
    headers.setdefault("content-type", kind)
    return replace(
        bare,
        method=str(found.get("method") or "POST").upper(),
        url=str(found.get("url") or bare.url),
        headers=headers,
        body=body,
    )


def _body(found: Mapping[str, Any]) -> tuple[bytes, str]:
    if "form" in found:
        form = found["form"]
        pairs = list(form.items()) if isinstance(form, dict) else [tuple(p) for p in form or ()]
        return urlencode(pairs, doseq=True).encode(), "application/x-www-form-urlencoded"
    if "body_base64" in found:
        try:
            return base64.b64decode(
                str(found["body_base64"]), validate=True
            ), "application/octet-stream"
        except binascii.Error as error:
            raise BadInputError("body_base64 is no base64") from error
    body = found.get("body")
    if isinstance(body, str | None):
        return (body or "").encode(), "text/plain"
    return json.dumps(body).encode(), "application/json"


def _from_http(raw: bytes, channel: str) -> WebhookRequest:
    """Read a request as a proxy or a debugger writes it down."""
    gap = b"\r\n\r\n" if b"\r\n\r\n" in raw else b"\n\n"
    head, _, body = raw.partition(gap)
    line, _, rest = head.partition(b"\n")
    pieces = line.decode("latin-1").split()
    if len(pieces) < 2:
        raise BadInputError("the first line is no request line")
    parsed = BytesHeaderParser().parsebytes(rest)
    headers = {name.lower(): str(value) for name, value in parsed.items()}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = _unchunked(body)
    target = pieces[1]
    if target.startswith("/"):
        scheme = headers.get("x-forwarded-proto", "https")
        target = f"{scheme}://{headers.get('host', 'localhost')}{target}"
    elif "://" not in target:
        target = _url(channel)
    return WebhookRequest(pieces[0].upper(), target, headers, body)


def _unchunked(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        try:
            length = int(size.partition(b";")[0], 16)
        except ValueError:
            return whole + body
        if length == 0:
            break
        whole, body = whole + body[:length], body[length:].removeprefix(b"\r\n")
    return whole


def _url(channel: str) -> str:
    return f"https://localhost/channels/{channel}"


def _read(file: Path) -> bytes:
    if not file.is_file():
        raise BadInputError(f"there is no file {str(file)!r}")
    if file.stat().st_size > _LONGEST:
        raise BadInputError("this file is too large to be a webhook or a mail")
    return file.read_bytes()


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError("--at is a time such as 2026-03-04T12:00:00+00:00") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class _Scratch(PluginState):
    """What a channel remembers while it is looked at, and nobody afterwards."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str, str], Mapping[str, object]] = {}

    async def get(self, plugin: str, tenant: TenantId, key: str) -> Mapping[str, object] | None:
        """See the port."""
        return self._rows.get((plugin, tenant, key))

    async def put(
        self, plugin: str, tenant: TenantId, key: str, value: Mapping[str, object]
    ) -> None:
        """See the port."""
        self._rows[plugin, tenant, key] = value
