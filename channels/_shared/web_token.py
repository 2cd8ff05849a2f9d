"""Who a web visitor is: our own visitor tokens, a tenant's signed identities, and allowed origins.

Owns two kinds of JWT (RFC 7519, HS256) that can never stand in for each other: a *visitor token* is
signed by us with a key derived from the server's secret; an *identity* is signed by the tenant's
own server with that tenant's widget secret. Both are checked against our Clock, never the system's.
Not here: sockets (app/api/socket.py), frames, links (web_links.py), which contact a visitor is (intake).
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import jwt

from core.errors import ForbiddenError, UnauthenticatedError
from core.ids import TenantId
from core.messages import Assurance, IdentityClaim

ALGORITHM = "HS256"
AUDIENCE = "usher-visitor"
OUR_NAME = "usher"  # what an identity may name in `aud`
VISITOR_LIFE = timedelta(days=180)
SESSION_LIFE = timedelta(hours=12)  # how long one proof of identity carries reconnects
IDENTITY_LIFE = timedelta(hours=24)  # an identity that claims to live longer is not short-lived
LEEWAY = timedelta(seconds=60)
MAX_TOKEN = 4096

_MAIL = re.compile(r"[^\s@<>\x00]{1,64}@[^\s@<>\x00]{1,190}\.[^\s@<>\x00.]{2,63}")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser we handed a token to. `external` is who proved to sit at it, `proven_at` when.

    `floor` (conversation, seq): came by a link sent to an address nobody proved, and is shown only that
    conversation, from that message on.
    """

    id: str
    tenant: TenantId
    key: str
    external: str | None = None
    proven_at: datetime | None = None
    floor: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class SignedIdentity:
    """What the tenant's server vouches for; not `fresh` when the signature holds but it expired."""

    external: str
    fresh: bool
    email: str | None = None
    phone: str | None = None
    name: str | None = None

    def claims(self) -> tuple[IdentityClaim, ...]:
        """Return the addresses the tenant vouches for, all proven."""
        pairs = (("external", self.external), ("email", self.email), ("phone", self.phone))
        return tuple(
            IdentityClaim(kind=kind, value=value, assurance=Assurance.PROVEN)
            for kind, value in pairs
            if value
        )


def visitor_key(secret: str) -> bytes:
    """Derive the key of visitor tokens from the server's secret, so that it signs nothing else."""
    return hmac.new(secret.encode(), b"usher visitor token 1", hashlib.sha256).digest()


def new_visitor(tenant: TenantId, key: str) -> Visitor:
    """Return a visitor nobody has seen before; `key` is the inbox address it came through."""
    return Visitor(id=f"vis_{secrets.token_hex(16)}", tenant=tenant, key=key)


def issue_visitor(visitor: Visitor, secret: str, now: datetime) -> str:
    """Return the signed token of a visitor, good for 180 days."""
    claims: dict[str, object] = {
        "aud": AUDIENCE,
        "sub": visitor.id,
        "tid": visitor.tenant,
        "key": visitor.key,
        "iat": int(now.timestamp()),
        "exp": int((now + VISITOR_LIFE).timestamp()),
    }
    if visitor.external is not None and visitor.proven_at is not None:
        claims["ext"] = visitor.external
        claims["ext_at"] = int(visitor.proven_at.timestamp())
    if visitor.floor is not None:
        claims["floor"] = list(visitor.floor)
    return jwt.encode(claims, visitor_key(secret), algorithm=ALGORITHM)


def read_visitor(token: str, secret: str, now: datetime) -> Visitor | None:
    """Return the visitor of a token we signed, or None when it is not ours, altered or expired."""
    claims = verified(token, visitor_key(secret), audience=AUDIENCE)
    if claims is None or moment(claims, "exp", now) <= now:
        return None
    values = [claims.get(name) for name in ("sub", "tid", "key")]
    if not all(isinstance(value, str) and value for value in values):
        return None
    external = claims.get("ext")
    return Visitor(
        id=str(values[0]),
        tenant=TenantId(str(values[1])),
        key=str(values[2]),
        external=external if isinstance(external, str) else None,
        proven_at=moment(claims, "ext_at", now) if external else None,
        floor=_floor(claims.get("floor")),
    )


def _floor(value: object) -> tuple[str, int] | None:
    """Read a floor; one that cannot be read is one nothing stands above."""
    match value:
        case None:
            return None
        case [str() as conversation, int() as seq]:
            return conversation, seq
        case _:
            return "", 0


def read_identity(token: str, secret: str, now: datetime, key: str = "") -> SignedIdentity:
    """Return what the tenant's server signed for the widget with this `key`.

    Claims: `external_id` or `sub` (required), `exp` (required, at most 24 h ahead), `aud` (when there is
    one it names us: `usher` or the widget's key), `email`, `phone` (E.164), `name`. Malformed mail and
    phone are left out rather than believed.
    Raises UnauthenticatedError when the signature, a required claim or the life span is wrong.
    """
    claims = verified(token, secret.encode())
    if claims is None:
        raise UnauthenticatedError("the identity is not signed with this tenant's widget secret")
    _require_audience(claims.get("aud"), key)
    external = claims.get("external_id", claims.get("sub"))
    if not isinstance(external, str) or not 0 < len(external) <= 200 or "\0" in external:
        raise UnauthenticatedError("the identity names nobody: external_id or sub is missing")
    if not isinstance(claims.get("exp"), int | float):
        raise UnauthenticatedError("the identity never expires: exp is missing")
    expires = moment(claims, "exp", now)
    if expires > now + IDENTITY_LIFE + LEEWAY or moment(claims, "nbf", now) > now + LEEWAY:
        raise UnauthenticatedError("the identity is not valid now, or for more than 24 hours")
    return SignedIdentity(
        external=external,
        fresh=expires + LEEWAY > now,
        email=address_of("email", claims.get("email")),
        phone=address_of("sms", claims.get("phone")),
        name=_name(claims.get("name")),
    )


def _require_audience(audience: object, key: str) -> None:
    """Refuse a token made for somebody else's door: one secret may sign for several."""
    named = audience if isinstance(audience, list) else [audience]
    if audience is not None and not {OUR_NAME, key} & {
        a for a in named if isinstance(a, str) and a
    }:
        raise UnauthenticatedError("the identity is meant for another service: aud is not usher")


def settle(
    visitor: Visitor | None,
    identity: SignedIdentity | None,
    tenant: TenantId,
    key: str,
    now: datetime,
) -> Visitor:
    """Decide who sits there, given the token this browser kept and the identity the page brought.

    A browser that once proved to be somebody is nobody without that proof: shared computers exist.
    An expired identity carries on only a proof we saw ourselves within the last 12 hours.
    Raises UnauthenticatedError when an expired identity is all there is.
    """
    known = visitor if visitor and (visitor.tenant, visitor.key) == (tenant, key) else None
    if identity is None:
        return known if known and known.external is None else new_visitor(tenant, key)
    same = known is not None and known.external == identity.external
    if not identity.fresh:
        if known and same and known.proven_at and now - known.proven_at < SESSION_LIFE:
            return known
        raise UnauthenticatedError("the identity has expired")
    # who came by somebody's link and then signs in takes nothing of that conversation along
    mine = known is not None and (same or known.external is None) and known.floor is None
    kept = known if known and mine else new_visitor(tenant, key)
    return Visitor(kept.id, tenant, key, external=identity.external, proven_at=now)


def require_origin(
    origin: str | None, host: str, allowed: tuple[str, ...], *, development: bool
) -> None:
    """Raise ForbiddenError unless a page of this origin may use the widget.

    `allowed` holds `https://example.com` or `https://*.example.com` (any depth below, not itself).
    With an empty list only the server's own pages may, and in development anything on this machine.
    """
    own = _origin(origin)
    if own is None:
        if development and origin is None and not allowed:
            return
        raise ForbiddenError("this page's origin is not known")
    scheme, name, port = own
    if allowed:
        if any(_matches(own, entry) for entry in allowed):
            return
    elif (_origin(f"{scheme}://{host}") or ())[1:] == (name, port) or (
        development and name in ("localhost", "127.0.0.1", "::1")
    ):
        return
    raise ForbiddenError("this page's origin is not on the tenant's list")


def verified(token: str, key: bytes, audience: str | None = None) -> dict[str, object] | None:
    """Return the claims of a token this key signed (HS256 and nothing else), dates unchecked; else None."""
    if len(token) > MAX_TOKEN:
        return None
    try:
        claims: dict[str, object] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            audience=audience,
            options={  # dates are checked by us, against our Clock
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "verify_aud": audience is not None,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return None
    return claims


def moment(claims: dict[str, object], name: str, now: datetime) -> datetime:
    """Return a date among claims; `now` when there is none, the end of time when it is beyond reason."""
    value = claims.get(name)
    try:
        return datetime.fromtimestamp(float(value), UTC) if isinstance(value, int | float) else now
    except (ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)


def address_of(channel: str, value: object) -> str | None:
    """Return a mail address (`email`) in lower case or a number (`sms`) as E.164, None for anything else."""
    if not isinstance(value, str) or len(value) > 320:
        return None
    if channel == "email":
        text = value.strip().lower()
        return text if _MAIL.fullmatch(text) else None
    text = re.sub(r"[\s().-]", "", value)
    return text if _PHONE.fullmatch(text) else None


def _name(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:100] or None


def _origin(value: str | None) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(value or "")
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return parts.scheme, parts.hostname.lower(), port


def _matches(own: tuple[str, str, int], entry: str) -> bool:
    listed = _origin(entry.replace("//*.", "//wildcard."))
    if listed is None or (own[0], own[2]) != (listed[0], listed[2]):
        return False
    if "//*." in entry:
        return own[1].endswith(listed[1].removeprefix("wildcard"))
    return own[1] == listed[1]
