"""Who calls, as dependencies: services, the tenant behind an API key, the idempotency key."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header
from starlette.requests import HTTPConnection

from app.services import Services
from core.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from core.ids import TenantId

DEV_KEY = "dev"
DEMO = TenantId("demo")


def services_of(connection: HTTPConnection) -> Services:
    """Return the running app's services."""
    found: Services = connection.app.state.services
    return found


Uses = Annotated[Services, Depends(services_of)]


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant's own system, by its API key."""

    tenant: TenantId
    scope: str


async def caller(
    services: Uses,
    authorization: Annotated[str | None, Header()] = None,
    x_tenant: Annotated[str | None, Header(max_length=120)] = None,
) -> Caller:
    """Return who holds the key. The key `dev` acts for any tenant, in development only.

    Raises UnauthenticatedError, NotFoundError for a tenant that does not exist.
    """
    scheme, _, token = (authorization or "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError("send `Authorization: Bearer <API key>`")
    if services.settings.development and token == DEV_KEY:
        tenant = TenantId(x_tenant) if x_tenant else DEMO
        if x_tenant and tenant not in {t.id for t in await services.directory.tenants()}:
            raise NotFoundError(f"there is no tenant {tenant!r}")
        return Caller(tenant, "secret")
    known = await services.access.verify(token)
    if known is None:
        raise UnauthenticatedError("this API key is not known")
    if x_tenant and x_tenant != known[0]:
        raise ForbiddenError("this API key belongs to another tenant")
    return Caller(*known)


async def secret_caller(who: Annotated[Caller, Depends(caller)]) -> Caller:
    """Return the holder of a secret key. Raises ForbiddenError for a publishable one."""
    if who.scope != "secret":
        raise ForbiddenError("this needs a secret key")
    return who


Secret = Annotated[Caller, Depends(secret_caller)]
IdempotencyKey = Annotated[str | None, Header(max_length=200, pattern=r"^[\x21-\x7e]+$")]
