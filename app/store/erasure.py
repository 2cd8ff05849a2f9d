"""A contact's export and erasure (promise 10), inside the caller's transaction.

Erasing empties rows and keeps their skeletons: ids, times, channels and states still count in KPIs, and a
provider's message id still tells a redelivery. Opt-outs are kept, or a person who said STOP could be
written to again.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import contacts as contact_rows
from app.store import file_rows, gap_rows
from app.store.models import (
    accounts,
    audit,
    bookings,
    codes,
    contacts,
    conversations,
    facts,
    files,
    gap_askers,
    gaps,
    handoffs,
    identities,
    labels,
    messages,
    outbox,
    reaches,
    turns,
    unasked,
)
from core.conversations import Status
from core.errors import NotFoundError
from core.ids import ContactId, TenantId, new_id
from core.messages import MessageKind

_EXPORTED = {
    identities: ("kind", "value", "assurance", "created_at"),
    facts: ("key", "value", "source", "confidence", "created_at"),
    bookings: ("id", "asset_id", "title", "host", "starts_at", "ends_at", "status", "email"),
    conversations: ("id", "channel", "status", "subject", "locale", "created_at", "resolved_at"),
}
_FILE = (
    "id",
    "message_id",
    "name",
    "content_type",
    "size",
    "sha256",
    "state",
    "reason",
    "created_at",
)
_MESSAGE = ("conversation_id", "seq", "author", "author_name", "channel", "address", "subject")


async def export(
    connection: AsyncConnection, tenant: TenantId, contact: ContactId
) -> dict[str, object]:
    """Return all that is kept about a contact, as plain JSON. The team's internal notes are not theirs."""
    row = (await connection.execute(_contact(tenant, contact))).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no such contact")
    account = await connection.scalar(
        select(accounts.c.name).where(accounts.c.id == row["account_id"])
    )
    found: dict[str, object] = {
        "contact": {
            **{k: row[k] for k in ("id", "external_id", "name", "locale", "time_zone")},
            "created_at": row["created_at"],
            "account": account,
        }
    }
    for table, columns in _EXPORTED.items():
        kept = await connection.execute(
            select(*(table.c[name] for name in columns))
            .where(table.c.tenant == tenant, table.c.contact_id == contact)
            .order_by(table.c.created_at)
        )
        found[table.name] = [dict(r) for r in kept.mappings()]
    said = await connection.execute(
        select(
            *(messages.c[name] for name in _MESSAGE),
            messages.c.text,
            messages.c.attachments,
            messages.c.created_at,
        )
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(
            conversations.c.tenant == tenant,
            conversations.c.contact_id == contact,
            messages.c.kind != MessageKind.NOTE,
            messages.c.status.not_in(("proposed", "dropped", "discarded")),
        )
        .order_by(conversations.c.created_at, messages.c.conversation_id, messages.c.seq)
    )
    found["messages"] = [dict(r) for r in said.mappings()]
    found["files"] = await _files(connection, tenant, contact)
    reached = await connection.execute(
        select(reaches.c.conversation_id, reaches.c.channel, reaches.c.address, reaches.c.given_at)
        .join(conversations, conversations.c.id == reaches.c.conversation_id)
        .where(conversations.c.tenant == tenant, conversations.c.contact_id == contact)
        .order_by(reaches.c.given_at)
    )
    found["reaches"] = [dict(r) for r in reached.mappings()]
    plain: dict[str, object] = json.loads(json.dumps(found, default=_plain))
    return plain


async def _files(
    connection: AsyncConnection, tenant: TenantId, contact: ContactId
) -> list[dict[str, object]]:
    """List the files of a contact's messages: what they are and what became of them, not the bytes."""
    carried = await connection.execute(
        select(*(files.c[name] for name in _FILE))
        .join(messages, messages.c.id == files.c.message_id)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(
            conversations.c.tenant == tenant,
            conversations.c.contact_id == contact,
            messages.c.kind != MessageKind.NOTE,
            messages.c.status.not_in(("proposed", "dropped", "discarded")),
        )
        .order_by(files.c.created_at, files.c.id)
    )
    return [dict(r) for r in carried.mappings()]


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _contact(tenant: TenantId, contact: ContactId) -> Any:
    return select(contacts).where(contacts.c.id == contact, contacts.c.tenant == tenant)


async def erase(
    connection: AsyncConnection, tenant: TenantId, contact: ContactId, actor: str, now: datetime
) -> dict[str, int]:
    """Empty everything about a contact. Returns how many rows of each kind were emptied or removed."""
    if await contact_rows.load(connection, tenant, contact) is None:
        raise NotFoundError("no such contact")
    # First, so that a turn still thinking can no longer commit what it was told.
    closed = await connection.execute(
        update(conversations)
        .where(conversations.c.tenant == tenant, conversations.c.contact_id == contact)
        .values(
            status=Status.RESOLVED,
            version=conversations.c.version + 1,
            open_key=None,
            work_at=None,
            owner=None,
            mode=None,
            handoff_id=None,
            subject=None,
            locale=None,
            form=None,
            memory={},
            resolved_at=now,
            updated_at=now,
        )
        .returning(conversations.c.id)
    )
    talks = list(closed.scalars())
    done = {"conversations": len(talks)}
    done.update(await _empty_talks(connection, talks, now))
    for table in (identities, facts):
        done[table.name] = await _remove(connection, table, tenant, contact)
    done["gaps"] = await _gaps(connection, tenant, contact)
    await connection.execute(
        update(bookings)
        .where(bookings.c.tenant == tenant, bookings.c.contact_id == contact)
        .values(email=None)
    )
    await _unasked(connection, tenant, contact, now)
    await connection.execute(
        update(contacts)
        .where(contacts.c.id == contact)
        .values(
            external_id=None,
            name=None,
            locale=None,
            time_zone=None,
            account_id=None,
            updated_at=now,
        )
    )
    await connection.execute(
        insert(audit).values(
            id=new_id("aud", now),
            tenant=tenant,
            actor=actor,
            action="contact.erased",
            subject=contact,
            detail=done,
            at=now,
        )
    )
    return done


async def _empty_talks(
    connection: AsyncConnection, talks: Sequence[str], now: datetime
) -> dict[str, int]:
    """Empty messages, files, traces, delivery jobs, handoffs and labels of these conversations."""
    removed = await file_rows.forget(connection, talks)
    said = select(messages.c.id).where(messages.c.conversation_id.in_(talks))
    await connection.execute(
        update(labels).where(labels.c.message_id.in_(said)).values(before="", after="")
    )
    active = ("queued", "proposed", "unknown")
    await connection.execute(
        update(outbox)
        .where(outbox.c.conversation_id.in_(talks), outbox.c.state.in_(active))
        .values(state="dropped")
    )
    await connection.execute(
        update(outbox)
        .where(outbox.c.conversation_id.in_(talks))
        .values(address="", lane="", error=None, payload={"text": ""})
    )
    await connection.execute(
        update(messages)
        .where(messages.c.conversation_id.in_(talks), messages.c.status.in_(active))
        .values(status="dropped")
    )
    await connection.execute(
        update(messages)
        .where(messages.c.conversation_id.in_(talks), messages.c.status == "received")
        .values(status="recorded")
    )
    await connection.execute(delete(reaches).where(reaches.c.conversation_id.in_(talks)))
    emptied = await connection.execute(
        update(messages)
        .where(messages.c.conversation_id.in_(talks))
        .values(
            text="",
            subject=None,
            address=None,
            thread=None,
            author_name=None,
            body_hash=None,
            citations=[],
            quick_replies=[],
            attachments=[],
            metadata={},
        )
    )
    await _codes(connection, talks)
    traces = await connection.execute(
        update(turns).where(turns.c.conversation_id.in_(talks)).values(trace={})
    )
    await connection.execute(
        update(handoffs).where(handoffs.c.conversation_id.in_(talks)).values(summary="")
    )
    await connection.execute(
        update(handoffs)
        .where(
            handoffs.c.conversation_id.in_(talks), handoffs.c.state.in_(("requested", "claimed"))
        )
        .values(state="resolved", closed_at=now)
    )
    return {"messages": emptied.rowcount, "files": removed, "traces": traces.rowcount}


async def _unasked(
    connection: AsyncConnection, tenant: TenantId, contact: ContactId, now: datetime
) -> None:
    """Send nothing more unasked, and keep of what was sent only that it was."""
    mine = (unasked.c.tenant == tenant) & (unasked.c.contact_id == contact)
    await connection.execute(
        update(unasked)
        .where(mine, unasked.c.state == "waiting")
        .values(state="refused", reason="erased", decided_at=now)
    )
    await connection.execute(update(unasked).where(mine).values(address=None, slots={}))


async def _codes(connection: AsyncConnection, talks: Sequence[str]) -> None:
    """Forget where codes were sent from these conversations, in the outbox too: its rows name no conversation."""
    sent = await connection.execute(
        delete(codes)
        .where(codes.c.conversation_id.in_(talks))
        .returning(codes.c.tenant, codes.c.value)
    )
    for row in sent.all():
        await connection.execute(
            update(outbox)
            .where(
                outbox.c.tenant == row.tenant,
                outbox.c.address == row.value,
                outbox.c.conversation_id.is_(None),
            )
            .values(address="", lane="", error=None, payload={"text": ""})
        )


async def _remove(
    connection: AsyncConnection, table: Table, tenant: TenantId, contact: ContactId
) -> int:
    done = await connection.execute(
        delete(table).where(table.c.tenant == tenant, table.c.contact_id == contact)
    )
    return done.rowcount


async def _gaps(connection: AsyncConnection, tenant: TenantId, contact: ContactId) -> int:
    """Leave the askers of every gap; a question nobody else asked goes with its only asker."""
    left = await connection.execute(
        delete(gap_askers)
        .where(gap_askers.c.tenant == tenant, gap_askers.c.contact_id == contact)
        .returning(gap_askers.c.gap_id)
    )
    mine = list(left.scalars())
    others = select(gap_askers.c.gap_id)
    done = await connection.execute(
        delete(gaps).where(gaps.c.id.in_(mine), gaps.c.id.not_in(others))
    )
    await gap_rows.adopt(connection, tenant)
    return done.rowcount
