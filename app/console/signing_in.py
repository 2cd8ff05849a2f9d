"""Signing in and out, and who is signed in.

A sign-in always makes a new session and ends the one the browser came with, so no session can be planted.
"""

import hashlib

from fastapi import APIRouter, Depends, Request, Response

from app.console import pictures
from app.console.bodies import LoginIn
from app.console.gate import COOKIE, COOKIE_PATH, Reader, Uses, console_request
from core.errors import RateLimitedError, UnauthenticatedError
from core.ids import TenantId

router = APIRouter(dependencies=[])

KEPT_SECONDS = 12 * 3600  # as long as the store keeps a session
PER_ADDRESS, ADDRESS_SECONDS = 30, 60.0
PER_PERSON, PERSON_SECONDS = 8, 300.0


@router.post("/login", dependencies=[Depends(console_request)])
async def login(
    body: LoginIn, request: Request, response: Response, services: Uses
) -> dict[str, object]:
    """Begin a session. Raises UnauthenticatedError, RateLimitedError."""
    host = request.client.host if request.client else "unknown"
    # digests, because mail addresses stay out of Redis
    who = hashlib.sha256(f"{body.tenant}\n{body.email.strip().lower()}".encode()).hexdigest()
    for key, limit, per in (
        (f"console:login:at:{host}", PER_ADDRESS, ADDRESS_SECONDS),
        (f"console:login:as:{who}", PER_PERSON, PERSON_SECONDS),
    ):
        if not await services.cache.allow(key, limit, per):
            raise RateLimitedError("too many attempts; wait a few minutes", retry_after=per)
    tenant = TenantId(body.tenant.strip())
    found = await services.access.login(tenant, body.email, body.password)
    if found is None:
        raise UnauthenticatedError("mail address or password is wrong")
    before = request.cookies.get(COOKIE)
    if before:
        await services.access.logout(before)
    csm, token = found
    await services.access.audit(tenant, csm.id, "console.signed_in")
    response.set_cookie(
        COOKIE,
        token,
        max_age=KEPT_SECONDS,
        path=COOKIE_PATH,
        httponly=True,
        samesite="lax",
        secure=services.settings.url.startswith("https://"),
    )
    response.headers["cache-control"] = "no-store"
    return {"csm": pictures.csm(csm), "tenant": tenant}


@router.post("/logout", dependencies=[Depends(console_request)])
async def logout(request: Request, response: Response, services: Uses) -> dict[str, bool]:
    """End the session, if there is one."""
    token = request.cookies.get(COOKIE)
    if token:
        await services.access.logout(token)
    response.delete_cookie(COOKIE, path=COOKIE_PATH, httponly=True, samesite="lax")
    return {"signed_out": True}


@router.get("/me")
async def me(services: Uses, who: Reader) -> dict[str, object]:
    """Return who is signed in, the team, and how the bot is set."""
    policy = await services.directory.policy(who.tenant)
    return {
        "now": services.clock.now().isoformat(),
        "csm": pictures.csm(who.csm),
        "may_write": who.may_write,
        "may_approve": who.may_approve,
        "tenant": who.tenant,
        "team": [pictures.csm(c) for c in await services.access.csms(who.tenant)],
        "policy": pictures.policy(policy),
        "channels": sorted(services.plugins.channels),
    }
