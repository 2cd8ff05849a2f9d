"""A tenant's own intents: seen, taught, corrected and taken back; each change is trained at once.

Also which heads serve, and their replacement. Secret keys only.
"""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from app.api.deps import Secret, Uses
from app.api.schemas import Body, MessageText, Word
from core.errors import BadInputError, NotFoundError

router = APIRouter(prefix="/manage", tags=["manage"], include_in_schema=False)

# How a phrase is stored that belongs to no intent.
NONE = "none_of_these"


class PhraseIn(Body):
    """One phrase and its intent; null says that it is nobody's."""

    text: MessageText
    intent: Word | None


class IntentsIn(Body):
    """Phrases to learn."""

    phrases: list[PhraseIn] = Field(max_length=50_000)


@router.get("/intents")
async def intents(services: Uses, who: Secret) -> dict[str, object]:
    """Return the tenant's own phrases by intent, and those that are nobody's under `none`."""
    own: dict[str, list[str]] = {}
    for text, intent in await services.intents.all(who.tenant):
        own.setdefault(intent, []).append(text)
    none = own.pop(NONE, [])
    return {"intents": [{"name": n, "phrases": t} for n, t in sorted(own.items())], "none": none}


@router.post("/intents")
async def load_intents(body: IntentsIn, services: Uses, who: Secret) -> dict[str, int]:
    """Store phrases beside what was taught before, the last word on a text counting, and train."""
    if not body.phrases:
        raise BadInputError("there are no phrases")
    pairs = [(p.text, p.intent or NONE) for p in body.phrases]
    changed = await services.intents.load(who.tenant, pairs)
    return {"changed": changed, "phrases": await services.teach(who.tenant)}


@router.delete("/intents")
async def forget_intents(
    services: Uses,
    who: Secret,
    intent: Annotated[str | None, Query(max_length=500)] = None,
    text: Annotated[str | None, Query(max_length=500)] = None,
) -> dict[str, int]:
    """Take back one phrase, one intent with all its phrases, or everything; what is left is trained."""
    removed = await services.intents.remove(who.tenant, intent=intent, text=text)
    if not removed and (intent or text):
        raise NotFoundError("nothing like that was taught")
    return {"removed": removed, "phrases": await services.teach(who.tenant)}


@router.get("/heads")
async def heads(services: Uses, who: Secret) -> dict[str, object]:
    """Return which heads score messages, and how often those in their shadow agree."""
    return dict(services.heads())


@router.post("/heads/reload")
async def reload_heads(services: Uses, who: Secret) -> dict[str, object]:
    """Read the folder of own heads again and swap all at once; a broken file changes nothing."""
    return dict(await services.reload_heads())
