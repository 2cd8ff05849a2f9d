"""One-time codes: sealed, limited, and tried inside the commit of the turn that heard them.

A code is made here, goes into the outbox and is never written anywhere else: its row keeps a keyed digest, and what a
customer types is sealed the same way before their message is stored (`hide`), so no turn, trace, prompt, log
or transcript ever holds one. Not here: when a code is offered (handlers/identity.py), what proof joins (joins.py).
"""

import hashlib
import hmac
import re
import secrets
import unicodedata
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import contacts, joins, queue
from app.store.database import Database
from app.store.models import codes, consents, identities, tenants
from app.store.models import contacts as contact_table
from core.clock import Clock
from core.conversations import Contact
from core.effects import CODE_GAP, CountMiss, Prove, RefusedEffect, SendCode
from core.ids import ContactId, ConversationId, TenantId, new_id
from core.messages import UNASKED_ONLY, Assurance, Author, IdentityClaim, MessageKind, StoredMessage
from core.ports import Judged

DIGITS, ATTEMPTS = 6, 5
LASTS = timedelta(minutes=10)
HIDDEN = "••••••"
# how many codes, in what time: to one address, and from one conversation
LIMITS = ((3, timedelta(hours=1)), (6, timedelta(days=1)))
_HIDES = timedelta(hours=1)  # a code typed too late is hidden all the same
_KEPT = timedelta(days=2)
_TYPED = re.compile(r"(?<!\d)\d{3}[ \u00a0.-]?\d{3}(?!\d)")


class Seals:
    """Keyed digests of codes. The key is the server's secret: rows alone say nothing of six digits."""

    def __init__(self, key: str) -> None:
        """Keep the key; an empty one is made up and lasts as long as the process."""
        self._key = key.encode() or secrets.token_bytes(32)

    def seal(self, tenant: str, conversation: str, code: str) -> str:
        """Return what a code of this conversation is kept as."""
        said = "\x1f".join(("code", tenant, conversation, code)).encode()
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()

    async def hide(
        self, connection: AsyncConnection, tenant: str, conversation: str, text: str, now: datetime
    ) -> tuple[str, str | None]:
        """Return a customer's text with typed codes hidden, and the seal of the only one.

        Nothing is hidden in a conversation that no code was sent for.
        """
        typed = _TYPED.findall(text)
        if not typed or not await _asked(connection, tenant, conversation, now):
            return text, None
        seal = self.seal(tenant, conversation, _plain(typed[0])) if len(typed) == 1 else None
        return _TYPED.sub(HIDDEN, text), seal


async def _asked(
    connection: AsyncConnection, tenant: str, conversation: str, now: datetime
) -> bool:
    found = select(codes.c.id).where(
        codes.c.tenant == tenant,
        codes.c.conversation_id == conversation,
        codes.c.created_at > now - _HIDES,
    )
    return (await connection.execute(found.limit(1))).first() is not None


def _plain(typed: str) -> str:
    return "".join(str(unicodedata.digit(c)) for c in typed if c.isdigit())


class SqlCodes:
    """Port `Codes`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def judge(self, tenant: TenantId, conversation: ConversationId, typed: str) -> Judged:
        """See the port. Compared in constant time; the commit compares again."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(
                    select(codes)
                    .where(codes.c.tenant == tenant, codes.c.conversation_id == conversation)
                    .order_by(codes.c.created_at.desc(), codes.c.id.desc())
                    .limit(1)
                )
            ).one_or_none()
        if row is None or row.used_at is not None or row.expires_at <= self._clock.now():
            return Judged("expired")
        if row.attempts >= ATTEMPTS:
            return Judged("spent", row.id)
        if hmac.compare_digest(row.seal, typed):
            return Judged("right", row.id, ATTEMPTS - row.attempts)
        return Judged("wrong", row.id, ATTEMPTS - row.attempts - 1)

    async def sweep(self) -> int:
        """Delete codes that no limit counts any more; returns how many."""
        async with self._database.write() as connection:
            done = await connection.execute(
                delete(codes).where(codes.c.created_at <= self._clock.now() - _KEPT)
            )
            return done.rowcount


# ---------------------------------------------------------------- inside a commit


async def send(
    connection: AsyncConnection,
    seals: Seals,
    tenant: str,
    conversation: str,
    effect: SendCode,
    now: datetime,
) -> RefusedEffect | None:
    """Make a code, keep its seal and queue it; the same whether or not anybody we know has the address."""
    inbox = await queue.inbox_for(connection, tenant, effect.channel)
    stopped = await connection.scalar(
        select(consents.c.granted).where(
            consents.c.tenant == tenant,
            consents.c.channel == effect.channel,
            consents.c.address == effect.value,
            consents.c.keyword != UNASKED_ONLY,
        )
    )
    if inbox is None or stopped is False:
        return RefusedEffect(effect, "no_channel", "nothing is sent there")
    # one at a time per tenant, or two at once would both be within the limit
    await connection.execute(
        select(tenants.c.id).where(tenants.c.id == tenant).with_for_update(key_share=True)
    )
    if await _too_many(connection, tenant, conversation, effect, now):
        return RefusedEffect(effect, "cap_reached", "too many codes")
    await connection.execute(
        update(codes)
        .where(codes.c.conversation_id == conversation, codes.c.expires_at > now)
        .values(expires_at=now)
    )
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    await connection.execute(
        insert(codes).values(
            id=new_id("cod", now),
            tenant=tenant,
            conversation_id=conversation,
            kind=effect.kind,
            value=effect.value,
            seal=seals.seal(tenant, conversation, code),
            attempts=0,
            created_at=now,
            expires_at=now + LASTS,
        )
    )
    # not a message of the conversation: its address may be a stranger's, and its text nobody else's
    await queue.add(
        connection,
        tenant=tenant,
        inbox=inbox,
        channel=effect.channel,
        address=effect.value,
        author=Author.SYSTEM,
        kind=MessageKind.NOTICE,
        payload={
            "text": effect.text.replace(CODE_GAP, code),
            "subject": effect.subject,
            "secret": effect.text.replace(CODE_GAP, HIDDEN),
            "about": conversation,
        },
        now=now,
    )
    return None


async def _too_many(
    connection: AsyncConnection, tenant: str, conversation: str, effect: SendCode, now: datetime
) -> bool:
    to_address = (codes.c.kind == effect.kind) & (codes.c.value == effect.value)
    for most, within in LIMITS:
        for where in (to_address, codes.c.conversation_id == conversation):
            sent = await connection.scalar(
                select(func.count())
                .select_from(codes)
                .where(codes.c.tenant == tenant, where, codes.c.created_at > now - within)
            )
            if int(sent or 0) >= most:
                return True
    return False


async def miss(
    connection: AsyncConnection, tenant: str, conversation: str, effect: CountMiss
) -> RefusedEffect | None:
    """Count a wrong code; refused when there was no attempt left to count."""
    done = await connection.execute(
        update(codes)
        .where(
            codes.c.id == effect.code,
            codes.c.tenant == tenant,
            codes.c.conversation_id == conversation,
            codes.c.attempts < ATTEMPTS,
        )
        .values(attempts=codes.c.attempts + 1)
    )
    return None if done.rowcount else RefusedEffect(effect, "not_found", "no attempt is left")


async def prove(
    connection: AsyncConnection,
    tenant: TenantId,
    conversation: str,
    contact: Contact,
    newest: StoredMessage,
    effect: Prove,
    now: datetime,
) -> RefusedEffect | None:
    """Use the code up and join on it: this conversation's sender is proven, at the contact who has the address."""
    row = (
        await connection.execute(
            update(codes)
            .where(
                codes.c.id == effect.code,
                codes.c.tenant == tenant,
                codes.c.conversation_id == conversation,
                codes.c.used_at.is_(None),
                codes.c.attempts < ATTEMPTS,
                codes.c.expires_at > now,
                codes.c.seal == effect.typed,
            )
            .values(used_at=now)
            .returning(codes.c.kind, codes.c.value)
        )
    ).one_or_none()
    if row is None:
        return RefusedEffect(effect, "not_found", "this code counts no more")
    proof = IdentityClaim(row.kind, row.value, Assurance.PROVEN)
    owner = await _owner(connection, tenant, contact.id, proof, now)
    if owner is None:
        return RefusedEffect(effect, "both_known", "the address is another known contact's")
    await contacts.claim(connection, tenant, owner, proof, now, routes=True)
    sender = newest.metadata.get("sender", "")
    kinds = await connection.execute(
        select(identities.c.kind).where(
            identities.c.tenant == tenant,
            identities.c.contact_id == owner,
            identities.c.value == sender,
            identities.c.routes.is_(True),
        )
    )
    for kind in kinds.scalars():
        if not kind.endswith(":claimed"):
            await joins.raise_assurance(connection, tenant, owner, kind, sender)
    return None


async def _owner(
    connection: AsyncConnection,
    tenant: TenantId,
    contact: ContactId,
    proof: IdentityClaim,
    now: datetime,
) -> ContactId | None:
    """Return whose the proven address is from now on; None when two known contacts would have to be one."""
    holder = await contacts.route(connection, tenant, proof.kind, proof.value)
    if holder is None or holder == contact:
        return contact
    if await joins.join(connection, tenant, contact, holder, proof, now):
        return holder
    known = await connection.scalar(
        select(contact_table.c.external_id).where(contact_table.c.id == holder)
    )
    return None if known else contact  # a nameless holder is joined by the claim
