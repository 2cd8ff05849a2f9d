"""Core types as the JSON the console's pages read. Times are ISO 8601 in UTC; texts go out as they are.

The pages render every text as text; nothing here escapes or marks up.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from core.bookings import Booking
from core.briefs import REASONS
from core.conversations import Account, Contact, Csm, Handoff, Inbox
from core.files import PREVIEWED
from core.kpis import Figures
from core.messages import StoredMessage
from core.ports import Fact, TenantPolicy
from core.turns import Citation, Passage
from core.views import InboxRow, Recipient, Recipients, Trace

Json = dict[str, object]


def when(at: datetime | None) -> str | None:
    """Return an ISO 8601 time."""
    return at.isoformat() if at else None


def flat(row: Mapping[str, object]) -> Json:
    """Return a flat row of names and values."""
    return {k: when(v) if isinstance(v, datetime) else v for k, v in row.items()}


def csm(person: Csm) -> Json:
    """Return a person of the team."""
    return {"id": person.id, "name": person.name, "email": person.email, "role": person.role}


def policy(found: TenantPolicy) -> Json:
    """Return what a team set, as far as the console shows it."""
    return {
        "mode": found.mode,
        "paused": found.paused,
        "paused_channels": sorted(found.paused_channels),
        "brand": found.brand,
        "bot_name": found.bot_name,
        "locale": found.locale,
        "time_zone": found.time_zone,
        "by_channel": dict(found.by_channel),
        "by_intent": dict(found.by_intent),
        "by_tier": dict(found.by_tier),
        "editions": list(found.editions),
        "persona": found.persona,
        "tones": dict(found.tones),
        "reading_level": found.reading_level,
        "join_hours": found.join_hours,
        "reopen_hours": found.reopen_hours,
    }


def handoff(found: Handoff | None) -> Json | None:
    """Return a request for a person; the pages run its clock from `requested_at`."""
    if found is None:
        return None
    return {
        "id": found.id,
        "reason": found.reason,
        "reason_text": REASONS[found.reason],
        "severity": found.severity,
        "state": found.state,
        "summary": found.summary,
        "sentiment": found.sentiment,
        "requested_at": when(found.requested_at),
        "realerted_at": when(found.realerted_at),
        "breached_at": when(found.breached_at),
        "claimed_at": when(found.claimed_at),
        "claimed_by": found.claimed_by,
    }


def row(found: InboxRow) -> Json:
    """Return one line of the inbox."""
    return {
        "id": found.id,
        "contact_id": found.contact_id,
        "contact": found.contact,
        "external_id": found.external_id,
        "account": found.account,
        "tier": found.tier,
        "edition": found.edition,
        "channel": found.channel,
        "status": found.status,
        "mode": found.mode,
        "owner": found.owner,
        "owner_name": found.owner_name,
        "subject": found.subject,
        "locale": found.locale,
        "updated_at": when(found.updated_at),
        "last_text": found.last_text,
        "last_author": found.last_author,
        "last_at": when(found.last_at),
        "seq": found.seq,
        "drafts": found.drafts,
        "handoff": handoff(found.handoff),
    }


def recipients(found: Recipients | None) -> Json | None:
    """Return whom a reply by mail would reach."""
    if found is None:
        return None

    def one(who: Recipient) -> Json:
        return {
            "address": who.address,
            "name": who.name,
            "outsider": who.outsider,
            "known": who.known,
        }

    return {"to": one(found.to), "cc": [one(who) for who in found.cc]}


def citation(found: Citation) -> Json:
    """Return where a claim is from."""
    return {
        "number": found.number,
        "document": found.document,
        "title": found.title,
        "section": found.section,
        "quote": found.quote,
        "url": found.url,
    }


def message(found: StoredMessage) -> Json:
    """Return a message of the transcript; attachments without their content."""
    return {
        "id": found.id,
        "seq": found.seq,
        "author": found.author,
        "author_name": found.author_name,
        "kind": found.kind,
        "text": found.text,
        "channel": found.channel,
        "address": found.address,
        "status": found.status,
        "subject": found.subject,
        "turn_id": found.turn_id,
        "created_at": when(found.created_at),
        "citations": [citation(c) for c in found.citations],
        "choices": [q.label for q in found.quick_replies],
        "attachments": [
            {
                "id": a.id,
                "name": a.name,
                "content_type": a.content_type,
                "size": a.size,
                "refused": a.refused,
                "shown": a.content_type in PREVIEWED and bool(a.id) and a.size > 0,
            }
            for a in found.attachments
        ],
        "feedback": found.metadata.get("feedback"),
        # what the customer changed since, and who read along
        "before": found.metadata.get("before"),
        "taken_back": "deleted_at" in found.metadata,
        "shared": "shared" in found.metadata,
        "cc": found.metadata.get("cc", "").split(),
    }


def trace(found: Trace) -> Json:
    """Return what one turn did and why."""
    return {
        "id": found.id,
        "conversation_id": found.conversation_id,
        "handler": found.handler,
        "state": found.state,
        "started_at": when(found.started_at),
        "ended_at": when(found.ended_at),
        "trace": dict(found.trace),
    }


def account(found: Account | None, owner: str | None) -> Json | None:
    """Return the company behind a contact."""
    if found is None:
        return None
    return {
        "id": found.id,
        "external_id": found.external_id,
        "name": found.name,
        "domains": list(found.domains),
        "edition": found.edition,
        "tier": found.tier,
        "region": found.region,
        "arr": found.arr,
        "renewal_date": found.renewal_date,
        "owner_name": owner,
        "time_zone": found.time_zone,
    }


def contact(found: Contact) -> Json:
    """Return a person with their addresses and how sure we are of each."""
    return {
        "id": found.id,
        "external_id": found.external_id,
        "name": found.name,
        "locale": found.locale,
        "time_zone": found.time_zone,
        "identities": [
            {"kind": i.kind, "value": i.value, "assurance": i.assurance} for i in found.identities
        ],
    }


def fact(found: Fact) -> Json:
    """Return something remembered, with where it is from."""
    return {
        "key": found.key,
        "value": found.value,
        "source": found.source,
        "confidence": found.confidence,
        "created_at": when(found.created_at),
    }


def booking(found: Booking) -> Json:
    """Return a booked session."""
    return {
        "id": found.id,
        "title": found.title,
        "host": found.host,
        "starts_at": when(found.starts_at),
        "ends_at": when(found.ends_at),
        "status": found.status,
        "channel": found.channel,
    }


def passage(found: Passage) -> Json:
    """Return a retrieved passage with its score."""
    return {
        "document": found.document,
        "title": found.title,
        "section": found.section,
        "text": found.text,
        "score": round(found.score, 4),
        "url": found.url,
        "internal": found.internal,
        "locale": found.locale,
        "editions": list(found.editions),
    }


def figures(found: Figures) -> Json:
    """Return the figures of a span."""
    return {
        "since": when(found.since),
        "figures": {name: asdict(figure) for name, figure in found.figures.items()},
        "channels": {
            channel: {name: asdict(figure) for name, figure in shown.items()}
            for channel, shown in found.channels.items()
        },
        "messages": dict(found.messages),
        "intents": dict(found.intents),
        "reasons": dict(found.reasons),
        "gaps": found.gaps,
        "steps": [
            {
                "from": when(step.since),
                "to": when(step.until),
                "messages": step.messages,
                "conversations": step.conversations,
                "handoffs": step.handoffs,
                "breaches": step.breaches,
            }
            for step in found.steps
        ],
    }


def inbox(found: Inbox) -> Json:
    """Return a configured address of a channel, without its secrets."""
    return {"channel": found.channel, "address": found.address, "kind": found.kind}
