"""The files of a message, inside the transaction that writes it: kept, taken over, or left to be fetched.

A message's own row holds ids, names and sizes; bytes and source URLs (which may carry a provider's keys) stand
in `files` alone. Not here: transactions of their own (files.py).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import db_now
from app.store.models import files, messages
from core.files import (
    MAX_FILES,
    NOT_ALLOWED,
    TOO_MANY,
    UNREACHABLE,
    Judged,
    judge,
    plain_type,
    safe_name,
)
from core.ids import new_id
from core.messages import Attachment

_LONGEST_URL = 4000


async def keep(
    connection: AsyncConnection,
    tenant: str,
    message: str,
    inbox: str,
    attachments: Sequence[Attachment],
    now: datetime,
) -> tuple[Attachment, ...]:
    """Return what came with a message as its row holds it; what is not kept says why."""
    done = []
    for number, attachment in enumerate(attachments):
        if number >= MAX_FILES:
            attachment = replace(attachment, refused=attachment.refused or TOO_MANY)
        done.append(await _keep(connection, tenant, message, inbox, attachment, now))
    return tuple(done)


async def _keep(
    connection: AsyncConnection,
    tenant: str,
    message: str,
    inbox: str,
    attachment: Attachment,
    now: datetime,
) -> Attachment:
    named = Attachment(
        safe_name(attachment.name, attachment.content_type),
        plain_type(attachment.content_type),
        attachment.size,
        refused=attachment.refused,
    )
    if named.refused or not (attachment.id or attachment.url or attachment.data is not None):
        return named
    if attachment.id:
        taken = await adopt(connection, tenant, message, (attachment.id,))
        return taken[0] if taken else replace(named, refused=UNREACHABLE)
    if attachment.data is not None:
        judged = judge(attachment.name, attachment.content_type, attachment.data)
        return await store(connection, tenant, message, judged, attachment.data, now)
    url = attachment.url or ""
    if len(url) > _LONGEST_URL or "\x00" in url:
        return replace(named, refused=NOT_ALLOWED)
    file = new_id("fil", now)
    await connection.execute(
        insert(files).values(
            id=file,
            tenant=tenant,
            message_id=message,
            inbox_id=inbox,
            name=named.name,
            content_type=named.content_type,
            size=max(0, min(named.size, 2**31 - 1)),
            state="pending",
            source=url,
            told=False,
            attempts=0,
            due_at=db_now(),
            created_at=now,
        )
    )
    return replace(named, id=file, size=0)  # nothing of it is here yet


async def store(
    connection: AsyncConnection,
    tenant: str,
    message: str | None,
    judged: Judged,
    data: bytes,
    now: datetime,
) -> Attachment:
    """Insert a file that is here; one that is refused leaves no row and no bytes."""
    shown = Attachment(judged.name, judged.content_type, len(data), refused=judged.refused)
    if judged.refused:
        return shown
    file = new_id("fil", now)
    await connection.execute(
        insert(files).values(
            id=file,
            tenant=tenant,
            message_id=message,
            name=judged.name,
            content_type=judged.content_type,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            data=data,
            state="ready",
            told=False,
            attempts=0,
            created_at=now,
        )
    )
    return replace(shown, id=file)


async def keep_ours(
    connection: AsyncConnection,
    tenant: str,
    message: str,
    attachments: Sequence[Attachment],
    now: datetime,
) -> tuple[Attachment, ...]:
    """Return what goes out with a message of ours as its row holds it; our own files are judged by nobody."""
    done: list[Attachment] = []
    for attachment in attachments:
        if attachment.id:
            done += await adopt(connection, tenant, message, (attachment.id,))
        elif attachment.data is not None:
            kind = attachment.content_type
            judged = Judged(safe_name(attachment.name, kind), kind)
            done.append(await store(connection, tenant, message, judged, attachment.data, now))
    return tuple(done)


async def adopt(
    connection: AsyncConnection, tenant: str, message: str, wanted: Sequence[str]
) -> tuple[Attachment, ...]:
    """Make files that no message carries yet this message's; returns those that could be had, in order."""
    taken = await connection.execute(
        update(files)
        .where(
            files.c.id.in_(wanted),
            files.c.tenant == tenant,
            files.c.state == "ready",
            files.c.message_id.is_(None),
        )
        .values(message_id=message)
        .returning(files.c.id, files.c.name, files.c.content_type, files.c.size)
    )
    found = {row.id: Attachment(row.name, row.content_type, row.size, id=row.id) for row in taken}
    return tuple(found[file] for file in wanted if file in found)


async def forget(connection: AsyncConnection, talks: Sequence[str]) -> int:
    """Remove every file of these conversations; returns how many."""
    said = select(messages.c.id).where(messages.c.conversation_id.in_(talks))
    done = await connection.execute(delete(files).where(files.c.message_id.in_(said)))
    return done.rowcount
