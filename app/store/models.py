"""Tables. Every row carries its tenant; every time is UTC; ids are text (core/ids.py)."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from app.store.database import UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json: TypeEngine[Any] = JSON().with_variant(JSONB(), "postgresql")
Number = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[str]:
    return Column("id", Text, primary_key=True)


def _tenant() -> Column[str]:
    return Column("tenant", Text, ForeignKey("tenants.id"), nullable=False)


def _required(name: str, kind: object = Text, **options: object) -> Column[object]:
    return Column(name, kind, nullable=False, **options)  # type: ignore[arg-type]


tenants = Table(
    "tenants",
    metadata,
    _id(),
    _required("name"),
    _required("policy", Json),
    _required("widget_secret"),
    _required("index_version", Integer, server_default="0"),
    _required("created_at", UtcDateTime()),
)

inboxes = Table(
    "inboxes",
    metadata,
    _id(),
    _tenant(),
    _required("channel"),
    _required("address"),
    _required("kind"),
    _required("env_prefix"),
    _required("created_at", UtcDateTime()),
    UniqueConstraint("channel", "address"),
)

accounts = Table(
    "accounts",
    metadata,
    _id(),
    _tenant(),
    _required("external_id"),
    _required("name"),
    _required("domains", Json),
    _required("edition"),
    _required("tier"),
    Column("region", Text),
    Column("arr", Float),
    Column("renewal_date", Text),
    Column("owner", Text),
    Column("locale", Text),
    Column("time_zone", Text),
    _required("created_at", UtcDateTime()),
    _required("updated_at", UtcDateTime()),
    UniqueConstraint("tenant", "external_id"),
)

contacts = Table(
    "contacts",
    metadata,
    _id(),
    _tenant(),
    Column("external_id", Text),
    Column("name", Text),
    Column("locale", Text),
    Column("time_zone", Text),
    Column("account_id", Text, ForeignKey("accounts.id")),
    # whom this nameless contact turned out to be; what it had moved there (app/store/joins.py)
    Column("joined_to", Text),
    _required("created_at", UtcDateTime()),
    _required("updated_at", UtcDateTime()),
    UniqueConstraint("tenant", "external_id"),
)

identities = Table(
    "identities",
    metadata,
    _id(),
    _tenant(),
    _required("kind"),
    _required("value"),
    Column("contact_id", Text, ForeignKey("contacts.id"), nullable=False),
    _required("assurance"),
    # the one identity row an address leads through; claimed ones lead nowhere
    _required("routes", Boolean),
    _required("created_at", UtcDateTime()),
    UniqueConstraint("tenant", "kind", "value", "contact_id"),
    Index("ix_identities_contact_id", "contact_id"),
)
Index(
    "uq_identities_route",
    identities.c.tenant,
    identities.c.kind,
    identities.c.value,
    unique=True,
    sqlite_where=text("routes = 1"),
    postgresql_where=text("routes"),
)

conversations = Table(
    "conversations",
    metadata,
    _id(),
    _tenant(),
    Column("contact_id", Text, ForeignKey("contacts.id"), nullable=False),
    Column("open_key", Text),
    _required("status"),
    Column("mode", Text),
    Column("owner", Text),
    _required("version", Integer),
    _required("fence", Integer),
    Column("lease_until", UtcDateTime()),
    Column("work_at", UtcDateTime()),
    _required("seq", Integer),
    _required("channel"),
    Column("locale", Text),
    Column("subject", Text),
    Column("form", Json),
    _required("memory", Json),
    Column("handoff_id", Text),
    Column("linked_to", Text),
    _required("created_at", UtcDateTime()),
    _required("updated_at", UtcDateTime()),
    Column("resolved_at", UtcDateTime()),
    # the customer said it is solved; the customer came back after it was closed
    Column("confirmed_at", UtcDateTime()),
    Column("reopened_at", UtcDateTime()),
    UniqueConstraint("tenant", "open_key"),
    Index("ix_conversations_work_at", "work_at"),
    Index("ix_conversations_contact", "tenant", "contact_id", "updated_at"),
    Index("ix_conversations_inbox", "tenant", "status", "updated_at"),
    Index("ix_conversations_begun", "tenant", "created_at"),
)

messages = Table(
    "messages",
    metadata,
    _id(),
    _tenant(),
    Column("conversation_id", Text, ForeignKey("conversations.id"), nullable=False),
    _required("seq", Integer),
    _required("direction"),
    _required("author"),
    Column("author_name", Text),
    _required("kind"),
    _required("channel"),
    Column("inbox_id", Text),
    Column("address", Text),
    Column("external_id", Text),
    Column("body_hash", Text),
    _required("text"),
    Column("subject", Text),
    Column("thread", Text),
    Column("locale", Text),
    _required("status"),
    Column("turn_id", Text),
    _required("inline", Boolean),
    _required("assurance"),
    _required("citations", Json),
    _required("quick_replies", Json),
    _required("attachments", Json),
    _required("metadata", Json),
    _required("created_at", UtcDateTime()),
    UniqueConstraint("conversation_id", "seq"),
    Index("ix_messages_turn_id", "turn_id"),
    Index("ix_messages_at", "tenant", "created_at"),
)
Index(
    "uq_messages_external",
    messages.c.tenant,
    messages.c.channel,
    messages.c.external_id,
    unique=True,
    sqlite_where=text("external_id IS NOT NULL"),
    postgresql_where=text("external_id IS NOT NULL"),
)
Index(
    "ix_messages_received",
    messages.c.conversation_id,
    sqlite_where=text("status = 'received'"),
    postgresql_where=text("status = 'received'"),
)

turns = Table(
    "turns",
    metadata,
    _id(),
    _tenant(),
    Column("conversation_id", Text, ForeignKey("conversations.id"), nullable=False),
    _required("handler"),
    Column("intent", Text),
    _required("state"),
    _required("fence", Integer),
    _required("trace", Json),
    _required("started_at", UtcDateTime()),
    _required("ended_at", UtcDateTime()),
    Index("ix_turns_conversation_id", "conversation_id"),
    # holds all that figures ask of turns, so that their traces are never read for it
    Index("ix_turns_told", "tenant", "started_at", "handler", "intent", "conversation_id"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("position", Number, primary_key=True, autoincrement=True),
    _required("id", unique=True),
    _tenant(),
    Column("conversation_id", Text, ForeignKey("conversations.id")),
    Column("message_id", Text, ForeignKey("messages.id")),
    Column("turn_id", Text),
    _required("inbox_id"),
    _required("channel"),
    _required("address"),
    _required("lane"),
    # message | card: what a customer gets, what the CS team gets
    _required("kind"),
    _required("author"),
    _required("message_kind"),
    _required("state"),
    _required("attempts", Integer),
    _required("inline", Boolean),
    Column("due_at", UtcDateTime(), nullable=False),
    Column("claimed_until", UtcDateTime()),
    Column("provider_id", Text),
    Column("provider_thread", Text),
    Column("error", Text),
    _required("payload", Json),
    _required("created_at", UtcDateTime()),
    Column("sent_at", UtcDateTime()),
    Index("ix_outbox_due", "state", "due_at"),
    Index("ix_outbox_lane", "lane", "position"),
    Index("ix_outbox_provider", "channel", "provider_id"),
    Index("ix_outbox_conversation_id", "conversation_id"),
    Index("ix_outbox_turn_id", "turn_id"),
)

receipts = Table(
    "receipts",
    metadata,
    _tenant(),
    _required("channel"),
    _required("provider_id"),
    _required("status"),
    Column("error", Text),
    _required("at", UtcDateTime()),
    PrimaryKeyConstraint("channel", "provider_id", "status"),
)

handoffs = Table(
    "handoffs",
    metadata,
    _id(),
    _tenant(),
    Column("conversation_id", Text, ForeignKey("conversations.id"), nullable=False),
    _required("reason"),
    _required("severity"),
    _required("state"),
    _required("summary"),
    _required("sentiment", Float),
    _required("requested_at", UtcDateTime()),
    Column("realerted_at", UtcDateTime()),
    Column("breached_at", UtcDateTime()),
    Column("claimed_at", UtcDateTime()),
    Column("claimed_by", Text),
    Column("closed_at", UtcDateTime()),
    Index("ix_handoffs_conversation_id", "conversation_id"),
    Index("ix_handoffs_state", "tenant", "state"),
)

alarms = Table(
    "alarms",
    metadata,
    _id(),
    _tenant(),
    _required("key"),
    _required("kind"),
    _required("payload", Json),
    Column("at", UtcDateTime(), nullable=False),
    Column("fired_at", UtcDateTime()),
    UniqueConstraint("tenant", "key"),
    Index("ix_alarms_at", "fired_at", "at"),
)

facts = Table(
    "facts",
    metadata,
    _id(),
    _tenant(),
    Column("contact_id", Text, ForeignKey("contacts.id"), nullable=False),
    _required("key"),
    _required("value"),
    _required("source"),
    _required("confidence", Float),
    _required("created_at", UtcDateTime()),
    UniqueConstraint("tenant", "contact_id", "key"),
)

gaps = Table(
    "gaps",
    metadata,
    _id(),
    _tenant(),
    _required("fingerprint"),
    _required("question"),
    _required("kind"),
    _required("status"),
    _required("times", Integer),
    _required("nearest", Json),
    _required("first_at", UtcDateTime()),
    _required("last_at", UtcDateTime()),
    Column("vector", LargeBinary),
    # the gap this one is grouped under; NULL: it leads its own group
    Column("group_id", Text),
    Column("closed_by", Text),
    Column("closed_at", UtcDateTime()),
    Column("close_reason", Text),
    Column("document_id", Text),
    UniqueConstraint("tenant", "fingerprint"),
)

gap_askers = Table(
    "gap_askers",
    metadata,
    _tenant(),
    Column("gap_id", Text, ForeignKey("gaps.id"), nullable=False),
    Column("contact_id", Text, ForeignKey("contacts.id"), nullable=False),
    _required("conversation_id"),
    _required("at", UtcDateTime()),
    PrimaryKeyConstraint("gap_id", "contact_id"),
)

documents = Table(
    "documents",
    metadata,
    _id(),
    _tenant(),
    _required("source"),
    _required("path"),
    _required("title"),
    _required("digest"),
    _required("locale"),
    Column("url", Text),
    _required("editions", Json),
    _required("internal", Boolean),
    Column("version", Text),
    Column("valid_from", UtcDateTime()),
    Column("valid_until", UtcDateTime()),
    Column("author", Text),
    Column("review_by", UtcDateTime()),
    # what the page says besides; never searched
    _required("metadata", Json),
    # what its source needs to skip it the next time: raw, etag, last_modified
    Column("origin", Json),
    Column("deleted_at", UtcDateTime()),
    _required("updated_at", UtcDateTime()),
    UniqueConstraint("tenant", "source", "path"),
)

passages = Table(
    "passages",
    metadata,
    _id(),
    _tenant(),
    Column("document_id", Text, ForeignKey("documents.id"), nullable=False),
    _required("position", Integer),
    _required("section"),
    Column("anchor", Text),
    _required("text"),
    _required("vector", LargeBinary),
    Index("ix_passages_document_id", "document_id"),
    Index("ix_passages_tenant", "tenant"),
)

sources = Table(
    "sources",
    metadata,
    _id(),
    _tenant(),
    _required("name"),
    _required("kind"),
    _required("location"),
    _required("options", Json),
    Column("every_hours", Float),
    Column("next_at", UtcDateTime()),
    # set while it is synced: one run of a source at a time, wherever
    Column("lease_until", UtcDateTime()),
    Column("last_at", UtcDateTime()),
    Column("last_report", Json),
    _required("created_at", UtcDateTime()),
    UniqueConstraint("tenant", "name"),
    Index("ix_sources_next_at", "next_at"),
)

document_uses = Table(
    "document_uses",
    metadata,
    _tenant(),
    Column("document_id", Text, ForeignKey("documents.id"), nullable=False),
    # the UTC day, YYYY-MM-DD
    _required("day"),
    _required("answers", Integer),
    _required("liked", Integer),
    _required("disliked", Integer),
    _required("handed_over", Integer),
    PrimaryKeyConstraint("document_id", "day"),
    Index("ix_document_uses_day", "tenant", "day"),
)

model_uses = Table(
    "model_uses",
    metadata,
    _tenant(),
    # the UTC day, YYYY-MM-DD
    _required("day"),
    _required("model"),
    _required("calls", Integer),
    _required("failures", Integer),
    _required("tokens_in", Number),
    _required("tokens_out", Number),
    PrimaryKeyConstraint("tenant", "day", "model"),
)

backtests = Table(
    "backtests",
    metadata,
    _id(),
    _tenant(),
    _required("name"),
    # what a list shows: status, progress, totals
    _required("summary", Json),
    _required("report", Json),
    _required("created_at", UtcDateTime()),
    Index("ix_backtests_tenant", "tenant", "created_at"),
)

consents = Table(
    "consents",
    metadata,
    _tenant(),
    _required("channel"),
    _required("address"),
    _required("granted", Boolean),
    _required("keyword"),
    _required("at", UtcDateTime()),
    PrimaryKeyConstraint("tenant", "channel", "address"),
)

seen_events = Table(
    "seen_events",
    metadata,
    _tenant(),
    _required("channel"),
    _required("external_id"),
    _required("at", UtcDateTime()),
    PrimaryKeyConstraint("tenant", "channel", "external_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    _tenant(),
    _required("digest", unique=True),
    _required("name"),
    _required("scope"),
    _required("created_at", UtcDateTime()),
    Column("revoked_at", UtcDateTime()),
)

csms = Table(
    "csms",
    metadata,
    _id(),
    _tenant(),
    _required("name"),
    _required("email"),
    _required("role"),
    _required("password_hash"),
    Column("slack_user", Text),
    _required("active", Boolean),
    _required("created_at", UtcDateTime()),
    UniqueConstraint("tenant", "email"),
)

sessions = Table(
    "sessions",
    metadata,
    _required("digest", primary_key=True),
    _tenant(),
    Column("csm_id", Text, ForeignKey("csms.id"), nullable=False),
    _required("expires_at", UtcDateTime()),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    _tenant(),
    _required("actor"),
    _required("action"),
    Column("subject", Text),
    _required("detail", Json),
    _required("at", UtcDateTime()),
    Index("ix_audit_subject", "tenant", "subject"),
)

labels = Table(
    "labels",
    metadata,
    _id(),
    _tenant(),
    _required("message_id"),
    _required("action"),
    _required("before"),
    _required("after"),
    _required("csm_id"),
    _required("at", UtcDateTime()),
)

hosts = Table(
    "hosts",
    metadata,
    _id(),
    _tenant(),
    _required("name"),
    _required("email"),
    _required("time_zone"),
    _required("hours", Json),
)

session_types = Table(
    "session_types",
    metadata,
    _tenant(),
    _required("asset_id"),
    _required("title"),
    _required("minutes", Integer),
    _required("buffer", Integer),
    PrimaryKeyConstraint("tenant", "asset_id"),
)

bookings = Table(
    "bookings",
    metadata,
    _id(),
    _tenant(),
    Column("contact_id", Text, ForeignKey("contacts.id"), nullable=False),
    Column("conversation_id", Text),
    _required("slot_id"),
    _required("asset_id"),
    _required("title"),
    Column("host_id", Text, ForeignKey("hosts.id"), nullable=False),
    _required("host"),
    _required("starts_at", UtcDateTime()),
    _required("ends_at", UtcDateTime()),
    _required("status"),
    _required("sequence", Integer),
    Column("email", Text),
    _required("created_at", UtcDateTime()),
    _required("updated_at", UtcDateTime()),
    Index("ix_bookings_contact", "tenant", "contact_id"),
)

booking_cells = Table(
    "booking_cells",
    metadata,
    Column("host_id", Text, ForeignKey("hosts.id"), nullable=False),
    _required("cell", Integer),
    _tenant(),
    _required("booking_id"),
    # NULL: booked; a time: held until then
    Column("expires_at", UtcDateTime()),
    PrimaryKeyConstraint("host_id", "cell"),
    Index("ix_booking_cells_booking_id", "booking_id"),
)

intents = Table(
    "intents",
    metadata,
    _id(),
    _tenant(),
    _required("text"),
    _required("intent"),
    UniqueConstraint("tenant", "text"),
)

plugin_state = Table(
    "plugin_state",
    metadata,
    _required("plugin"),
    _tenant(),
    _required("key"),
    _required("value", Json),
    _required("updated_at", UtcDateTime()),
    PrimaryKeyConstraint("plugin", "tenant", "key"),
)

idempotency = Table(
    "idempotency",
    metadata,
    _tenant(),
    _required("key"),
    _required("body_hash"),
    _required("status", Integer),
    _required("response", Json),
    _required("at", UtcDateTime()),
    PrimaryKeyConstraint("tenant", "key"),
)

files = Table(
    "files",
    metadata,
    _id(),
    _tenant(),
    # None until a message carries it; no foreign key: the row is written before its message
    Column("message_id", Text),
    Column("inbox_id", Text),
    _required("name"),
    _required("content_type"),
    _required("size", Integer),
    Column("sha256", Text),
    Column("data", LargeBinary),
    # pending | ready | refused
    _required("state"),
    Column("reason", Text),
    Column("source", Text),
    _required("told", Boolean),
    _required("attempts", Integer),
    Column("due_at", UtcDateTime()),
    _required("created_at", UtcDateTime()),
    Index("ix_files_due", "state", "due_at"),
    Index("ix_files_message_id", "message_id"),
)

leases = Table(
    "leases",
    metadata,
    _required("name", primary_key=True),
    _required("holder"),
    Column("until", UtcDateTime(), nullable=False),
)

codes = Table(
    "codes",
    metadata,
    _id(),
    _tenant(),
    Column("conversation_id", Text, ForeignKey("conversations.id"), nullable=False),
    _required("kind"),
    _required("value"),
    # a keyed digest: the code itself is never kept
    _required("seal"),
    _required("attempts", Integer),
    _required("created_at", UtcDateTime()),
    _required("expires_at", UtcDateTime()),
    Column("used_at", UtcDateTime()),
    Index("ix_codes_conversation_id", "conversation_id", "created_at"),
    Index("ix_codes_address", "tenant", "kind", "value", "created_at"),
)

unasked = Table(
    "unasked",
    metadata,
    _id(),
    _tenant(),
    Column("contact_id", Text, ForeignKey("contacts.id"), nullable=False),
    Column("conversation_id", Text, ForeignKey("conversations.id")),
    _required("purpose"),
    # one message of its kind: a second one with the same key is the same one
    _required("key"),
    # waiting | sent | refused
    _required("state"),
    Column("reason", Text),
    Column("channel", Text),
    Column("address", Text),
    _required("line"),
    _required("slots", Json),
    Column("until", UtcDateTime()),
    Column("due_at", UtcDateTime()),
    Column("outbox_id", Text),
    _required("created_at", UtcDateTime()),
    Column("decided_at", UtcDateTime()),
    UniqueConstraint("tenant", "key"),
    Index("ix_unasked_due", "state", "due_at"),
    Index("ix_unasked_contact", "tenant", "contact_id", "created_at"),
)

# where a customer of the web chat wants an answer when the chat is closed; no address: asked, and declined
reaches = Table(
    "reaches",
    metadata,
    Column(
        "conversation_id", Text, ForeignKey("conversations.id"), primary_key=True, nullable=False
    ),
    _tenant(),
    _required("channel"),
    Column("address", Text),
    _required("assurance"),
    _required("given_at", UtcDateTime()),
    # the seq up to which unread answers were told of there
    _required("told_seq", Integer),
)
