"""POST /explain and POST /check: what would happen, with nothing sent and nothing written."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from app import explaining
from app.api.deps import Secret, Uses
from app.api.schemas import Body, MessageText, Word
from core.understanding import Said

router = APIRouter(tags=["inside"])

Locale = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?$")]


class SaidIn(Body):
    """One earlier utterance."""

    role: Literal["customer", "bot", "human"]
    text: MessageText


class ExplainIn(Body):
    """A message to think about."""

    text: MessageText
    talk: list[SaidIn] = Field(default=[], max_length=200)
    channel: Word = "web"
    locale: Locale | None = None
    now: datetime | None = None
    tz: Word | None = None
    k: int = Field(default=8, ge=1, le=50)
    edition: Word | None = None
    customer_id: Word | None = None


@router.post("/explain")
async def explain(body: ExplainIn, services: Uses, who: Secret) -> dict[str, object]:
    """Think a turn whole and show every step; sends nothing."""
    talk = tuple(Said(s.role, s.text) for s in body.talk)
    asked = explaining.Asked(
        body.text,
        talk,
        body.channel,
        body.locale,
        body.now,
        body.tz,
        body.k,
        body.edition,
        body.customer_id,
    )
    return await explaining.explain(services, who.tenant, asked)


class CheckIn(Body):
    """A text to check. All after `direction` says what a reply would have behind it."""

    text: MessageText
    direction: Literal["in", "out"]
    sources: list[MessageText] | None = Field(default=None, max_length=50)
    asked: MessageText = ""
    locale: Locale | None = None
    edition: Word | None = None
    claims: list[Word] = Field(default=[], max_length=20)


@router.post("/check")
async def check(body: CheckIn, services: Uses, who: Secret) -> dict[str, object]:
    """Run all checks over a text; with `sources`, also score whether they support it."""
    judged = explaining.Judged(
        body.text,
        body.direction,
        body.sources,
        body.asked,
        body.locale,
        body.edition,
        frozenset(body.claims),
    )
    return await explaining.check(services, who.tenant, judged)
