"""What is remembered of contacts, what nobody could answer, and the phrases a tenant taught.

Owns the refusal of facts that may not be kept. Not here: searching facts (knowledge/).
"""

from collections.abc import Sequence

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import effects
from app.store.database import Database
from app.store.models import contacts, facts, intents
from app.store.upserts import settle
from core.clock import Clock
from core.effects import Remember
from core.errors import BadInputError, ConflictError, NotFoundError
from core.ids import ContactId, FactId, TenantId, new_id
from core.ports import Fact
from core.sensitive import sensitive_category

MAX_KEY = 80
MAX_VALUE = 1000
MAX_SOURCE = 200
MAX_PHRASE = 500


class SqlFacts:
    """Port `Facts`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def put(
        self,
        tenant: TenantId,
        contact: ContactId,
        key: str,
        value: str,
        source: str,
        confidence: float = 1.0,
    ) -> Fact:
        """See the port. Raises NotFoundError for another tenant's contact, ConflictError when full."""
        effect = Remember(_named(key), _told(value), source[:MAX_SOURCE], _share(confidence))
        category = sensitive_category(effect.key, effect.value)
        if category:
            raise BadInputError(f"facts about {category} are not stored")

        async def change(connection: AsyncConnection) -> Fact:
            known = select(contacts.c.id).where(
                contacts.c.id == contact, contacts.c.tenant == tenant
            )
            if (await connection.execute(known)).first() is None:
                raise NotFoundError("no such contact")
            refused = await effects.remember(connection, tenant, contact, effect, self._clock.now())
            if refused is not None:
                raise ConflictError(refused.detail)
            row = await connection.execute(
                select(facts).where(
                    facts.c.tenant == tenant,
                    facts.c.contact_id == contact,
                    facts.c.key == effect.key,
                )
            )
            return _fact(row.mappings().one())

        return await settle(self._database, change)

    async def all(self, tenant: TenantId, contact: ContactId) -> Sequence[Fact]:
        """See the port."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(facts)
                .where(facts.c.tenant == tenant, facts.c.contact_id == contact)
                .order_by(facts.c.created_at.desc(), facts.c.id.desc())
            )
            return [_fact(row) for row in found.mappings()]

    async def forget(self, tenant: TenantId, contact: ContactId, key: str | None = None) -> int:
        """See the port."""
        which = delete(facts).where(facts.c.tenant == tenant, facts.c.contact_id == contact)
        if key is not None:
            which = which.where(facts.c.key == key)
        async with self._database.write() as connection:
            return (await connection.execute(which)).rowcount


def _named(key: str) -> str:
    plain = " ".join(key.replace("\x00", "").split())
    if not plain or len(plain) > MAX_KEY:
        raise BadInputError(f"a fact's key has 1 to {MAX_KEY} characters")
    return plain


def _told(value: str) -> str:
    plain = value.replace("\x00", "").strip()
    if not plain or len(plain) > MAX_VALUE:
        raise BadInputError(f"a fact's value has 1 to {MAX_VALUE} characters")
    return plain


def _share(confidence: float) -> float:
    if not 0.0 <= confidence <= 1.0:
        raise BadInputError("confidence is between 0 and 1")
    return confidence


def _fact(row: RowMapping) -> Fact:
    return Fact(
        id=FactId(row["id"]),
        contact_id=ContactId(row["contact_id"]),
        key=row["key"],
        value=row["value"],
        source=row["source"],
        confidence=row["confidence"],
        created_at=row["created_at"],
    )


class SqlIntents:
    """Phrases a tenant taught for the intent head: text → intent."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def load(self, tenant: TenantId, phrases: Sequence[tuple[str, str]]) -> int:
        """Store (text, intent) pairs, the last one of a text winning; returns how many are new or changed.

        Raises BadInputError for an empty or overlong one.
        """
        wanted = {_phrase(text): _phrase(intent) for text, intent in phrases}

        async def change(connection: AsyncConnection) -> int:
            now = self._clock.now()
            found = await connection.execute(
                select(intents.c.text, intents.c.intent).where(intents.c.tenant == tenant)
            )
            known = {row.text: row.intent for row in found}
            fresh = [
                {"id": new_id("int", now), "tenant": tenant, "text": text, "intent": intent}
                for text, intent in wanted.items()
                if text not in known
            ]
            moved = {t: i for t, i in wanted.items() if t in known and known[t] != i}
            if fresh:
                await connection.execute(insert(intents), fresh)
            for text, intent in moved.items():
                await connection.execute(
                    update(intents)
                    .where(intents.c.tenant == tenant, intents.c.text == text)
                    .values(intent=intent)
                )
            return len(fresh) + len(moved)

        return await settle(self._database, change)

    async def remove(
        self, tenant: TenantId, intent: str | None = None, text: str | None = None
    ) -> int:
        """Delete the phrases that have this intent and this text, all without either; returns how many."""
        which = delete(intents).where(intents.c.tenant == tenant)
        if intent is not None:
            which = which.where(intents.c.intent == _phrase(intent))
        if text is not None:
            which = which.where(intents.c.text == _phrase(text))
        async with self._database.write() as connection:
            return (await connection.execute(which)).rowcount

    async def all(self, tenant: TenantId) -> Sequence[tuple[str, str]]:
        """Return (text, intent) pairs, by text."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(intents.c.text, intents.c.intent)
                .where(intents.c.tenant == tenant)
                .order_by(intents.c.text)
            )
            return [(row.text, row.intent) for row in found]


def _phrase(text: str) -> str:
    plain = " ".join(text.replace("\x00", "").split())
    if not plain or len(plain) > MAX_PHRASE:
        raise BadInputError(f"phrases and intents have 1 to {MAX_PHRASE} characters")
    return plain
