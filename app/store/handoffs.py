"""Asking for a person: the handoff row, its alert and its clocks, inside the caller's transaction."""

from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import contacts, queue, rows, wishes
from app.store.models import alarms, conversations, csms, handoffs, inboxes, messages, outbox
from core.briefs import REASONS, alert, clip, follow_up, summarise
from core.conversations import Csm, Handoff, HandoffReason, Mode, Status
from core.delivery import Purpose
from core.ids import ContactId, ConversationId, CsmId, HandoffId, TenantId, new_id
from core.messages import Author, MessageKind, StoredMessage, TeamCard

REALERT_AFTER = timedelta(seconds=60)
BREACH_AFTER = timedelta(seconds=120)
_CLOCKS = (("handoff.realert", REALERT_AFTER), ("handoff.breach", BREACH_AFTER))
_HISTORY = 12
# the bot had to be silent, nobody had asked: a request that anything else makes pressing
_QUIET = (HandoffReason.PAUSED, HandoffReason.OPTED_OUT)


async def request(
    connection: AsyncConnection,
    conversation: str,
    reason: HandoffReason,
    severity: str,
    summary: str,
    sentiment: float,
    now: datetime,
    base_url: str,
) -> HandoffId | None:
    """Ask for a person unless one is asked for or answering already; returns the new handoff."""
    row = (
        (
            await connection.execute(
                select(conversations).where(conversations.c.id == conversation).with_for_update()
            )
        )
        .mappings()
        .one()
    )
    summary = summary or summarise(reason, await recent(connection, conversation))
    if row["handoff_id"]:
        if reason not in _QUIET:
            await _press(
                connection, row["handoff_id"], reason, severity, summary, sentiment, now, base_url
            )
        return None
    if row["mode"] == Mode.MANUAL and row["owner"]:
        return None
    fresh = HandoffId(new_id("hnd", now))
    await connection.execute(
        insert(handoffs).values(
            id=fresh,
            tenant=row["tenant"],
            conversation_id=conversation,
            reason=reason,
            severity=severity,
            state="requested",
            summary=summary,
            sentiment=sentiment,
            requested_at=now,
        )
    )
    changed = row["status"] != Status.WAITING_US
    await connection.execute(
        update(conversations)
        .where(conversations.c.id == conversation)
        .values(
            handoff_id=fresh,
            status=Status.WAITING_US,
            version=conversations.c.version + (1 if changed else 0),
            updated_at=now,
        )
    )
    for kind, after in _CLOCKS:
        await connection.execute(
            insert(alarms).values(
                id=new_id("alm", now),
                tenant=row["tenant"],
                key=f"{kind}:{fresh}",
                kind=kind,
                payload={"handoff": fresh},
                at=now + after,
            )
        )
    await show(connection, fresh, now, base_url)
    return fresh


async def _press(
    connection: AsyncConnection,
    handoff: str,
    reason: HandoffReason,
    severity: str,
    summary: str,
    sentiment: float,
    now: datetime,
    base_url: str,
) -> None:
    """Make a request that only the bot's silence had caused the pressing one it has become: new alert, new clocks."""
    pressed = await connection.execute(
        update(handoffs)
        .where(
            handoffs.c.id == handoff,
            handoffs.c.state == "requested",
            handoffs.c.reason.in_(_QUIET),
        )
        .values(
            reason=reason,
            severity=severity,
            sentiment=sentiment,
            requested_at=now,
            realerted_at=None,
            breached_at=None,
            summary=summary,
        )
    )
    if pressed.rowcount == 0:
        return
    for kind, after in _CLOCKS:
        await connection.execute(
            update(alarms)
            .where(alarms.c.key == f"{kind}:{handoff}")
            .values(at=now + after, fired_at=None)
        )
    await show(connection, handoff, now, base_url, anew=True)


async def recent(connection: AsyncConnection, conversation: str) -> list[StoredMessage]:
    """Return the last messages, oldest first."""
    found = await connection.execute(
        select(messages)
        .where(messages.c.conversation_id == conversation)
        .order_by(messages.c.seq.desc())
        .limit(_HISTORY)
    )
    return [rows.message(row) for row in reversed(found.mappings().all())]


async def find(connection: AsyncConnection, handoff: str) -> Handoff | None:
    """Return one handoff."""
    row = (
        (await connection.execute(select(handoffs).where(handoffs.c.id == handoff)))
        .mappings()
        .one_or_none()
    )
    return rows.handoff(row) if row else None


async def show(
    connection: AsyncConnection, handoff: str, now: datetime, base_url: str, *, anew: bool = False
) -> None:
    """Queue the alert, or its edit in place when it has been posted and `anew` is False."""
    state = await find(connection, handoff)
    if state is None:
        return
    row = (
        (
            await connection.execute(
                select(conversations).where(conversations.c.id == state.conversation_id)
            )
        )
        .mappings()
        .one()
    )
    conversation = rows.conversation(row)
    contact = await contacts.load(connection, conversation.tenant, conversation.contact_id)
    claimed_by = await csm(connection, state.claimed_by) if state.claimed_by else None
    if contact is None:
        return
    card = alert(
        conversation,
        contact,
        state,
        await recent(connection, conversation.id),
        f"{base_url}/console/c/{conversation.id}" if base_url else None,
        claimed_by,
    )
    await tell_team(
        connection, conversation.tenant, conversation.id, card, now, alert_of=handoff, anew=anew
    )


async def csm(connection: AsyncConnection, csm_id: str) -> Csm | None:
    """Return one CSM."""
    row = (
        (await connection.execute(select(csms).where(csms.c.id == csm_id))).mappings().one_or_none()
    )
    if row is None:
        return None
    return Csm(
        id=CsmId(row["id"]),
        name=row["name"],
        email=row["email"],
        role=row["role"],
        slack_user=row["slack_user"],
    )


async def tell_team(
    connection: AsyncConnection,
    tenant: TenantId | str,
    conversation: str,
    card: TeamCard,
    now: datetime,
    *,
    alert_of: str | None = None,
    anew: bool = False,
) -> None:
    """Queue a card to every team inbox: an alert, its edit, or a line under it.

    The alert's place is its own outbox row; the sender fills `update_of`/`thread` from that row when the turn
    comes, because the alert may still be on its way (same lane, so it goes first).
    """
    team = await connection.execute(
        select(inboxes.c.id, inboxes.c.channel, inboxes.c.address).where(
            inboxes.c.tenant == tenant, inboxes.c.kind == "team"
        )
    )
    for inbox in team.all():
        posted = (
            await connection.execute(
                select(outbox.c.id, outbox.c.payload)
                .where(
                    outbox.c.conversation_id == conversation,
                    outbox.c.inbox_id == inbox.id,
                    outbox.c.kind == "card",
                    outbox.c.message_kind == MessageKind.NOTICE,
                )
                .order_by(outbox.c.position.desc())
                .limit(1)
            )
        ).one_or_none()
        is_alert = alert_of is not None
        same = posted is not None and posted.payload.get("alert_of") == alert_of
        edits = posted.id if posted is not None and is_alert and same and not anew else None
        # an edit is a NOTE-kind card, so that the newest NOTICE card is always the alert itself
        await queue.add(
            connection,
            tenant=tenant,
            inbox=inbox.id,
            channel=inbox.channel,
            address=inbox.address,
            author=Author.SYSTEM,
            kind=MessageKind.NOTICE if is_alert and not edits else MessageKind.NOTE,
            payload={
                "text": card.text,
                "card": asdict(card),
                "alert_of": alert_of,
                "edits": edits,
                "under": posted.id if posted is not None and not is_alert else None,
            },
            now=now,
            conversation=conversation,
            card=True,
        )


async def bury(
    connection: AsyncConnection, job: str, error: str, reason: str, now: datetime, base_url: str
) -> None:
    """Give a delivery up and, when a customer was to get it, ask for a person."""
    await queue.set_state(connection, job, "dead", error=error[:500], claimed_until=None)
    await queue.forget_secret(connection, job)
    row = (
        await connection.execute(
            select(outbox.c.conversation_id, outbox.c.kind, outbox.c.payload).where(
                outbox.c.id == job
            )
        )
    ).one()
    talk = row.conversation_id or row.payload.get("about")
    if not talk or row.kind != "message":
        return
    why = HandoffReason(reason)
    if why is HandoffReason.UNDELIVERABLE and await _waits_elsewhere(connection, job, talk, now):
        return
    asked = await request(connection, talk, why, "high", "", 0.0, now, base_url)
    if asked is None:  # a person is there or on the way: they must know that this never arrived
        found = await connection.execute(select(conversations).where(conversations.c.id == talk))
        conversation = rows.conversation(found.mappings().one())
        line = follow_up(conversation, "System", f"{REASONS[why]}: “{clip(row.payload['text'])}”")
        await tell_team(connection, conversation.tenant, conversation.id, line, now)


async def _waits_elsewhere(
    connection: AsyncConnection, job: str, conversation: str, now: datetime
) -> bool:
    """Ask the policy to say on another address that an answer waits; False when that is no way.

    What nobody asked for is not announced elsewhere, nor a code; where a person is there, they see to it.
    """
    row = (
        await connection.execute(
            select(
                outbox.c.address,
                outbox.c.channel,
                outbox.c.payload,
                outbox.c.message_kind,
                conversations.c.tenant,
                conversations.c.contact_id,
                conversations.c.owner,
                conversations.c.handoff_id,
            )
            .join(conversations, conversations.c.id == outbox.c.conversation_id)
            .where(outbox.c.id == job)
        )
    ).one_or_none()
    if row is None or row.owner or row.handoff_id or row.message_kind != MessageKind.REPLY:
        return False
    if row.payload.get("unasked") or not await wishes.reachable_elsewhere(
        connection, row.tenant, row.contact_id, row.address
    ):
        return False
    wished = wishes.Wish(
        Purpose.RESEND,
        ContactId(row.contact_id),
        f"resend:{job}",
        "pipeline.we_have_an_answer",
        {},
        ConversationId(conversation),
        row.channel,
        row.address,
    )
    await wishes.wish(connection, row.tenant, wished, now)
    return True
