"""Applies a turn's effects inside its commit. A refusal rolls the whole commit back."""

from datetime import datetime
from typing import Protocol

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import alarm_rows, codes, contacts, gap_rows, handoffs
from app.store.models import (
    contacts as contact_table,
)
from app.store.models import (
    conversations,
    facts,
)
from core.effects import (
    Book,
    CancelBooking,
    CountMiss,
    Effect,
    Escalate,
    Forget,
    Identify,
    OpenGap,
    Prove,
    RefusedEffect,
    Remember,
    Resolve,
    Send,
    SendCode,
    SetAlarm,
    SetForm,
    SetLocale,
    SetNote,
    SetTimeZone,
    TellTeam,
)
from core.ids import new_id
from core.ports import TurnResult
from core.sensitive import sensitive_category

MAX_FACTS = 200


class BookingEffects(Protocol):
    """What the calendar's store does inside a commit."""

    async def apply_book(
        self,
        connection: AsyncConnection,
        tenant: str,
        conversation: str | None,
        contact: str,
        effect: Book,
        now: datetime,
    ) -> RefusedEffect | None:
        """Claim cells and write the booking."""
        ...

    async def apply_cancel(
        self,
        connection: AsyncConnection,
        tenant: str,
        contact: str,
        effect: CancelBooking,
        now: datetime,
    ) -> RefusedEffect | None:
        """Free the cells of the contact's own booking."""
        ...


class Applier:
    """Knows how each kind of effect is written."""

    def __init__(
        self, bookings: BookingEffects, base_url: str = "", seals: codes.Seals | None = None
    ) -> None:
        self._bookings = bookings
        self._base_url = base_url
        self._seals = seals or codes.Seals("")

    async def apply(  # noqa: C901 - one flat match, a line a kind
        self, connection: AsyncConnection, result: TurnResult, effect: Effect, now: datetime
    ) -> RefusedEffect | None:
        """Apply one effect; a returned refusal must roll the transaction back."""
        conversation = result.claim.conversation
        contact = result.claim.contact.id
        tenant = conversation.tenant
        match effect:
            case Escalate():
                await handoffs.request(
                    connection,
                    conversation.id,
                    effect.reason,
                    effect.severity,
                    effect.summary,
                    effect.sentiment,
                    now,
                    self._base_url,
                )
            case Book():
                return await self._bookings.apply_book(
                    connection, tenant, conversation.id, contact, effect, now
                )
            case CancelBooking():
                return await self._bookings.apply_cancel(connection, tenant, contact, effect, now)
            case Remember():
                return await remember(connection, tenant, contact, effect, now)
            case Forget():
                await _forget(connection, tenant, contact, effect)
            case OpenGap():
                await gap_rows.open_gap(connection, tenant, conversation.id, contact, effect, now)
            case SetForm() | SetNote() | SetLocale() | Resolve():
                await self._conversation(connection, result, effect)
            case SetTimeZone():
                await connection.execute(
                    update(contact_table)
                    .where(contact_table.c.id == contact)
                    .values(time_zone=effect.time_zone, updated_at=now)
                )
            case Identify():
                await contacts.claim(connection, tenant, contact, effect.claim, now, routes=False)
            case SetAlarm():
                await alarm_rows.set_alarm(connection, tenant, effect)
            case TellTeam():
                await handoffs.tell_team(connection, tenant, conversation.id, effect.card, now)
            case SendCode() | Prove() | CountMiss():
                return await self._code(connection, result, effect, now)
            case Send():
                pass  # already a row: the commit wrote it with its seq
        return None

    async def _code(
        self,
        connection: AsyncConnection,
        result: TurnResult,
        effect: SendCode | Prove | CountMiss,
        now: datetime,
    ) -> RefusedEffect | None:
        claim, talk = result.claim, result.claim.conversation
        match effect:
            case SendCode():
                return await codes.send(connection, self._seals, talk.tenant, talk.id, effect, now)
            case CountMiss():
                return await codes.miss(connection, talk.tenant, talk.id, effect)
            case Prove():
                return await codes.prove(
                    connection, talk.tenant, talk.id, claim.contact, claim.messages[-1], effect, now
                )

    async def _conversation(
        self,
        connection: AsyncConnection,
        result: TurnResult,
        effect: SetForm | SetNote | SetLocale | Resolve,
    ) -> None:
        conversation = result.claim.conversation
        values: dict[str, object]
        match effect:
            case SetForm(form):
                values = {
                    "form": {
                        "name": form.name,
                        "slots": dict(form.slots),
                        "asking": form.asking,
                        "asked": dict(form.asked),
                    }
                    if form
                    else None
                }
            case SetNote():
                kept = await connection.scalar(
                    select(conversations.c.memory).where(conversations.c.id == conversation.id)
                )
                values = {"memory": {**(kept or {}), **effect.values}}
            case SetLocale():
                values = {"locale": effect.locale}
            case Resolve():
                # a status the commit has set; forms never outlive their conversation
                values = {"form": None}
                if effect.confirmed:
                    values["confirmed_at"] = result.started_at
        await connection.execute(
            update(conversations).where(conversations.c.id == conversation.id).values(**values)
        )


async def remember(
    connection: AsyncConnection, tenant: str, contact: str, effect: Remember, now: datetime
) -> RefusedEffect | None:
    """Write a fact, replacing the contact's older one of the same key.

    Health, family, belief and mood are refused, wherever the fact comes from.
    """
    if sensitive_category(effect.key, effect.value) is not None:
        return RefusedEffect(effect, "sensitive", "this kind of fact is never stored")
    key = (facts.c.tenant == tenant) & (facts.c.contact_id == contact)
    done = await connection.execute(
        update(facts)
        .where(key, facts.c.key == effect.key)
        .values(
            value=effect.value,
            source=effect.source,
            confidence=effect.confidence,
            created_at=now,
        )
    )
    if done.rowcount:
        return None
    count = len((await connection.execute(select(facts.c.id).where(key))).all())
    if count >= MAX_FACTS:
        return RefusedEffect(effect, "cap_reached", f"{MAX_FACTS} facts a contact")
    await connection.execute(
        insert(facts).values(
            id=new_id("fct", now),
            tenant=tenant,
            contact_id=contact,
            key=effect.key,
            value=effect.value,
            source=effect.source,
            confidence=effect.confidence,
            created_at=now,
        )
    )
    return None


async def _forget(connection: AsyncConnection, tenant: str, contact: str, effect: Forget) -> None:
    which = delete(facts).where(facts.c.tenant == tenant, facts.c.contact_id == contact)
    if effect.fact_id is not None:
        which = which.where(facts.c.id == effect.fact_id)
    await connection.execute(which)
