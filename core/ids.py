"""Typed identifiers, so that a ConversationId is never passed as a ContactId.

Ids are strings `prefix_` + 32 hex digits laid out as a version-7 UUID (RFC 9562 §5.7): they sort by
creation time, which keeps index pages warm on both databases.
"""

import secrets
from datetime import datetime
from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", str)
InboxId = NewType("InboxId", str)
AccountId = NewType("AccountId", str)
ContactId = NewType("ContactId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)
TurnId = NewType("TurnId", str)
OutboxId = NewType("OutboxId", str)
HandoffId = NewType("HandoffId", str)
BookingId = NewType("BookingId", str)
FactId = NewType("FactId", str)
GapId = NewType("GapId", str)
DocumentId = NewType("DocumentId", str)
PassageId = NewType("PassageId", str)
CsmId = NewType("CsmId", str)


def new_id(prefix: str, now: datetime) -> str:
    """Return a fresh time-ordered id such as `cnv_0193…`; `now` is an aware datetime."""
    milliseconds = int(now.timestamp() * 1000) & (2**48 - 1)
    value = (milliseconds << 80) | secrets.randbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return f"{prefix}_{UUID(int=value).hex}"
