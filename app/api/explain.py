"""POST /explain and POST /check: what would happen, with nothing sent and nothing written."""

import time
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import uuid4
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import Field

from app.api.deps import Secret, Uses
from app.api.schemas import Body, MessageText, Word
from app.services import Services
from app.traces import checks_json, understanding_json
from core.conversations import Contact, Conversation, Status
from core.errors import BadInputError, UnavailableError
from core.ids import ContactId, ConversationId, DocumentId, MessageId, PassageId, TenantId, TurnId
from core.messages import Assurance, Author, MessageKind, StoredMessage
from core.outcomes import CheckContext, Outcome
from core.ports import Claim, Viewer
from core.turns import Passage
from core.understanding import Said
from core.zones import is_zone, zone_info
from guardrails._shared.pii_patterns import find, mask

router = APIRouter(tags=["inside"])

_AUTHORS = {"customer": Author.CUSTOMER, "bot": Author.BOT, "human": Author.CSM}


class SaidIn(Body):
    """One earlier utterance."""

    role: Literal["customer", "bot", "human"]
    text: MessageText


class ExplainIn(Body):
    """A message to think about."""

    text: MessageText
    talk: list[SaidIn] = Field(default=[], max_length=200)
    channel: Word = "web"
    locale: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?$")] | None = None
    now: datetime | None = None
    tz: Word | None = None
    k: int = Field(default=8, ge=1, le=50)


@router.post("/explain")
async def explain(body: ExplainIn, services: Uses, who: Secret) -> dict[str, object]:
    """Think a turn whole and show every step; sends nothing."""
    if body.channel not in services.plugins.channels:
        raise BadInputError(f"there is no channel {body.channel!r}")
    now = body.now or services.clock.now()
    if now.tzinfo is None:
        now = now.replace(tzinfo=_zone(body.tz))
    claim = await _claim(services, who.tenant, body, now)
    started = time.perf_counter()
    thought = await services.thinker.think(claim, TurnId("trn_explain"), now=now)
    talk = [Said(s.role, s.text) for s in body.talk]
    timings = {s.name: s.milliseconds for s in thought.steps}
    retrieve = time.perf_counter()
    passages = await services.retriever.search(who.tenant, body.text, talk, Viewer(), body.k)
    timings["retrieve"] = round((time.perf_counter() - retrieve) * 1000, 2)
    timings["total"] = round((time.perf_counter() - started) * 1000, 2)
    outcome = thought.outcome
    return {
        "understanding": understanding_json(thought.turn.understanding),
        "query": outcome.query or body.text,
        "passages": [
            {
                "document": p.document,
                "title": p.title,
                "section": p.section,
                "score": round(p.score, 4),
                "text": p.text,
            }
            for p in passages
        ],
        "decision": asdict(outcome.decision),
        "handler": outcome.handler,
        "effects": [type(e).__name__ for e in outcome.effects],
        "reply": {
            "text": outcome.text,
            "citations": [asdict(c) for c in outcome.citations],
            "suggestions": [q.value for q in outcome.quick_replies],
        },
        "checks": checks_json((*thought.incoming.verdicts, *thought.outgoing.verdicts)),
        "pii": [{"type": kind, "start": start, "end": end} for kind, start, end in find(body.text)],
        "masked": mask(body.text),
        "timings_ms": timings,
    }


def _zone(name: str | None) -> ZoneInfo:
    if name is not None and not is_zone(name):
        raise BadInputError(f"{name!r} is no IANA time zone")
    return zone_info(name or "UTC")


async def _claim(services: Services, tenant: TenantId, body: ExplainIn, now: datetime) -> Claim:
    _zone(body.tz)
    policy = await services.directory.policy(tenant)
    conversation = ConversationId("cnv_explain")

    def message(seq: int, author: Author, text: str) -> StoredMessage:
        return StoredMessage(
            id=MessageId(f"msg_{uuid4().hex}"),
            conversation_id=conversation,
            seq=seq,
            author=author,
            kind=MessageKind.MESSAGE if author is Author.CUSTOMER else MessageKind.REPLY,
            text=text,
            created_at=now,
            channel=body.channel,
            status="received",
            address="explain",
        )

    history = tuple(message(n, _AUTHORS[s.role], s.text) for n, s in enumerate(body.talk, 1))
    return Claim(
        conversation=Conversation(
            id=conversation,
            tenant=tenant,
            contact_id=ContactId("con_explain"),
            status=Status.OPEN,
            mode=None,
            owner=None,
            version=1,
            fence=1,
            seq=len(history) + 1,
            created_at=now,
            updated_at=now,
            channel=body.channel,
            locale=body.locale[:2].lower() if body.locale else None,
        ),
        fence=1,
        version=1,
        messages=(message(len(history) + 1, Author.CUSTOMER, body.text),),
        history=history,
        contact=Contact(ContactId("con_explain"), time_zone=body.tz),
        inbox=None,
        policy=policy,
        assurance=Assurance.PROVEN,
    )


class CheckIn(Body):
    """A text to check."""

    text: MessageText
    direction: Literal["in", "out"]
    sources: list[MessageText] | None = Field(default=None, max_length=50)


@router.post("/check")
async def check(body: CheckIn, services: Uses, who: Secret) -> dict[str, object]:
    """Run the checks over a text; with `sources`, also score whether they support it."""
    talk: list[Said] = []
    understanding = await services.understands.understand(
        who.tenant, body.text, talk, services.clock.now(), "UTC"
    )
    sources = tuple(
        Passage(PassageId(f"src_{n}"), DocumentId(f"src_{n}"), f"source {n}", "", "", text)
        for n, text in enumerate(body.sources or (), 1)
    )
    context = CheckContext(
        tenant=who.tenant,
        locale=understanding.language,
        channel="web",
        understanding=understanding,
        outcome=Outcome(body.text, sources=sources) if body.direction == "out" else None,
        sources=sources,
    )
    run = services.chain.incoming if body.direction == "in" else services.chain.outgoing
    checked = await run(body.text, context)
    found = [c for c in checks_json(checked.verdicts) if not (sources and c["name"] == "grounding")]
    if body.sources is not None:
        try:
            score = await services.answers.support(body.text, body.sources)
        except UnavailableError:
            score = 0.0
        found.append(
            {
                "name": "grounding",
                "direction": body.direction,
                "verdict": "pass" if score >= 0.5 else "block",
                "score": round(score, 4),
                "reason": "supported" if score >= 0.5 else "unsupported",
                "limits": [],
            }
        )
    return {"checks": found, "masked": mask(body.text), "text": checked.text}
