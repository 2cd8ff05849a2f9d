"""Who sits at the console: the session cookie, roles, and the refusal of requests other sites make.

A write needs the header `X-Usher-Console: 1`, which a foreign page cannot send without a preflight that
nobody answers, and an Origin that is ours when the browser names one; the cookie is SameSite=Lax besides.
"""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Path, Request, Response
from starlette.requests import HTTPConnection

from app.approving import APPROVERS
from app.services import Services
from core.conversations import Csm
from core.errors import ForbiddenError, UnauthenticatedError
from core.ids import TenantId

COOKIE = "usher_console"
COOKIE_PATH = "/console"
HEADER = "x-usher-console"

# ids of ours, and nothing a database could choke on
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,80}$")]


@dataclass(frozen=True, slots=True)
class Seat:
    """A person signed in."""

    tenant: TenantId
    csm: Csm

    @property
    def may_write(self) -> bool:
        """Whether their role may change anything."""
        return self.csm.role != "viewer"

    @property
    def may_approve(self) -> bool:
        """Whether their role may publish statements about money and policy."""
        return self.csm.role in APPROVERS


def services_of(connection: HTTPConnection) -> Services:
    """Return the running app's services."""
    found: Services = connection.app.state.services
    return found


Uses = Annotated[Services, Depends(services_of)]


async def seat_of(connection: HTTPConnection, services: Services) -> Seat | None:
    """Return who the session cookie stands for; None without a live session."""
    token = connection.cookies.get(COOKIE)
    found = await services.access.session(token) if token else None
    return Seat(*found) if found else None


def from_our_pages(connection: HTTPConnection, services: Services) -> bool:
    """Return whether the Origin, when the browser names one, is this server's."""
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    ours = {connection.headers.get("host", ""), urlsplit(services.settings.url).netloc}
    return urlsplit(origin).netloc in ours - {""}


async def reader(connection: HTTPConnection, services: Uses, response: Response) -> Seat:
    """Return who asks. Raises UnauthenticatedError."""
    response.headers["cache-control"] = "no-store"
    found = await seat_of(connection, services)
    if found is None:
        raise UnauthenticatedError("sign in to the console first")
    return found


async def console_request(request: Request, services: Uses) -> None:
    """Refuse what another site's page sends. Raises ForbiddenError."""
    if request.headers.get(HEADER) != "1":
        raise ForbiddenError(f"a write needs the header {HEADER}: 1")
    if not from_our_pages(request, services):
        raise ForbiddenError("this request comes from another site")


async def writer(
    _ours: Annotated[None, Depends(console_request)], who: Annotated[Seat, Depends(reader)]
) -> Seat:
    """Return who wants to change something. Raises UnauthenticatedError, ForbiddenError for a viewer."""
    if not who.may_write:
        raise ForbiddenError("your role is viewer: you can look, not change")
    return who


Reader = Annotated[Seat, Depends(reader)]
Writer = Annotated[Seat, Depends(writer)]
