"""Links into the web chat: signed, expiring, and good for nothing else.

Owns two kinds of JWT (RFC 7519, HS256) beside those of web_token.py, each with a key of its own derived from
the server's secret: a *deep link* opens a new conversation with a context (asset, order, campaign); a *resume
link* leads back into one whose answer went unread. Neither proves who holds it: links are forwarded, printed
and photographed.
Not here: the pages they lead to (app/api/web_pages.py), who may make them (app/api/links.py).
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from channels._shared.web_token import ALGORITHM, Visitor, moment, verified
from core.ids import TenantId

LINK, RESUME = "usher-link", "usher-resume"
RESUME_LIFE = timedelta(days=7)
_SHORT = {
    "asset": "a",
    "order": "o",
    "campaign": "c",
    "name": "n",
    "about": "b",
    "locale": "l",
}  # a link becomes a QR code: every character is paid for in dots


@dataclass(frozen=True, slots=True)
class Link:
    """What a deep link says. `about` is what the talk is about, in the customer's words ("your printer")."""

    tenant: TenantId
    key: str
    asset: str = ""
    order: str = ""
    campaign: str = ""
    name: str = ""
    about: str = ""
    locale: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Leads back into a conversation. `seq`: the first unread message; `proven`: the address it went to was."""

    tenant: TenantId
    key: str
    visitor: str
    conversation: str
    seq: int
    proven: bool

    def visitor_of(self) -> Visitor:
        """Return who the holder of the link is to us: without proof, shown nothing older than what is unread."""
        floor = None if self.proven else (self.conversation, self.seq)
        return Visitor(self.visitor, self.tenant, self.key, floor=floor)


def _key(secret: str, purpose: str) -> bytes:
    return hmac.new(secret.encode(), f"{purpose} 1".encode(), hashlib.sha256).digest()


def issue_link(link: Link, secret: str, expires: datetime) -> str:
    """Return the signed token of a deep link."""
    claims: dict[str, object] = {"t": link.tenant, "k": link.key, "exp": int(expires.timestamp())}
    claims |= {short: getattr(link, name) for name, short in _SHORT.items() if getattr(link, name)}
    return jwt.encode(claims | {"aud": LINK}, _key(secret, LINK), algorithm=ALGORITHM)


def read_link(token: str, secret: str, now: datetime) -> Link | None:
    """Return what a deep link says, None when it is not ours, altered or expired."""
    claims = verified(token, _key(secret, LINK), audience=LINK)
    if claims is None or moment(claims, "exp", now) <= now:
        return None
    said = {name: str(claims.get(short, "")) for name, short in _SHORT.items()}
    return Link(TenantId(str(claims.get("t"))), str(claims.get("k")), **said)


def issue_resume(resume: Resume, secret: str, now: datetime) -> str:
    """Return the signed token of a resume link, good for 7 days."""
    claims: dict[str, object] = {
        "aud": RESUME,
        "t": resume.tenant,
        "k": resume.key,
        "v": resume.visitor,
        "c": resume.conversation,
        "s": resume.seq,
        "p": int(resume.proven),
        "exp": int((now + RESUME_LIFE).timestamp()),
    }
    return jwt.encode(claims, _key(secret, RESUME), algorithm=ALGORITHM)


def read_resume(token: str, secret: str, now: datetime) -> Resume | None:
    """Return where a resume link leads, None when it is not ours, altered or expired."""
    claims = verified(token, _key(secret, RESUME), audience=RESUME)
    if claims is None or moment(claims, "exp", now) <= now:
        return None
    seq = claims.get("s")
    if not isinstance(seq, int):
        return None
    return Resume(
        tenant=TenantId(str(claims.get("t"))),
        key=str(claims.get("k")),
        visitor=str(claims.get("v")),
        conversation=str(claims.get("c")),
        seq=seq,
        proven=claims.get("p") == 1,
    )
