"""A turn's three steps against the database: claim, think (elsewhere), commit (design §3).

Nothing is ever decided by a SELECT that a later write relies on: the claim and the commit are conditional
UPDATEs on the conversation's fence and version, which both databases serialise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import case, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import contacts, copies, effects, file_rows, queue, rows, uses
from app.store.database import Database, db_now
from app.store.models import codes, consents, conversations, inboxes, messages, tenants, turns
from core.clock import Clock
from core.conversations import Contact, Conversation, Inbox, Status
from core.crash import crash_point
from core.effects import RefusedEffect, Send
from core.ids import ConversationId, InboxId, MessageId, OutboxId, TenantId, new_id
from core.messages import UNASKED_ONLY, Assurance, Author, MessageKind, StoredMessage
from core.ports import Claim, Committed, Reply, Superseded, TurnResult

LEASE_SECONDS = 30.0
_HISTORY = 30
_BATCH = 20
_BROWSERS = ("web", "visitor")
_PROOF_LASTS = timedelta(hours=12)


class _Refused(Exception):  # noqa: N818 - carries a refusal out of the transaction
    def __init__(self, refused: RefusedEffect) -> None:
        super().__init__(refused.code)
        self.refused = refused


class SqlTurns:
    """Port `UnitOfWork`."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        applier: effects.Applier,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._database = database
        self._clock = clock
        self._applier = applier
        self._lease = lease_seconds

    async def ready(self, limit: int = 50) -> Sequence[ConversationId]:
        """See the port."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(conversations.c.id)
                .where(
                    conversations.c.work_at <= db_now(),
                    or_(
                        conversations.c.lease_until.is_(None),
                        conversations.c.lease_until < db_now(),
                    ),
                )
                .order_by(conversations.c.work_at)
                .limit(limit)
            )
            return [ConversationId(i) for i in found.scalars()]

    async def claim(self, conversation: ConversationId) -> Claim | None:
        """See the port. One statement takes the lease; what follows only reads."""
        async with self._database.write() as connection:
            row = (
                (
                    await connection.execute(
                        update(conversations)
                        .where(
                            conversations.c.id == conversation,
                            conversations.c.work_at <= db_now(),
                            or_(
                                conversations.c.lease_until.is_(None),
                                conversations.c.lease_until < db_now(),
                            ),
                        )
                        .values(fence=conversations.c.fence + 1, lease_until=db_now(self._lease))
                        .returning(*conversations.c)
                    )
                )
                .mappings()
                .one_or_none()
            )
        if row is None:
            return None
        crash_point("turn.claimed")
        async with self._database.read() as connection:
            return await self._load(connection, rows.conversation(row))

    async def _load(self, connection: AsyncConnection, conversation: Conversation) -> Claim | None:
        tenant = conversation.tenant
        pending = (
            (
                await connection.execute(
                    select(messages)
                    .where(
                        messages.c.conversation_id == conversation.id,
                        messages.c.status == "received",
                    )
                    .order_by(messages.c.seq)
                    .limit(_BATCH)
                )
            )
            .mappings()
            .all()
        )
        if not pending:
            await self._idle(conversation)
            return None
        history = (
            (
                await connection.execute(
                    select(messages)
                    .where(
                        messages.c.conversation_id == conversation.id,
                        messages.c.seq < pending[0]["seq"],
                        messages.c.kind != MessageKind.NOTE,
                        messages.c.status.not_in(("dropped", "discarded", "proposed")),
                    )
                    .order_by(messages.c.seq.desc())
                    .limit(_HISTORY)
                )
            )
            .mappings()
            .all()
        )
        contact = await contacts.load(connection, tenant, conversation.contact_id)
        policy = await connection.scalar(select(tenants.c.policy).where(tenants.c.id == tenant))
        if contact is None:
            raise RuntimeError(f"conversation {conversation.id!r} has no contact")
        here = await self._proved_here(connection, conversation)
        weakest = min((_believed(r, contact, here=here) for r in pending), key=lambda a: a.rank)
        return Claim(
            conversation=conversation,
            fence=conversation.fence,
            version=conversation.version,
            messages=tuple(rows.message(r) for r in pending),
            history=tuple(rows.message(r) for r in reversed(history)),
            contact=contact,
            inbox=await self._inbox(connection, pending[-1]["inbox_id"]),
            policy=rows.policy(policy),
            assurance=weakest,
            opted_out=await self._stopped(connection, pending[-1]),
        )

    async def _proved_here(self, connection: AsyncConnection, conversation: Conversation) -> bool:
        """Return whether a code came back in this conversation of late."""
        used = select(codes.c.id).where(
            codes.c.conversation_id == conversation.id,
            codes.c.used_at > self._clock.now() - _PROOF_LASTS,
        )
        return (await connection.execute(used.limit(1))).first() is not None

    async def _stopped(self, connection: AsyncConnection, newest: rows.Row) -> bool:
        """Return whether the newest word on hearing from us, from where this was written, is STOP."""
        stopped = select(consents.c.granted).where(
            consents.c.tenant == newest["tenant"],
            consents.c.channel == newest["channel"],
            consents.c.keyword != UNASKED_ONLY,
            consents.c.address.in_(
                [newest["address"] or "", (newest["metadata"] or {}).get("sender") or ""]
            ),
        )
        granted = (await connection.execute(stopped)).scalars().all()
        return False in granted

    async def _inbox(self, connection: AsyncConnection, inbox: str | None) -> Inbox | None:
        row = (await connection.execute(select(inboxes).where(inboxes.c.id == inbox))).one_or_none()
        if row is None:
            return None
        return Inbox(
            id=InboxId(row.id),
            tenant=TenantId(row.tenant),
            channel=row.channel,
            address=row.address,
            kind=row.kind,
            env_prefix=row.env_prefix,
        )

    async def _idle(self, conversation: Conversation) -> None:
        """Clear a due time that has no message behind it, unless one arrived meanwhile."""
        async with self._database.write() as connection:
            await connection.execute(
                update(conversations)
                .where(
                    conversations.c.id == conversation.id,
                    conversations.c.fence == conversation.fence,
                )
                .values(work_at=_next_work(), lease_until=None)
            )

    async def renew(self, claim: Claim) -> bool:
        """See the port."""
        async with self._database.write() as connection:
            done = await connection.execute(
                update(conversations)
                .where(
                    conversations.c.id == claim.conversation.id,
                    conversations.c.fence == claim.fence,
                )
                .values(lease_until=db_now(self._lease))
            )
            return bool(done.rowcount)

    async def current(self, claim: Claim) -> bool:
        """See the port. For previews only: the commit decides by its own UPDATE."""
        async with self._database.read() as connection:
            version = await connection.scalar(
                select(conversations.c.version).where(
                    conversations.c.id == claim.conversation.id,
                    conversations.c.fence == claim.fence,
                )
            )
            return bool(version == claim.version)

    async def commit(self, result: TurnResult) -> Committed | Superseded | RefusedEffect:
        """See the port."""
        crash_point("turn.thought")
        try:
            async with self._database.write() as connection:
                committed = await self._apply(connection, result)
                if committed is not None:
                    crash_point("turn.applied")
        except _Refused as refusal:
            return refusal.refused
        if committed is None:
            await self._drop(result)
            return Superseded("owner, mode or status changed, or the lease was lost")
        crash_point("turn.committed")
        return committed

    async def _apply(self, connection: AsyncConnection, result: TurnResult) -> Committed | None:
        claim = result.claim
        sends = [e for e in result.effects if isinstance(e, Send)]
        count = len(result.replies) + len(sends)
        changed = result.status != claim.conversation.status
        now = self._clock.now()
        resolved = result.status == Status.RESOLVED
        last = (
            await connection.execute(
                update(conversations)
                .where(
                    conversations.c.id == claim.conversation.id,
                    conversations.c.fence == claim.fence,
                    conversations.c.version == claim.version,
                )
                .values(
                    seq=conversations.c.seq + count,
                    status=result.status,
                    version=conversations.c.version + (1 if changed else 0),
                    lease_until=None,
                    updated_at=now,
                    **({"resolved_at": now, "form": None} if resolved else {}),
                )
                .returning(conversations.c.seq)
            )
        ).scalar_one_or_none()
        if last is None:
            return None
        await connection.execute(
            insert(turns).values(
                id=result.turn_id,
                tenant=claim.conversation.tenant,
                conversation_id=claim.conversation.id,
                handler=result.handler,
                intent=_intent(result.trace),
                state="committed",
                fence=claim.fence,
                trace=dict(result.trace),
                started_at=result.started_at,
                ended_at=now,
            )
        )
        await self._take(connection, result)
        replies = [await self._copied(connection, claim, reply) for reply in result.replies]
        written = [
            await self._write(connection, result, reply, last - count + n)
            for n, reply in enumerate([*replies, *await self._mails(connection, result)], 1)
        ]
        for effect in result.effects:
            refused = await self._applier.apply(connection, result, effect, now)
            if refused is not None:
                raise _Refused(refused)
        await uses.count_turn(connection, result, now)
        await connection.execute(
            update(conversations)
            .where(conversations.c.id == claim.conversation.id)
            .values(work_at=_next_work())
        )
        return Committed(tuple(message for message, _ in written), tuple(job for _, job in written))

    async def _copied(self, connection: AsyncConnection, claim: Claim, reply: Reply) -> Reply:
        """Let colleagues who were in Cc read the bot's answer, unless it is the contact's own affair."""
        written_to = claim.messages[-1]
        is_bot = reply.author is Author.BOT and reply.kind is MessageKind.REPLY
        if reply.private or not is_bot or reply.address != written_to.address:
            return reply
        if reply.channel != "email" or claim.assurance != Assurance.PROVEN:
            return reply
        named = written_to.metadata.get("cc", "").split()
        account = claim.contact.account.id if claim.contact.account else None
        cc = await copies.colleagues(connection, claim.conversation.tenant, account, named)
        return replace(reply, cc=cc)

    async def _take(self, connection: AsyncConnection, result: TurnResult) -> None:
        """Give the inbound messages to this turn: each belongs to exactly one that committed."""
        ids = [m.id for m in result.claim.messages]
        taken = await connection.execute(
            update(messages)
            .where(messages.c.id.in_(ids), messages.c.status == "received")
            .values(status="handled", turn_id=result.turn_id)
        )
        if taken.rowcount != len(ids):
            raise RuntimeError(f"turn {result.turn_id!r} took {taken.rowcount} of {len(ids)}")

    async def _mails(self, connection: AsyncConnection, result: TurnResult) -> list[Reply]:
        """Turn `Send` effects into replies through the tenant's own inbox of that channel."""
        found: list[Reply] = []
        tenant = result.claim.conversation.tenant
        for effect in result.effects:
            if not isinstance(effect, Send):
                continue
            inbox = await queue.inbox_for(connection, tenant, effect.channel)
            if inbox is None:
                continue
            found.append(
                Reply(
                    text=effect.text,
                    kind=MessageKind.NOTICE,
                    author=Author.SYSTEM,
                    channel=effect.channel,
                    address=effect.address,
                    inbox=inbox,
                    subject=effect.subject,
                    attachments=effect.attachments,
                )
            )
        return found

    async def _write(
        self, connection: AsyncConnection, result: TurnResult, reply: Reply, seq: int
    ) -> tuple[StoredMessage, OutboxId]:
        claim = result.claim
        if reply.inline and not await self._is_awaited(connection, claim):
            reply = replace(reply, inline=False)
        return await write_outbound(
            connection,
            tenant=claim.conversation.tenant,
            conversation=claim.conversation.id,
            turn=result.turn_id,
            reply=reply,
            seq=seq,
            now=self._clock.now(),
            bot_name=claim.policy.bot_name,
        )

    async def _is_awaited(self, connection: AsyncConnection, claim: Claim) -> bool:
        """Return whether somebody still waits for the reply: a caller may have hung up meanwhile."""
        newest = claim.messages[-1].id
        return bool(
            await connection.scalar(select(messages.c.inline).where(messages.c.id == newest))
        )

    async def _drop(self, result: TurnResult) -> None:
        """Record the dropped answer and hand the work to whoever owns the conversation now."""
        claim = result.claim
        now = self._clock.now()
        async with self._database.write() as connection:
            trace = {**result.trace, "dropped": [r.text for r in result.replies]}
            if await self._erased(connection, claim):
                trace = {"erased": True}
            await connection.execute(
                insert(turns).values(
                    id=result.turn_id,
                    tenant=claim.conversation.tenant,
                    conversation_id=claim.conversation.id,
                    handler=result.handler,
                    state="dropped",
                    fence=claim.fence,
                    trace=trace,
                    started_at=result.started_at,
                    ended_at=now,
                )
            )
            await connection.execute(
                update(conversations)
                .where(
                    conversations.c.id == claim.conversation.id,
                    conversations.c.fence == claim.fence,
                )
                .values(lease_until=None, work_at=db_now())
            )

    async def _erased(self, connection: AsyncConnection, claim: Claim) -> bool:
        """Return whether the contact was erased while the turn thought: then none of it may be kept."""
        written = [m.id for m in claim.messages if m.text]
        kept = await connection.scalar(
            select(func.count())
            .select_from(messages)
            .where(messages.c.id.in_(written), messages.c.text != "")
        )
        return bool(written) and not kept

    async def release(self, claim: Claim, retry_in: float) -> None:
        """See the port."""
        async with self._database.write() as connection:
            await connection.execute(
                update(conversations)
                .where(
                    conversations.c.id == claim.conversation.id,
                    conversations.c.fence == claim.fence,
                )
                .values(lease_until=None, work_at=db_now(retry_in))
            )


async def write_outbound(
    connection: AsyncConnection,
    *,
    tenant: str,
    conversation: str,
    turn: str | None,
    reply: Reply,
    seq: int,
    now: datetime,
    bot_name: str,
) -> tuple[StoredMessage, OutboxId]:
    """Insert one outbound message and its delivery job."""
    message_id = MessageId(new_id("msg", now))
    name = reply.author_name or (bot_name if reply.author is Author.BOT else None)
    status = "proposed" if reply.proposed else "queued"
    carried = await file_rows.keep_ours(connection, tenant, message_id, reply.attachments, now)
    shown = {
        "citations": rows.citations_to_json(reply.citations),
        "quick_replies": [{"label": q.label, "value": q.value} for q in reply.quick_replies],
        "attachments": rows.attachments_to_json(carried),
    }
    await connection.execute(
        insert(messages).values(
            id=message_id,
            tenant=tenant,
            conversation_id=conversation,
            seq=seq,
            direction="out",
            author=reply.author,
            author_name=name,
            kind=reply.kind,
            channel=reply.channel,
            inbox_id=reply.inbox,
            address=reply.address,
            text=reply.text,
            subject=reply.subject,
            thread=reply.thread,
            locale=reply.locale,
            status=status,
            turn_id=turn,
            inline=reply.inline,
            assurance=Assurance.PROVEN,
            metadata={"cc": " ".join(reply.cc)} if reply.cc else {},
            created_at=now,
            **shown,
        )
    )
    job = await queue.add(
        connection,
        tenant=tenant,
        inbox=reply.inbox,
        channel=reply.channel,
        address=reply.address,
        author=reply.author,
        kind=reply.kind,
        payload={
            "text": reply.text,
            "seq": seq,
            "author_name": name,
            "subject": reply.subject,
            "thread": reply.thread,
            "references": list(reply.references),
            "locale": reply.locale,
            "cc": list(reply.cc),
            "private": reply.private,
            **shown,
        },
        now=now,
        conversation=conversation,
        message=message_id,
        turn=turn,
        inline=reply.inline,
        proposed=reply.proposed,
    )
    row = (
        (await connection.execute(select(messages).where(messages.c.id == message_id)))
        .mappings()
        .one()
    )
    return rows.message(row), job


def _intent(trace: Mapping[str, object]) -> str | None:
    """Return what the turn was about, as understood."""
    understood = trace.get("understanding")
    intent = understood.get("intent") if isinstance(understood, Mapping) else None
    name = intent.get("name") if isinstance(intent, Mapping) else None
    return name if isinstance(name, str) else None


def _believed(row: rows.Row, contact: Contact, *, here: bool) -> Assurance:
    """Return how sure we are that a message is the contact's own.

    What a provider vouches for is proven when the contact proved that address before; another's words in the same
    thread count as a claim. A browser is no address: whoever sits at it next has its token too, so it is proven only
    where a code came back of late (`here`), or by the signature on the message itself.
    """
    stated, sender = Assurance(row["assurance"]), (row["metadata"] or {}).get("sender")
    if stated is Assurance.PROVEN or not sender:
        return stated
    held = [i for i in contact.identities if i.value == sender]
    if not held:
        return Assurance.CLAIMED
    vouched = stated is Assurance.CHANNEL and any(
        i.assurance is Assurance.PROVEN
        and not i.kind.endswith(":claimed")
        and (here or i.kind not in _BROWSERS)
        for i in held
    )
    return Assurance.PROVEN if vouched else stated


def _next_work() -> object:
    """Due again now while a received message is left, else never."""
    left = exists().where(
        messages.c.conversation_id == conversations.c.id, messages.c.status == "received"
    )
    return case((left, db_now()), else_=None)
