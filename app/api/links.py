"""POST /links: a signed, expiring link that opens a web chat with a context, and its QR code."""

from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from app.api.deps import Secret, Uses
from app.api.schemas import Body, Word
from app.services import Services
from channels._shared.web_links import Link, issue_link
from core.errors import NotFoundError
from core.ids import BookingId, TenantId

router = APIRouter(tags=["links"])

YEAR = 24 * 366  # hours


class LinkIn(Body):
    """What the link is about. `hours` it lives: 1 to a year, a month if left out.

    `asset_id` is a session type, whose free times are then offered, or a thing of your own; `order_id` a booking
    of yours. `name` and `about` are said to whoever opens it: "Hi {name}, about your {about}".
    """

    asset_id: Word | None = None
    order_id: Word | None = None
    campaign: Word | None = None
    name: Word | None = Field(default=None, max_length=60)
    about: Word | None = Field(default=None, max_length=100)
    locale: str | None = Field(default=None, pattern=r"^[a-z]{2}$")
    hours: int = Field(default=24 * 30, ge=1, le=YEAR)


class LinkOut(BaseModel):
    """Where it leads, and its QR code."""

    url: str
    svg: str
    png: str
    expires_at: datetime


@router.post("/links", status_code=201)
async def make_link(body: LinkIn, request: Request, services: Uses, who: Secret) -> LinkOut:
    """Make a link. Raises NotFoundError for an order that is not yours, or without a web chat to open."""
    order = body.order_id
    if order and await services.calendar.find(who.tenant, BookingId(order)) is None:
        raise NotFoundError(f"there is no order {order!r}")
    link = Link(
        tenant=who.tenant,
        key=await _key(services, who.tenant),
        asset=body.asset_id or "",
        order=order or "",
        campaign=body.campaign or "",
        name=body.name or "",
        about=body.about or "",
        locale=body.locale or "",
    )
    expires = services.clock.now() + timedelta(hours=body.hours)
    token = issue_link(link, str(request.app.state.visitor_secret), expires)
    url = f"{services.settings.base_url.rstrip('/') or str(request.base_url).rstrip('/')}/c/{token}"
    return LinkOut(url=url, svg=f"{url}.svg", png=f"{url}.png", expires_at=expires)


async def _key(services: Services, tenant: TenantId) -> str:
    known = await services.directory.inboxes(tenant)
    for inbox in known:
        if (inbox.channel, inbox.kind) == ("web", "customer"):
            return inbox.address
    raise NotFoundError("this tenant has no web chat that a link could open")
