"""Rows to core types and back. Pure: nothing here talks to the database."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import RowMapping

from core.conversations import (
    Account,
    Contact,
    Conversation,
    Form,
    Handoff,
    Identity,
    Mode,
    Status,
)
from core.ids import (
    AccountId,
    ContactId,
    ConversationId,
    CsmId,
    HandoffId,
    InboxId,
    MessageId,
    OutboxId,
    PassageId,
    TenantId,
    TurnId,
)
from core.messages import (
    Assurance,
    Attachment,
    Author,
    MessageKind,
    Outbound,
    QuickReply,
    StoredMessage,
    TeamCard,
    Template,
)
from core.ports import TenantPolicy
from core.turns import Citation

Row = RowMapping | Mapping[str, Any]


def citations_to_json(citations: Sequence[Citation]) -> list[dict[str, object]]:
    """Return plain JSON."""
    return [asdict(citation) for citation in citations]


def citations_from_json(value: Any) -> tuple[Citation, ...]:
    """Return citations."""
    return tuple(Citation(**{**c, "passage_id": PassageId(c["passage_id"])}) for c in value or ())


def attachments_to_json(attachments: Sequence[Attachment]) -> list[dict[str, object]]:
    """Return plain JSON; bytes and source URLs stand in the table `files` alone."""
    return [{**asdict(a), "data": None, "url": None} for a in attachments]


def attachments_from_json(value: Any) -> tuple[Attachment, ...]:
    """Return attachments; rows of before there were files hold their content as latin-1 text."""
    return tuple(
        Attachment(**{**a, "data": a["data"].encode("latin-1") if a["data"] is not None else None})
        for a in value or ()
    )


def quick_replies_from_json(value: Any) -> tuple[QuickReply, ...]:
    """Return quick replies."""
    return tuple(QuickReply(**q) for q in value or ())


def card_from_json(value: Any) -> TeamCard | None:
    """Return a team card."""
    if not value:
        return None
    return TeamCard(
        **{
            **value,
            "conversation_id": ConversationId(value["conversation_id"]),
            "fields": tuple((a, b) for a, b in value["fields"]),
            "transcript": tuple((a, b) for a, b in value["transcript"]),
            "buttons": tuple(value["buttons"]),
        }
    )


def message(row: Row) -> StoredMessage:
    """Return a message."""
    return StoredMessage(
        id=MessageId(row["id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        seq=row["seq"],
        author=Author(row["author"]),
        kind=MessageKind(row["kind"]),
        text=row["text"],
        created_at=row["created_at"],
        channel=row["channel"],
        status=row["status"],
        address=row["address"],
        inbox=InboxId(row["inbox_id"]) if row["inbox_id"] else None,
        author_name=row["author_name"],
        turn_id=TurnId(row["turn_id"]) if row["turn_id"] else None,
        external_id=row["external_id"],
        subject=row["subject"],
        thread=row["thread"],
        locale=row["locale"],
        inline=row["inline"],
        citations=citations_from_json(row["citations"]),
        quick_replies=quick_replies_from_json(row["quick_replies"]),
        attachments=attachments_from_json(row["attachments"]),
        metadata={str(k): str(v) for k, v in (row["metadata"] or {}).items()},
    )


def account(row: Row) -> Account:
    """Return an account."""
    return Account(
        id=AccountId(row["id"]),
        external_id=row["external_id"],
        name=row["name"],
        domains=tuple(row["domains"] or ()),
        edition=row["edition"],
        tier=row["tier"],
        region=row["region"],
        arr=row["arr"],
        renewal_date=row["renewal_date"],
        owner=CsmId(row["owner"]) if row["owner"] else None,
        locale=row["locale"],
        time_zone=row["time_zone"],
    )


def identity(row: Row) -> Identity:
    """Return an identity."""
    return Identity(kind=row["kind"], value=row["value"], assurance=Assurance(row["assurance"]))


def contact(row: Row, account_row: Row | None, identity_rows: Sequence[Row]) -> Contact:
    """Return a contact with account and identities."""
    return Contact(
        id=ContactId(row["id"]),
        external_id=row["external_id"],
        name=row["name"],
        locale=row["locale"],
        time_zone=row["time_zone"],
        account=account(account_row) if account_row is not None else None,
        identities=tuple(identity(r) for r in identity_rows),
    )


def form(value: Any) -> Form | None:
    """Return a running form."""
    return Form(**value) if value else None


def conversation(row: Row) -> Conversation:
    """Return a conversation."""
    return Conversation(
        id=ConversationId(row["id"]),
        tenant=TenantId(row["tenant"]),
        contact_id=ContactId(row["contact_id"]),
        status=Status(row["status"]),
        mode=Mode(row["mode"]) if row["mode"] else None,
        owner=CsmId(row["owner"]) if row["owner"] else None,
        version=row["version"],
        fence=row["fence"],
        seq=row["seq"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        channel=row["channel"],
        locale=row["locale"],
        form=form(row["form"]),
        handoff=HandoffId(row["handoff_id"]) if row["handoff_id"] else None,
        subject=row["subject"],
        memory=row["memory"] or {},
    )


def handoff(row: Row) -> Handoff:
    """Return a handoff."""
    return Handoff(
        id=HandoffId(row["id"]),
        conversation_id=ConversationId(row["conversation_id"]),
        reason=row["reason"],
        severity=row["severity"],
        state=row["state"],
        summary=row["summary"],
        requested_at=row["requested_at"],
        sentiment=row["sentiment"],
        realerted_at=row["realerted_at"],
        breached_at=row["breached_at"],
        claimed_at=row["claimed_at"],
        claimed_by=CsmId(row["claimed_by"]) if row["claimed_by"] else None,
        closed_at=row["closed_at"],
    )


def policy(value: Any) -> TenantPolicy:
    """Return a tenant's policy; unknown keys of a newer version are ignored."""
    known = {k: v for k, v in (value or {}).items() if k in TenantPolicy.__dataclass_fields__}
    for key in ("by_channel", "by_intent", "by_tier"):
        known[key] = {k: Mode(v) for k, v in known.get(key, {}).items()}
    if "mode" in known:
        known["mode"] = Mode(known["mode"])
    for key in ("editions", "widget_origins", "advice", "domains"):
        if key in known:
            known[key] = tuple(known[key])
    if "bands" in known:
        known["bands"] = {name: (pair[0], pair[1]) for name, pair in known["bands"].items()}
    known["paused_channels"] = frozenset(known.get("paused_channels", ()))
    return TenantPolicy(**known)


def policy_to_json(value: TenantPolicy) -> dict[str, object]:
    """Return plain JSON."""
    plain = asdict(value)
    plain["paused_channels"] = sorted(value.paused_channels)
    return cast("dict[str, object]", plain)


def outbound(row: Row) -> Outbound:
    """Return what a channel delivers from an outbox row."""
    payload = row["payload"]
    created: datetime = row["created_at"]
    return Outbound(
        id=OutboxId(row["id"]),
        tenant=TenantId(row["tenant"]),
        inbox=InboxId(row["inbox_id"]),
        channel=row["channel"],
        address=row["address"],
        text=payload["text"],
        author=Author(row["author"]),
        kind=MessageKind(row["message_kind"]),
        created_at=created,
        conversation_id=ConversationId(row["conversation_id"]) if row["conversation_id"] else None,
        message_id=MessageId(row["message_id"]) if row["message_id"] else None,
        turn_id=TurnId(row["turn_id"]) if row["turn_id"] else None,
        seq=payload.get("seq"),
        author_name=payload.get("author_name"),
        subject=payload.get("subject"),
        thread=payload.get("thread"),
        references=tuple(payload.get("references") or ()),
        locale=payload.get("locale") or "en",
        quick_replies=quick_replies_from_json(payload.get("quick_replies")),
        attachments=attachments_from_json(payload.get("attachments")),
        citations=citations_from_json(payload.get("citations")),
        card=card_from_json(payload.get("card")),
        update_of=payload.get("update_of"),
        cc=tuple(payload.get("cc") or ()),
        private=bool(payload.get("private")),
        template=Template(**payload["template"]) if payload.get("template") else None,
        purpose=payload.get("unasked") or "",
        attempt=row["attempts"],
    )
