"""What would happen if a customer wrote this, and what the checks say of a text: nothing sent, nothing written.

One thinking for `POST /explain`, `POST /check` and the console's "Try" page, so that all three show the same.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from typing import Literal
from uuid import uuid4
from zoneinfo import ZoneInfo

from app.services import Services
from app.traces import checks_json, understanding_json
from core.conversations import Account, Contact, Conversation, HandoffReason, Status
from core.effects import Escalate
from core.errors import BadInputError, NotFoundError, UnavailableError
from core.ids import (
    AccountId,
    ContactId,
    ConversationId,
    DocumentId,
    MessageId,
    PassageId,
    TenantId,
    TurnId,
)
from core.messages import Assurance, Author, MessageKind, StoredMessage
from core.outcomes import CheckContext, Outcome, Turn
from core.pii import find, mask
from core.ports import Claim, Viewer
from core.reading import read
from core.speaking import model_json
from core.turns import Decision, Passage
from core.understanding import Said
from core.zones import is_zone, zone_info

_AUTHORS = {"customer": Author.CUSTOMER, "bot": Author.BOT, "human": Author.CSM}


@dataclass(frozen=True, slots=True)
class Asked:
    """A message to think about, with the talk before it. `now` without a zone is in `tz`.

    It is seen as `customer_id` would see it, or a customer of that `edition`; else as the lowest.
    """

    text: str
    talk: tuple[Said, ...] = ()
    channel: str = "web"
    locale: str | None = None
    now: datetime | None = None
    tz: str | None = None
    k: int = 8
    edition: str | None = None
    customer_id: str | None = None


async def explain(services: Services, tenant: TenantId, asked: Asked) -> dict[str, object]:
    """Think a turn whole and return every step of it, in the shape of `POST /explain`.

    Raises BadInputError for an unknown channel or time zone, NotFoundError for an unknown customer.
    """
    if asked.channel not in services.plugins.channels:
        raise BadInputError(f"there is no channel {asked.channel!r}")
    now = asked.now or services.clock.now()
    if now.tzinfo is None:
        now = now.replace(tzinfo=_zone(asked.tz))
    claim = await _claim(services, tenant, asked, now)
    started = time.perf_counter()
    thought = await services.thinker.think(
        claim, TurnId("trn_explain"), now=now, give_up=partial(_gave_up, services, claim)
    )
    timings = {s.name: s.milliseconds for s in thought.steps}
    retrieve = time.perf_counter()
    account = claim.contact.account
    viewer = Viewer(account.edition if account else None, thought.turn.locale, now=now)
    passages = await services.retriever.search(tenant, asked.text, asked.talk, viewer, asked.k)
    timings["retrieve"] = round((time.perf_counter() - retrieve) * 1000, 2)
    timings["total"] = round((time.perf_counter() - started) * 1000, 2)
    outcome = thought.outcome
    found = find(asked.text, claim.policy.numbers)
    return {
        "understanding": understanding_json(thought.turn.understanding),
        "query": outcome.query or asked.text,
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
        "model": model_json(thought.calls, used=outcome.generated),
        "checks": checks_json((*thought.incoming.verdicts, *thought.outgoing.verdicts)),
        "pii": [{"type": kind, "start": start, "end": end} for kind, start, end in found],
        "masked": mask(asked.text, found),
        "timings_ms": timings,
    }


def _gave_up(services: Services, claim: Claim, turn: Turn) -> Outcome:
    """Return what the customer is told when a handler fails: a person comes."""
    why = HandoffReason.HANDLER_FAILED
    line = services.lines_for(claim.policy).say(
        "pipeline.handoff_failed", turn.locale, turn.channel
    )
    return Outcome(
        line,
        effects=(Escalate(why, "high"),),
        decision=Decision("handoff", 1.0, (why,)),
        handler="give_up",
    )


def _zone(name: str | None) -> ZoneInfo:
    if name is not None and not is_zone(name):
        raise BadInputError(f"{name!r} is no IANA time zone")
    return zone_info(name or "UTC")


async def _contact(services: Services, tenant: TenantId, asked: Asked) -> Contact:
    """Return who asks: a known customer as they are, or somebody with the account that is supposed."""
    contact = Contact(ContactId("con_explain"))
    if asked.customer_id is not None:
        known = await services.directory.contact_by_external(tenant, asked.customer_id)
        if known is None:
            raise NotFoundError(f"there is no customer {asked.customer_id!r}")
        contact = known
    account = contact.account
    if asked.edition is not None:
        supposed = account or Account(AccountId("acc_explain"), "explain", "")
        account = replace(supposed, edition=asked.edition)
    return replace(contact, account=account, time_zone=asked.tz or contact.time_zone)


async def _claim(services: Services, tenant: TenantId, asked: Asked, now: datetime) -> Claim:
    _zone(asked.tz)
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
            channel=asked.channel,
            status="received",
            address="explain",
        )

    history = tuple(message(n, _AUTHORS[s.role], s.text) for n, s in enumerate(asked.talk, 1))
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
            channel=asked.channel,
            locale=asked.locale[:2].lower() if asked.locale else None,
        ),
        fence=1,
        version=1,
        messages=(message(len(history) + 1, Author.CUSTOMER, asked.text),),
        history=history,
        contact=await _contact(services, tenant, asked),
        inbox=None,
        policy=policy,
        assurance=Assurance.PROVEN,
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A text for the checks. On the way out it is judged as the bot's, with no handler to vouch for it.

    `sources` are what it may lean on; `asked` what the customer wrote; `edition` the customer's; `claims` what
    effects of the turn would entitle it to state. `locale` is the text's own language when not given.
    """

    text: str
    direction: Literal["in", "out"]
    sources: Sequence[str] | None = None
    asked: str = ""
    locale: str | None = None
    edition: str | None = None
    claims: frozenset[str] = frozenset()


async def check(services: Services, tenant: TenantId, judged: Judged) -> dict[str, object]:
    """Say what every check thinks of a text; with `sources`, also score whether they support it."""
    context = await _judging(services, tenant, judged)
    run = services.chain.incoming if judged.direction == "in" else services.chain.outgoing
    checked = await run(judged.text, context)
    verdicts = await services.chain.judge(judged.direction, judged.text, context)
    given = judged.sources
    found = [c for c in checks_json(verdicts) if not (given and c["name"] == "grounding")]
    if given is not None:
        found.append(await _grounding(services, judged, given))
    masked = mask(judged.text, find(judged.text, context.policy.numbers))
    return {
        "checks": found,
        "masked": masked,
        "text": checked.text,
        "reading": _reading(judged.text, context),
    }


def _reading(text: str, context: CheckContext) -> dict[str, object] | None:
    """Say how easily a text reads, beside what the tenant wants of replies; None where it cannot be told."""
    found = read(text, context.locale)
    if found is None:
        return None
    return {**asdict(found), "level": found.level, "wanted": context.policy.reading_level or None}


async def _judging(services: Services, tenant: TenantId, judged: Judged) -> CheckContext:
    incoming = judged.direction == "in"
    now = services.clock.now()
    policy = await services.directory.policy(tenant)
    own = await services.understands.understand(tenant, judged.text, (), now, "UTC")
    understood = own
    if not incoming:
        asked = judged.asked
        understood = await services.understands.understand(tenant, asked, (), now, "UTC")
    sources = tuple(
        Passage(PassageId(f"src_{n}"), DocumentId(f"src_{n}"), f"source {n}", "", "", source)
        for n, source in enumerate(judged.sources or (), 1)
    )
    account = None
    if judged.edition is not None:
        account = Account(AccountId("acc_check"), "check", "", edition=judged.edition)
    return CheckContext(
        tenant=tenant,
        locale=(judged.locale or own.language)[:2].lower(),
        channel="web",
        understanding=understood,
        outcome=None if incoming else Outcome(judged.text, sources=sources, claims=judged.claims),
        sources=sources,
        contact=Contact(ContactId("con_check"), account=account),
        asked=judged.asked,
        policy=policy,
    )


async def _grounding(services: Services, judged: Judged, given: Sequence[str]) -> dict[str, object]:
    try:
        score = await services.answers.support(judged.text, given)
    except UnavailableError:
        score = 0.0
    return {
        "name": "grounding",
        "direction": judged.direction,
        "verdict": "pass" if score >= 0.5 else "block",
        "score": round(score, 4),
        "reason": "supported" if score >= 0.5 else "unsupported",
        "limits": [],
    }
