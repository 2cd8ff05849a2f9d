"""What Slack's webhooks say: signatures, the three kinds of body, and who an event concerns.

Pure functions. Events API (JSON), interactivity (form with `payload`) and slash commands (form) come
to one URL. Not here: whether we are addressed (channels/slack.py), text escapes (slack_text.py).
"""

import contextlib
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, urlsplit

from core.contracts import WebhookRequest
from core.errors import AnomalousPayloadError, SignatureError
from core.messages import Attachment

BY_ID = "slack-file:"  # what an attachment's url begins with when only the file's id is known
WINDOW = 300  # seconds a signed request stays fresh

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Payload:
    """A body by kind: `event` (Events API), `interaction` or `command`."""

    kind: Literal["event", "interaction", "command"]
    fields: Fields


def require_signature(secret: str, request: WebhookRequest, now: datetime) -> None:
    """Check X-Slack-Signature v0 over timestamp and raw body, and that it is fresh.

    Source: Slack's page "Verifying requests from Slack". Raises SignatureError, whatever it holds.
    """
    stamp = request.headers.get("x-slack-request-timestamp", "")
    given = request.headers.get("x-slack-signature", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise SignatureError("X-Slack-Request-Timestamp is missing or no number")
    if abs(now.timestamp() - int(stamp)) > WINDOW:
        raise SignatureError("the request is stale")
    signed = b"v0:" + stamp.encode() + b":" + request.body
    expected = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogateescape")):
        raise SignatureError("X-Slack-Signature is missing or wrong")


def parse_payload(request: WebhookRequest) -> Payload:
    """Return the body. Raises AnomalousPayloadError for what is none of Slack's three kinds."""
    try:
        text = request.body.decode("utf-8")
        if text.lstrip().startswith("{"):
            return Payload("event", _object(text))
        form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=200))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise AnomalousPayloadError("the body is neither JSON nor a form") from error
    if "payload" in form:
        try:
            return Payload("interaction", _object(form["payload"]))
        except (ValueError, RecursionError) as error:
            raise AnomalousPayloadError("the interaction's payload is not JSON") from error
    if "command" in form:
        return Payload("command", form)
    raise AnomalousPayloadError("not an event, an interaction or a command")


def _object(text: str) -> Fields:
    loaded = json.loads(text)
    if not isinstance(loaded, dict):
        raise AnomalousPayloadError("the body is JSON, but not an object")
    return loaded


def team_of(payload: Payload, url: str) -> str | None:
    """Return the workspace that installed us: the payload's, else `?team=` of the request URL.

    In a shared channel the outer team_id may be the other company's; `authorizations` is ours.
    """
    return next(iter(teams_of(payload, url)), None)


def teams_of(payload: Payload, url: str) -> list[str]:
    """Return every workspace that may have installed us, likeliest first.

    A press in a shared channel may name the presser's company as its team; our message knows its own.
    """
    fields = payload.fields
    if payload.kind == "event":
        named = [word(a, "team_id") for a in objects(fields, "authorizations")[:5]]
        named += [word(a, "enterprise_id") for a in objects(fields, "authorizations")[:1]]
        found = [*named[:1], word(fields, "team_id"), *named[1:]]
    elif payload.kind == "interaction":
        found = [
            word(part(fields, "team"), "id"),
            word(part(fields, "message"), "team"),
            word(part(fields, "user"), "team_id"),
            word(part(fields, "enterprise"), "id"),
        ]
    else:
        found = [word(fields, "team_id"), word(fields, "enterprise_id")]
    with contextlib.suppress(ValueError):
        found += parse_qs(urlsplit(url).query).get("team", [])[:1]
    return list(dict.fromkeys(team for team in found if team))


def word(fields: Fields, key: str) -> str:
    """Return a text field, or "" when it is missing or something else."""
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def part(fields: Fields, key: str) -> Fields:
    """Return an object field, or {}."""
    value = fields.get(key)
    return value if isinstance(value, dict) else {}


def first(fields: Fields, key: str) -> Fields:
    """Return the first object of a list field, or {}."""
    return next(iter(objects(fields, key)), {})


def objects(fields: Fields, key: str) -> list[Fields]:
    """Return the objects of a list field."""
    value = fields.get(key)
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def files_of(event: Fields) -> tuple[Attachment, ...]:
    """Return the files of a message; reading them takes the bot token.

    In a shared channel only a file's id comes along: its `url` is `slack-file:F…`, to be asked for.
    """
    found = []
    for file in objects(event, "files")[:20]:
        size, file_id = file.get("size"), word(file, "id")
        url = word(file, "url_private_download") or word(file, "url_private")
        if not url and file_id and word(file, "file_access") == "check_file_info":
            url = f"{BY_ID}{file_id}"
        outside = word(file, "mode") in ("external", "tombstone", "hidden_by_limit")
        found.append(
            Attachment(
                name=(word(file, "name") or word(file, "title"))[:200] or "file",
                content_type=word(file, "mimetype") or "application/octet-stream",
                size=size if isinstance(size, int) else 0,
                url=None if outside else url or None,
                refused="unreachable" if outside or not url else "",
            )
        )
    return tuple(found)
