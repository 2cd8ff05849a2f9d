"""Trying: what would happen if a customer wrote this, what the checks say of a text, intents, backtests."""

import asyncio

from fastapi import APIRouter

from app import explaining
from app.backtest.questions import read_questions
from app.backtest.starting import listed_json, start, whole_json
from app.console.bodies import BacktestIn, CheckIn, ForgottenIn, PhraseIn, TryIn
from app.console.gate import Id, Reader, Uses, Writer
from core.briefs import REASONS
from core.conversations import HandoffReason
from core.errors import BadInputError, NotFoundError
from core.escalation import due
from core.understanding import Said

router = APIRouter(prefix="/knowledge")

NONE = "none_of_these"


@router.post("/try")
async def attempt(body: TryIn, services: Uses, who: Writer) -> dict[str, object]:
    """Return every step of how the bot would take a message; sends nothing, writes nothing."""
    talk = tuple(Said(said.role, said.text) for said in body.talk)
    asked = explaining.Asked(body.text, talk, body.channel, body.locale, edition=body.edition)
    found = await explaining.explain(services, who.tenant, asked)
    policy = await services.directory.policy(who.tenant)
    understood = await services.understands.understand(
        who.tenant, body.text, talk, services.clock.now(), policy.time_zone
    )
    wanted = due(understood, {}, policy.thresholds)
    return {**found, "handoff": REASONS[HandoffReason(wanted.reason)] if wanted else None}


@router.post("/check")
async def check(body: CheckIn, services: Uses, who: Writer) -> dict[str, object]:
    """Return what the checks say of a text."""
    judged = explaining.Judged(body.text, body.direction, body.sources, body.asked)
    return await explaining.check(services, who.tenant, judged)


# ---------------------------------------------------------------- intents


@router.get("/intents")
async def intents(services: Uses, who: Reader) -> dict[str, object]:
    """Return the tenant's own phrases by intent, and the intents the handlers have."""
    own: dict[str, list[str]] = {}
    for text, intent in await services.intents.all(who.tenant):
        own.setdefault(intent, []).append(text)
    built_in = {
        intent: spec.summary
        for spec in services.plugins.handlers.values()
        for intent in spec.intents
    }
    return {
        "own": [{"name": name, "phrases": phrases} for name, phrases in sorted(own.items())],
        "built_in": [{"name": name, "summary": text} for name, text in sorted(built_in.items())],
        "none": NONE,
    }


@router.post("/intents")
async def correct(body: PhraseIn, services: Uses, who: Writer) -> dict[str, object]:
    """Teach what a message is; holds from the next message. Returns how it is understood now."""
    intent = (body.intent or "").strip() or NONE
    await services.intents.load(who.tenant, [(body.text, intent)])
    phrases = await services.teach(who.tenant)
    await services.access.audit(who.tenant, who.csm.id, "intent.corrected", intent)
    understood = await services.understands.understand(
        who.tenant, body.text, (), services.clock.now(), "UTC"
    )
    now = understood.intent
    return {
        "phrases": phrases,
        "intent": {"name": now.name, "score": now.score} if now else None,
    }


@router.post("/intents/forget")
async def forget(body: ForgottenIn, services: Uses, who: Writer) -> dict[str, object]:
    """Take back a phrase, or an intent with all its phrases; holds from the next message.

    Raises BadInputError when neither is named, NotFoundError when nothing like it was taught.
    """
    if body.text is None and body.intent is None:
        raise BadInputError("say which phrase or which intent")
    removed = await services.intents.remove(who.tenant, intent=body.intent, text=body.text)
    if not removed:
        raise NotFoundError("nothing like that was taught")
    phrases = await services.teach(who.tenant)
    await services.access.audit(who.tenant, who.csm.id, "intent.forgotten", body.intent)
    return {"removed": removed, "phrases": phrases}


# ---------------------------------------------------------------- backtests


@router.get("/backtests")
async def backtests(services: Uses, who: Reader) -> dict[str, object]:
    """Return the backtests, the newest first, without their rows."""
    page = await services.backtests.all(who.tenant)
    return {
        "now": services.clock.now().isoformat(),
        "items": [listed_json(services, row) for row in page.items],
    }


@router.post("/backtests")
async def begin(body: BacktestIn, services: Uses, who: Writer) -> dict[str, object]:
    """Begin a run over a file of past questions. Raises BadInputError, ConflictError when too many run."""
    data = body.file.encode("utf-8", "replace")
    questions = await asyncio.to_thread(read_questions, body.name, data)
    row = await start(services, who.tenant, body.name, questions, "web")
    await services.access.audit(who.tenant, who.csm.id, "backtest.started", row.id)
    return listed_json(services, row)


@router.get("/backtests/{backtest}")
async def backtest(backtest: Id, services: Uses, who: Reader) -> dict[str, object]:
    """Return one backtest with its report. Raises NotFoundError."""
    row = await services.backtests.get(who.tenant, backtest)
    return {"now": services.clock.now().isoformat(), **whole_json(services, row)}
