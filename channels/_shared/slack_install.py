"""Installing the app in one more workspace (OAuth v2): a sealed link, Slack's consent page, a sealed token.

The link names the tenant and is good for days; it sets a cookie and goes on to Slack with a state that is good
for minutes and for that browser alone. Source: Slack's "Installing with OAuth".
Not here: the token's later use (slack_access.py).
"""

import hmac
import html
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

from channels._shared.slack_access import Tokens
from channels._shared.slack_events import part, word
from channels._shared.slack_settings import SCOPES, SlackSettings, own
from core.contracts import Received, WebhookReply, WebhookRequest
from core.conversations import Inbox
from core.errors import DeliveryError, SignatureError
from core.ids import TenantId
from core.messages import Event, Ignored, Joined
from core.ports import Vault

LINK_PURPOSE, STATE_PURPOSE = "install:slack", "slack.oauth_state"
_MINUTES = timedelta(minutes=15)
_COOKIE = "usher_slack_install"
_AUTHORIZE = "https://slack.com/oauth/v2/authorize"
_PAGE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>usher</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark"></head>'
    '<body style="font:16px/1.5 system-ui;margin:3rem auto;max-width:34rem;padding:0 1rem"><p>{}</p></body></html>'
)
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}


def tenant_of(request: WebhookRequest, vault: Vault, now: datetime) -> TenantId | None:
    """Return whose install link or state this request carries; None without one that holds now."""
    query = _query(request)
    for key, purpose in (("install", LINK_PURPOSE), ("state", STATE_PURPOSE)):
        if request.method == "GET" and query.get(key):
            sealed = _opened(vault, query[key], purpose, now)
            return TenantId(sealed["tenant"]) if sealed.get("tenant") else None
    return None


async def receive(tokens: Tokens, request: WebhookRequest, inbox: Inbox) -> Received:
    """Send whoever opened the link to Slack, or take what Slack sent them back with.

    Raises SignatureError for a link or state that does not hold.
    """
    vault, now = tokens.context.vault, tokens.context.clock.now()
    if tenant_of(request, vault, now) != inbox.tenant:
        raise SignatureError("the install link is not ours, or too old: ask for a new one")
    settings, query = own(inbox.settings), _query(request)
    if not (settings.client_id and settings.public_url):
        raise SignatureError("installing by link is not set up on this server")
    if query.get("install"):
        return _to_slack(settings, vault, inbox.tenant, now)
    _require_same_browser(request, _opened(vault, query["state"], STATE_PURPOSE, now))
    return await _exchanged(tokens, settings, inbox, query.get("code", ""))


def _to_slack(settings: SlackSettings, vault: Vault, tenant: TenantId, now: datetime) -> Received:
    nonce = secrets.token_urlsafe(16)
    until = (now + _MINUTES).isoformat()
    sealed = vault.seal(
        json.dumps({"tenant": tenant, "until": until, "nonce": nonce}), STATE_PURPOSE
    )
    asked = {
        "client_id": settings.client_id,
        "scope": ",".join(SCOPES),
        "redirect_uri": redirect_uri(settings),
        "state": sealed,
    }
    base = settings.api_base_url
    authorize = f"{base.removesuffix('/api')}/oauth/v2/authorize" if base else _AUTHORIZE
    secure = "; Secure" if settings.public_url.startswith("https:") else ""
    headers = {
        "location": f"{authorize}?{urlencode(asked)}",
        "cache-control": "no-store",
        "set-cookie": (
            f"{_COOKIE}={nonce}; Path=/channels/slack; HttpOnly; SameSite=Lax"
            f"; Max-Age={int(_MINUTES.total_seconds())}{secure}"
        ),
    }
    return Received((Ignored("an install link"),), WebhookReply(302, headers))


async def _exchanged(tokens: Tokens, settings: SlackSettings, inbox: Inbox, code: str) -> Received:
    lines = tokens.context.lines
    failed = Received(
        (Ignored("an install that was refused"),),
        _page(400, lines.say("slack.not_installed", "en", "slack")),
    )
    if not code:
        return failed
    form = {
        "client_id": settings.client_id,
        "client_secret": settings.client_secret.get_secret_value(),
        "code": code,
        "redirect_uri": redirect_uri(settings),
    }
    try:
        answer = await tokens.api.exchange(tokens.with_token(settings, ""), form)
    except DeliveryError:
        return failed
    team, token = word(part(answer, "team"), "id"), word(answer, "access_token")
    if not (team and token.startswith("xoxb-")):
        return failed
    await tokens.keep(inbox.tenant, team, token, word(answer, "bot_user_id"))
    name = html.escape(word(part(answer, "team"), "name") or team)
    events: tuple[Event, ...] = (Joined(team),)
    return Received(events, _page(200, lines.say("slack.installed", "en", "slack", team=name)))


def redirect_uri(settings: SlackSettings) -> str:
    """Return where Slack sends people back to; the app's OAuth settings list the same."""
    return f"{settings.public_url.rstrip('/')}/channels/slack"


def _require_same_browser(request: WebhookRequest, sealed: Mapping[str, str]) -> None:
    try:
        morsel = SimpleCookie(request.headers.get("cookie", "")).get(_COOKIE)
    except CookieError:
        morsel = None
    given = morsel.value if morsel else ""
    if not hmac.compare_digest(given.encode(), sealed.get("nonce", "?").encode()):
        raise SignatureError("open the install link again, in this browser")


def _opened(vault: Vault, sealed: str, purpose: str, now: datetime) -> Mapping[str, str]:
    try:
        found = json.loads(vault.open(sealed, purpose))
    except (SignatureError, ValueError):
        return {}
    return found if now <= datetime.fromisoformat(found["until"]) else {}


def _query(request: WebhookRequest) -> dict[str, str]:
    try:
        return {key: values[-1] for key, values in parse_qs(urlsplit(request.url).query).items()}
    except ValueError:
        return {}


def _page(status: int, sentence: str) -> WebhookReply:
    return WebhookReply(status, _HEADERS, _PAGE.format(sentence).encode())
