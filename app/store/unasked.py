"""Everything that goes out unasked: asked for here, decided here, queued here, and kept with its reason.

A row waits until it is due; then the policy (core/delivery.py) looks at the contact as they are now, in the
transaction that queues the message or writes why not. The only place that queues what nobody asked for: a test reads
the code for others. Not here: the words (app/unasked.py renders a line when it goes out).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exc, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import contacts as contact_rows
from app.store import handoffs, queue, rows, wishes
from app.store.database import Database
from app.store.models import (
    consents,
    conversations,
    messages,
    outbox,
    tenants,
    unasked,
)
from app.store.models import contacts as contact_table
from app.store.turns import write_outbound
from app.store.wishes import Wish
from core.clock import Clock
from core.conversations import Contact, HandoffReason, Status
from core.delivery import (
    WEEK,
    Allowed,
    Decision,
    Later,
    Purpose,
    Refused,
    Situation,
    counts,
    decide,
)
from core.escalation import IN_CRISIS, UNDELIVERED
from core.ids import ContactId, TenantId
from core.messages import Author, MessageKind
from core.ports import Reply, TenantPolicy

_COMPLAINTS = ("anger", "legal_threat")
_MOST = 50
Say = Callable[[TenantPolicy, Contact, str, str, str, Mapping[str, str]], str]


class SqlUnasked:
    """Rows of what nobody asked for. `kinds` maps a channel to the kind of address its contacts have there."""

    def __init__(
        self, database: Database, clock: Clock, kinds: Mapping[str, str], base_url: str = ""
    ) -> None:
        self._database = database
        self._clock = clock
        self._kinds = kinds
        self._base_url = base_url

    async def wish(self, tenant: TenantId, wished: Wish) -> str | None:
        """Keep a wish for its time; returns its id, None when it was wished for before."""
        try:
            async with self._database.write() as connection:
                return await wishes.wish(connection, tenant, wished, self._clock.now())
        except exc.IntegrityError:
            return None

    async def due(self, limit: int = _MOST) -> Sequence[str]:
        """Return the ids of what waits and is due."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(unasked.c.id)
                .where(unasked.c.state == "waiting", unasked.c.due_at <= self._clock.now())
                .order_by(unasked.c.due_at)
                .limit(limit)
            )
            return list(found.scalars())

    async def settle(self, wish_id: str, say: Say) -> Decision | None:
        """Decide one row now and do what was decided; None when it waits no longer."""
        now = self._clock.now()
        async with self._database.write() as connection:
            row = (
                (
                    await connection.execute(
                        select(unasked)
                        .where(unasked.c.id == wish_id, unasked.c.state == "waiting")
                        .with_for_update(skip_locked=True)
                    )
                )
                .mappings()
                .one_or_none()
            )
            if row is None:
                return None
            return await self._settle(connection, row, now, say)

    async def _settle(
        self, connection: AsyncConnection, row: Any, now: datetime, say: Say
    ) -> Decision:
        # one decision per contact at a time, or two at once would both be under the cap
        await connection.execute(
            select(contact_table.c.id)
            .where(contact_table.c.id == row["contact_id"])
            .with_for_update(key_share=True)
        )
        contact = await contact_rows.load(connection, row["tenant"], row["contact_id"])
        policy = rows.policy(
            await connection.scalar(select(tenants.c.policy).where(tenants.c.id == row["tenant"]))
        )
        places = await self._places(connection, row, contact) if contact else []
        decision: Decision = Refused("nowhere")
        for channel, address in places:
            case = await self._situation(connection, row, contact, policy, channel, address, now)
            decision = decide(case)
            if isinstance(decision, Later) and case.purpose is Purpose.RESEND:
                decision = Refused(
                    "quiet_hours"
                )  # who waits for an answer is not left until morning
            if isinstance(decision, Allowed) and contact is not None:
                await self._send(connection, row, contact, policy, (channel, address), say, now)
                return decision
            if isinstance(decision, Later):
                await _note(connection, row["id"], due_at=decision.at, reason="quiet_hours")
                return decision
        reason = decision.reason if isinstance(decision, Refused) else "nowhere"
        await _note(connection, row["id"], state="refused", reason=reason, decided_at=now)
        if row["purpose"] == Purpose.RESEND and row["conversation_id"]:
            await handoffs.request(
                connection,
                row["conversation_id"],
                HandoffReason.UNDELIVERABLE,
                "high",
                "",
                0.0,
                now,
                self._base_url,
            )
        return decision

    async def _places(
        self, connection: AsyncConnection, row: Any, contact: Contact | None
    ) -> list[tuple[str, str]]:
        """Return where it may go, the best first: what was named, else what a provider vouches for."""
        if row["channel"] and row["address"] and row["purpose"] != Purpose.RESEND:
            return [(row["channel"], row["address"])]
        if contact is None:
            return []
        return await wishes.verified(
            connection, row["tenant"], contact, self._kinds, (row["channel"], row["address"])
        )

    async def _situation(
        self,
        connection: AsyncConnection,
        row: Any,
        contact: Contact | None,
        policy: TenantPolicy,
        channel: str,
        address: str,
        now: datetime,
    ) -> Situation:
        values = [i.value for i in contact.identities] if contact else []
        said = (
            await connection.execute(
                select(consents.c.channel, consents.c.address, consents.c.granted).where(
                    consents.c.tenant == row["tenant"],
                    consents.c.address.in_([address, *values[:_MOST]]),
                )
            )
        ).all()
        here = [s.granted for s in said if s.channel == channel and s.address == address]
        week = await connection.execute(
            select(unasked.c.purpose, func.count().label("many"))
            .where(
                unasked.c.tenant == row["tenant"],
                unasked.c.contact_id == row["contact_id"],
                unasked.c.state == "sent",
                unasked.c.decided_at > now - WEEK,
            )
            .group_by(unasked.c.purpose)
        )
        talks = (
            await connection.execute(
                select(
                    conversations.c.handoff_id, conversations.c.owner, conversations.c.memory
                ).where(
                    conversations.c.tenant == row["tenant"],
                    conversations.c.contact_id == row["contact_id"],
                    conversations.c.status != Status.RESOLVED,
                )
            )
        ).all()
        peaks = [set((t.memory or {}).get("peaks") or ()) for t in talks]
        return Situation(
            purpose=Purpose(row["purpose"]),
            now=now,
            zone=(contact.time_zone if contact else None)
            or _account_zone(contact)
            or policy.time_zone,
            consent=here[0] if here else None,
            stopped_elsewhere=any(not s.granted for s in said),
            sent_this_week=sum(int(row.many) for row in week.all() if counts(row.purpose)),
            complaint=any(each & set(_COMPLAINTS) for each in peaks),
            handoff=any(t.handoff_id or t.owner for t in talks),
            crisis=any((t.memory or {}).get(IN_CRISIS) for t in talks),
            until=row["until"],
            thresholds=policy.thresholds,
        )

    async def _send(
        self,
        connection: AsyncConnection,
        row: Any,
        contact: Contact,
        policy: TenantPolicy,
        place: tuple[str, str],
        say: Say,
        now: datetime,
    ) -> None:
        channel, address = place
        inbox = await queue.inbox_for(connection, row["tenant"], channel)
        talk = row["conversation_id"] or await _any_talk(connection, row)
        seq = await connection.scalar(
            update(conversations)
            .where(conversations.c.id == talk)
            .values(seq=conversations.c.seq + 1)
            .returning(conversations.c.seq)
        )
        # erased, or nothing of ours sends there
        if inbox is None or not talk or not isinstance(seq, int):
            await _note(connection, row["id"], state="refused", reason="nowhere", decided_at=now)
            return
        locale = contact.locale or policy.locale
        reply = Reply(
            text=say(policy, contact, row["line"], locale, channel, row["slots"]),
            kind=MessageKind.NOTICE,
            author=Author.SYSTEM,
            channel=channel,
            address=address,
            inbox=inbox,
            locale=locale,
        )
        message, job = await write_outbound(
            connection,
            tenant=row["tenant"],
            conversation=talk,
            turn=None,
            reply=reply,
            seq=seq,
            now=now,
            bot_name=policy.bot_name,
        )
        payload = await connection.scalar(select(outbox.c.payload).where(outbox.c.id == job))
        await connection.execute(
            update(outbox)
            .where(outbox.c.id == job)
            .values(payload={**(payload or {}), **_unasked(row["purpose"], reply.text)})
        )
        await connection.execute(
            update(messages)
            .where(messages.c.id == message.id)
            .values(metadata={"unasked": row["purpose"]})
        )
        if (
            row["purpose"] == Purpose.RESEND
        ):  # who answers it gets a person, who can see what never arrived
            memory = await connection.scalar(
                select(conversations.c.memory).where(conversations.c.id == talk)
            )
            await connection.execute(
                update(conversations)
                .where(conversations.c.id == talk)
                .values(memory={**(memory or {}), UNDELIVERED: True})
            )
        await _note(
            connection,
            row["id"],
            state="sent",
            reason=None,
            channel=channel,
            address=address,
            outbox_id=job,
            decided_at=now,
        )

    async def listed(
        self, tenant: TenantId, contact: ContactId | None = None, limit: int = _MOST
    ) -> Sequence[Mapping[str, object]]:
        """Return what was sent, refused or waits, newest first; never an address or words."""
        columns = ("id", "contact_id", "conversation_id", "purpose", "state", "reason", "channel")
        times = ("due_at", "until", "created_at", "decided_at")
        async with self._database.read() as connection:
            found = await connection.execute(
                select(*(unasked.c[name] for name in (*columns, *times)))
                .where(
                    unasked.c.tenant == tenant,
                    *((unasked.c.contact_id == contact,) if contact else ()),
                )
                .order_by(unasked.c.id.desc())
                .limit(limit)
            )
            return [dict(r) for r in found.mappings()]


def _account_zone(contact: Contact | None) -> str | None:
    return contact.account.time_zone if contact and contact.account else None


async def _any_talk(connection: AsyncConnection, row: Any) -> str | None:
    """Return the contact's newest conversation: what we say stands somewhere a person can read it."""
    found: str | None = await connection.scalar(
        select(conversations.c.id)
        .where(
            and_(
                conversations.c.tenant == row["tenant"],
                conversations.c.contact_id == row["contact_id"],
            )
        )
        .order_by(conversations.c.updated_at.desc())
        .limit(1)
    )
    return found


async def _note(connection: AsyncConnection, wish_id: str, **values: object) -> None:
    await connection.execute(update(unasked).where(unasked.c.id == wish_id).values(**values))


def _unasked(purpose: str, text: str) -> dict[str, object]:
    """Return the mark of the purpose, and the template's name for where free text is not taken (WhatsApp).

    A resend says nothing of what it is about, so its template has no gap; any other's {{1}} is the text.
    """
    variables = {} if purpose == Purpose.RESEND else {"1": text}
    return {"unasked": purpose, "template": {"id": purpose, "variables": variables}}
