"""The CSM's inbox as one query: its columns, filters, search and cursor."""

import base64
import binascii
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, RowMapping, Select, and_, func, or_, select

from app.store import rows
from app.store.models import (
    accounts,
    contacts,
    conversations,
    csms,
    handoffs,
    identities,
    messages,
)
from core.conversations import Mode, Status
from core.errors import BadInputError
from core.ids import ContactId, ConversationId, CsmId, TenantId
from core.messages import Author
from core.views import InboxRow

Filter = Literal["open", "mine", "handoffs", "all", "resolved"]
_UNSAID = ("proposed", "dropped", "discarded", "expired")
_CLIP = 300


def inbox_query(tenant: TenantId) -> Select[Any]:
    """Return the conversations of a tenant with contact, account, owner, handoff and last message."""
    last = messages.alias("last")
    newest = (
        select(func.max(messages.c.seq))
        .where(
            messages.c.conversation_id == conversations.c.id,
            messages.c.status.not_in(_UNSAID),
        )
        .correlate(conversations)
        .scalar_subquery()
    )
    drafts = (
        select(func.count())
        .where(
            messages.c.conversation_id == conversations.c.id,
            messages.c.status == "proposed",
        )
        .correlate(conversations)
        .scalar_subquery()
    )
    return (
        select(
            conversations.c.id,
            conversations.c.contact_id,
            conversations.c.channel,
            conversations.c.status,
            conversations.c.mode,
            conversations.c.owner,
            conversations.c.subject,
            conversations.c.locale,
            conversations.c.updated_at,
            conversations.c.seq,
            contacts.c.name.label("contact"),
            contacts.c.external_id,
            accounts.c.name.label("account"),
            accounts.c.tier,
            accounts.c.edition,
            csms.c.name.label("owner_name"),
            func.substr(last.c.text, 1, _CLIP).label("last_text"),
            last.c.author.label("last_author"),
            last.c.created_at.label("last_at"),
            drafts.label("drafts"),
            *(column.label(f"handoff_{column.name}") for column in handoffs.c),
        )
        .join(contacts, contacts.c.id == conversations.c.contact_id)
        .outerjoin(accounts, accounts.c.id == contacts.c.account_id)
        .outerjoin(csms, csms.c.id == conversations.c.owner)
        .outerjoin(handoffs, handoffs.c.id == conversations.c.handoff_id)
        .outerjoin(last, and_(last.c.conversation_id == conversations.c.id, last.c.seq == newest))
        .where(conversations.c.tenant == tenant)
    )


def picking(tenant: TenantId) -> Select[Any]:
    """Return the ids of a tenant's conversations, joined to all that filters and search look at.

    Picked first, so that last messages are looked up for one page only.
    """
    return (
        select(conversations.c.id)
        .join(contacts, contacts.c.id == conversations.c.contact_id)
        .outerjoin(accounts, accounts.c.id == contacts.c.account_id)
        .outerjoin(handoffs, handoffs.c.id == conversations.c.handoff_id)
        .where(conversations.c.tenant == tenant)
    )


def filtered(which: Filter, csm: CsmId | None) -> list[ColumnElement[bool]]:
    """Return the conditions of one filter."""
    going = conversations.c.status != Status.RESOLVED
    found: dict[Filter, list[ColumnElement[bool]]] = {
        "open": [going],
        "mine": [going, conversations.c.owner == (csm or "")],
        "handoffs": [handoffs.c.state == "requested"],
        "all": [],
        "resolved": [conversations.c.status == Status.RESOLVED],
    }
    return found[which]


def matches(tenant: TenantId, search: str) -> ColumnElement[bool]:
    """Return whether a conversation has to do with what is searched for."""
    # both sides by the database, so that they agree on what lower case is
    escaped = plain = "".join(mark for mark in search.strip()[:200] if mark.isprintable())
    for mark in ("\\", "%", "_"):
        escaped = escaped.replace(mark, f"\\{mark}")
    like = func.lower(f"%{escaped}%")

    def holds(column: Any) -> ColumnElement[bool]:
        return func.lower(column).like(like, escape="\\")

    addressed = (
        select(identities.c.id)
        .where(
            identities.c.tenant == tenant,
            identities.c.contact_id == contacts.c.id,
            holds(identities.c.value),
        )
        .correlate(contacts)
        .exists()
    )
    said = (
        select(messages.c.id)
        .where(messages.c.conversation_id == conversations.c.id, holds(messages.c.text))
        .correlate(conversations)
        .exists()
    )
    own = (contacts.c.name, contacts.c.external_id, accounts.c.name, conversations.c.subject)
    return or_(*(holds(column) for column in own), conversations.c.id == plain, addressed, said)


def inbox_row(row: RowMapping) -> InboxRow:
    """Return one line of the inbox."""
    handoff = None
    if row["handoff_id"]:
        handoff = rows.handoff({c.name: row[f"handoff_{c.name}"] for c in handoffs.c})
    return InboxRow(
        id=ConversationId(row["id"]),
        contact_id=ContactId(row["contact_id"]),
        contact=row["contact"],
        external_id=row["external_id"],
        account=row["account"],
        tier=row["tier"],
        edition=row["edition"],
        channel=row["channel"],
        status=Status(row["status"]),
        mode=Mode(row["mode"]) if row["mode"] else None,
        owner=CsmId(row["owner"]) if row["owner"] else None,
        owner_name=row["owner_name"],
        subject=row["subject"],
        locale=row["locale"],
        updated_at=row["updated_at"],
        last_text=row["last_text"] or "",
        last_author=Author(row["last_author"]) if row["last_author"] else None,
        last_at=row["last_at"],
        seq=row["seq"],
        drafts=row["drafts"] or 0,
        handoff=handoff,
    )


def write_cursor(at: datetime, last: str) -> str:
    """Return what continues after this row."""
    return base64.urlsafe_b64encode(f"{at.isoformat()} {last}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Return the row a cursor continues after. Raises BadInputError when it is not ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, last = base64.urlsafe_b64decode(padded).decode().split(" ", 1)
        found = datetime.fromisoformat(at)
    except (ValueError, binascii.Error) as error:
        raise BadInputError("this cursor is not ours") from error
    if found.tzinfo is None or "\x00" in last:
        raise BadInputError("this cursor is not ours")
    return found, last
