"""GET and PATCH /manage/policy: what a team sets for its tenant. Holds from the next message."""

from dataclasses import asdict, replace
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from app.api.deps import Secret, Uses
from app.api.schemas import Body, MessageText, Word
from core.conversations import Mode
from core.errors import BadInputError
from core.pii import shapes
from core.ports import TenantPolicy
from core.zones import is_zone

router = APIRouter(prefix="/manage/policy", tags=["manage"])

Host = Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]
Style = Annotated[MessageText, Field(max_length=500)]
Limit = Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]
Banded = Literal["csat", "booking_conversion", "auto_resolution", "sentiment_escalations"]
Share = Annotated[float, Field(ge=-1, le=1)]


class PolicyIn(Body):
    """The fields to change; what is left out stays."""

    mode: Mode | None = None
    by_channel: dict[Word, Mode] | None = None
    by_intent: dict[Word, Mode] | None = None
    by_tier: dict[Word, Mode] | None = None
    paused: bool | None = None
    paused_channels: list[Word] | None = None
    brand: Word | None = None
    bot_name: Word | None = None
    join_hours: int | None = Field(default=None, ge=0, le=24 * 30)
    reopen_hours: int | None = Field(default=None, ge=0, le=24 * 90)
    locale: Annotated[str, Field(pattern=r"^[a-z]{2}$")] | None = None
    time_zone: Word | None = Field(default=None, description="An IANA name: Europe/Madrid.")
    editions: list[Word] | None = Field(
        default=None, min_length=1, max_length=30, description="From the lowest to the highest."
    )
    widget_origins: list[Word] | None = Field(default=None, max_length=100)
    thresholds: dict[Word, Share] | None = None
    bands: dict[Banded, tuple[Limit, Limit]] | None = Field(
        default=None, description="Figure to (green from, yellow from): docs/kpis.md."
    )
    numbers: dict[Word, Word] | None = Field(
        default=None, description="Your own kinds of numbers to mask, name to shape: ORD-######."
    )
    advice: list[Word] | None = Field(
        default=None, max_length=3, description="What may be advised on: legal, medical, financial."
    )
    domains: list[Host] | None = Field(
        default=None,
        max_length=200,
        description="Hosts that replies may link to besides your docs' own; *.name takes in all below.",
    )
    persona: Style | None = Field(
        default=None, description="Who the bot is, for a model's replies: how it sounds, no facts."
    )
    tones: dict[Word, Style] | None = Field(
        default=None, max_length=30, description="Edition to tone of a model's replies."
    )
    reading_level: Literal["easy", "plain", ""] | None = Field(
        default=None, description="How easily a model's replies must read; empty: no wish."
    )
    widget_identity: Literal["required", ""] | None = Field(
        default=None, description="required: the web chat takes nobody without a signed identity."
    )


_TUPLES = ("editions", "widget_origins", "advice", "domains")


@router.get("")
async def read_policy(services: Uses, who: Secret) -> dict[str, object]:
    """Return the policy as it stands."""
    return _shown(await services.directory.policy(who.tenant))


@router.patch("")
async def change_policy(body: PolicyIn, services: Uses, who: Secret) -> dict[str, object]:
    """Change what is given. Raises BadInputError for a zone, a shape or an edition that is none."""
    given = {k: v for k, v in body.model_dump(exclude_unset=True).items() if v is not None}
    if "time_zone" in given and not is_zone(given["time_zone"]):
        raise BadInputError(f"{given['time_zone']!r} is no IANA time zone")
    for name, shape in given.get("numbers", {}).items():
        shapes.compiled(name, shape)
    for name in _TUPLES:
        if name in given:
            given[name] = tuple(given[name])
    if "paused_channels" in given:
        given["paused_channels"] = frozenset(given["paused_channels"])
    policy = replace(await services.directory.policy(who.tenant), **given)
    strange = sorted(set(given.get("tones", ())) - set(policy.editions))
    if strange:
        raise BadInputError(f"there is no edition {strange[0]!r} to have a tone")
    await services.directory.set_policy(who.tenant, policy)
    await services.access.audit(
        who.tenant, "api", "policy.changed", None, {"fields": sorted(given)}
    )
    await services.fanout.publish(f"tenant:{who.tenant}", {"type": "policy"})
    return _shown(policy)


def _shown(policy: TenantPolicy) -> dict[str, object]:
    return {**asdict(policy), "paused_channels": sorted(policy.paused_channels)}
